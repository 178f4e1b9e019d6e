/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gazctl/doctor.h"

enum {
	DNS_PORT = 53,
	PROBES_MAX = 50, /* names that are asked for in search of a private address */
};

/* ---- resolv.conf ---- */

/* resolver(5): three servers are used, the last search line counts, ndots is 1 unless
 * set, and 15 at most. We look at all servers. */
static void read_line(char *line, struct doctor_resolv *out)
{
	static const char space[] = " \t\r"; /* files come from Windows, too */
	char *word = strtok(line, space), *value;

	if (!word || *word == '#' || *word == ';')
		return;
	if (strcmp(word, "nameserver") == 0) {
		value = strtok(NULL, " \t\r;#");
		if (value && out->server_count < DOCTOR_SERVERS_MAX &&
		    netaddr_parse_endpoint(value, DNS_PORT,
					   &out->servers[out->server_count]) == GAZ_OK)
			out->server_count++;
	} else if (strcmp(word, "search") == 0 || strcmp(word, "domain") == 0) {
		out->search_count = 0;
		while (strtok(NULL, space))
			out->search_count++;
	} else if (strcmp(word, "options") == 0) {
		while ((value = strtok(NULL, space)) != NULL) {
			if (strncmp(value, "ndots:", 6) == 0)
				out->ndots = (unsigned)atoi(value + 6);
		}
	}
}

static void read_resolv_conf(const struct tree *tree, struct doctor_resolv *out)
{
	char *text = tree_read(tree, "/etc/resolv.conf"), *rest = text, *line;

	*out = (struct doctor_resolv){.ndots = 1};
	while (text && (line = strsep(&rest, "\n")) != NULL)
		read_line(line, out);
	free(text);
	if (out->server_count == 0 &&
	    netaddr_parse_endpoint("127.0.0.1", DNS_PORT, &out->servers[0]) == GAZ_OK)
		out->server_count = 1; /* what the C library then asks */
}

/* ---- the daemon ---- */

static bool is_same_host(const struct sockaddr_storage *a,
			 const struct sockaddr_storage *b)
{
	struct netaddr x, y;

	return netaddr_from_sockaddr((const struct sockaddr *)a, &x) == GAZ_OK &&
	       netaddr_from_sockaddr((const struct sockaddr *)b, &y) == GAZ_OK &&
	       memcmp(&x, &y, sizeof x) == 0;
}

static in_port_t port_of(const struct sockaddr_storage *addr)
{
	return ((const struct sockaddr_in *)addr)->sin_port;
}

static bool is_wildcard(const struct sockaddr_storage *addr)
{
	static const struct netaddr any4 = {.family = AF_INET};
	static const struct netaddr any6 = {.family = AF_INET6};
	struct netaddr a;

	return netaddr_from_sockaddr((const struct sockaddr *)addr, &a) == GAZ_OK &&
	       (memcmp(&a, &any4, sizeof a) == 0 || memcmp(&a, &any6, sizeof a) == 0);
}

bool doctor_is_own(const struct doctor *d, const struct sockaddr_storage *addr)
{
	if (d->has_server && port_of(&d->server) == port_of(addr) &&
	    is_same_host(&d->server, addr))
		return true;
	for (size_t i = 0; i < d->own_count; i++) {
		if (port_of(&d->own[i]) == port_of(addr) &&
		    (is_same_host(&d->own[i], addr) || is_wildcard(&d->own[i])))
			return true;
	}
	return false;
}

static void read_status(struct doctor *d)
{
	char *copy, *rest, *text;

	if (client_call(&d->ctl->client, "Gazetteer.GetStatus", json_object(),
			&d->status) != GAZ_OK) {
		d->status = NULL;
		return;
	}
	copy = rest = strdup(table_text(d->status, "Status.DnsAddresses"));
	while (copy && (text = strsep(&rest, ",")) != NULL) {
		if (d->own_count < DOCTOR_SERVERS_MAX &&
		    netaddr_parse_endpoint(text, DNS_PORT, &d->own[d->own_count]) ==
			    GAZ_OK)
			d->own_count++;
	}
	free(copy);
}

/* Whom to ask as the daemon: who is told to; what this machine uses of it; else what it
 * listens on first, on loopback where that is everywhere. */
static void choose_server(struct doctor *d)
{
	static const char *const loopback[] = {"127.0.0.1", "::1"};
	size_t i = 0;

	if (d->has_server || d->own_count == 0)
		return;
	while (i < d->resolv.server_count && !doctor_is_own(d, &d->resolv.servers[i]))
		i++;
	d->server = i < d->resolv.server_count ? d->resolv.servers[i] : d->own[0];
	d->has_server = true;
	if (is_wildcard(&d->server) &&
	    netaddr_parse_endpoint(loopback[d->server.ss_family == AF_INET6],
				   ntohs(port_of(&d->own[0])), &d->server) != GAZ_OK)
		d->has_server = false;
}

