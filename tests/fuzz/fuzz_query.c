/* SPDX-License-Identifier: BSD-2-Clause */

/* Any bytes as a query, from any address, against a small fixture. The first
 * byte chooses the transport and the listener, then come the source address
 * (4 or 16 bytes) and the query. */

#include "fuzz.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <urcu.h>

#include "dns/name.h"
#include "dns/rdata.h"
#include "responder/answer.h"
#include "zone/host.h"
#include "zone/view.h"
#include "zone/zonedb.h"
#include "zone/zonedit.h"

enum {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_TXT = 16,
	TYPE_SRV = 33,
	TYPE_DNAME = 39,

	FLAG_TCP = 1,
	FLAG_IPV6 = 2,
	FLAG_VPC = 4,
};

static struct zonedb *db;
static int vpc_number;

static const uint8_t *name(const char *text)
{
	static uint8_t wire[DNAME_MAX];
	size_t len;

	CHECK(dname_from_text(text, wire, &len) == GAZ_OK);
	return wire;
}

static void add(struct zonedit *edit, struct zone *zone, const char *owner,
		enum rrset_policy policy, uint16_t type, const void *rdata, size_t len)
{
	const struct zone_record record = {
		.type = type,
		.rdata_len = (uint16_t)len,
		.ttl = 60,
		.policy = policy,
		.healthy = true,
		.rdata = rdata,
	};

	CHECK(zonedit_add_record(edit, zone, name(owner), &record) == GAZ_OK);
}

static void add_name(struct zonedit *edit, struct zone *zone, const char *owner,
		     uint16_t type, const char *target)
{
	uint8_t wire[DNAME_MAX];
	size_t len;

	CHECK(dname_from_text(target, wire, &len) == GAZ_OK);
	add(edit, zone, owner, RRSET_ALL, type, wire, len);
}

static struct zone *add_zone(struct zonedit *edit, const char *apex, enum zone_kind kind)
{
	const uint8_t dot[] = {0};
	const struct zone_spec spec = {
		.id = kind == ZONE_PRIVATE ? "private" : apex,
		.apex = name(apex),
		.kind = kind,
		.vpc_id = kind == ZONE_PRIVATE ? "vpc-1" : NULL,
	};
	struct zone *zone = NULL;
	uint8_t soa[RDATA_SOA_MAX];
	size_t len = rdata_soa(soa, sizeof soa, dot, dot, 1, 2, 3, 4, 5);

	CHECK(zonedit_add_zone(edit, &spec, &zone) == GAZ_OK);
	add(edit, zone, apex, RRSET_ALL, TYPE_SOA, soa, len);
	add_name(edit, zone, apex, TYPE_NS, "ns.example.net");
	return zone;
}

/* What the answer algorithm has cases for: aliases and their loops, wildcards,
 * delegations, sets that are picked from, and one too large for UDP. */
static void add_weighted_name(struct zonedit *edit, struct zone *zone, const char *owner,
			      uint16_t type, const char *target)
{
	uint8_t rdata[DNAME_MAX];
	size_t len = dname_len(name(target));

	memcpy(rdata, name(target), len);
	add(edit, zone, owner, RRSET_WEIGHTED, type, rdata, len);
}

