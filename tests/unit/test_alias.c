/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <urcu.h>

#include "dns/wire.h"
#include "upstream/lease.h"
#include "zone/host.h"
#include "zonefixture.h"

static struct fixture fx;
static struct answer got;

#define NEGATIVE                                                                         \
	"example.com. 15 IN SOA ns.p. hostmaster.example.com. 1 "                        \
	"7200 900 1209600 86400\n"

static int set_up(void **state)
{
	(void)state;
	fixture_open(&fx);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_close(&fx);
	return 0;
}

static struct zone *open_public(void)
{
	return fixture_full_zone(&fx, "p.", "example.com.", NULL, 1);
}

static struct zone_record alias_record(struct line *line, const char *owner,
				       uint16_t type, const char *target, bool healthy)
{
	size_t len;

	assert_int_equal(dname_from_text(owner, line->owner, &len), GAZ_OK);
	assert_int_equal(dname_from_text(target, line->rdata, &len), GAZ_OK);
	return (struct zone_record){
		.type = type,
		.rdata_len = (uint16_t)len,
		.ttl = 7, /* never answered */
		.policy = RRSET_WEIGHTED,
		.healthy = healthy,
		.rdata = line->rdata,
	};
}

static void add_typed_alias(struct zone *zone, const char *owner, uint16_t type,
			    const char *target, bool healthy)
{
	struct line line;
	struct zone_record record = alias_record(&line, owner, type, target, healthy);

	assert_int_equal(zonedit_add_record(fixture_edit(&fx), zone, line.owner, &record),
			 GAZ_OK);
}

static void add_alias(struct zone *zone, const char *owner, const char *target)
{
	add_typed_alias(zone, owner, RRSET_ALIAS_A, target, true);
}

static void remove_alias(struct zone *zone, const char *owner, const char *target)
{
	struct line line;
	struct zone_record record =
		alias_record(&line, owner, RRSET_ALIAS_A, target, true);

	assert_int_equal(
		zonedit_remove_record(fixture_edit(&fx), zone, line.owner, &record),
		GAZ_OK);
}

static void add_routed(struct zone *zone, const char *text, enum rrset_policy policy,
		       bool healthy)
{
	assert_int_equal(fixture_try(&fx, zone, text, policy, healthy), GAZ_OK);
}

static void fix(const char *host, const char *addresses, uint32_t ttl)
{
	struct netaddr list[8];
	uint8_t wire[DNAME_MAX];
	char copy[256];
	char *rest = copy;
	size_t count = 0;
	size_t len;

	(void)snprintf(copy, sizeof copy, "%s", addresses);
	while (rest)
		assert_int_equal(netaddr_parse(strsep(&rest, ","), &list[count++]),
				 GAZ_OK);
	assert_int_equal(dname_from_text(host, wire, &len), GAZ_OK);
	assert_int_equal(host_fix(fx.db, wire, list, count, ttl), GAZ_OK);
}

static void assert_from(const char *source, const char *name, const char *type,
			const char *answer, const char *authority)
{
	ask(&fx, source, name, type, &got);
	assert_int_equal(got.rcode, 0);
	assert_true(got.aa);
	assert_string_equal(got.sections[0], answer);
	assert_string_equal(got.sections[1], authority);
}

static void assert_answers(const char *name, const char *type, const char *answer)
{
	assert_from("192.0.2.9", name, type, answer, "");
}

static void assert_nodata(const char *name, const char *type)
{
	assert_from("192.0.2.9", name, type, "", NEGATIVE);
}

/* How often an answer holds the text. */
static unsigned share(const char *name, const char *text, unsigned rounds)
{
	unsigned count = 0;

	for (unsigned i = 0; i < rounds; i++) {
		ask(&fx, "192.0.2.9", name, "A", &got);
		count += strstr(got.sections[0], text) != NULL;
	}
	return count;
}

