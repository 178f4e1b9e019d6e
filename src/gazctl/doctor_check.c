/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/nameser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/portowner.h"
#include "gazctl/doctor.h"

static const struct sockaddr *sa(const struct sockaddr_storage *addr)
{
	return (const struct sockaddr *)addr;
}

static const char *print(const struct sockaddr_storage *addr, char out[NETADDR_TEXT_SIZE])
{
	return netaddr_print_endpoint(sa(addr), out);
}

/* Whom programs of this machine ask. */
static const struct sockaddr_storage *first_server(const struct doctor *d)
{
	return &d->resolv.servers[0];
}

static bool names_us(const struct doctor *d)
{
	for (size_t i = 0; i < d->resolv.server_count; i++) {
		if (doctor_is_own(d, &d->resolv.servers[i]))
			return true;
	}
	return false;
}

static bool is_resolved(const struct doctor *d)
{
	return strcmp(d->method->name, "systemd-resolved") == 0;
}

/* ---- the daemon ---- */

static void look_for_daemon(struct doctor *d)
{
	const struct http_peer *peer = &d->ctl->client.peer;

	if (!d->status)
		doctor_find(d, "no gazetteerd answers at %s",
			    peer->socket_path ? peer->socket_path : peer->host);
}

static void look_at_port(struct doctor *d, const char *text)
{
	char owner[PORTOWNER_SIZE];
	struct sockaddr_storage addr;

	if (netaddr_parse_endpoint(text, -1, &addr) == GAZ_OK &&
	    portowner_find(sa(&addr), owner) && strncmp(owner, "gazetteerd ", 11) != 0)
		doctor_find(d, "%s is taken by %s", text, owner);
}

/* Only while the daemon does not run: else it has what it needs. */
static void look_for_taken_ports(struct doctor *d)
{
	char text[NETADDR_TEXT_SIZE];

	if (d->status)
		return;
	if (d->has_server)
		look_at_port(d, print(&d->server, text));
	else if (d->state.root)
		look_at_port(d, d->state.server);
	else
		look_at_port(d, "127.0.0.1:10053");
	look_at_port(d, "127.0.0.1:8053");
}

static void look_for_silence(struct doctor *d)
{
	char text[NETADDR_TEXT_SIZE];
	struct dns_reply reply;

	if (!d->status || !d->has_server)
		return;
	for (int tcp = 0; tcp <= 1; tcp++) {
		dns_ask(sa(&d->server), tcp, "whoami.gazetteer", ns_c_chaos, ns_t_txt,
			&reply);
		if (reply.rcode == DNS_NO_REPLY)
			doctor_find(d, "no answer from %s over %s",
				    print(&d->server, text), tcp ? "TCP" : "UDP");
		else if (!strstr(reply.text, "source="))
			doctor_find(d, "who answers at %s over %s is no gazetteerd",
				    print(&d->server, text), tcp ? "TCP" : "UDP");
	}
}

static void look_at_source(struct doctor *d)
{
	struct dns_reply reply;
	bool has_private = false;

	for (size_t i = 0; i < d->zone_count; i++)
		has_private = has_private || d->zones[i].is_private;
	if (!has_private || !d->has_server)
		return;
	dns_ask(sa(&d->server), false, "whoami.gazetteer", ns_c_chaos, ns_t_txt, &reply);
	if (strstr(reply.text, "vpcs=0 ") && strstr(reply.text, "undeclared=no "))
		doctor_find(d,
			    "the daemon sees queries from here as %.*s, which is in no "
			    "VPC: private namespaces are not there",
			    (int)strcspn(reply.text, " "), reply.text);
}

/* The id of the VPC that a listener is bound to, as the daemon explains what it answers
 * there. @return NULL: it is bound to none, or the daemon does not tell */
static json_t *ask_for_vpc(const struct doctor *d, const char *listener)
{
	json_t *reply, *source, *id = NULL;

	if (client_call(&d->ctl->client, "Gazetteer.ExplainAnswer",
			json_pack("{s:s, s:s}", "Name", ".", "To", listener),
			&reply) != GAZ_OK)
		return NULL;
	source = json_object_get(json_object_get(reply, "Explanation"), "Source");
	if (strcmp(table_text(source, "Rule"), "LISTENER") == 0)
		id = json_incref(json_array_get(json_object_get(source, "VpcIds"), 0));
	json_decref(reply);
	return id;
}