static void fill_zone(struct zonedit *edit, struct zone *zone)
{
	uint8_t address[4] = {10, 0, 0, 0};
	uint8_t text[201] = {200};
	uint8_t srv[RDATA_SRV_MAX];
	size_t len = rdata_srv(srv, sizeof srv, 1, 1, 80, name("multi.example.com"));

	for (uint8_t i = 0; i < 20; i++) {
		address[3] = i;
		text[1] = i;
		add(edit, zone, "multi.example.com", RRSET_MULTIVALUE, TYPE_A, address,
		    4);
		add(edit, zone, "weighted.example.com", RRSET_WEIGHTED, TYPE_A, address,
		    4);
		add(edit, zone, "large.example.com", RRSET_ALL, TYPE_TXT, text,
		    sizeof text);
	}
	add(edit, zone, "_http._tcp.example.com", RRSET_MULTIVALUE, TYPE_SRV, srv, len);
	add(edit, zone, "*.wild.example.com", RRSET_ALL, TYPE_A, address, 4);
	add(edit, zone, "a.b.c.example.com", RRSET_ALL, TYPE_A, address, 4);
	add_name(edit, zone, "alias.example.com", TYPE_CNAME, "multi.example.com");
	add_name(edit, zone, "loop1.example.com", TYPE_CNAME, "loop2.example.com");
	add_name(edit, zone, "loop2.example.com", TYPE_CNAME, "loop1.example.com");
	add_name(edit, zone, "*.walias.example.com", TYPE_CNAME, "x.wild.example.com");
	add_name(edit, zone, "dname.example.com", TYPE_DNAME, "wild.example.com");
	add_weighted_name(edit, zone, "wcname.example.com", TYPE_CNAME,
			  "multi.example.com");
	add_weighted_name(edit, zone, "wcname.example.com", TYPE_CNAME,
			  "a.b.dname.example.com");
	add_weighted_name(edit, zone, "walias2.example.com", RRSET_ALIAS_A,
			  "multi.example.com");
	add_weighted_name(edit, zone, "walias2.example.com", RRSET_ALIAS_A,
			  "walias2.example.com");
	add_weighted_name(edit, zone, "wfar.example.com", RRSET_ALIAS_A,
			  "wcname.example.com");
	add_weighted_name(edit, zone, "wfar.example.com", RRSET_ALIAS_A,
			  "y.dname.example.com");
	add_weighted_name(edit, zone, "wfar.example.com", RRSET_ALIAS_A,
			  "walias2.example.com");
	add_weighted_name(edit, zone, "wloop.example.com", RRSET_ALIAS_A,
			  "loop1.example.com");
	add_weighted_name(edit, zone, "whost.example.com", RRSET_ALIAS_A, "lb.test");
	add_weighted_name(edit, zone, "whost.example.com", RRSET_ALIAS_AAAA, "lb.test");
	add_weighted_name(edit, zone, "whost.example.com", RRSET_ALIAS_A,
			  "www.sub.example.com");
	add_name(edit, zone, "sub.example.com", TYPE_NS, "ns.sub.example.com");
	add(edit, zone, "ns.sub.example.com", RRSET_ALL, TYPE_A, address, 4);
}

static void free_fixture(void)
{
	zonedb_free(&db);
	rcu_unregister_thread();
}

static void build_fixture(void)
{
	const struct netaddr hosts[] = {{AF_INET, {192, 0, 2, 1}},
					{AF_INET6, {[15] = 1}}};
	struct netprefix prefix;
	struct vpc_decl decl = {.id = "vpc-1", .prefixes = &prefix, .count = 1};
	struct zonedit *edit = NULL;

	CHECK(netaddr_parse_prefix("10.0.0.0/8", &prefix) == GAZ_OK);
	CHECK(zonedb_new(&db) == GAZ_OK);
	CHECK(view_intern_vpc(db, "vpc-1", &vpc_number) == GAZ_OK);
	CHECK(host_fix(db, name("lb.test"), hosts, 2, 60) == GAZ_OK);
	CHECK(zonedit_new(db, &edit) == GAZ_OK);
	CHECK(zonedit_set_vpcs(edit, &decl, 1, false) == GAZ_OK);
	fill_zone(edit, add_zone(edit, "example.com", ZONE_PUBLIC));
	(void)add_zone(edit, "example.com", ZONE_PRIVATE);
	CHECK(zonedit_prepare(edit) == GAZ_OK);
	zonedit_publish(&edit);
	(void)atexit(free_fixture);
}

/* An independent reader must understand the reply. */
static void check_parses(const uint8_t *reply, size_t len)
{
	ldns_pkt *packet = NULL;

	CHECK(ldns_wire2pkt(&packet, reply, len) == LDNS_STATUS_OK);
	ldns_pkt_free(packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t reply[ANSWER_TCP_CAP];
	static struct answer_context ctx;
	struct answer_request req = {.listener_vpc = ANSWER_NO_VPC};
	size_t address_len;
	size_t len;

	if (!db) {
		rcu_register_thread();
		build_fixture();
		ctx.db = db;
	}
	address_len = size > 0 && (data[0] & FLAG_IPV6) ? 16 : 4;
	if (size < 1 + address_len)
		return 0;
	rng_seed(&ctx.rng, 1);
	req.tcp = data[0] & FLAG_TCP;
	req.source.family = address_len == 16 ? AF_INET6 : AF_INET;
	memcpy(req.source.bytes, data + 1, address_len);
	if (data[0] & FLAG_VPC)
		req.listener_vpc = vpc_number;
	req.query = data + 1 + address_len;
	req.len = size - 1 - address_len;

	rcu_read_lock();
	len = answer_query(&ctx, &req, reply, req.tcp ? ANSWER_TCP_CAP : ANSWER_UDP_CAP);
	rcu_read_unlock();

	if (len == 0)
		return 0;
	CHECK(len >= 12 && len <= (req.tcp ? ANSWER_TCP_CAP : ANSWER_UDP_CAP));
	CHECK(memcmp(reply, req.query, 2) == 0);
	CHECK(reply[2] & 0x80);
	check_parses(reply, len);
	return 0;
}