static void test_alias_goes_through_cnames_and_aliases(void **state)
{
	struct zone *zone = open_public();
	struct zone *files = fixture_full_zone(&fx, "s.", "static.test.", "", 2);

	(void)state;
	add_routed(zone, "web.example.com. 50 IN A 192.0.2.1", RRSET_MULTIVALUE, true);
	add_routed(zone, "web.example.com. 50 IN A 192.0.2.2", RRSET_MULTIVALUE, false);
	add_routed(zone, "svc.example.com. 20 IN CNAME www.static.test.", RRSET_WEIGHTED,
		   true);
	fixture_add(&fx, files, "www.static.test. 30 IN CNAME web.d.static.test.");
	fixture_add(&fx, files, "d.static.test. 40 IN DNAME example.com.");
	add_alias(zone, "one.example.com", "WEB.example.com");
	add_alias(zone, "two.example.com", "one.example.com");
	add_alias(zone, "three.example.com", "svc.example.com");
	add_alias(zone, "four.example.com", "three.example.com");
	fixture_add(&fx, files, "in.static.test. 9 IN CNAME four.example.com.");
	fixture_publish(&fx);

	assert_answers("one.example.com", "A", "one.example.com. 50 IN A 192.0.2.1\n");
	assert_answers("two.example.com", "A", "two.example.com. 50 IN A 192.0.2.1\n");
	assert_answers("three.example.com", "A",
		       "three.example.com. 20 IN A 192.0.2.1\n");
	assert_answers("four.example.com", "A", "four.example.com. 20 IN A 192.0.2.1\n");
	assert_answers("in.static.test", "A",
		       "in.static.test. 9 IN CNAME four.example.com.\n"
		       "four.example.com. 20 IN A 192.0.2.1\n");
	assert_nodata("one.example.com", "AAAA");
	assert_answers("one.example.com", "ANY", "one.example.com. 50 IN A 192.0.2.1\n");
	assert_nodata("one.example.com", "CNAME");
}

static void test_loops_of_aliases_and_cnames_lead_nowhere(void **state)
{
	struct zone *zone = open_public();
	char owner[64];
	char target[64];

	(void)state;
	add_alias(zone, "self.example.com", "self.example.com");
	add_alias(zone, "l1.example.com", "l2.example.com");
	add_alias(zone, "l2.example.com", "l1.example.com");
	add_alias(zone, "l3.example.com", "c1.example.com");
	fixture_add(&fx, zone, "c1.example.com. 9 IN CNAME c2.example.com.");
	fixture_add(&fx, zone, "c2.example.com. 9 IN CNAME c1.example.com.");
	/* Many ways round: each name leads to all three. */
	for (int from = 0; from < 3; from++) {
		for (int to = 0; to < 3; to++) {
			(void)snprintf(owner, sizeof owner, "k%d.example.com", from);
			(void)snprintf(target, sizeof target, "k%d.example.com", to);
			add_alias(zone, owner, target);
		}
	}
	add_alias(zone, "k2.example.com", "web.example.com");
	fixture_add(&fx, zone, "web.example.com. 50 IN A 192.0.2.1");
	for (int i = 0; i < 10; i++) {
		(void)snprintf(owner, sizeof owner, "s%d.example.com", i);
		(void)snprintf(target, sizeof target, "s%d.example.com", i + 1);
		if (i < 9)
			add_alias(zone, owner, target);
	}
	fixture_add(&fx, zone, "s9.example.com. 50 IN A 192.0.2.1");
	fixture_publish(&fx);

	assert_nodata("self.example.com", "A");
	assert_nodata("l1.example.com", "A");
	assert_nodata("l3.example.com", "A");
	assert_int_equal(share("k0.example.com", "192.0.2.1", 200), 200);
	assert_answers("s1.example.com", "A", "s1.example.com. 50 IN A 192.0.2.1\n");
	assert_nodata("s0.example.com", "A"); /* nine steps */
}

