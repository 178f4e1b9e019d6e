/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/alias.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "zone/host.h"

enum {
	TTL_DEFAULT = 60,
	TTL_MAX = 2147483647, /* RFC 2181, section 8 */
};

static gaz_status read_host(const char *text, struct alias_host *out,
			    struct gaz_error *err)
{
	size_t len;

	if (dname_from_text(text, out->name, &len) == GAZ_OK && len > 1)
		return GAZ_OK;
	return gaz_error_set(err, GAZ_EFORMAT, "--alias: '%s' is not a domain name",
			     text);
}

static gaz_status read_ttl(const char *text, struct alias_host *out,
			   struct gaz_error *err)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number > TTL_MAX)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--alias: '%s' is not a TTL from 0 to %d seconds",
				     text, TTL_MAX);
	out->ttl = (uint32_t)number;
	return GAZ_OK;
}

static gaz_status add_address(const char *text, struct alias_host *out,
			      struct gaz_error *err)
{
	if (out->address_count == HOST_ADDRESSES_MAX)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--alias: a host has at most %d addresses",
				     HOST_ADDRESSES_MAX);
	if (netaddr_parse(text, &out->addresses[out->address_count]) != GAZ_OK)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--alias: '%s' is not an address such as 192.0.2.1 "
				     "or 2001:db8::1",
				     text);
	out->address_count++;
	return GAZ_OK;
}

gaz_status alias_parse(const char *text, struct alias_host *out, struct gaz_error *err)
{
	char *copy = strdup(text);
	char *equals = copy ? strrchr(copy, '=') : NULL;
	char *at = equals ? strchr(equals, '@') : NULL;
	gaz_status st;

	out->ttl = TTL_DEFAULT;
	out->addresses = calloc(HOST_ADDRESSES_MAX, sizeof *out->addresses);
	if (!copy || !out->addresses) {
		free(copy);
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	}
	if (!equals) {
		st = gaz_error_set(err, GAZ_EFORMAT,
				   "--alias: '%s' is not HOST=ADDR[,ADDR...][@TTL]",
				   text);
		goto out;
	}
	*equals = '\0';
	if (at)
		*at = '\0';
	st = read_host(copy, out, err);
	if (st == GAZ_OK && at)
		st = read_ttl(at + 1, out, err);
	for (char *rest = equals + 1; st == GAZ_OK && rest;) {
		const char *address = strsep(&rest, ",");

		st = add_address(address, out, err);
	}
out:
	free(copy);
	return st;
}