/* The VPCs that listeners are bound to, ids as the members of an object; NULL: some
 * listener is bound to none. */
static json_t *find_bound_vpcs(const struct doctor *d)
{
	char *copy = strdup(table_text(d->status, "Status.DnsAddresses"));
	char *rest = copy, *listener;
	json_t *bound = copy ? json_object() : NULL;

	while (bound && rest && (listener = strsep(&rest, ",")) != NULL) {
		json_t *id = ask_for_vpc(d, listener);

		if (!id ||
		    json_object_set_new(bound, json_string_value(id), json_true()) != 0) {
			json_decref(bound);
			bound = NULL;
		}
		json_decref(id);
	}
	free(copy);
	return bound;
}

/* Whatever the source, it is in the VPC of the listener: the others' namespaces are there
 * for nobody. Whether a proxy or a resolver is believed to say who asks, nobody tells. */
static void look_for_unbound_vpcs(struct doctor *d)
{
	json_t *bound = NULL;

	for (size_t i = 0; i < d->zone_count; i++) {
		const struct doctor_zone *zone = &d->zones[i];

		if (!zone->is_private)
			continue;
		if (!bound && !(bound = find_bound_vpcs(d)))
			return;
		if (!json_object_get(bound, zone->vpc))
			doctor_find(d,
				    "%s is private to %s, and every listener is bound "
				    "to another VPC: only who is believed to ask for "
				    "others (--proxy-from, --subnet-from) finds it",
				    zone->name, zone->vpc);
	}
	json_decref(bound);
}

/* ---- the machine's resolver ---- */

static void look_at_installed(struct doctor *d)
{
	struct sockaddr_storage addr;

	for (size_t i = 0; i < d->state.file_count; i++) {
		enum state_verdict verdict = STATE_CHANGED;

		if (state_judge(d->tree, &d->state.files[i], &verdict, NULL) == GAZ_OK &&
		    verdict != STATE_IN_PLACE)
			doctor_find(
				d, "%s is not any more what resolver install has written",
				d->state.files[i].path);
	}
	if (d->status && d->state.root &&
	    netaddr_parse_endpoint(d->state.server, 53, &addr) == GAZ_OK &&
	    !doctor_is_own(d, &addr))
		doctor_find(d,
			    "the resolver is told to ask %s, where gazetteerd does "
			    "not listen",
			    d->state.server);
}

static void look_for_other_servers(struct doctor *d)
{
	char text[NETADDR_TEXT_SIZE];

	if (!names_us(d))
		return;
	if (!doctor_is_own(d, first_server(d)))
		doctor_find(d, "/etc/resolv.conf names %s before gazetteerd",
			    print(first_server(d), text));
	for (size_t i = 1; i < d->resolv.server_count; i++) {
		if (!doctor_is_own(d, &d->resolv.servers[i]))
			doctor_find(d, "/etc/resolv.conf names %s besides gazetteerd",
				    print(&d->resolv.servers[i], text));
	}
}

static int ask_for_root(const struct doctor *d)
{
	struct dns_reply reply;

	dns_ask(sa(first_server(d)), false, ".", ns_c_in, ns_t_ns, &reply);
	return reply.rcode;
}

static void look_for_forwarding(struct doctor *d)
{
	if (doctor_is_own(d, first_server(d)) && ask_for_root(d) == ns_r_refused)
		doctor_find(d, "all names of this machine go to gazetteerd, which knows "
			       "its own alone");
}

static void look_for_upstream(struct doctor *d)
{
	if (doctor_is_own(d, first_server(d)) && ask_for_root(d) == ns_r_servfail)
		doctor_find(d, "gazetteerd gets no answer from the resolver that it "
			       "forwards to");
}

/* The name may exist elsewhere too: only the daemon's SOA record will do. */
static bool reaches_us(const struct doctor *d, const struct doctor_zone *zone,
		       struct dns_reply *reply)
{
	dns_ask(sa(first_server(d)), false, zone->name, ns_c_in, ns_t_soa, reply);
	return reply->rcode == ns_r_noerror && reply->answer_count > 0 &&
	       strcmp(reply->text, zone->primary) == 0;
}