static void test_policy_of_the_target_is_honoured(void **state)
{
	struct zone *zone = open_public();
	char text[64];

	(void)state;
	for (int i = 0; i < 20; i++) {
		(void)snprintf(text, sizeof text, "m.example.com. 5 IN A 192.0.2.%d", i);
		add_routed(zone, text, RRSET_MULTIVALUE, true);
		text[0] = 'w';
		add_routed(zone, text, RRSET_WEIGHTED, i < 10);
	}
	add_alias(zone, "am.example.com", "m.example.com");
	add_alias(zone, "aw.example.com", "w.example.com");
	fixture_publish(&fx);
	ask(&fx, "192.0.2.9", "am.example.com", "A", &got);
	assert_int_equal(wire_get_u16(got.wire + 6), 8);
	ask(&fx, "192.0.2.9", "aw.example.com", "A", &got);
	assert_int_equal(wire_get_u16(got.wire + 6), 1);
	assert_int_equal(share("aw.example.com", "192.0.2.1", 300) > 0, 1);
	assert_int_equal(share("aw.example.com", "192.0.2.15", 300), 0);
}

static void test_fixed_hosts_answer_where_zones_do_not(void **state)
{
	struct zone *zone = open_public();
	struct zone *inner = fixture_full_zone(&fx, "c.", "corp.", "vpc-a", 2);

	(void)state;
	fixture_vpcs(&fx, "vpc-a=10.0.0.0/8");
	fixture_add(&fx, inner, "lb.corp. 33 IN A 10.0.0.1");
	fix("LB.corp.", "198.51.100.1,2001:db8::1,198.51.100.2", 44);
	fix("web.example.com", "198.51.100.9", 44);
	fix("absent.example.com", "198.51.100.8", 0);
	fixture_add(&fx, zone, "web.example.com. 50 IN A 192.0.2.1");
	add_alias(zone, "i.example.com", "lb.corp");
	add_typed_alias(zone, "i.example.com", RRSET_ALIAS_AAAA, "lb.corp", true);
	add_alias(zone, "w.example.com", "web.example.com");
	add_alias(zone, "n.example.com", "absent.example.com");
	fixture_add(&fx, zone, "c.example.com. 10 IN CNAME lb.corp.");
	add_alias(zone, "ic.example.com", "c.example.com");
	add_typed_alias(zone, "w6.example.com", RRSET_ALIAS_AAAA, "web.example.com",
			true);
	fixture_publish(&fx);

	assert_from("10.1.2.3", "i.example.com", "A", "i.example.com. 33 IN A 10.0.0.1\n",
		    "");
	assert_answers("i.example.com", "A",
		       "i.example.com. 44 IN A 198.51.100.1\n"
		       "i.example.com. 44 IN A 198.51.100.2\n");
	assert_answers("i.example.com", "AAAA",
		       "i.example.com. 44 IN AAAA 2001:db8::1\n");
	assert_answers("w.example.com", "A", "w.example.com. 50 IN A 192.0.2.1\n");
	assert_answers("n.example.com", "A", "n.example.com. 0 IN A 198.51.100.8\n");
	assert_answers("ic.example.com", "A",
		       "ic.example.com. 10 IN A 198.51.100.1\n"
		       "ic.example.com. 10 IN A 198.51.100.2\n");
	assert_nodata("w6.example.com", "AAAA"); /* the name is ours: it has none */
	/* It is no name of ours but for aliases. */
	ask(&fx, "192.0.2.9", "lb.corp", "A", &got);
	assert_int_equal(got.rcode, 5);
}

