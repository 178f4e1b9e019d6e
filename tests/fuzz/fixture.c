/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "fuzz.h"
#include "zone/host.h"
#include "zone/view.h"
#include "zone/zonedb.h"
#include "zone/zonedit.h"

/* Lines of a zone file; "$" stands for the zone's apex, "%" for a number of the zone. */

static const char *const common[] = {
	"$ 15 IN SOA ns.% hostmaster.% 1 7200 900 1209600 86400",
	"$ 3600 IN NS ns.%",
	"$ 3600 IN NS ns.$",
	"ns.$ 60 IN A 192.0.2.%",
	"web.$ 60 IN A 192.0.2.%",
	"web.$ 60 IN AAAA 2001:db8::%",
	"txt.$ 60 IN TXT zone% \"\" \"three strings\"",
	"_http._tcp.$ 60 IN SRV 1 1 80 web.$",
	"a.b.c.$ 60 IN A 192.0.2.%",
	/* wildcards, one below an empty non-terminal, one that is a CNAME */
	"*.wild.$ 60 IN A 192.0.2.%",
	"*.wild.$ 60 IN TXT zone%",
	"*.deep.wild.$ 60 IN AAAA 2001:db8::%",
	"x.deep.wild.$ 60 IN MX 10 web.$",
	"*.walias.$ 60 IN CNAME x.wild.$",
	/* CNAMEs: to data, to nothing, out of the zone, in a circle, too many */
	"alias.$ 60 IN CNAME multi.$",
	"nowhere.$ 60 IN CNAME missing.$",
	"away.$ 60 IN CNAME www.elsewhere.test.",
	"over.$ 60 IN CNAME web.corp.internal.",
	"self.$ 60 IN CNAME self.$",
	"loop1.$ 60 IN CNAME loop2.$",
	"loop2.$ 60 IN CNAME loop1.$",
	"c0.$ 60 IN CNAME c1.$",
	"c1.$ 60 IN CNAME c2.$",
	"c2.$ 60 IN CNAME c3.$",
	"c3.$ 60 IN CNAME c4.$",
	"c4.$ 60 IN CNAME c5.$",
	"c5.$ 60 IN CNAME c6.$",
	"c6.$ 60 IN CNAME c7.$",
	"c7.$ 60 IN CNAME c8.$",
	"c8.$ 60 IN CNAME c9.$",
	"c9.$ 60 IN A 192.0.2.%",
	/* DNAMEs: to a zone of ours, to itself, to names that get too long */
	"dname.$ 60 IN DNAME wild.$",
	"dloop.$ 60 IN DNAME x.dloop.$",
	("dlong.$ 60 IN DNAME "
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
	 "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc.$"),
	"dover.$ 60 IN DNAME corp.internal.",
	/* delegations: with glue, without, with DS, to servers below each other */
	"sub.$ 60 IN NS ns.sub.$",
	"sub.$ 60 IN NS ns2.sub.$",
	("sub.$ 60 IN DS 1 13 2 "
	 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
	"ns.sub.$ 60 IN A 192.0.2.%",
	"ns.sub.$ 60 IN AAAA 2001:db8::%",
	"ns2.sub.$ 60 IN AAAA 2001:db8::%",
	"below.sub.$ 60 IN A 192.0.2.%",
	"far.$ 60 IN NS ns.elsewhere.test.",
	"side.$ 60 IN NS ns.sub.$",
	/* types that have no special case, and one that ldns does not know */
	"types.$ 60 IN MX 10 web.$",
	"types.$ 60 IN CAA 0 issue \"ca.test\"",
	"types.$ 60 IN TYPE65280 \\# 4 01020304",
	"empty.$ 60 IN TYPE65281 \\# 0",
};

static const struct {
	const char *name;
	uint16_t type;
	const char *target;
} aliases[] = {
	{"wcname.$", LDNS_RR_TYPE_CNAME, "multi.$"},
	{"wcname.$", LDNS_RR_TYPE_CNAME, "a.b.dname.$"},
	{"walias2.$", RRSET_ALIAS_A, "multi.$"},
	{"walias2.$", RRSET_ALIAS_A, "walias2.$"},
	{"wfar.$", RRSET_ALIAS_A, "wcname.$"},
	{"wfar.$", RRSET_ALIAS_A, "y.dname.$"},
	{"wfar.$", RRSET_ALIAS_A, "walias2.$"},
	{"wloop.$", RRSET_ALIAS_A, "loop1.$"},
	{"whost.$", RRSET_ALIAS_A, "lb.test"},
	{"whost.$", RRSET_ALIAS_AAAA, "lb.test"},
	{"whost.$", RRSET_ALIAS_A, "www.sub.$"},
	{"whidden.$", RRSET_ALIAS_A, "web.corp.internal"},
	{"whidden.$", RRSET_ALIAS_A, "multi.dev.internal"},
	{"wchain.$", RRSET_ALIAS_A, "c0.$"},
	{"*.wany.$", RRSET_ALIAS_AAAA, "web.$"},
};

static const struct {
	const char *apex;
	enum zone_kind kind;
	unsigned vpc;
} zones[] = {
	{"example.com", ZONE_PUBLIC, 0},
	{"in.example.com", ZONE_PUBLIC, 0},
	{"example.com", ZONE_STATIC, 0},
	{"static.test", ZONE_STATIC, 0},
	{"example.com", ZONE_PRIVATE, FIXTURE_VPC_1},
	{"corp.internal", ZONE_PRIVATE, FIXTURE_VPC_1},
	{"corp.internal", ZONE_PRIVATE, FIXTURE_VPC_2},
	{"a.in.example.com", ZONE_PRIVATE, FIXTURE_VPC_2},
	{"corp.internal", ZONE_PRIVATE, FIXTURE_UNDECLARED},
	{"dev.internal", ZONE_PRIVATE, FIXTURE_UNDECLARED},
	{"sub.static.test", ZONE_STATIC, 0}, /* its parent delegates it */
};

enum {
	ZONES = sizeof zones / sizeof zones[0],
	LINE_MAX_LEN = 1024,
	SET = 20,   /* records of the larger sets */
	CROWD = 70, /* of those that keep their records in a store of their own */
};

static struct zonedb *built[FIXTURE_VPCS];
static int vpc_numbers[FIXTURE_VPCS];

static const char *vpc_id(unsigned vpc)
{
	return vpc == FIXTURE_VPC_1 ? "vpc-1" : vpc == FIXTURE_VPC_2 ? "vpc-2" : "vpc-9";
}

/* The place at work: a zone, and its number for addresses and texts. */
struct site {
	struct zonedit *edit;
	struct zone *zone;
	const char *apex;
	size_t number;
};

static const char *expand(const struct site *site, const char *line)
{
	static char out[LINE_MAX_LEN];
	size_t at = 0;

	for (; *line; line++) {
		int len =
			*line == '$'
				? snprintf(out + at, sizeof out - at, "%s.", site->apex)
			: *line == '%'
				? snprintf(out + at, sizeof out - at, "%zu", site->number)
				: snprintf(out + at, sizeof out - at, "%c", *line);

		at += (size_t)len;
		CHECK(at < sizeof out);
	}
	return out;
}

static void add(const struct site *site, const uint8_t *owner, enum rrset_policy policy,
		bool healthy, uint16_t type, const uint8_t *rdata, size_t len)
{
	const struct zone_record record = {type,   (uint16_t)len, 60,
					   policy, healthy,	  rdata};

	CHECK(zonedit_add_record(site->edit, site->zone, owner, &record) == GAZ_OK);
}

static void add_line(const struct site *site, enum rrset_policy policy, bool healthy,
		     const char *line)
{
	ldns_rr *rr = NULL;
	ldns_buffer *rdata = ldns_buffer_new(4096);

	CHECK(ldns_rr_new_frm_str(&rr, expand(site, line), 0, NULL, NULL) ==
	      LDNS_STATUS_OK);
	CHECK(ldns_rr_rdata2buffer_wire(rdata, rr) == LDNS_STATUS_OK);
	add(site, ldns_rdf_data(ldns_rr_owner(rr)), policy, healthy,
	    (uint16_t)ldns_rr_get_type(rr), ldns_buffer_begin(rdata),
	    ldns_buffer_position(rdata));
	ldns_buffer_free(rdata);
	ldns_rr_free(rr);
}

static void add_alias(const struct site *site, size_t i)
{
	uint8_t owner[DNAME_MAX];
	uint8_t target[DNAME_MAX];
	size_t len;

	CHECK(dname_from_text(expand(site, aliases[i].name), owner, &len) == GAZ_OK);
	CHECK(dname_from_text(expand(site, aliases[i].target), target, &len) == GAZ_OK);
	add(site, owner, RRSET_WEIGHTED, true, aliases[i].type, target, len);
}

/* Sets that are picked from, with equal records and unhealthy ones, and sets that are
 * too large for UDP. */
static void add_sets(const struct site *site)
{
	char line[LINE_MAX_LEN];

	for (int i = 0; i < SET; i++) {
		(void)snprintf(line, sizeof line, "multi.$ 60 IN A 10.%%.0.%d", i / 2);
		add_line(site, RRSET_MULTIVALUE, i % 3 != 0, line);
		(void)snprintf(line, sizeof line, "weighted.$ 60 IN A 10.%%.0.%d", i / 2);
		add_line(site, RRSET_WEIGHTED, i % 3 != 0, line);
		(void)snprintf(line, sizeof line, "ill.$ 60 IN AAAA 2001:db8::%d", i);
		add_line(site, RRSET_MULTIVALUE, false, line);
		(void)snprintf(line, sizeof line, "large.$ 60 IN TXT %0200d", i);
		add_line(site, RRSET_ALL, true, line);
		(void)snprintf(line, sizeof line, "srv.$ 60 IN SRV 1 1 %d i-%d.srv.$", i,
			       i);
		add_line(site, RRSET_MULTIVALUE, i % 2, line);
		(void)snprintf(line, sizeof line, "many.$ 60 IN NS ns%d.many.$", i);
		add_line(site, RRSET_ALL, true, line);
		(void)snprintf(line, sizeof line, "ns%d.many.$ 60 IN AAAA 2001:db8::%d",
			       i, i);
		add_line(site, RRSET_ALL, true, line);
	}
	add_line(site, RRSET_WEIGHTED, true, "walias2.$ 60 IN A 10.%.1.1");
}

static void add_to_crowd(const struct site *site, int i)
{
	char line[LINE_MAX_LEN];

	(void)snprintf(line, sizeof line, "crowd.$ 60 IN A 10.%%.2.%d", i);
	add_line(site, RRSET_MULTIVALUE, i % 3 != 0, line);
	(void)snprintf(line, sizeof line, "herd.$ 60 IN AAAA 2001:db8::%d", i / 2);
	add_line(site, RRSET_WEIGHTED, i % 5 != 0, line);
	(void)snprintf(line, sizeof line, "flock.$ 60 IN SRV 1 1 80 i-%d.srv.$", i);
	add_line(site, RRSET_MULTIVALUE, true, line);
}

static void add_zone(struct zonedit *edit, size_t number)
{
	struct site site = {edit, NULL, zones[number].apex, number};
	uint8_t apex[DNAME_MAX];
	char id[16];
	const struct zone_spec spec = {
		.id = id,
		.apex = apex,
		.kind = zones[number].kind,
		.vpc_id = vpc_id(zones[number].vpc),
		.created_ms = (int64_t)number,
	};
	size_t len;

	(void)snprintf(id, sizeof id, "%zu", number);
	CHECK(dname_from_text(zones[number].apex, apex, &len) == GAZ_OK);
	CHECK(zonedit_add_zone(edit, &spec, &site.zone) == GAZ_OK);
	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
		add_line(&site, RRSET_ALL, true, common[i]);
	for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
		add_alias(&site, i);
	add_sets(&site);
	for (int i = 0; i < CROWD; i++)
		add_to_crowd(&site, i);
}

/* One more record for sets that are served already. */
static void let_crowds_grow(struct zonedb *db)
{
	struct zonedit *edit = NULL;

	CHECK(zonedit_new(db, &edit) == GAZ_OK);
	for (size_t i = 0; i < ZONES; i++) {
		struct site site = {edit, NULL, zones[i].apex, i};
		char id[16];

		(void)snprintf(id, sizeof id, "%zu", i);
		site.zone = zonedit_find_zone(edit, id);
		if (site.zone)
			add_to_crowd(&site, CROWD);
	}
	CHECK(zonedit_prepare(edit) == GAZ_OK);
	zonedit_publish(&edit);
}

static void declare_vpcs(struct zonedit *edit)
{
	static const char *const prefixes[] = {"10.0.0.0/8", "10.5.5.0/24", "10.5.0.0/16",
					       "10.5.5.0/24", "2001:db8::/32"};
	struct netprefix parsed[5];
	const struct vpc_decl vpcs[] = {{"vpc-1", parsed, 2}, {"vpc-2", parsed + 2, 3}};

	for (int i = 0; i < 5; i++)
		CHECK(netaddr_parse_prefix(prefixes[i], &parsed[i]) == GAZ_OK);
	CHECK(zonedit_set_vpcs(edit, vpcs, 2, false) == GAZ_OK);
}

unsigned fixture_vpcs_of(const struct netaddr *source)
{
	static const uint8_t vpc_2[] = {0x20, 0x01, 0x0d, 0xb8};
	static const uint8_t loopback[16] = {[15] = 1};
	const uint8_t *b = source->bytes;

	if (source->family == AF_INET6) {
		if (memcmp(b, vpc_2, sizeof vpc_2) == 0)
			return FIXTURE_VPC_2;
		return memcmp(b, loopback, sizeof loopback) ? 0 : FIXTURE_UNDECLARED;
	}
	if (b[0] != 10)
		return b[0] == 127 ? FIXTURE_UNDECLARED : 0;
	if (b[1] != 5)
		return FIXTURE_VPC_1;
	return b[2] == 5 ? FIXTURE_VPC_1 | FIXTURE_VPC_2 : FIXTURE_VPC_2;
}

/* Where the VPCs change, and the addresses next to that. */
static const char *const borders[] = {
	"9.255.255.255", "10.0.0.0",   "10.4.255.255",	  "10.5.0.0", "10.5.4.255",
	"10.5.5.0",	 "10.5.6.0",   "10.6.0.0",	  "11.0.0.0", "126.255.255.255",
	"127.0.0.0",	 "128.0.0.0",  "2001:db7:ffff::", "::",	      "::1",
	"::2",		 "2001:db8::", "2001:db9::"};

unsigned fixture_vpcs_of_subnet(const struct netprefix *subnet)
{
	unsigned vpcs = fixture_vpcs_of(&subnet->addr);

	for (size_t i = 0; i < sizeof borders / sizeof *borders; i++) {
		struct netaddr addr;

		CHECK(netaddr_parse(borders[i], &addr) == GAZ_OK);
		if (netprefix_holds(subnet, &addr) && fixture_vpcs_of(&addr) != vpcs)
			return 0;
	}
	return vpcs;
}

int fixture_vpc_number(enum fixture_vpc vpc)
{
	return vpc_numbers[vpc];
}

static void free_all(void)
{
	for (int i = 0; i < FIXTURE_VPCS; i++)
		zonedb_free(&built[i]);
}

struct zonedb *fixture_build(unsigned vpcs)
{
	const struct netaddr hosts[] = {{AF_INET, {192, 0, 2, 1}},
					{AF_INET6, {[15] = 1}}};
	struct zonedb *db = NULL;
	struct zonedit *edit = NULL;
	uint8_t name[DNAME_MAX];
	size_t len;

	CHECK(zonedb_new(&db) == GAZ_OK);
	for (unsigned vpc = 1; vpc < FIXTURE_VPCS; vpc *= 2)
		CHECK(view_intern_vpc(db, vpc_id(vpc), &vpc_numbers[vpc]) == GAZ_OK);
	CHECK(dname_from_text("lb.test", name, &len) == GAZ_OK);
	CHECK(host_fix(db, name, hosts, 2, 60) == GAZ_OK);
	CHECK(zonedit_new(db, &edit) == GAZ_OK);
	declare_vpcs(edit);
	for (size_t i = 0; i < ZONES; i++) {
		if (zones[i].kind != ZONE_PRIVATE || zones[i].vpc & vpcs)
			add_zone(edit, i);
	}
	CHECK(zonedit_prepare(edit) == GAZ_OK);
	zonedit_publish(&edit);
	let_crowds_grow(db);
	if (!built[0] && !built[FIXTURE_VPCS - 1])
		(void)atexit(free_all);
	built[vpcs] = db;
	return db;
}
