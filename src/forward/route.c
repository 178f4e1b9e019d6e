/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/route.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/netaddr.h"

static gaz_status add_address(const char *text, struct route *out, struct gaz_error *err)
{
	struct sockaddr_storage *addr = &out->addresses[out->count];
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)addr;

	if (out->count == ROUTE_ADDRESSES_MAX)
		return gaz_error_set(err, GAZ_ELIMIT,
				     "--forward: %d addresses for one suffix at most",
				     ROUTE_ADDRESSES_MAX);
	memset(addr, 0, sizeof *addr);
	if (netaddr_parse_endpoint(text, ROUTE_PORT, addr) != GAZ_OK || v4->sin_port == 0)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--forward: '%s' is not ADDR[:PORT], such as "
				     "192.0.2.53 or [2001:db8::53]:53",
				     text);
	out->count++;
	return GAZ_OK;
}

/* Letters, digits, hyphens, underscores: other octets would mean something in the
 * settings that libunbound reads. */
static bool is_plain(const uint8_t *name)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

	for (; *name; name += 1 + *name) {
		for (unsigned i = 1; i <= *name; i++) {
			if (name[i] == 0 || !strchr(plain, name[i]))
				return false;
		}
	}
	return true;
}

static gaz_status read_suffix(const char *text, struct route *out, struct gaz_error *err)
{
	uint8_t name[DNAME_MAX];
	size_t len;

	if (*text == '\0' || dname_from_text(text, name, &len) != GAZ_OK ||
	    !is_plain(name))
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--forward: '%s' is not a domain name", text);
	dname_lower(out->suffix, name, len);
	return GAZ_OK;
}

gaz_status route_parse(const char *text, struct route *out, struct gaz_error *err)
{
	char *copy = strdup(text);
	char *rest = copy;
	char *equals = copy ? strchr(copy, '=') : NULL;
	gaz_status st = GAZ_OK;

	if (!copy)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	memset(out, 0, sizeof *out);
	if (equals) {
		*equals = '\0';
		rest = equals + 1;
		st = read_suffix(copy, out, err);
	}
	while (st == GAZ_OK && rest)
		st = add_address(strsep(&rest, ","), out, err);
	free(copy);
	return st;
}

gaz_status route_add(struct route *routes, size_t *count, const struct route *more,
		     struct gaz_error *err)
{
	struct route *route = routes;

	while (route < routes + *count && !dname_equal(route->suffix, more->suffix))
		route++;
	if (route == routes + ROUTES_MAX)
		return gaz_error_set(err, GAZ_ELIMIT, "--forward: %d suffixes at most",
				     ROUTES_MAX);
	if (route == routes + *count) {
		*route = *more;
		(*count)++;
		return GAZ_OK;
	}
	if (route->count + more->count > ROUTE_ADDRESSES_MAX)
		return gaz_error_set(err, GAZ_ELIMIT,
				     "--forward: %d addresses for one suffix at most",
				     ROUTE_ADDRESSES_MAX);
	memcpy(route->addresses + route->count, more->addresses,
	       more->count * sizeof *more->addresses);
	route->count += more->count;
	return GAZ_OK;
}

int route_find(const struct route *routes, size_t count, const struct dname *name)
{
	size_t best_len = 0;
	int best = -1;

	for (size_t i = 0; i < count; i++) {
		size_t len = dname_len(routes[i].suffix);

		if (len > best_len && dname_is_within(name->wire, routes[i].suffix)) {
			best_len = len;
			best = (int)i;
		}
	}
	return best;
}

static void add_nameserver(const char *text, struct route *out)
{
	char bare[64];
	size_t len = strcspn(text, " \t\r\n;#");

	if (len >= sizeof bare)
		return;
	memcpy(bare, text, len);
	bare[len] = '\0';
	(void)add_address(bare, out, NULL);
}

gaz_status route_read_resolv_conf(const char *path, struct route *out)
{
	static const char keyword[] = "nameserver";
	FILE *file = fopen(path, "re");
	char line[512];

	if (!file)
		return GAZ_EIO;
	while (fgets(line, sizeof line, file)) {
		const char *at = line + strspn(line, " \t");
		size_t len = sizeof keyword - 1;

		if (strncmp(at, keyword, len) == 0 && (at[len] == ' ' || at[len] == '\t'))
			add_nameserver(at + len + strspn(at + len, " \t"), out);
	}
	(void)fclose(file);
	return GAZ_OK;
}

static in_port_t port_of(const struct sockaddr *sa)
{
	return sa->sa_family == AF_INET ? ((const struct sockaddr_in *)sa)->sin_port
					: ((const struct sockaddr_in6 *)sa)->sin6_port;
}

static bool is_wildcard(const struct netaddr *addr)
{
	static const uint8_t zero[sizeof addr->bytes];

	return memcmp(addr->bytes, zero, addr->family == AF_INET ? 4 : 16) == 0;
}

/* An address that a socket can be bound to is this machine's. */
static bool is_local(const struct sockaddr *address)
{
	struct sockaddr_storage any_port;
	int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool bound;

	memcpy(&any_port, address, netaddr_sockaddr_len(address));
	((struct sockaddr_in *)&any_port)->sin_port = 0; /* one place for both families */
	bound = fd >= 0 && bind(fd, (struct sockaddr *)&any_port,
				netaddr_sockaddr_len(address)) == 0;
	if (fd >= 0)
		close(fd);
	return bound;
}

bool route_is_own(const struct sockaddr *address, const struct sockaddr *const *listeners,
		  size_t count)
{
	struct netaddr asked;
	struct netaddr own;

	if (netaddr_from_sockaddr(address, &asked) != GAZ_OK)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (port_of(listeners[i]) != port_of(address) ||
		    netaddr_from_sockaddr(listeners[i], &own) != GAZ_OK ||
		    own.family != asked.family)
			continue;
		/* What is sent to the wildcard address arrives at this machine too. */
		if (is_wildcard(&own) || is_wildcard(&asked)
			    ? is_wildcard(&asked) || is_local(address)
			    : memcmp(own.bytes, asked.bytes,
				     own.family == AF_INET ? 4 : 16) == 0)
			return true;
	}
	return false;
}

size_t route_remove_own(struct route *route, const struct sockaddr *const *listeners,
			size_t count)
{
	size_t before = route->count;
	size_t kept = 0;

	for (size_t i = 0; i < before; i++) {
		if (!route_is_own((const struct sockaddr *)&route->addresses[i],
				  listeners, count))
			route->addresses[kept++] = route->addresses[i];
	}
	route->count = kept;
	return before - kept;
}
