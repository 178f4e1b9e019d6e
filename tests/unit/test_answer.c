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
#include "zone/view.h"
#include "zonefixture.h"

static struct fixture fx;
static struct answer got;

static int open_fixture(void **state)
{
	(void)state;
	fixture_open(&fx);
	return 0;
}

static int close_fixture(void **state)
{
	(void)state;
	fixture_close(&fx);
	return 0;
}

static void assert_answer(const char *source, const char *name, const char *type,
			  unsigned rcode, const char *answer, const char *authority)
{
	ask(&fx, source, name, type, &got);
	assert_int_equal(got.rcode, rcode);
	assert_string_equal(got.sections[0], answer);
	assert_string_equal(got.sections[1], authority);
}

static unsigned count_lines(const char *text)
{
	unsigned lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

#define NEGATIVE                                                                         \
	"example.com. 15 IN SOA ns.pub. hostmaster.example.com. 1 7200 900 1209600 "     \
	"86400\n"

static struct zone *open_public(void)
{
	struct zone *zone = fixture_full_zone(&fx, "pub.", "example.com.", NULL, 1);

	fixture_add(&fx, zone, "web.example.com. 60 IN A 192.0.2.1");
	fixture_add(&fx, zone,
		    "_http._tcp.example.com. 60 IN SRV 1 1 80 web.example.com.");
	return zone;
}

static void test_name_with_address_is_answered(void **state)
{
	(void)state;
	open_public();
	fixture_publish(&fx);
	assert_answer("192.0.2.9", "web.example.com.", "A", 0,
		      "web.example.com. 60 IN A 192.0.2.1\n", "");
	assert_true(got.aa && got.rd && !got.tc && !got.has_edns);
	assert_answer("192.0.2.9", "WEB.Example.com.", "A", 0,
		      "WEB.Example.com. 60 IN A 192.0.2.1\n", "");
	assert_answer("2001:db8::1", "_http._tcp.example.com.", "SRV", 0,
		      "_http._tcp.example.com. 60 IN SRV 1 1 80 web.example.com.\n", "");
	assert_answer("192.0.2.9", "example.com.", "NS", 0,
		      "example.com. 172800 IN NS ns.elsewhere.test.\n", "");
	assert_answer("192.0.2.9", "example.com.", "SOA", 0, NEGATIVE, "");
}

static void test_missing_data_is_told_from_a_missing_name(void **state)
{
	(void)state;
	open_public();
	fixture_publish(&fx);
	assert_answer("192.0.2.9", "web.example.com.", "AAAA", 0, "", NEGATIVE);
	assert_true(got.aa);
	assert_answer("192.0.2.9", "_tcp.example.com.", "A", 0, "", NEGATIVE);
	assert_answer("192.0.2.9", "_tcp.example.com.", "ANY", 0, "", NEGATIVE);
	assert_answer("192.0.2.9", "example.com.", "A", 0, "", NEGATIVE);
	assert_answer("192.0.2.9", "nope.example.com.", "A", 3, "", NEGATIVE);
	assert_answer("192.0.2.9", "a.b.c.web.example.com.", "A", 3, "", NEGATIVE);
	assert_true(got.aa);
}

static void test_negative_ttl_is_the_smaller_of_soa_ttl_and_minimum(void **state)
{
	struct zone *zone;
	uint8_t apex[] = "\7example\3com";

	(void)state;
	zone = fixture_zone(&fx, "pub", "example.com.", NULL, 1);
	fixture_add(&fx, zone, "example.com. 7200 IN SOA ns.test. h.test. 1 2 3 4 300");
	fixture_publish(&fx);
	assert_answer("192.0.2.9", "example.com.", "SOA", 0,
		      "example.com. 7200 IN SOA ns.test. h.test. 1 2 3 4 300\n", "");
	assert_answer("192.0.2.9", "x.example.com.", "A", 3, "",
		      "example.com. 300 IN SOA ns.test. h.test. 1 2 3 4 300\n");
	assert_int_equal(zonedit_set_ttl(fixture_edit(&fx), zone, apex, DNS_TYPE_SOA, 0),
			 GAZ_OK);
	fixture_publish(&fx);
	assert_answer("192.0.2.9", "x.example.com.", "A", 3, "",
		      "example.com. 0 IN SOA ns.test. h.test. 1 2 3 4 300\n");
	assert_answer("192.0.2.9", "example.com.", "ANY", 0,
		      "example.com. 0 IN SOA ns.test. h.test. 1 2 3 4 300\n", "");
}

static void test_names_outside_are_refused(void **state)
{
	(void)state;
	open_public();
	fixture_publish(&fx);
	assert_answer("192.0.2.9", "example.org.", "A", 5, "", "");
	assert_false(got.aa);
	assert_true(got.rd);
	assert_answer("192.0.2.9", "com.", "A", 5, "", "");
	assert_answer("192.0.2.9", ".", "NS", 5, "", "");
}

static void test_other_classes_are_refused(void **state)
{
	uint8_t query[512];
	size_t len = query_make(query, "web.example.com.", "A", 0);
	struct answer_request req = request_make("192.0.2.9", query, len);

	(void)state;
	open_public();
	fixture_publish(&fx);
	query[len - 1] = 3; /* CH */
	ask_wire(&fx, &req, &got);
	assert_int_equal(got.rcode, 5);
	assert_false(got.aa);
}

static void test_any_gets_one_rrset(void **state)
{
	struct zone *zone = open_public();

	(void)state;
	fixture_add(&fx, zone, "web.example.com. 60 IN AAAA 2001:db8::1");
	fixture_publish(&fx);
	assert_answer("192.0.2.9", "web.example.com.", "ANY", 0,
		      "web.example.com. 60 IN A 192.0.2.1\n", "");
}

static void test_hidden_private_zone_answers_like_one_never_made(void **state)
{
	static struct answer hidden;
	uint8_t query[512];
	size_t len;

	(void)state;
	fixture_vpcs(&fx, "vpc-a=127.0.10.0/24");
	fixture_full_zone(&fx, "ns-1.", "corp.internal.", "vpc-a", 1);
	fixture_full_zone(&fx, "ns-2", "undeclared.internal.", "vpc-z", 1);
	fixture_publish(&fx);
	for (int edns = 0; edns < 2; edns++) {
		static const char *const names[][2] = {
			{"web.corp.internal.", "web.carp.internal."},
			{"corp.internal.", "carp.internal."},
			{"undeclared.internal.", "undeclaret.internal."},
		};

		for (int i = 0; i < 3; i++) {
			const char *source = i == 2 ? "10.9.9.9" : "127.0.20.1";
			struct answer_request req = request_make(source, query, 0);

			len = query_make(query, names[i][0], "A", edns ? 4096 : 0);
			req.len = len;
			ask_wire(&fx, &req, &hidden);
			assert_int_equal(
				query_make(query, names[i][1], "A", edns ? 4096 : 0),
				len);
			ask_wire(&fx, &req, &got);
			assert_int_equal(hidden.rcode, 5);
			assert_int_equal(hidden.len, edns ? len + 6 : len);
			assert_int_equal(got.len, hidden.len);
			assert_memory_equal(got.wire, hidden.wire, 12);
			/* behind the question's name */
			len -= 4 + (edns ? DNS_OPT_LEN : 0);
			assert_memory_equal(got.wire + len, hidden.wire + len,
					    got.len - len);
		}
	}
	assert_answer(
		"127.0.10.1", "web.corp.internal.", "A", 3, "",
		"corp.internal. 15 IN SOA ns.ns-1. hostmaster.corp.internal. 1 7200 900 "
		"1209600 86400\n");
}

static void test_longest_private_zone_wins_over_a_longer_public_one(void **state)
{
	struct zone *zone;

	(void)state;
	fixture_vpcs(&fx, "vpc-a=10.0.0.0/8");
	open_public();
	zone = fixture_full_zone(&fx, "pub2.", "api.example.com.", NULL, 2);
	fixture_add(&fx, zone, "x.api.example.com. 60 IN A 192.0.2.2");
	zone = fixture_full_zone(&fx, "priv.", "example.com.", "vpc-a", 3);
	fixture_add(&fx, zone, "db.example.com. 60 IN A 10.0.0.2");
	fixture_publish(&fx);
	assert_answer("192.0.2.9", "x.api.example.com.", "A", 0,
		      "x.api.example.com. 60 IN A 192.0.2.2\n", "");
	ask(&fx, "10.1.2.3", "x.api.example.com.", "A", &got);
	assert_int_equal(got.rcode, 3);
	assert_non_null(strstr(got.sections[1], "ns.priv."));
	ask(&fx, "10.1.2.3", "web.example.com.", "A", &got);
	assert_int_equal(got.rcode, 3);
	assert_answer("192.0.2.9", "db.example.com.", "A", 3, "", NEGATIVE);

	zone = fixture_full_zone(&fx, "priv2.", "api.example.com.", "vpc-a", 4);
	fixture_add(&fx, zone, "x.api.example.com. 60 IN A 10.0.0.3");
	fixture_publish(&fx);
	assert_answer("10.1.2.3", "x.api.example.com.", "A", 0,
		      "x.api.example.com. 60 IN A 10.0.0.3\n", "");
}

static void add_marked_zone(const char *id, const char *vpc, int64_t created_ms,
			    const char *address)
{
	struct zone *zone = fixture_full_zone(&fx, id, "example.com.", vpc, created_ms);
	char text[128];

	(void)snprintf(text, sizeof text, "web.example.com. 60 IN A %s", address);
	fixture_add(&fx, zone, text);
}

static void test_zones_of_one_name_answer_by_kind_and_age(void **state)
{
	(void)state;
	fixture_vpcs(&fx, "vpc-a=10.0.0.0/16 vpc-b=10.0.0.0/16,10.1.0.0/16");
	add_marked_zone("static", "", 0, "192.0.2.1");
	add_marked_zone("public", NULL, 9, "192.0.2.2");
	add_marked_zone("b", "vpc-b", 5, "192.0.2.3");
	add_marked_zone("a", "vpc-a", 4, "192.0.2.4");
	add_marked_zone("a2", "vpc-a", 4, "192.0.2.5");
	fixture_publish(&fx);
	assert_answer("8.8.8.8", "web.example.com.", "A", 0,
		      "web.example.com. 60 IN A 192.0.2.2\n", "");
	assert_answer("10.0.0.1", "web.example.com.", "A", 0,
		      "web.example.com. 60 IN A 192.0.2.4\n", "");
	assert_answer("10.1.0.1", "web.example.com.", "A", 0,
		      "web.example.com. 60 IN A 192.0.2.3\n", "");
	assert_int_equal(zonedit_remove_zone(fixture_edit(&fx),
					     zonedit_find_zone(fixture_edit(&fx), "a")),
			 GAZ_OK);
	assert_int_equal(
		zonedit_remove_zone(fixture_edit(&fx),
				    zonedit_find_zone(fixture_edit(&fx), "public")),
		GAZ_OK);
	fixture_publish(&fx);
	assert_answer("10.0.0.1", "web.example.com.", "A", 0,
		      "web.example.com. 60 IN A 192.0.2.5\n", "");
	assert_answer("8.8.8.8", "web.example.com.", "A", 0,
		      "web.example.com. 60 IN A 192.0.2.1\n", "");
}

static void test_listener_vpc_overrides_the_source(void **state)
{
	uint8_t query[512];
	size_t len = query_make(query, "web.example.com.", "A", 0);
	struct answer_request req = request_make("10.0.0.1", query, len);

	(void)state;
	fixture_vpcs(&fx, "vpc-a=10.0.0.0/8");
	add_marked_zone("a", "vpc-a", 1, "192.0.2.1");
	add_marked_zone("u", "vpc-u", 2, "192.0.2.2"); /* not declared */
	fixture_publish(&fx);
	ask_wire(&fx, &req, &got);
	assert_string_equal(got.sections[0], "web.example.com. 60 IN A 192.0.2.1\n");
	assert_int_equal(view_intern_vpc(fx.db, "vpc-u", &req.listener_vpc), GAZ_OK);
	ask_wire(&fx, &req, &got);
	assert_string_equal(got.sections[0], "web.example.com. 60 IN A 192.0.2.2\n");
	assert_int_equal(view_intern_vpc(fx.db, "vpc-new", &req.listener_vpc), GAZ_OK);
	ask_wire(&fx, &req, &got);
	assert_int_equal(got.rcode, 5);
}

static void test_cname_is_followed_within_visible_zones(void **state)
{
	struct zone *zone = open_public();

	(void)state;
	fixture_vpcs(&fx, "vpc-a=10.0.0.0/8");
	fixture_add(&fx, zone, "www.example.com. 30 IN CNAME alias.Example.com.");
	fixture_add(&fx, zone, "alias.example.com. 31 IN CNAME web.example.com.");
	fixture_add(&fx, zone, "out.example.com. 32 IN CNAME www.elsewhere.org.");
	fixture_add(&fx, zone, "gone.example.com. 33 IN CNAME no.example.com.");
	fixture_add(&fx, zone, "priv.example.com. 34 IN CNAME x.corp.");
	fixture_add(&fx, zone, "l1.example.com. 35 IN CNAME l2.example.com.");
	fixture_add(&fx, zone, "l2.example.com. 35 IN CNAME l1.example.com.");
	zone = fixture_full_zone(&fx, "corp", "corp.", "vpc-a", 3);
	fixture_add(&fx, zone, "x.corp. 60 IN A 10.0.0.2");
	fixture_publish(&fx);

	assert_answer("192.0.2.9", "www.example.com.", "A", 0,
		      "www.example.com. 30 IN CNAME alias.Example.com.\n"
		      "alias.Example.com. 31 IN CNAME web.example.com.\n"
		      "web.example.com. 60 IN A 192.0.2.1\n",
		      "");
	assert_answer("192.0.2.9", "www.example.com.", "CNAME", 0,
		      "www.example.com. 30 IN CNAME alias.Example.com.\n", "");
	assert_answer("192.0.2.9", "www.example.com.", "ANY", 0,
		      "www.example.com. 30 IN CNAME alias.Example.com.\n", "");
	assert_answer("192.0.2.9", "out.example.com.", "A", 0,
		      "out.example.com. 32 IN CNAME www.elsewhere.org.\n", "");
	assert_answer("192.0.2.9", "gone.example.com.", "A", 3,
		      "gone.example.com. 33 IN CNAME no.example.com.\n", NEGATIVE);
	assert_answer("192.0.2.9", "www.example.com.", "AAAA", 0,
		      "www.example.com. 30 IN CNAME alias.Example.com.\n"
		      "alias.Example.com. 31 IN CNAME web.example.com.\n",
		      NEGATIVE);
	assert_answer("192.0.2.9", "priv.example.com.", "A", 0,
		      "priv.example.com. 34 IN CNAME x.corp.\n", "");
	assert_answer("10.0.0.9", "priv.example.com.", "A", 0,
		      "priv.example.com. 34 IN CNAME x.corp.\nx.corp. 60 IN A 10.0.0.2\n",
		      "");
	ask(&fx, "192.0.2.9", "l1.example.com.", "A", &got);
	assert_int_equal(got.rcode, 0);
	assert_int_equal(count_lines(got.sections[0]), 2);
}

static void test_cname_chain_ends_after_eight(void **state)
{
	struct zone *zone = open_public();

	(void)state;
	for (int i = 0; i < 12; i++) {
		char text[128];

		(void)snprintf(text, sizeof text,
			       "c%d.example.com. 30 IN CNAME c%d.example.com.", i, i + 1);
		fixture_add(&fx, zone, text);
	}
	fixture_publish(&fx);
	ask(&fx, "192.0.2.9", "c0.example.com.", "A", &got);
	assert_int_equal(got.rcode, 0);
	assert_int_equal(count_lines(got.sections[0]), 8);
}

static void add_addresses(struct zone *zone, unsigned count, unsigned healthy,
			  enum rrset_policy policy)
{
	for (unsigned i = 0; i < count; i++) {
		char text[128];

		(void)snprintf(text, sizeof text, "many.example.com. 60 IN A 10.0.%u.%u",
			       i / 256, i % 256);
		assert_int_equal(fixture_try(&fx, zone, text, policy, i < healthy),
				 GAZ_OK);
	}
}

/* Ask, and count how often each of the first addresses appears. */
static void draw(unsigned rounds, unsigned per_answer, unsigned *hits, unsigned *first)
{
	uint8_t query[512];
	struct answer_request req = request_make(
		"8.8.8.8", query, query_make(query, "many.example.com.", "A", 0));
	uint8_t reply[ANSWER_UDP_CAP];

	for (unsigned i = 0; i < rounds; i++) {
		size_t len = answer_query(&fx.ctx, &req, reply, sizeof reply);
		const uint8_t *rr = reply + req.len;

		assert_int_equal(len, req.len + 16 * per_answer);
		assert_int_equal(wire_get_u16(reply + 6), per_answer);
		for (unsigned r = 0; r < per_answer; r++, rr += 16) {
			hits[rr[14] * 256 + rr[15]]++;
			if (r == 0)
				first[rr[14] * 256 + rr[15]]++;
		}
	}
}

static void assert_near(unsigned value, double expected)
{
	assert_true(value > expected * 0.85 && value < expected * 1.15);
}

static void test_multivalue_draws_eight_fairly(void **state)
{
	unsigned hits[1024] = {0};
	unsigned first[1024] = {0};

	(void)state;
	add_addresses(open_public(), 20, 12, RRSET_MULTIVALUE);
	fixture_publish(&fx);
	draw(12000, 8, hits, first);
	for (int i = 0; i < 12; i++) {
		assert_near(hits[i], 12000 * 8 / 12.0);
		assert_near(first[i], 12000 / 12.0);
	}
	for (int i = 12; i < 20; i++)
		assert_int_equal(hits[i], 0);
}

static void test_multivalue_without_healthy_ones_takes_all(void **state)
{
	unsigned hits[1024] = {0};
	unsigned first[1024] = {0};

	(void)state;
	add_addresses(open_public(), 5, 0, RRSET_MULTIVALUE);
	fixture_publish(&fx);
	draw(5000, 5, hits, first);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(hits[i], 5000);
		assert_near(first[i], 1000);
	}
}

