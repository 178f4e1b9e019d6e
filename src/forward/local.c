/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/local.h"

#include <stdbool.h>

struct special {
	const char *name;
	bool is_builtin; /* libunbound has it already */
};

/* A caching server does not look these up (RFC 6303, RFC 6761). Names under .local are
 * multicast DNS's (RFC 6762, section 22.1), and what search lists make of the names of
 * clusters. */
static const struct special specials[] = {
	{"localhost", true},
	{"invalid", true},
	{"test", true},
	{"onion", true},	  /* RFC 7686 */
	{"home.arpa", true},	  /* RFC 8375 */
	{"service.arpa", false},  /* RFC 9665 */
	{"resolver.arpa", false}, /* RFC 9462 */
	{"local", false},
	{"127.in-addr.arpa", true},
	{"10.in-addr.arpa", true},
	{"168.192.in-addr.arpa", true},
	{"0.in-addr.arpa", true},
	{"254.169.in-addr.arpa", true},
	{"2.0.192.in-addr.arpa", true},
	{"100.51.198.in-addr.arpa", true},
	{"113.0.203.in-addr.arpa", true},
	{"255.255.255.255.in-addr.arpa", true},
	{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
	 true},
	{"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
	 true},
	{"d.f.ip6.arpa", true},
	{"8.e.f.ip6.arpa", true},
	{"9.e.f.ip6.arpa", true},
	{"a.e.f.ip6.arpa", true},
	{"b.e.f.ip6.arpa", true},
	{"8.b.d.0.1.0.0.2.ip6.arpa", true},
};

/* And rows of zones: FIRST.TAIL to LAST.TAIL. */
static const struct {
	unsigned first;
	unsigned last;
	const char *tail;
} rows[] = {
	{16, 31, "172.in-addr.arpa"}, {64, 127, "100.in-addr.arpa"}, /* RFC 7793 */
};

static void print_new(FILE *out, const char *name)
{
	fprintf(out,
		" local-zone: \"%s.\" static\n"
		" local-data: \"%s. 10800 IN NS localhost.\"\n"
		" local-data: \"%s. 10800 IN SOA localhost. nobody.invalid. 1 3600 1200 "
		"604800 10800\"\n",
		name, name, name);
}

static bool is_root(const struct route *route)
{
	return route->suffix[0] == 0;
}

/* A suffix at or above the zone sends all of it to its upstreams, one below it a part. */
static void print_special(FILE *out, const char *name, bool is_builtin,
			  const struct route *routes, size_t count)
{
	uint8_t zone[DNAME_MAX];
	char text[DNAME_TEXT_SIZE];
	bool is_covered = false;
	size_t len;

	if (dname_from_text(name, zone, &len) != GAZ_OK)
		return;
	for (size_t i = 0; i < count; i++) {
		if (is_root(&routes[i]))
			continue;
		if (dname_is_within(zone, routes[i].suffix))
			is_covered = true;
		else if (dname_is_within(routes[i].suffix, zone))
			fprintf(out, " local-zone: \"%s\" transparent\n",
				dname_to_text(routes[i].suffix, text));
	}
	if (is_covered && is_builtin)
		fprintf(out, " local-zone: \"%s.\" nodefault\n", name);
	else if (!is_covered && !is_builtin)
		print_new(out, name);
}

void local_print(FILE *out, const struct route *routes, size_t count)
{
	char name[64];

	for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
		print_special(out, specials[i].name, specials[i].is_builtin, routes,
			      count);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (unsigned n = rows[i].first; n <= rows[i].last; n++) {
			(void)snprintf(name, sizeof name, "%u.%s", n, rows[i].tail);
			print_special(out, name, true, routes, count);
		}
	}
}

static bool is_below(const struct dname *name, const char *text)
{
	uint8_t zone[DNAME_MAX];
	size_t len;

	return dname_from_text(text, zone, &len) == GAZ_OK &&
	       dname_is_within(name->wire, zone);
}

bool local_holds(const struct route *routes, size_t count, const struct dname *name)
{
	int route = route_find(routes, count, name);
	bool found = false;
	char row[64];

	if (route >= 0 && !is_root(&routes[route]))
		return false; /* above or below: it has upstreams of its own */
	for (size_t i = 0; !found && i < sizeof specials / sizeof *specials; i++)
		found = is_below(name, specials[i].name);
	for (size_t i = 0; !found && i < sizeof rows / sizeof *rows; i++) {
		for (unsigned n = rows[i].first; !found && n <= rows[i].last; n++) {
			(void)snprintf(row, sizeof row, "%u.%s", n, rows[i].tail);
			found = is_below(name, row);
		}
	}
	return found;
}
