/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/zonefile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <urcu.h>

#include <cmocka.h>

#include "base/log.h"
#include "dns/name.h"
#include "responder/answer.h"
#include "zone/zonedb.h"
#include "zone/zonedit.h"

#define HEAD "$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n NS ns.example.net.\n" /* 3 lines */

static char dir[64];
static char path[128];
static struct zonedb *db;
static struct zonedit *edit;
static struct gaz_error err;

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/test_zonefile.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(zonedb_new(&db), GAZ_OK);
	assert_int_equal(zonedit_new(db, &edit), GAZ_OK);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	zonedit_free(&edit);
	zonedb_free(&db);
	(void)snprintf(command, sizeof command, "rm -r %s", dir);
	return system(command);
}

static void write_file(const char *name, const char *text)
{
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static gaz_status load(const char *name, const char *text)
{
	write_file(name, text);
	return zonefile_load(edit, path, &err);
}

static void expect_error(const char *text, gaz_status st, int line, const char *what)
{
	char where[160];

	assert_int_equal(load("example.org.zone", text), st);
	assert_int_equal(err.status, st);
	(void)snprintf(where, sizeof where, "%s:%d: ", path, line);
	if (strncmp(err.text, where, strlen(where)) != 0 || !strstr(err.text, what))
		fail_msg("%s", err.text);
	assert_null(zonedit_find_zone(edit, path));
}

static struct zonedb_stats publish(void)
{
	struct zonedb_stats stats;

	assert_int_equal(zonedit_prepare(edit), GAZ_OK);
	zonedit_publish(&edit);
	zonedb_stats(db, &stats);
	return stats;
}

/* Ask for a name and type; returns the reply. */
static const uint8_t *ask(const char *name, uint16_t type)
{
	static uint8_t reply[ANSWER_UDP_CAP];
	struct answer_context ctx = {.db = db};
	uint8_t query[12 + DNAME_MAX + 4] = {[5] = 1};
	struct answer_request req = {.query = query, .listener_vpc = ANSWER_NO_VPC};
	size_t len;

	assert_int_equal(dname_from_text(name, query + 12, &len), GAZ_OK);
	query[12 + len + 1] = (uint8_t)type;
	query[12 + len + 3] = 1;
	req.len = 12 + len + 4;
	assert_int_equal(netaddr_parse("192.0.2.1", &req.source), GAZ_OK);
	rng_seed(&ctx.rng, 1);
	rcu_read_lock();
	assert_true(answer_query(&ctx, &req, reply, sizeof reply) > 12);
	rcu_read_unlock();
	return reply;
}

static int rcode(const uint8_t *reply)
{
	return reply[3] & 15;
}

static int answers(const uint8_t *reply)
{
	return reply[6] << 8 | reply[7];
}

static void test_shipped_zones_load_and_answer(void **state)
{
	const char *top = getenv("srcdir");
	char zones[512];
	size_t loaded = 0;

	(void)state;
	(void)snprintf(zones, sizeof zones, "%s/zones", top ? top : ".");
	assert_int_equal(zonefile_load_dir(edit, zones, &loaded, &err), GAZ_OK);
	assert_int_equal(loaded, 4);
	assert_int_equal(publish().zones, 4);
	assert_int_equal(answers(ask("any.thing.localhost", 1)), 1);
	assert_int_equal(answers(ask("1.0.0.127.in-addr.arpa", 12)), 1);
	assert_int_equal(
		answers(ask("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
			    "0.0.0.ip6.arpa",
			    12)),
		1);
	assert_int_equal(answers(ask("pool.example.org", 1)), 3);
	assert_int_equal(answers(ask("example.org", 15)), 2);
	assert_int_equal(answers(ask("_sip._tcp.example.org", 33)), 2);
	assert_int_equal(answers(ask("www.example.org", 1)), 2); /* CNAME and A */
	assert_int_equal(answers(ask("x.dev.example.org", 1)), 1);
	assert_int_equal(answers(ask("www.sub.example.org", 1)), 0); /* referral */
	assert_int_equal(rcode(ask("www.sub.example.org", 1)), 0);
	assert_int_equal(rcode(ask("none.example.org", 1)), 3);
	assert_int_equal(rcode(ask("example.net", 1)), 5);
}

static void test_one_set_gets_one_ttl_and_no_duplicates(void **state)
{
	const uint8_t *reply;

	(void)state;
	assert_int_equal(load("example.org.zone",
			      HEAD "x 7 A 192.0.2.1\nX 9 A 192.0.2.2\n"
				   "x 8 A 192.0.2.1\n"),
			 GAZ_OK);
	(void)publish();
	reply = ask("x.example.org", 1);
	assert_int_equal(answers(reply), 2);
	for (int i = 0; i < 2; i++) {
		const uint8_t *record = reply + 12 + 15 + 4 + i * 16;

		assert_int_equal(record[9], 7); /* the TTL of the first */
		assert_int_equal(record[15], i + 1);
	}
}

static void test_origin_comes_from_the_name_and_ORIGIN(void **state)
{
	(void)state;
	assert_int_equal(load("Example.ORG.zone", HEAD
			      "a A 192.0.2.1\n$ORIGIN sub.example.org.\nb A 192.0.2.1\n"),
			 GAZ_OK);
	assert_int_equal(load("root.zone", HEAD), GAZ_OK);
	(void)publish();
	assert_int_equal(answers(ask("A.example.org", 1)), 1);
	assert_int_equal(answers(ask("b.sub.example.org", 1)), 1);
	assert_int_equal(answers(ask(".", 6)), 1);
}

static void test_bad_record_is_named_with_its_line(void **state)
{
	(void)state;
	expect_error(HEAD "x A 192.0.2\n", GAZ_EFORMAT, 4, "correct");
	expect_error(HEAD "x A 192.0.2", GAZ_EFORMAT, 4, "correct");
	expect_error("\n; comment\n\n" HEAD " \n;\ny A 192.0.2.1\n\n\nx FOO bar\n\n\n",
		     GAZ_EFORMAT, 12, "correct");
	expect_error(HEAD "y TXT ( a\n b\n c )\nx A 192.0.2\n", GAZ_EFORMAT, 7,
		     "correct");
	expect_error(HEAD "x.example.net. A 192.0.2.1\n\n\ny A 192.0.2.1\n", GAZ_EFORMAT,
		     4, "outside the zone");
	expect_error(HEAD "x CH TXT a\n", GAZ_EFORMAT, 4, "class");
	expect_error(HEAD "x TYPE255 \\# 0\n", GAZ_EFORMAT, 4, "type");
	expect_error(HEAD "x TYPE41 \\# 0\n", GAZ_EFORMAT, 4, "type");
	expect_error(HEAD "x 2147483648 A 192.0.2.1\n", GAZ_EFORMAT, 4, "TTL");
	expect_error(HEAD "$INCLUDE other\n", GAZ_EFORMAT, 4, "$INCLUDE");
}

static void test_bad_zone_leaves_nothing_behind(void **state)
{
	(void)state;
	expect_error("", GAZ_EFORMAT, 1, "no SOA");
	expect_error("@ NS ns\n", GAZ_EFORMAT, 1, "no SOA");
	expect_error("@ SOA a b 1 2 3 4 5\n", GAZ_EFORMAT, 1, "no NS");
	expect_error(HEAD "@ SOA ns hostmaster 2 2 3 4 5\n", GAZ_EFORMAT, 4,
		     "second SOA");
	expect_error(HEAD "x SOA ns hostmaster 1 2 3 4 5\n", GAZ_EFORMAT, 4, "SOA");
	expect_error(HEAD "x CNAME a\ny A 192.0.2.1\nx A 192.0.2.1\n", GAZ_EFORMAT, 6,
		     "CNAME");
	expect_error(HEAD "x CNAME a\nx CNAME b\n", GAZ_EFORMAT, 5, "CNAME");
	assert_int_equal(publish().names, 0);
}

static void test_set_that_is_too_large_is_refused(void **state)
{
	static char text[400000];
	size_t len = (size_t)snprintf(text, sizeof text, "%s", HEAD);

	(void)state;
	for (int i = 0; i < 20000; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "x A 10.0.%d.%d\n",
					i / 256, i % 256);
	assert_int_equal(load("example.org.zone", text), GAZ_ELIMIT);
	assert_non_null(strstr(err.text, "too large"));
	assert_int_equal(publish().names, 0);
}

static void test_file_that_cannot_be_read_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(zonefile_load(edit, "/nonexistent/example.org.zone", &err),
			 GAZ_EIO);
	assert_int_equal(load("example.org.txt", HEAD), GAZ_EFORMAT);
	assert_int_equal(load(".zone", HEAD), GAZ_EFORMAT);
	assert_int_equal(load("bad..name.zone", HEAD), GAZ_EFORMAT);
	(void)snprintf(path, sizeof path, "%s/pipe.zone", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(zonefile_load(edit, path, &err), GAZ_EIO);
	assert_int_equal(load("example.org.zone", HEAD), GAZ_OK);
	assert_int_equal(zonefile_load(edit, path, &err), GAZ_EEXISTS);
}

static void test_directory_serves_the_good_files(void **state)
{
	char sub[160];
	size_t loaded = 99;

	(void)state;
	write_file("b.example.zone", HEAD);
	write_file("bad.example.zone", HEAD "x A nonsense\n");
	write_file("a.example.zone", HEAD);
	write_file(".hidden.zone", HEAD);
	write_file("notes.txt", "not a zone");
	(void)snprintf(sub, sizeof sub, "%s/folder.zone", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	log_set_level(LOG_LEVEL_ERROR);
	assert_int_equal(zonefile_load_dir(edit, dir, &loaded, &err), GAZ_OK);
	assert_int_equal(loaded, 2);
	assert_int_equal(publish().zones, 2);
	assert_int_equal(zonefile_load_dir(NULL, "/nonexistent", &loaded, &err), GAZ_EIO);
	assert_non_null(strstr(err.text, "/nonexistent"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_shipped_zones_load_and_answer),
		TEST(test_one_set_gets_one_ttl_and_no_duplicates),
		TEST(test_origin_comes_from_the_name_and_ORIGIN),
		TEST(test_bad_record_is_named_with_its_line),
		TEST(test_bad_zone_leaves_nothing_behind),
		TEST(test_set_that_is_too_large_is_refused),
		TEST(test_file_that_cannot_be_read_is_an_error),
		TEST(test_directory_serves_the_good_files),
	};
	int failed;

	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failed;
}
