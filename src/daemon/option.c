/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/option.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/option-internal.h"

enum {
	UPSTREAM_PORT_DEFAULT = 53,
	HEALTH_CHECK_INTERVAL_MIN_MS = 10,
};

static gaz_status set_path(const char *name, const char *value, char out[PATH_SIZE],
			   struct gaz_error *err)
{
	if (*value == '\0' || strlen(value) >= PATH_SIZE)
		return gaz_error_set(err, GAZ_EFORMAT, "%s: not a usable path", name);
	strcpy(out, value);
	return GAZ_OK;
}

static gaz_status set_api(struct options *c, const char *value, struct gaz_error *err)
{
	struct sockaddr_storage *item;

	if (strcmp(value, "none") == 0)
		return GAZ_OK;
	item = grow((void **)&c->api, c->api_count, sizeof *item);
	if (!item)
		return out_of_memory(err);
	if (netaddr_parse_endpoint(value, -1, item) != GAZ_OK)
		return gaz_error_set(
			err, GAZ_EFORMAT,
			"--api: '%s' is not ADDR:PORT, such as 127.0.0.1:8053, "
			"nor none",
			value);
	c->api_count++;
	return GAZ_OK;
}

static gaz_status set_socket(struct options *c, const char *value, struct gaz_error *err)
{
	return set_path("--socket", value, c->socket, err);
}

static gaz_status set_data(struct options *c, const char *value, struct gaz_error *err)
{
	return set_path("--data", value, c->data, err);
}

static gaz_status set_ephemeral(struct options *c, const char *value,
				struct gaz_error *err)
{
	(void)err;
	c->ephemeral = value != NULL;
	return GAZ_OK;
}

static gaz_status set_zones(struct options *c, const char *value, struct gaz_error *err)
{
	return set_path("--zones", value, c->zones, err);
}

static gaz_status set_seed(struct options *c, const char *value, struct gaz_error *err)
{
	return set_path("--seed", value, c->seed, err);
}

static gaz_status set_cookie_file(struct options *c, const char *value,
				  struct gaz_error *err)
{
	return set_path("--cookie-secret-file", value, c->cookie_file, err);
}

static gaz_status set_best_effort(struct options *c, const char *value,
				  struct gaz_error *err)
{
	(void)err;
	c->best_effort = value != NULL;
	return GAZ_OK;
}

static gaz_status set_workers(struct options *c, const char *value, struct gaz_error *err)
{
	uint64_t number;
	gaz_status st = set_number("--workers", value, OPTIONS_WORKERS_MAX, &number, err);

	if (st == GAZ_OK && number == 0)
		return gaz_error_set(err, GAZ_EFORMAT, "--workers: at least 1 is needed");
	if (st == GAZ_OK)
		c->workers = (uint32_t)number;
	return st;
}

static gaz_status set_log_level(struct options *c, const char *value,
				struct gaz_error *err)
{
	enum log_level level;

	(void)c;
	if (log_level_parse(value, &level) != GAZ_OK)
		return gaz_error_set(
			err, GAZ_EFORMAT,
			"--log-level: '%s' is not error, warn, info or debug", value);
	log_set_level(level);
	return GAZ_OK;
}

static gaz_status set_region(struct options *c, const char *value, struct gaz_error *err)
{
	size_t len = strlen(value);

	if (len == 0 || len >= sizeof c->region ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--region: '%s' is not a region such as us-east-1",
				     value);
	strcpy(c->region, value);
	return GAZ_OK;
}

static gaz_status set_account(struct options *c, const char *value, struct gaz_error *err)
{
	if (strlen(value) != 12 || strspn(value, "0123456789") != 12)
		return gaz_error_set(err, GAZ_EFORMAT, "--account: '%s' is not 12 digits",
				     value);
	strcpy(c->account, value);
	return GAZ_OK;
}