static void test_weighted_draws_one(void **state)
{
	unsigned hits[1024] = {0};
	unsigned first[1024] = {0};
	struct zone *zone = open_public();

	(void)state;
	add_addresses(zone, 6, 4, RRSET_WEIGHTED);
	/* A twin counts twice, an unhealthy one does not. */
	assert_int_equal(fixture_try(&fx, zone, "many.example.com. 60 IN A 10.0.0.1",
				     RRSET_WEIGHTED, true),
			 GAZ_OK);
	assert_int_equal(fixture_try(&fx, zone, "many.example.com. 60 IN A 10.0.0.2",
				     RRSET_WEIGHTED, false),
			 GAZ_OK);
	fixture_publish(&fx);
	draw(10000, 1, hits, first);
	assert_near(hits[0], 2000);
	assert_near(hits[1], 4000);
	assert_near(hits[2], 2000);
	assert_near(hits[3], 2000);
	assert_int_equal(hits[4] + hits[5], 0);
}

static void test_thousand_records_are_drawn_from(void **state)
{
	static unsigned hits[1024];
	static unsigned first[1024];
	unsigned seen = 0;

	(void)state;
	add_addresses(open_public(), 1000, 1000, RRSET_MULTIVALUE);
	fixture_publish(&fx);
	draw(20000, 8, hits, first);
	for (int i = 0; i < 1000; i++)
		seen += hits[i] > 80 && hits[i] < 260;
	assert_int_equal(seen, 1000);
}