static void look_for_routing(struct doctor *d)
{
	char text[NETADDR_TEXT_SIZE];
	struct dns_reply reply = {.rcode = ns_r_noerror};

	for (size_t i = 0; i < d->zone_count && reply.rcode != DNS_NO_REPLY; i++) {
		if (d->zones[i].is_seen && !reaches_us(d, &d->zones[i], &reply))
			doctor_find(d,
				    "%s does not lead to gazetteerd: this machine asks "
				    "%s (%s)",
				    d->zones[i].name, print(first_server(d), text),
				    d->method->name);
	}
}

/* The name is found there, but the address is not let through. */
static void look_for_rebind_filter(struct doctor *d)
{
	char text[NETADDR_TEXT_SIZE];
	const struct doctor_zone *zone = NULL;
	struct dns_reply reply;

	if (!*d->probe || doctor_is_own(d, first_server(d)))
		return;
	for (size_t i = 0; i < d->zone_count; i++) {
		size_t len = strlen(d->zones[i].name), whole = strlen(d->probe);

		if (len < whole && strcmp(d->probe + whole - len, d->zones[i].name) == 0)
			zone = &d->zones[i];
	}
	if (!zone || !reaches_us(d, zone, &reply))
		return; /* that is another fault */
	dns_ask(sa(first_server(d)), false, d->probe, ns_c_in, ns_t_a, &reply);
	if (reply.rcode != DNS_NO_REPLY && reply.address_count == 0)
		doctor_find(d,
			    "%s has a private address, which %s filters out of the "
			    "answer",
			    d->probe, print(first_server(d), text));
}

/* ---- names ---- */

static bool ends_in_local(const char *name)
{
	size_t len = strlen(name);

	return strcmp(name, "local") == 0 ||
	       (len > 6 && strcmp(name + len - 6, ".local") == 0);
}

static bool has_mdns(const struct doctor *d)
{
	char *text = tree_read(d->tree, "/etc/nsswitch.conf"), *rest = text, *line;
	bool found = false;

	while (text && (line = strsep(&rest, "\n")) != NULL)
		found = found ||
			(strncmp(line, "hosts:", 6) == 0 && strstr(line, "mdns"));
	free(text);
	return found;
}

static bool is_routed(const struct doctor *d, const char *zone)
{
	const json_t *domains = json_object_get(d->state.root, "Domains");
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)domains, i, item)
	{
		if (strcmp(json_string_value(item), zone) == 0)
			return true;
	}
	return false;
}

static void look_for_local(struct doctor *d)
{
	bool mdns = has_mdns(d);

	for (size_t i = 0; i < d->zone_count; i++) {
		const char *zone = d->zones[i].name;

		if (ends_in_local(zone) && mdns)
			doctor_find(d,
				    "%s is looked up by multicast DNS (mdns in "
				    "/etc/nsswitch.conf)",
				    zone);
		else if (ends_in_local(zone) && is_resolved(d) && !is_routed(d, zone))
			doctor_find(d,
				    "%s is looked up by multicast DNS: systemd-resolved "
				    "has no routing domain for it",
				    zone);
	}
}

static unsigned count_dots(const char *name)
{
	unsigned dots = 0;

	for (; *name; name++)
		dots += *name == '.';
	return dots;
}

/* A name of a service has one dot more than its namespace. */
static void look_at_search(struct doctor *d)
{
	const struct doctor_resolv *r = &d->resolv;

	for (size_t i = 0; r->search_count > 0 && i < d->zone_count; i++) {
		if (count_dots(d->zones[i].name) + 1 < r->ndots)
			doctor_find(d,
				    "ndots:%u makes %zu questions of each name in %s: "
				    "first with the search domains behind it",
				    r->ndots, r->search_count + 1, d->zones[i].name);
	}
}

static void look_for_single_labels(struct doctor *d)
{
	for (size_t i = 0; is_resolved(d) && i < d->zone_count; i++) {
		if (!strchr(d->zones[i].name, '.'))
			doctor_find(d,
				    "systemd-resolved asks no server for \"%s\": it "
				    "has one label",
				    d->zones[i].name);
	}
}