static gaz_status set_auth(struct options *c, const char *value, struct gaz_error *err)
{
	static const char *const modes[] = {[API_AUTH_OFF] = "off",
					    [API_AUTH_PARSE] = "parse",
					    [API_AUTH_VERIFY] = "verify"};

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		if (strcmp(modes[i], value) == 0) {
			c->auth = (enum api_auth)i;
			return GAZ_OK;
		}
	}
	return gaz_error_set(err, GAZ_EFORMAT, "--auth: '%s' is not off, parse or verify",
			     value);
}

static gaz_status set_key(struct options *c, const char *value, struct gaz_error *err)
{
	const char *equals = strchr(value, '=');
	struct api_key *item;

	if (!equals || equals == value || equals[1] == '\0')
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--key: give an access key id, '=' and its secret");
	item = grow((void **)&c->keys, c->key_count, sizeof *item);
	if (!item)
		return out_of_memory(err);
	c->key_count++;
	item->access_key_id = strndup(value, (size_t)(equals - value));
	item->secret = strdup(equals + 1);
	return item->access_key_id && item->secret ? GAZ_OK : out_of_memory(err);
}

static gaz_status set_operation_delay(struct options *c, const char *value,
				      struct gaz_error *err)
{
	uint64_t number;
	gaz_status st = set_number("--operation-delay", value, 86400000, &number, err);

	if (st == GAZ_OK)
		c->operation_delay_ms = (uint32_t)number;
	return st;
}

static gaz_status set_custom_health_delay(struct options *c, const char *value,
					  struct gaz_error *err)
{
	uint64_t number;
	gaz_status st =
		set_number("--custom-health-delay", value, 86400000, &number, err);

	if (st == GAZ_OK)
		c->custom_health_delay_ms = (uint32_t)number;
	return st;
}

static gaz_status set_health_checks(struct options *c, const char *value,
				    struct gaz_error *err)
{
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--health-checks: '%s' is not on or off", value);
	c->health_checks = strcmp(value, "on") == 0;
	return GAZ_OK;
}

static gaz_status set_ptr(struct options *c, const char *value, struct gaz_error *err)
{
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		return gaz_error_set(err, GAZ_EFORMAT, "--ptr: '%s' is not on or off",
				     value);
	c->ptr = strcmp(value, "on") == 0;
	return GAZ_OK;
}

static gaz_status set_health_check_interval(struct options *c, const char *value,
					    struct gaz_error *err)
{
	uint64_t number;
	gaz_status st =
		set_number("--health-check-interval", value, 86400000, &number, err);

	if (st == GAZ_OK && number < HEALTH_CHECK_INTERVAL_MIN_MS)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--health-check-interval: %d milliseconds at least",
				     HEALTH_CHECK_INTERVAL_MIN_MS);
	if (st == GAZ_OK)
		c->health_check_interval_ms = (uint32_t)number;
	return st;
}

static gaz_status set_health_check_max(struct options *c, const char *value,
				       struct gaz_error *err)
{
	uint64_t number;
	gaz_status st = set_number("--health-check-max", value, 100000, &number, err);

	if (st == GAZ_OK && number == 0)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--health-check-max: at least 1 is needed");
	if (st == GAZ_OK)
		c->health_check_max = (uint32_t)number;
	return st;
}

static gaz_status set_operation_hours(struct options *c, const char *value,
				      struct gaz_error *err)
{
	uint64_t number;
	gaz_status st = set_number("--operation-hours", value, 1000000, &number, err);

	if (st == GAZ_OK)
		c->operation_hours = (uint32_t)number;
	return st;
}

static gaz_status set_operation_max(struct options *c, const char *value,
				    struct gaz_error *err)
{
	uint64_t number;
	gaz_status st = set_number("--operation-max", value, UINT32_MAX, &number, err);

	if (st == GAZ_OK)
		c->operation_max = (uint32_t)number;
	return st;
}