static void test_drawing_is_uniform_over_what_resolves(void **state)
{
	static const char *const live[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3",
					   "192.0.2.4", "192.0.2.9"};
	struct zone *zone = open_public();
	char text[64];

	(void)state;
	/* Dead ones lie in between, so that a search from the draw on would favour
	 * those behind them. */
	for (int i = 0; i < 4; i++) {
		(void)snprintf(text, sizeof text, "t%d.example.com. 5 IN A 192.0.2.%d", i,
			       i + 1);
		fixture_add(&fx, zone, text);
		(void)snprintf(text, sizeof text, "t%d.example.com", i);
		add_alias(zone, "s.example.com", text);
		for (int dead = 0; dead < 6 * i; dead++) {
			(void)snprintf(text, sizeof text, "d%d-%d.test", i, dead);
			add_alias(zone, "s.example.com", text);
		}
	}
	add_routed(zone, "s.example.com. 5 IN A 192.0.2.9", RRSET_WEIGHTED, true);
	add_routed(zone, "s.example.com. 5 IN A 192.0.2.8", RRSET_WEIGHTED, false);
	add_typed_alias(zone, "s.example.com", RRSET_ALIAS_A, "m.example.com", false);
	fixture_add(&fx, zone, "m.example.com. 5 IN A 192.0.2.7");
	fixture_publish(&fx);
	/* 1000 of 5000 each: 28 is the standard deviation. */
	for (size_t i = 0; i < 5; i++) {
		unsigned count = share("s.example.com", live[i], 5000);

		assert_in_range(count, 1000 - 170, 1000 + 170);
	}
}

static void test_unhealthy_instances_answer_when_no_healthy_one_does(void **state)
{
	struct zone *zone = open_public();

	(void)state;
	fixture_add(&fx, zone, "t.example.com. 5 IN A 192.0.2.1");
	add_alias(zone, "s.example.com", "dead.test");
	add_typed_alias(zone, "s.example.com", RRSET_ALIAS_A, "t.example.com", false);
	add_typed_alias(zone, "s.example.com", RRSET_ALIAS_A, "t.example.com", false);
	add_typed_alias(zone, "s.example.com", RRSET_ALIAS_A, "gone.test", false);
	add_routed(zone, "s.example.com. 5 IN A 192.0.2.9", RRSET_WEIGHTED, false);
	fixture_publish(&fx);
	assert_in_range(share("s.example.com", "192.0.2.1", 3000), 1850, 2150);
	assert_int_equal(share("s.example.com", " 192.0.2.", 100), 100);
}

/* Two of each kind, so that names above lie on no path twice. */
static void test_work_for_one_query_is_bounded(void **state)
{
	struct zone *zone = open_public();
	char owner[64];
	char target[64];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(target, sizeof target, "dead-%d.test", i);
		add_alias(zone, "many.example.com", target);
		add_alias(zone, "mixed.example.com", target);
	}
	/* A tree of ten to the eighth leaves. */
	for (int level = 0; level < 8; level++) {
		(void)snprintf(owner, sizeof owner, "x%d.example.com", level);
		(void)snprintf(target, sizeof target, "x%d.example.com", level + 1);
		for (int i = 0; i < 10; i++)
			add_alias(zone, owner, target);
	}
	add_alias(zone, "x8.example.com", "dead.test");
	/* A path as long as may be, and at its end many that go on. */
	for (int level = 0; level < 7; level++) {
		(void)snprintf(owner, sizeof owner, "y%d.example.com", level);
		(void)snprintf(target, sizeof target, "y%d.example.com", level + 1);
		add_alias(zone, owner, target);
	}
	for (int i = 0; i < 2000; i++) {
		add_alias(zone, "y7.example.com", "y8.example.com");
		add_alias(zone, "y8.example.com", "dead.test");
	}
	add_routed(zone, "mixed.example.com. 5 IN A 192.0.2.9", RRSET_WEIGHTED, true);
	fixture_publish(&fx);
	for (int i = 0; i < 1000; i++) {
		assert_nodata("many.example.com", "A");
		assert_nodata("x0.example.com", "A");
		assert_nodata("y0.example.com", "A");
	}
	assert_int_equal(share("mixed.example.com", "192.0.2.9", 1000), 1000);
}

static void test_longest_names_are_followed(void **state)
{
	struct zone *zone = open_public();
	char host[256];
	char text[300];

	(void)state;
	/* 253 characters: 255 octets on the wire. */
	memset(host, 'h', sizeof host);
	for (int at = 63; at < 241; at += 64)
		host[at] = '.';
	memcpy(host + 241, ".example.com", 13);
	(void)snprintf(text, sizeof text, "%s. 5 IN A 192.0.2.1", host);
	fixture_add(&fx, zone, text);
	add_alias(zone, "s.example.com", host);
	fixture_add(&fx, zone, "d.example.com. 5 IN DNAME longer.than.that.example.com.");
	memcpy(host + 239, ".d.example.com", 15);
	host[238] = 'h';
	add_alias(zone, "o.example.com", host); /* outgrows DNS at the DNAME */
	fixture_publish(&fx);
	assert_answers("s.example.com", "A", "s.example.com. 5 IN A 192.0.2.1\n");
	assert_nodata("o.example.com", "A");
}