/* What systemd-resolved does not validate by itself, see dnssec-trust-anchors.d(5). */
static bool is_never_validated(const char *zone)
{
	static const char *const suffixes[] = {"home.arpa", "corp",	"home",
					       "internal",  "intranet", "lan",
					       "local",	    "private",	"test"};
	size_t len = strlen(zone);

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		size_t n = strlen(suffixes[i]);

		if (len >= n && strcmp(zone + len - n, suffixes[i]) == 0 &&
		    (len == n || zone[len - n - 1] == '.'))
			return true;
	}
	return false;
}

static bool has_line(const struct doctor *d, const char *path, const char *wanted)
{
	char *text = tree_read(d->tree, path), *rest = text, *line;
	bool found = false;

	while (text && (line = strsep(&rest, "\n")) != NULL)
		found = found || strcmp(line, wanted) == 0;
	free(text);
	return found;
}

static bool has_line_in(const struct doctor *d, const char *dir, const char *suffix,
			const char *wanted)
{
	char **names = tree_list(d->tree, dir, suffix);
	bool found = false;

	for (char **name = names; name && *name; name++) {
		char path[512];

		(void)snprintf(path, sizeof path, "%s/%s", dir, *name);
		found = found || has_line(d, path, wanted);
		free(*name);
	}
	free(names);
	return found;
}

static void look_for_dnssec(struct doctor *d)
{
	bool validates =
		has_line(d, "/etc/systemd/resolved.conf", "DNSSEC=yes") ||
		has_line_in(d, "/etc/systemd/resolved.conf.d", ".conf", "DNSSEC=yes");

	for (size_t i = 0; is_resolved(d) && validates && i < d->zone_count; i++) {
		const char *zone = d->zones[i].name;

		if (!is_never_validated(zone) &&
		    !has_line_in(d, "/etc/dnssec-trust-anchors.d", ".negative", zone))
			doctor_find(d,
				    "DNSSEC=yes makes systemd-resolved refuse %s, "
				    "which is not signed",
				    zone);
	}
}

const struct doctor_check doctor_checks[] = {
	{"daemon", look_for_daemon,
	 "start it (systemctl start gazetteerd), or say where it is with --socket or "
	 "--api"},
	{"port", look_for_taken_ports,
	 "stop that program, or run gazetteerd with another --listen or --api"},
	{"answers", look_for_silence,
	 "let DNS pass the firewall over UDP and TCP; in a container, publish the port "
	 "for "
	 "both"},
	{"vpc", look_at_source,
	 "declare that address (gazctl vpc put ID PREFIX), bind a VPC to the address "
	 "that "
	 "is asked (--listen ADDR=VPC), or let queries come without NAT"},
	{"listeners", look_for_unbound_vpcs,
	 "bind an address to that VPC too (--listen ADDR=VPC), or listen at one that is "
	 "bound to none (--listen ADDR): there the source decides"},
	{"installed", look_at_installed, "gazctl resolver remove, then install again"},
	{"nameservers", look_for_other_servers,
	 "leave gazetteerd alone in /etc/resolv.conf, and let it --forward: resolvers "
	 "ask "
	 "any of several, and private names vanish now and then"},
	{"forwarding", look_for_forwarding,
	 "run gazetteerd with --forward, and --allow-recursion for this machine; or send "
	 "it only its own domains (gazctl resolver install --method systemd-resolved or "
	 "networkmanager)"},
	{"upstream", look_for_upstream,
	 "name a resolver that answers from here with --forward"},
	{"routing", look_for_routing,
	 "gazctl resolver install; or give the resolver that is asked a line for that "
	 "domain"},
	{"rebind", look_for_rebind_filter,
	 "tell that resolver: rebind-domain-ok=/DOMAIN/ (dnsmasq), private-domain: "
	 "DOMAIN "
	 "(Unbound), or the exception list of the router"},
	{"local", look_for_local,
	 "choose a name under .internal or .test; or take mdns out of the hosts line, or "
	 "gazctl resolver install --domain NAMESPACE"},
	{"search", look_at_search,
	 "write such names with a final dot, or lower ndots (in Kubernetes: dnsConfig of "
	 "the pod)"},
	{"single-label", look_for_single_labels,
	 "choose a name with a dot, or set ResolveUnicastSingleLabel=yes in "
	 "resolved.conf"},
	{"dnssec", look_for_dnssec,
	 "write the domain into /etc/dnssec-trust-anchors.d/gazetteer.negative, and "
	 "restart systemd-resolved"},
	{0},
};
