/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "daemon/option-internal.h"
#include "daemon/placement.h"
#include "dns/reply.h"
#include "dns/wire.h"

/* The options about DNS messages and connections. */

enum {
	TCP_IDLE_MIN_MS = 100,
	UDP_GATHER_MAX_US = 1000,
	TCP_IDLE_MAX_MS = 6000000, /* what edns-tcp-keepalive can say */
	TCP_MAX_MAX = 1000000,
	TTL_MAX = 2147483647, /* RFC 2181, section 8 */
};

static gaz_status set_text(const char *option, const char *value, char *out, size_t max,
			   struct gaz_error *err)
{
	size_t len = strlen(value);

	if (len == 0 || len > max)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "%s: a text of 1 to %zu octets is needed", option,
				     max);
	memcpy(out, value, len + 1);
	return GAZ_OK;
}

gaz_status option_set_nsid(struct options *c, const char *value, struct gaz_error *err)
{
	return set_text("--nsid", value, c->nsid, sizeof c->nsid - 1, err);
}

gaz_status option_set_identity(struct options *c, const char *value,
			       struct gaz_error *err)
{
	return set_text("--identity", value, c->identity, sizeof c->identity - 1, err);
}

gaz_status option_set_version_text(struct options *c, const char *value,
				   struct gaz_error *err)
{
	return set_text("--version-text", value, c->version_text,
			sizeof c->version_text - 1, err);
}

gaz_status option_set_unknown(struct options *c, const char *value, struct gaz_error *err)
{
	c->denies_unknown = strcmp(value, "nxdomain") == 0;
	if (c->denies_unknown || strcmp(value, "refused") == 0)
		return GAZ_OK;
	return gaz_error_set(err, GAZ_EFORMAT,
			     "--unknown: '%s' is not refused or nxdomain", value);
}

gaz_status option_set_negative_ttl(struct options *c, const char *value,
				   struct gaz_error *err)
{
	uint64_t number;
	gaz_status st = set_number("--negative-ttl", value, TTL_MAX, &number, err);

	if (st != GAZ_OK)
		return st;
	c->has_negative_ttl = true;
	c->negative_ttl_s = (uint32_t)number;
	return GAZ_OK;
}

gaz_status option_set_api_name(struct options *c, const char *value,
			       struct gaz_error *err)
{
	return apiname_add(&c->api_names, value, err);
}

gaz_status option_set_aws_names(struct options *c, const char *value,
				struct gaz_error *err)
{
	char *copy = strdup(value);
	gaz_status st = copy ? GAZ_OK : out_of_memory(err);

	for (char *rest = copy; st == GAZ_OK && rest;) {
		const char *region = strsep(&rest, ",");

		st = apiname_add_region(&c->api_names, region, err);
	}
	free(copy);
	return st;
}

/* Prefixes after the ones that are there. */
gaz_status option_add_prefixes(const char *option, const char *value,
			       struct netprefix **items, size_t *count,
			       struct gaz_error *err)
{
	char *copy = strdup(value);
	gaz_status st = copy ? GAZ_OK : out_of_memory(err);

	for (char *rest = copy; st == GAZ_OK && rest;) {
		const char *text = strsep(&rest, ",");
		struct netprefix *prefix = grow((void **)items, *count, sizeof *prefix);

		if (!prefix)
			st = out_of_memory(err);
		else if (netaddr_parse_prefix(text, prefix) != GAZ_OK)
			st = gaz_error_set(err, GAZ_EFORMAT,
					   "%s: '%s' is not an address prefix such as "
					   "10.0.0.0/16; bits behind the length must be "
					   "zero",
					   option, text);
		else
			++*count;
	}
	free(copy);
	return st;
}

gaz_status option_set_subnet_from(struct options *c, const char *value,
				  struct gaz_error *err)
{
	return option_add_prefixes("--subnet-from", value, &c->subnet_from,
				   &c->subnet_from_count, err);
}

gaz_status option_set_proxy_from(struct options *c, const char *value,
				 struct gaz_error *err)
{
	return option_add_prefixes("--proxy-from", value, &c->proxy_from,
				   &c->proxy_from_count, err);
}

gaz_status option_set_cookie_secret(struct options *c, const char *value,
				    struct gaz_error *err)
{
	switch (cookie_secrets_add(&c->cookies, value, strlen(value))) {
	case GAZ_OK:
		return GAZ_OK;
	case GAZ_ELIMIT:
		return gaz_error_set(err, GAZ_ELIMIT,
				     "--cookie-secret: %d of them are enough: the one in "
				     "use and those before it",
				     COOKIE_SECRETS_MAX);
	default:
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--cookie-secret: a secret is %d hexadecimal digits",
				     2 * SIPHASH_KEY_LEN);
	}
}

gaz_status option_set_udp_size(struct options *c, const char *value,
			       struct gaz_error *err)
{
	uint64_t number;
	gaz_status st = set_number("--udp-size", value, REPLY_UDP_MAX, &number, err);

	if (st == GAZ_OK && number < DNS_UDP_MIN)
		return gaz_error_set(err, GAZ_EFORMAT, "--udp-size: %d octets at least",
				     DNS_UDP_MIN);
	if (st == GAZ_OK)
		c->udp_size = (uint16_t)number;
	return st;
}

gaz_status option_set_udp_gather(struct options *c, const char *value,
				 struct gaz_error *err)
{
	uint64_t number;
	gaz_status st =
		set_number("--udp-gather", value, UDP_GATHER_MAX_US, &number, err);

	if (st == GAZ_OK)
		c->udp_gather_us = (uint32_t)number;
	return st;
}

gaz_status option_set_tcp_idle(struct options *c, const char *value,
			       struct gaz_error *err)
{
	uint64_t number;
	gaz_status st = set_number("--tcp-idle", value, TCP_IDLE_MAX_MS, &number, err);

	if (st == GAZ_OK && number < TCP_IDLE_MIN_MS)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--tcp-idle: %d milliseconds at least",
				     TCP_IDLE_MIN_MS);
	if (st == GAZ_OK)
		c->tcp_idle_ms = (uint32_t)number;
	return st;
}

gaz_status option_set_tcp_max(struct options *c, const char *value, struct gaz_error *err)
{
	uint64_t number;
	gaz_status st = set_number("--tcp-max", value, TCP_MAX_MAX, &number, err);

	if (st == GAZ_OK && number == 0)
		return gaz_error_set(err, GAZ_EFORMAT, "--tcp-max: at least 1 is needed");
	if (st == GAZ_OK)
		c->tcp_max = (uint32_t)number;
	return st;
}

gaz_status option_set_dns_cpus(struct options *c, const char *value,
			       struct gaz_error *err)
{
	return placement_read(value, &c->dns_cpus, err);
}
