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

static void test_static_zone_has_wildcards(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "pub.", "example.com.", "", 0);

	(void)state;
	fixture_add(&fx, zone, "*.example.com. 60 IN TXT wild");
	fixture_add(&fx, zone, "*.w.example.com. 60 IN CNAME host.example.com.");
	fixture_add(&fx, zone, "host.example.com. 60 IN A 192.0.2.1");
	fixture_add(&fx, zone, "a.ent.example.com. 60 IN A 192.0.2.2");
	fixture_publish(&fx);
	assert_answer("8.8.8.8", "x.y.example.com.", "TXT", 0,
		      "x.y.example.com. 60 IN TXT \"wild\"\n", "");
	assert_answer("8.8.8.8", "x.example.com.", "A", 0, "", NEGATIVE);
	assert_answer("8.8.8.8", "host.example.com.", "TXT", 0, "", NEGATIVE);
	assert_answer("8.8.8.8", "x.host.example.com.", "TXT", 3, "", NEGATIVE);
	assert_answer("8.8.8.8", "x.ent.example.com.", "TXT", 3, "", NEGATIVE);
	assert_answer("8.8.8.8", "ent.example.com.", "TXT", 0, "", NEGATIVE);
	assert_answer("8.8.8.8", "q.w.example.com.", "A", 0,
		      "q.w.example.com. 60 IN CNAME host.example.com.\n"
		      "host.example.com. 60 IN A 192.0.2.1\n",
		      "");
	assert_answer("8.8.8.8", "*.example.com.", "TXT", 0,
		      "*.example.com. 60 IN TXT \"wild\"\n", "");
}

static void test_static_zone_delegates(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "pub.", "example.com.", "", 0);

	(void)state;
	fixture_add(&fx, zone, "sub.example.com. 60 IN NS ns.sub.example.com.");
	fixture_add(&fx, zone, "sub.example.com. 60 IN NS ns.other.test.");
	fixture_add(&fx, zone,
		    "sub.example.com. 60 IN DS 1 8 2 "
		    "0000000000000000000000000000000000000000000000000000000000000000");
	fixture_add(&fx, zone, "ns.sub.example.com. 60 IN A 192.0.2.1");
	fixture_add(&fx, zone, "ns.sub.example.com. 60 IN AAAA 2001:db8::1");
	fixture_publish(&fx);
	assert_answer("8.8.8.8", "a.sub.example.com.", "A", 0, "",
		      "sub.example.com. 60 IN NS ns.sub.example.com.\n"
		      "sub.example.com. 60 IN NS ns.other.test.\n");
	assert_false(got.aa);
	assert_string_equal(got.sections[2],
			    "ns.sub.example.com. 60 IN A 192.0.2.1\n"
			    "ns.sub.example.com. 60 IN AAAA 2001:db8::1\n");
	ask(&fx, "8.8.8.8", "ns.sub.example.com.", "A", &got);
	assert_false(got.aa);
	assert_string_equal(got.sections[0], "");
	ask(&fx, "8.8.8.8", "sub.example.com.", "DS", &got);
	assert_true(got.aa);
	assert_int_equal(count_lines(got.sections[0]), 1);
}

static void test_static_zone_has_dnames(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "pub.", "example.com.", "", 0);

	(void)state;
	fixture_add(&fx, zone, "old.example.com. 60 IN DNAME new.example.com.");
	fixture_add(&fx, zone, "a.new.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	assert_answer("8.8.8.8", "a.old.example.com.", "A", 0,
		      "old.example.com. 60 IN DNAME new.example.com.\n"
		      "a.old.example.com. 60 IN CNAME a.new.example.com.\n"
		      "a.new.example.com. 60 IN A 192.0.2.1\n",
		      "");
	assert_answer("8.8.8.8", "old.example.com.", "A", 0, "", NEGATIVE);
}

static void test_reply_has_a_dname_once(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "pub.", "example.com.", "", 0);

	(void)state;
	fixture_add(&fx, zone, "d.example.com. 60 IN DNAME x.d.example.com.");
	fixture_add(&fx, zone, "e.example.com. 60 IN DNAME x.f.example.com.");
	fixture_add(&fx, zone, "f.example.com. 60 IN DNAME e.example.com.");
	fixture_add(&fx, zone, "g.example.com. 60 IN DNAME example.com.");
	fixture_publish(&fx);
	ask(&fx, "8.8.8.8", "a.d.example.com.", "A", &got);
	assert_int_equal(count_lines(got.sections[0]), 9);
	assert_non_null(strstr(got.sections[0], "d.example.com. 60 IN DNAME"));
	ask(&fx, "8.8.8.8", "a.e.example.com.", "A", &got);
	assert_int_equal(count_lines(got.sections[0]), 10);
	ask(&fx, "8.8.8.8", "g.g.example.com.", "DNAME", &got);
	assert_int_equal(count_lines(got.sections[0]), 2);
	ask(&fx, "8.8.8.8", "g.example.com.", "DNAME", &got);
	assert_int_equal(count_lines(got.sections[0]), 1);
}