static void test_equal_records_are_shown_once(void **state)
{
	struct zone *zone = open_public();

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(fixture_try(&fx, zone,
					     "many.example.com. 60 IN A 10.0.0.1",
					     RRSET_MULTIVALUE, i > 0),
				 GAZ_OK);
	fixture_publish(&fx);
	assert_answer("8.8.8.8", "many.example.com.", "A", 0,
		      "many.example.com. 60 IN A 10.0.0.1\n", "");
	fixture_remove(&fx, zone, "many.example.com. 60 IN A 10.0.0.1");
	fixture_remove(&fx, zone, "many.example.com. 60 IN A 10.0.0.1");
	fixture_publish(&fx);
	assert_answer("8.8.8.8", "many.example.com.", "A", 0,
		      "many.example.com. 60 IN A 10.0.0.1\n", "");
}

static void test_large_set_is_cut_to_tc(void **state)
{
	uint8_t query[512];
	size_t len = query_make(query, "many.example.com.", "A", 0);
	struct answer_request req = request_make("8.8.8.8", query, len);

	(void)state;
	add_addresses(open_public(), 60, 60, RRSET_ALL);
	fixture_publish(&fx);
	ask_wire(&fx, &req, &got);
	assert_true(got.tc);
	assert_int_equal(got.len, len);
	req.tcp = true;
	ask_wire(&fx, &req, &got);
	assert_false(got.tc);
	assert_int_equal(count_lines(got.sections[0]), 60);
	req.tcp = false;
	req.len = query_make(query, "many.example.com.", "A", 4096);
	ask_wire(&fx, &req, &got);
	assert_false(got.tc);
	assert_true(got.has_edns);
	assert_int_equal(got.len, len + 60 * 16 + 11);
	req.len =
		query_make(query, "many.example.com.", "A", (unsigned)len + 60 * 16 + 10);
	ask_wire(&fx, &req, &got);
	assert_true(got.tc);
	assert_int_equal(got.len, len + 11);
}