/* ---- the table of hosts ---- */

static struct host *find_host(const char *text)
{
	uint8_t wire[DNAME_MAX];
	size_t len;

	assert_int_equal(dname_from_text(text, wire, &len), GAZ_OK);
	return host_find(fx.db, wire);
}

static void test_host_stays_while_an_alias_names_it(void **state)
{
	static const uint8_t address[] = {198, 51, 100, 7};
	struct zone *zone = open_public();
	struct zone *other = fixture_full_zone(&fx, "o.", "other.test.", NULL, 1);
	uint64_t generation = host_generation(fx.db);

	(void)state;
	add_alias(zone, "a.example.com", "h.invalid");
	add_alias(zone, "b.example.com", "h.invalid");
	add_alias(other, "other.test", "h.invalid"); /* at the apex */
	add_alias(other, "c.other.test", "h.invalid");
	fixture_publish(&fx);
	assert_true(host_generation(fx.db) != generation);
	assert_true(host_is_wanted(fx.db, find_host("h.invalid"), HOST_A));
	assert_false(host_is_wanted(fx.db, find_host("h.invalid"), HOST_AAAA));
	assert_int_equal(host_learn(find_host("h.invalid"), HOST_A, address, 1, 11),
			 GAZ_OK);
	assert_answers("a.example.com", "A", "a.example.com. 11 IN A 198.51.100.7\n");

	remove_alias(zone, "a.example.com", "h.invalid");
	fixture_publish(&fx);
	assert_int_equal(zonedit_remove_zone(fixture_edit(&fx), other), GAZ_OK);
	fixture_publish(&fx);
	assert_answers("b.example.com", "A", "b.example.com. 11 IN A 198.51.100.7\n");

	/* An edit that is dropped counts nothing. */
	add_alias(zone, "b.example.com", "h.invalid");
	add_alias(zone, "b.example.com", "other.invalid");
	assert_int_equal(zonedit_prepare(fx.edit), GAZ_OK);
	zonedit_free(&fx.edit);
	assert_null(find_host("other.invalid"));
	remove_alias(zone, "b.example.com", "h.invalid");
	fixture_publish(&fx);
	assert_null(find_host("h.invalid"));
}

static void test_hosts_of_our_zones_are_wanted_once_missed(void **state)
{
	struct zone *zone = open_public();

	(void)state;
	fixture_vpcs(&fx, "vpc-a=10.0.0.0/8");
	fixture_full_zone(&fx, "c.", "corp.", "vpc-a", 2);
	fix("fixed.test", "2001:db8::1", 5);
	add_alias(zone, "a.example.com", "web.corp");
	add_alias(zone, "b.example.com", "fixed.test");
	fixture_publish(&fx);
	assert_false(host_is_wanted(fx.db, find_host("web.corp"), HOST_A));
	assert_nodata("b.example.com", "A");
	assert_false(host_is_wanted(fx.db, find_host("fixed.test"), HOST_A));
	assert_nodata("a.example.com", "A");
	assert_true(host_is_wanted(fx.db, find_host("web.corp"), HOST_A));
}

static void count_host(struct host *host, void *arg)
{
	assert_non_null(host_name(host));
	++*(size_t *)arg;
}

static void test_walk_meets_every_host(void **state)
{
	struct zone *zone = open_public();
	size_t count = 0;
	char target[64];

	(void)state;
	for (int i = 0; i < 500; i++) {
		(void)snprintf(target, sizeof target, "h%d.invalid", i);
		add_alias(zone, "a.example.com", target);
	}
	fixture_publish(&fx);
	rcu_read_lock();
	host_walk(fx.db, count_host, &count);
	rcu_read_unlock();
	assert_int_equal(count, 500);
}