static void test_root_zone_delegates(void **state)
{
	struct zone *zone = fixture_zone(&fx, "root", ".", "", 0);

	(void)state;
	fixture_add(&fx, zone, ". 60 IN SOA ns. h. 1 2 3 4 5");
	fixture_add(&fx, zone, "com. 60 IN NS ns.com.");
	fixture_publish(&fx);
	assert_answer("8.8.8.8", "a.b.com.", "A", 0, "", "com. 60 IN NS ns.com.\n");
	assert_answer("8.8.8.8", "org.", "A", 3, "", ". 5 IN SOA ns. h. 1 2 3 4 5\n");
	assert_answer("8.8.8.8", ".", "NS", 0, "", ". 5 IN SOA ns. h. 1 2 3 4 5\n");
}

static void open_mixed_zone(void)
{
	struct zone *zone = fixture_full_zone(&fx, "pub.", "example.com.", "", 0);

	fixture_add(&fx, zone, "*.example.com. 60 IN TXT wild");
	fixture_add(&fx, zone, "sub.example.com. 60 IN NS ns.sub.example.com.");
	fixture_add(&fx, zone, "ns.sub.example.com. 60 IN A 192.0.2.1");
	fixture_add(&fx, zone, "old.example.com. 60 IN DNAME example.com.");
	fixture_add(&fx, zone, "c.example.com. 60 IN CNAME d.old.example.com.");
	for (int i = 0; i < 100; i++) {
		char text[128];

		(void)snprintf(text, sizeof text, "many.example.com. 60 IN A 10.0.0.%d",
			       i);
		assert_int_equal(fixture_try(&fx, zone, text, RRSET_MULTIVALUE, i < 50),
				 GAZ_OK);
	}
	fixture_publish(&fx);
}

/* Heap copies, so that the sanitizers see a read one octet too far. */
static void test_mutated_queries_never_break_anything(void **state)
{
	static const char *const names[] = {"a.sub.example.com.", "x.example.com.",
					    "d.old.example.com.", "c.example.com.",
					    "many.example.com.",  "example.com.",
					    "1.2.3.4.5.6.7.8.9."};
	static const char *const types[] = {"A", "TXT", "CNAME", "ANY", "DS", "SOA"};
	struct rng rng;

	(void)state;
	open_mixed_zone();
	rng_seed(&rng, 7);
	for (int round = 0; round < 60000; round++) {
		uint8_t query[600] = {0};
		size_t len =
			query_make(query, names[rng_below(&rng, 7)],
				   types[rng_below(&rng, 6)], rng_below(&rng, 2) * 1400);
		struct answer_request req;
		uint8_t *copy;
		uint8_t *reply;
		size_t cap;

		for (uint32_t i = rng_below(&rng, 5); i > 0; i--)
			query[rng_below(&rng, (uint32_t)len)] = (uint8_t)rng_next(&rng);
		if (rng_below(&rng, 4) == 0)
			len = rng_below(&rng, (uint32_t)len + 20);
		copy = malloc(len + 1);
		assert_non_null(copy);
		memcpy(copy + 1, query, len); /* unaligned as well */
		req = request_make("127.0.0.1", copy + 1, len);
		req.tcp = round % 8 == 0;
		cap = req.tcp ? ANSWER_TCP_CAP : ANSWER_UDP_CAP;
		reply = malloc(cap);
		assert_non_null(reply);
		len = answer_query(&fx.ctx, &req, reply, cap);
		assert_true(len == 0 || (len >= 12 && len <= cap && reply[2] & 0x80));
		free(reply);
		free(copy);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_static_zone_has_wildcards),
		T(test_static_zone_delegates),
		T(test_static_zone_has_dnames),
		T(test_reply_has_a_dname_once),
		T(test_root_zone_delegates),
		T(test_mutated_queries_never_break_anything),
	};
	int failed;

	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failed;
}