static void test_udp_size_is_the_limit_and_what_is_offered(void **state)
{
	struct answer_config config = {.udp_size = 512};
	uint8_t query[512];
	size_t len = query_make(query, "many.example.com.", "A", 4096);
	struct answer_request req = request_make("8.8.8.8", query, len);

	(void)state;
	add_addresses(open_public(), 250, 250, RRSET_ALL);
	fixture_publish(&fx);
	fx.ctx.config = &config;
	ask_wire(&fx, &req, &got);
	assert_true(got.tc);
	assert_int_equal(wire_get_u16(got.wire + got.len - 8), 512);
	config.udp_size = (uint16_t)(len + 250 * 16);
	ask_wire(&fx, &req, &got);
	assert_false(got.tc);
	assert_int_equal(got.len, config.udp_size);
	assert_int_equal(wire_get_u16(got.wire + got.len - 8), config.udp_size);
	config.udp_size--;
	ask_wire(&fx, &req, &got);
	assert_true(got.tc);
	config.udp_size = 0; /* not told */
	ask_wire(&fx, &req, &got);
	assert_true(got.tc);
	assert_int_equal(wire_get_u16(got.wire + got.len - 8), 1232);
}

static void test_dnssec_ok_is_copied(void **state)
{
	uint8_t query[512];
	size_t len = query_make(query, "web.example.com.", "A", 4096);
	struct answer_request req = request_make("8.8.8.8", query, len);

	(void)state;
	open_public();
	fixture_publish(&fx);
	query[len - 4] = 0x80;
	ask_wire(&fx, &req, &got);
	assert_int_equal(wire_get_u16(got.wire + got.len - 4), 0x8000);
	assert_int_equal(wire_get_u16(got.wire + got.len - 8), 1232);
}