static void test_addresses_are_learned_replaced_and_forgotten(void **state)
{
	static const uint8_t addresses[70 * 16] = {0x20, 1, 0xd, 0xb8, [15] = 7};
	struct zone *zone = open_public();

	(void)state;
	add_typed_alias(zone, "a.example.com", RRSET_ALIAS_AAAA, "h.invalid", true);
	fixture_publish(&fx);
	assert_nodata("a.example.com", "AAAA");
	/* More than fit: not more are taken, and equal ones answer once. */
	assert_int_equal(host_learn(find_host("h.invalid"), HOST_AAAA, addresses, 70, 12),
			 GAZ_OK);
	assert_answers("a.example.com", "AAAA",
		       "a.example.com. 12 IN AAAA 2001:db8::7\n"
		       "a.example.com. 12 IN AAAA ::\n");
	assert_int_equal(host_learn(find_host("h.invalid"), HOST_AAAA, addresses, 1, 13),
			 GAZ_OK);
	assert_answers("a.example.com", "AAAA",
		       "a.example.com. 13 IN AAAA 2001:db8::7\n");
	assert_int_equal(host_learn(find_host("h.invalid"), HOST_AAAA, addresses, 0, 13),
			 GAZ_OK);
	assert_nodata("a.example.com", "AAAA");
}

/* ---- when to ask ---- */

static void test_lease_is_renewed_before_it_ends(void **state)
{
	struct host_lease lease = {0};

	(void)state;
	assert_int_equal(lease_answered(&lease, 5000, 300), 60);
	assert_int_equal(lease.due_ms, 5000 + 48000);
	assert_int_equal(lease_answered(&lease, 5000, 59), 59);
	assert_int_equal(lease_answered(&lease, 5000, UINT32_MAX), 60);
	assert_int_equal(lease_answered(&lease, 5000, 0), 0);
	assert_int_equal(lease.due_ms, 5000 + LEASE_RETRY_MS);
}

static void test_failing_lease_keeps_its_answer_for_a_while(void **state)
{
	struct host_lease lease = {0};
	int64_t now = 1000;
	int64_t ends;
	unsigned failures = 0;

	(void)state;
	assert_true(lease_failed(&lease, now)); /* there was none */
	(void)lease_answered(&lease, now, 10);
	ends = now + 10000 + LEASE_STALE_MS;
	now = lease.due_ms;
	for (; !lease_failed(&lease, now); failures++) {
		assert_true(now < ends);
		assert_in_range(lease.due_ms - now, LEASE_RETRY_MS, LEASE_RETRY_MAX_MS);
		now = lease.due_ms;
	}
	assert_in_range(now, ends, ends + LEASE_RETRY_MAX_MS);
	assert_true(failures > 5);
	(void)lease_answered(&lease, now, 10);
	lease_denied(&lease, now + 1);
	assert_int_equal(lease.due_ms, now + 1 + LEASE_RETRY_MS);
	assert_true(lease_failed(&lease, now + 2)); /* nothing is left of it */
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_alias_goes_through_cnames_and_aliases),
		T(test_loops_of_aliases_and_cnames_lead_nowhere),
		T(test_policy_of_the_target_is_honoured),
		T(test_fixed_hosts_answer_where_zones_do_not),
		T(test_drawing_is_uniform_over_what_resolves),
		T(test_unhealthy_instances_answer_when_no_healthy_one_does),
		T(test_work_for_one_query_is_bounded),
		T(test_longest_names_are_followed),
		T(test_host_stays_while_an_alias_names_it),
		T(test_hosts_of_our_zones_are_wanted_once_missed),
		T(test_walk_meets_every_host),
		T(test_addresses_are_learned_replaced_and_forgotten),
		cmocka_unit_test(test_lease_is_renewed_before_it_ends),
		cmocka_unit_test(test_failing_lease_keeps_its_answer_for_a_while),
	};
	int failed;

	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failed;
}