static void read_zones(struct doctor *d)
{
	json_t *reply, *item;
	size_t i;

	if (!d->status || client_call_list(&d->ctl->client, "Gazetteer.ListNamespaces",
					   json_object(), "Namespaces", &reply) != GAZ_OK)
		return;
	json_array_foreach(json_object_get(reply, "Namespaces"), i, item)
	{
		struct doctor_zone *zone = &d->zones[d->zone_count];
		const char *type = table_text(item, "Type");
		struct dns_reply soa = {.rcode = DNS_NO_REPLY};

		if (d->zone_count == DOCTOR_ZONES_MAX || strcmp(type, "HTTP") == 0 ||
		    plan_read_domain(table_text(item, "Name"), zone->name) != GAZ_OK)
			continue;
		zone->is_private = strcmp(type, "DNS_PRIVATE") == 0;
		(void)snprintf(zone->vpc, sizeof zone->vpc, "%s",
			       table_text(item, "Vpc"));
		if (d->has_server && !d->is_silent)
			dns_ask((const struct sockaddr *)&d->server, false, zone->name,
				ns_c_in, ns_t_soa, &soa);
		d->is_silent = soa.rcode == DNS_NO_REPLY;
		zone->is_seen = soa.rcode == ns_r_noerror && soa.answer_count > 0;
		memcpy(zone->primary, soa.text, sizeof zone->primary);
		d->zone_count++;
	}
	json_decref(reply);
}

/* ---- a name to try ---- */

/* RFC 1918, and loopback: what filters against rebinding look for. */
static bool is_private_address(const struct netaddr *a)
{
	return a->bytes[0] == 10 || a->bytes[0] == 127 ||
	       (a->bytes[0] == 172 && (a->bytes[1] & 0xf0) == 16) ||
	       (a->bytes[0] == 192 && a->bytes[1] == 168);
}

static bool has_private_address(const struct doctor *d, const char *name)
{
	struct dns_reply reply;

	dns_ask((const struct sockaddr *)&d->server, false, name, ns_c_in, ns_t_a,
		&reply);
	return reply.address_count > 0 && is_private_address(&reply.addresses[0]);
}

static void try_services(struct doctor *d, const char *id, const char *zone,
			 size_t *tries)
{
	json_t *input = json_object(), *reply, *item;
	size_t i;

	if (ctl_add_filter(input, "NAMESPACE_ID", id) != CTL_OK ||
	    client_call_list(&d->ctl->client, "ListServices", input, "Services",
			     &reply) != GAZ_OK)
		return;
	json_array_foreach(json_object_get(reply, "Services"), i, item)
	{
		char name[DOCTOR_NAME_SIZE];

		if (*d->probe || *tries == 0)
			break;
		(*tries)--;
		(void)snprintf(name, sizeof name, "%.1000s.%s", table_text(item, "Name"),
			       zone);
		if (has_private_address(d, name))
			memcpy(d->probe, name, sizeof name);
	}
	json_decref(reply);
}

static void choose_probe(struct doctor *d)
{
	size_t tries = PROBES_MAX;
	json_t *reply, *item;
	size_t i;

	if (!d->has_server || d->is_silent || d->zone_count == 0 ||
	    client_call_list(&d->ctl->client, "ListNamespaces", json_object(),
			     "Namespaces", &reply) != GAZ_OK)
		return;
	json_array_foreach(json_object_get(reply, "Namespaces"), i, item)
	{
		if (*d->probe || tries == 0)
			break;
		if (strcmp(table_text(item, "Type"), "HTTP") != 0)
			try_services(d, table_text(item, "Id"), table_text(item, "Name"),
				     &tries);
	}
	json_decref(reply);
}

int doctor_gather(struct doctor *d, const char *server)
{
	struct gaz_error err;

	if (server && netaddr_parse_endpoint(server, DNS_PORT, &d->server) != GAZ_OK) {
		ctl_report("--server wants ADDR[:PORT], not %s", server);
		return CTL_USAGE;
	}
	d->has_server = server != NULL;
	read_resolv_conf(d->tree, &d->resolv);
	d->method = plan_detect_method(d->tree);
	if (state_load(d->tree, &d->state, &err) != GAZ_OK)
		return ctl_report("%s", err.text);
	read_status(d);
	choose_server(d);
	read_zones(d);
	choose_probe(d);
	return CTL_OK;
}

void doctor_fini(struct doctor *d)
{
	json_decref(d->status);
	json_decref(d->findings);
	state_fini(&d->state);
}