static void test_bad_messages_get_their_rcodes(void **state)
{
	uint8_t query[512];
	size_t len = query_make(query, "web.example.com.", "A", 4096);
	struct answer_request req = request_make("8.8.8.8", query, len);

	(void)state;
	open_public();
	fixture_publish(&fx);
	query[len - 5] = 1; /* the EDNS version */
	ask_wire(&fx, &req, &got);
	assert_int_equal(got.rcode, 16);
	assert_false(got.aa);
	query[2] |= 0x20; /* NOTIFY */
	ask_wire(&fx, &req, &got);
	assert_int_equal(got.rcode, 4);
	query[2] &= 7;
	query[5] = 2;
	ask_wire(&fx, &req, &got);
	assert_int_equal(got.rcode, 1);
	assert_int_equal(got.len, 12);
	query[2] |= 0x80;
	ask_wire(&fx, &req, &got);
	assert_int_equal(got.len, 0);
	req.len = 11;
	query[2] = 0;
	ask_wire(&fx, &req, &got);
	assert_int_equal(got.len, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_name_with_address_is_answered),
		T(test_missing_data_is_told_from_a_missing_name),
		T(test_negative_ttl_is_the_smaller_of_soa_ttl_and_minimum),
		T(test_names_outside_are_refused),
		T(test_other_classes_are_refused),
		T(test_any_gets_one_rrset),
		T(test_hidden_private_zone_answers_like_one_never_made),
		T(test_longest_private_zone_wins_over_a_longer_public_one),
		T(test_zones_of_one_name_answer_by_kind_and_age),
		T(test_listener_vpc_overrides_the_source),
		T(test_cname_is_followed_within_visible_zones),
		T(test_cname_chain_ends_after_eight),
		T(test_multivalue_draws_eight_fairly),
		T(test_multivalue_without_healthy_ones_takes_all),
		T(test_weighted_draws_one),
		T(test_thousand_records_are_drawn_from),
		T(test_equal_records_are_shown_once),
		T(test_large_set_is_cut_to_tc),
		T(test_udp_size_is_the_limit_and_what_is_offered),
		T(test_dnssec_ok_is_copied),
		T(test_bad_messages_get_their_rcodes),
	};
	int failed;

	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failed;
}