static gaz_status set_alias(struct options *c, const char *value, struct gaz_error *err)
{
	struct alias_host *item =
		grow((void **)&c->aliases, c->alias_count, sizeof *item);

	if (!item)
		return out_of_memory(err);
	c->alias_count++;
	return alias_parse(value, item, err);
}

static gaz_status set_alias_upstream(struct options *c, const char *value,
				     struct gaz_error *err)
{
	struct sockaddr_storage *addr = &c->alias_upstream;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)addr;

	_Static_assert(offsetof(struct sockaddr_in, sin_port) ==
			       offsetof(struct sockaddr_in6, sin6_port),
		       "one place for the port");
	if (netaddr_parse_endpoint(value, UPSTREAM_PORT_DEFAULT, addr) == GAZ_OK &&
	    v4->sin_port != 0)
		return GAZ_OK;
	return gaz_error_set(err, GAZ_EFORMAT,
			     "--alias-upstream: '%s' is not ADDR[:PORT], such as "
			     "192.0.2.53 or [2001:db8::53]:53",
			     value);
}

static gaz_status set_random_seed(struct options *c, const char *value,
				  struct gaz_error *err)
{
	return set_number("--random-seed", value, UINT64_MAX, &c->random_seed, err);
}

const struct option_row option_rows[] = {
	{"listen", "ADDR[:PORT][=VPC]", true, false, option_set_listen,
	 "answer DNS here, over UDP and TCP; with =VPC every\n"
	 "query that arrives here belongs to that VPC\n"
	 "(default: 127.0.0.1:10053 and [::1]:10053)"},
	{"api", "ADDR:PORT", true, false, set_api,
	 "answer the AWS API here, or none\n(default: 127.0.0.1:8053)"},
	{"socket", "PATH", false, false, set_socket,
	 "the management socket: the same API on a unix socket\n"
	 "(default: gazetteer/api.sock in the runtime directory)"},
	{"best-effort", NULL, false, false, set_best_effort,
	 "start although some addresses of --listen and --api cannot\n"
	 "be used, as long as one of --listen can"},
	{"data", "DIR", false, false, set_data,
	 "keep the store here\n(default: gazetteer in the state directory)"},
	{"ephemeral", NULL, false, false, set_ephemeral,
	 "keep the store in a temporary directory, removed at exit"},
	{"zones", "DIR", false, false, set_zones,
	 "serve the zone files DIR/<origin>.zone beside the namespaces"},
	{"vpc", "ID=CIDR[,CIDR...]", true, false, option_set_vpc,
	 "declare the source prefixes of a VPC; the longest prefix wins"},
	{"strict-vpcs", NULL, false, false, option_set_strict_vpcs,
	 "refuse namespaces of VPCs that are not declared\n"
	 "(default: such a VPC has the loopback prefixes)"},
	{"alias", "HOST=ADDR[,ADDR...][@TTL]", true, false, set_alias,
	 "the addresses of a host that instances name as\n"
	 "AWS_ALIAS_DNS_NAME (default TTL: 60)"},
	{"alias-upstream", "ADDR[:PORT]", false, false, set_alias_upstream,
	 "the resolver to ask for such hosts that are neither in\n"
	 "our zones nor given by --alias (default: none)"},
	{"forward", "[SUFFIX=]ADDR[:PORT][,...]", true, false, option_set_forward,
	 "send names that are in none of our zones to these resolvers,\n"
	 "with a suffix those below it; or resolv.conf: to the system's\n"
	 "own, or a FILE of that format; or none\n"
	 "(default: none, such names are refused)"},
	{"allow-recursion", "CIDR[,CIDR...]", true, false, option_set_allow_recursion,
	 "the sources that --forward serves\n"
	 "(default: loopback and the declared prefixes of all VPCs)"},
	{"workers", "N", false, true, set_workers,
	 "DNS worker threads (default: the number of cores, or one for\n"
	 "each CPU of --dns-cpus)"},
	{"dns-cpus", "LIST", false, false, option_set_dns_cpus,
	 "CPUs of the DNS workers, such as 0 or 0-1,4: each worker keeps\n"
	 "to one, and all other threads to the remaining ones, if any\n"
	 "(default: all threads run on any)"},
	{"udp-size", "OCTETS", false, true, option_set_udp_size,
	 "the largest reply over UDP, for clients that take so much:\n"
	 "512 to 4096; above 1232 only where networks carry that\n"
	 "(default: 1232)"},
	{"udp-gather", "MICROSECONDS", false, true, option_set_udp_gather,
	 "how long queries may gather, once replies leave together\n"
	 "because clients have many under way: 0 (never) to 1000\n"
	 "(default: 60)"},
	{"tcp-idle", "MS", false, true, option_set_tcp_idle,
	 "how long a TCP connection may ask nothing, in milliseconds,\n"
	 "a sixth of it while there are many (default: 30000)"},
	{"tcp-max", "N", false, true, option_set_tcp_max,
	 "TCP connections of each worker; one more replaces the one\n"
	 "that is idle longest (default: 512)"},
	{"api-name", "NAME[=ADDR[,ADDR...]]", true, false, option_set_api_name,
	 "answer this name, and data-NAME, which SDKs make of it, with\n"
	 "these addresses (default: those of --api)"},
	{"aws-names", "REGION[,REGION...]", true, false, option_set_aws_names,
	 "the same for servicediscovery.REGION.amazonaws.com"},
	{"subnet-from", "CIDR[,CIDR...]", true, false, option_set_subnet_from,
	 "sources whose EDNS client subnet (RFC 7871) is the source\n"
	 "that chooses the view (default: none)"},
	{"proxy-from", "CIDR[,CIDR...]", true, false, option_set_proxy_from,
	 "proxies: their queries begin with a header of the PROXY\n"
	 "protocol, version 2, which tells the source (default: none)"},
	{"unknown", "ANSWER", false, false, option_set_unknown,
	 "what names in none of our zones are answered with when they\n"
	 "are not forwarded: refused or nxdomain (default: refused)"},
	{"negative-ttl", "SECONDS", false, true, option_set_negative_ttl,
	 "how long negative answers may be cached, 0: not at all\n"
	 "(default: what each zone's SOA record says)"},
	{"nsid", "TEXT", false, false, option_set_nsid,
	 "what EDNS clients that want to know the server are told\n"
	 "(NSID, RFC 5001) (default: nothing)"},
	{"identity", "TEXT", false, false, option_set_identity,
	 "the TXT record of id.server and hostname.bind in class CH\n"
	 "(default: refused)"},
	{"version-text", "TEXT", false, false, option_set_version_text,
	 "the same for version.server and version.bind\n"
	 "(default: refused)"},
	{"cookie-secret", "HEX", true, false, option_set_cookie_secret,
	 "32 digits: make DNS cookies with this secret, as do the\n"
	 "other servers of one address; further ones are those\n"
	 "before it, still taken (default: made at start, a new\n"
	 "one every day)"},
	{"cookie-secret-file", "FILE", false, false, set_cookie_file,
	 "the same from a file, one a line, # before comments; read\n"
	 "again at SIGHUP (default: none)"},
	{"region", "NAME", false, false, set_region,
	 "the region of requests that are not signed (default: us-east-1)"},
	{"account", "ID", false, false, set_account,
	 "the account of requests whose access key id is not\n"
	 "12 digits (default: 000000000000)"},
	{"auth", "MODE", false, false, set_auth,
	 "request signatures: off, parse (well formed) or verify\n"
	 "(right for a --key) (default: off)"},
	{"key", "AKID=SECRET", true, false, set_key, "a key for --auth verify"},
	{"quota", "NAME=N", true, false, option_set_quota,
	 "namespaces=50, services-per-namespace=0,\n"
	 "instances-per-service=1000,\n"
	 "instances-per-namespace=2000, attributes-per-instance=30\n"
	 "(custom ones), attributes-per-service=30 and\n"
	 "tags-per-resource=50 are the defaults; 0: no limit"},
	{"rate", "NAME=N[:BURST]", true, false, option_set_rate,
	 "calls a second for each account in each region: of\n"
	 "DiscoverInstances, DiscoverInstancesRevision, or all\n"
	 "others (other); BURST at once (default: no limit, and\n"
	 "twice N at once)"},
	{"soa", "\"MNAME RNAME [REFRESH [RETRY [EXPIRE [MINIMUM]]]]\"", false, false,
	 option_set_soa,
	 "the SOA record of namespaces (default: as Route 53 has\n"
	 "it; the first --ns is the default of MNAME)"},
	{"ns", "NAME", true, false, option_set_ns,
	 "a name server of namespaces, for their NS records\n"
	 "(default: Route 53's four)"},
	{"soa-ttl", "SECONDS", false, true, option_set_soa_ttl,
	 "SOA.TTL of namespaces that are created without one, which\n"
	 "is how long negative answers are cached (default: 15)"},
	{"soa-serial", "POLICY", false, false, option_set_soa_serial,
	 "fixed (always 1, as on AWS) or counting (it goes up with\n"
	 "every change of the zone's records) (default: fixed)"},
	{"discover-health", "STATUS", false, false, option_set_discover_health,
	 "which instances DiscoverInstances finds when it is not told:\n"
	 "HEALTHY or HEALTHY_OR_ELSE_ALL (default: HEALTHY)"},
	{"ec2", "ID=IPV4", true, false, option_set_ec2,
	 "the private address of an EC2 instance, for the attribute\n"
	 "AWS_EC2_INSTANCE_ID (default: one made from the id)"},
	{"operation-delay", "MS", false, true, set_operation_delay,
	 "how long operations stay pending, in milliseconds\n"
	 "(default: 0, ended when the call is answered)"},
	{"custom-health-delay", "MS", false, true, set_custom_health_delay,
	 "how long a custom health status takes to take effect, in\n"
	 "milliseconds (default: 0; AWS takes 30000)"},
	{"ptr", "on|off", false, false, set_ptr,
	 "PTR records for the addresses of instances, and the\n"
	 "empty zones of private networks (default: off)"},
	{"health-checks", "on|off", false, false, set_health_checks,
	 "execute the checks of HealthCheckConfig: connect to the\n"
	 "instances (default: off, all of them are healthy)"},
	{"health-check-interval", "MS", false, true, set_health_check_interval,
	 "from one check of an instance to the next, in\n"
	 "milliseconds (default: 30000)"},
	{"health-check-max", "N", false, true, set_health_check_max,
	 "how many checks are under way at a time (default: 256)"},
	{"operation-hours", "N", false, true, set_operation_hours,
	 "how long operations that ended are kept (default: 24)"},
	{"operation-max", "N", false, true, set_operation_max,
	 "how many of them at most (default: 1000000)"},
	{"seed", "FILE", false, false, set_seed,
	 "what shall be there at the start: VPCs, namespaces,\n"
	 "services and instances, in JSON"},
	{"random-seed", "N", false, true, set_random_seed,
	 "choose among records and shuffle what DiscoverInstances\n"
	 "finds reproducibly, for tests (with --workers 1)"},
	{"log-level", "LEVEL", false, false, set_log_level,
	 "error, warn, info or debug (default: info)"},
};

const size_t option_row_count = sizeof option_rows / sizeof *option_rows;
_Static_assert(sizeof option_rows / sizeof *option_rows <= OPTION_ROWS_MAX,
	       "raise OPTION_ROWS_MAX");

const struct option_row *option_find(const char *name)
{
	for (size_t i = 0; i < option_row_count; i++) {
		if (strcmp(option_rows[i].name, name) == 0)
			return &option_rows[i];
	}
	return NULL;
}
