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

#include "base/clock.h"
#include "base/log.h"
#include "dns/name.h"
#include "dns/wire.h"
#include "responder/answer.h"
#include "zone/lookup.h"
#include "zone/view.h"
#include "zone/zonebuild.h"
#include "zone/zonedb.h"
#include "zone/zonedir.h"
#include "zone/zonedit.h"

#define HEAD "$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n NS ns.example.net.\n" /* 3 lines */

static char dir[64];
static char path[128];
static struct zonedb *db;
static struct zonedit *edit;
static struct gaz_error err;
static struct zonebuild *builds[8];
static size_t build_count;
static size_t warning_count;
static char warnings[32][512];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/test_zonefile.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(zonedb_new(&db), GAZ_OK);
	assert_int_equal(zonedit_new(db, &edit), GAZ_OK);
	warning_count = 0;
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	zonedit_free(&edit);
	while (build_count > 0)
		zonebuild_free(&builds[--build_count]);
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

static void on_warning(void *arg, const char *text)
{
	(void)arg;
	assert_true(warning_count < 32);
	(void)snprintf(warnings[warning_count++], sizeof *warnings, "%s", text);
}

static gaz_status load_path(const char *file)
{
	struct zonefile_report report = {.warn = on_warning};
	struct zonebuild *build = NULL;
	gaz_status st;

	warning_count = 0;
	st = zonefile_build(db, file, &report, &build, &err);
	assert_int_equal(report.warnings, warning_count);
	zonefile_report_fini(&report);
	if (st != GAZ_OK)
		return st;
	assert_true(build_count < 8);
	builds[build_count++] = build;
	return zonedit_add_built(edit, build);
}

static gaz_status load(const char *name, const char *text)
{
	write_file(name, text);
	return load_path(path);
}

/* The only warning, or one of several, names the line and has the text. */
static void expect_warning(int line, const char *what)
{
	char where[32];

	(void)snprintf(where, sizeof where, ":%d: ", line);
	for (size_t i = 0; i < warning_count; i++) {
		if (strstr(warnings[i], where) && strstr(warnings[i], what))
			return;
	}
	fail_msg("no warning of '%s' at line %d", what, line);
}

static gaz_status commit(void *arg, struct zonedir *zones)
{
	struct zonedit *own = NULL;

	(void)arg;
	assert_int_equal(zonedit_new(db, &own), GAZ_OK);
	assert_int_equal(zonedir_stage(zones, own), GAZ_OK);
	assert_int_equal(zonedit_prepare(own), GAZ_OK);
	zonedit_publish(&own);
	return GAZ_OK;
}

static struct zonedir *open_folder(const char *folder)
{
	struct zonedir *zones = NULL;

	zonedit_free(&edit);
	assert_int_equal(zonedir_new(folder, db, &(struct clock){0}, &zones), GAZ_OK);
	return zones;
}

static void update(struct zonedir *zones)
{
	assert_int_equal(zonedir_update(zones, NULL, false, commit, NULL, &err), GAZ_OK);
}

static struct zonedb_stats stats_now(void)
{
	struct zonedb_stats stats;

	zonedb_stats(db, &stats);
	return stats;
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
	wire_put_u16(query + 12 + len, type);
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
	char folder[512];
	struct zonedir *zones;

	(void)state;
	(void)snprintf(folder, sizeof folder, "%s/zones", top ? top : ".");
	zones = open_folder(folder);
	update(zones);
	zonedir_free(&zones);
	assert_int_equal(stats_now().zones, 10);
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
	assert_int_equal(rcode(ask("x.invalid", 1)), 3);
	assert_int_equal(rcode(ask("1.0.0.10.in-addr.arpa", 12)), 3);
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

static void test_case_in_names_makes_no_other_record(void **state)
{
	(void)state;
	assert_int_equal(load("example.org.zone",
			      HEAD "c CNAME www\nc CNAME WWW\n"
				   "m MX 1 Mail\nm MX 1 mail\nm MX 2 mail\n"
				   "p NAPTR 1 1 \"s\" \"x\" \"\" a\n"
				   "p NAPTR 1 1 \"s\" \"x\" \"\" A\n"
				   "p NAPTR 1 1 \"S\" \"x\" \"\" A\n"
				   "t TXT a\nt TXT A\nh HTTPS 0 a\nh HTTPS 0 A\n"
				   "d NS ns.d\nd NS NS.d\nns.d A 192.0.2.1\n"),
			 GAZ_OK);
	(void)publish();
	assert_int_equal(answers(ask("c.example.org", 5)), 1);
	assert_int_equal(answers(ask("m.example.org", 15)), 2);
	assert_int_equal(answers(ask("p.example.org", 35)), 2);
	assert_int_equal(answers(ask("t.example.org", 16)), 2);
	/* RFC 9460 came after RFC 3597: names in newer types are octets to compare. */
	assert_int_equal(answers(ask("h.example.org", 65)), 2);
	assert_int_equal(ask("x.d.example.org", 1)[9], 1); /* authority records */
}

static void test_origin_comes_from_the_name_and_ORIGIN(void **state)
{
	(void)state;
	assert_int_equal(load("Example.ORG.zone", HEAD
			      "a A 192.0.2.1\n$ORIGIN sub.example.org.\nb A 192.0.2.1\n"),
			 GAZ_OK);
	assert_int_equal(load("root.zone", HEAD "ns.example.net. A 192.0.2.1\n"), GAZ_OK);
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
	expect_error(HEAD "x CH TXT a\n", GAZ_EFORMAT, 4, "class");
	expect_error(HEAD "x TYPE255 \\# 0\n", GAZ_EFORMAT, 4, "type");
	expect_error(HEAD "x TYPE41 \\# 0\n", GAZ_EFORMAT, 4, "type");
	expect_error(HEAD "x 2147483648 A 192.0.2.1\n", GAZ_EFORMAT, 4, "TTL");
	expect_error(HEAD "$INCLUDE other\n", GAZ_ENOTFOUND, 4, "$INCLUDE");
	expect_error(HEAD "$GENERATE 1-2 x A 192.0.2.1\n", GAZ_EFORMAT, 4, "directives");
	expect_error(HEAD "x TXT \"a\nb\"\n", GAZ_EFORMAT, 4, "quote");
	expect_error(HEAD "x TXT ( a\nb\n", GAZ_EFORMAT, 4, "parenthesis");
	expect_error(HEAD "x TXT a )\n", GAZ_EFORMAT, 4, "parenthesis");
	expect_error(HEAD "x TXT a\\\n", GAZ_EFORMAT, 4, "backslash");
	expect_error(HEAD "x TXT a\\25\n", GAZ_EFORMAT, 4, "backslash");
	expect_error(HEAD "x TXT a\\256\n", GAZ_EFORMAT, 4, "backslash");
	expect_error(HEAD "x A \\# 3 010203\n", GAZ_EFORMAT, 4, "form");
	expect_error(HEAD "x TYPE65280 \\# 2 010203\n", GAZ_EFORMAT, 4, "octets");
	expect_error(HEAD "x CAA nonsense\n", GAZ_EFORMAT, 4, "");
	expect_error(HEAD "x MX 65536 y\n", GAZ_EFORMAT, 4, "number");
	expect_error(HEAD "x A 192.0.2.1 192.0.2.2\n", GAZ_EFORMAT, 4, "words");
	expect_error(HEAD "x 60 IN\n", GAZ_EFORMAT, 4, "no type");
	expect_error(" A 192.0.2.1\n", GAZ_EFORMAT, 1, "no owner");
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
	assert_int_equal(load_path("/nonexistent/example.org.zone"), GAZ_ENOTFOUND);
	assert_int_equal(load("example.org.txt", HEAD), GAZ_EFORMAT);
	assert_int_equal(load(".zone", HEAD), GAZ_EFORMAT);
	assert_int_equal(load("bad..name.zone", HEAD), GAZ_EFORMAT);
	(void)snprintf(path, sizeof path, "%s/pipe.zone", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(load_path(path), GAZ_ENOTFOUND);
	assert_int_equal(load("example.org.zone", HEAD), GAZ_OK);
	assert_int_equal(load_path(path), GAZ_EEXISTS);
}

static void test_all_forms_of_an_entry(void **state)
{
	(void)state;
	assert_int_equal(
		load("example.org.zone",
		     "$ttl 1h ; \"not a quote\r\n"
		     "@\tin\tsoa\tns.example.net. hostmaster (\r\n1 ; serial (\r\n"
		     "  1h30m 15m\r\n\r\n 2w 5 ) ; end\r\n"
		     "\t1d NS ns.example.net.\r\n"
		     "a 7 IN A 192.0.2.1\n  IN 8 AAAA ::1\nb IN A 192.0.2.1\n"
		     "$ORIGIN sub\nc A 192.0.2.1\n@ ( TXT\n\"x;y\" z\\;w \\\"\\065 )\n"
		     "$ORIGIN example.org.\n"
		     "a\\.b A 192.0.2.1\n\\097\\098c A 192.0.2.1\n"
		     "g CLASS1 TYPE1 \\# 4 c0 000201\n"
		     "s SVCB 1 . alpn=\"h2,h3\"\n"
		     "h A 192.0.2.1 ; the last line has no end"),
		GAZ_OK);
	assert_int_equal(warning_count, 0);
	assert_int_equal(publish().zones, 1);
	assert_int_equal(answers(ask("a.example.org", 1)), 1);
	assert_int_equal(answers(ask("a.example.org", 28)), 1);
	assert_int_equal(answers(ask("b.example.org", 1)), 1);
	assert_int_equal(answers(ask("c.sub.example.org", 1)), 1);
	assert_int_equal(answers(ask("sub.example.org", 16)), 1);
	assert_memory_equal(ask("sub.example.org", 16) + 12 + 17 + 4 + 12,
			    "\3x;y\3z;w\2\"A", 11);
	assert_int_equal(answers(ask("a\\.b.example.org", 1)), 1);
	assert_int_equal(answers(ask("abc.example.org", 1)), 1);
	assert_int_equal(answers(ask("g.example.org", 1)), 1);
	assert_int_equal(answers(ask("s.example.org", 64)), 1);
	assert_int_equal(answers(ask("h.example.org", 1)), 1);
	/* 1h30m, and the TTL of $TTL */
	assert_memory_equal(ask("example.org", 6) + 12 + 13 + 4 + 6, "\0\0\x0e\x10", 4);
}

/* What ldns would take, cut or leave out. */
static void test_data_of_rarer_types_is_checked(void **state)
{
	static const struct {
		const char *data, *what;
	} bad[] = {
		{"CAA 256 issue ca.example", "too large"},
		{"TLSA 256 1 1 ab", "too large"},
		{"TLSA 3 1 1 abc", "odd number"},
		{"TLSA 3 1 1 ab c", "odd number"},
		{"SSHFP 4 2 abc", "odd number"},
		{"SSHFP 4 300 ab", "too large"},
		{"DS 65536 8 2 ab", "too large"},
		{"DS -1 8 2 ab", "too large"},
		{"DS 1 8 2 abab", "digest"},
		{"LOC 91 0 0 N 4 53 32 E 0m", "latitude"},
		{"LOC 52 N 181 E 0m", "latitude"},
		{"LOC 52 N 4 E", "altitude"},
		{"APL 1:192.0.2.0/33", "prefix"},
		{"HTTPS 1 . port=65536", "port"},
		{"HTTPS 1 . port=1 port=2", "twice"},
		{"SVCB 1 . mandatory=port alpn=h2", "mandatory"},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		(void)snprintf(text, sizeof text, HEAD "x %s\n", bad[i].data);
		expect_error(text, GAZ_EFORMAT, 4, bad[i].what);
	}
	assert_int_equal(load("example.org.zone",
			      HEAD "a CAA 255 issue ca.example\na CAA 0 issue \"b; c\"\n"
				   "b TLSA 255 255 255 ab cd\nc SSHFP 4 2 abcd\n"
				   "d NS ns.example.net.\nd DS 65535 RSASHA256 250 ab\n"
				   "d DS 1 8 1 0123456789012345678901234567890123456789\n"
				   "e LOC 90 N 180 W 0m\nf APL 1:192.0.2.0/32 !2:::/128\n"
				   "g HTTPS 1 . mandatory=alpn,port alpn=h2 port=65535\n"
				   "g HTTPS 0 a\ng SVCB 1 . port=1 alpn=h3\n"
				   "h TYPE257 \\# 4 0001 6161\n"),
			 GAZ_OK);
	(void)publish();
	assert_int_equal(answers(ask("a.example.org", 257)), 2);
	assert_int_equal(answers(ask("d.example.org", 43)), 2);
	assert_int_equal(answers(ask("g.example.org", 65)), 2);
}

static void test_without_TTL_the_last_one_counts_and_first_the_SOA(void **state)
{
	(void)state;
	assert_int_equal(load("example.org.zone",
			      "@ SOA ns.example.net. h 1 2 3 4 50\n NS ns.example.net.\n"
			      "x 7 A 192.0.2.1\ny A 192.0.2.1\n"),
			 GAZ_OK);
	(void)publish();
	assert_int_equal(ask("example.org", 2)[12 + 13 + 4 + 9], 50);
	assert_int_equal(ask("x.example.org", 1)[12 + 15 + 4 + 9], 7);
	assert_int_equal(ask("y.example.org", 1)[12 + 15 + 4 + 9], 7);
}

static void test_include_has_its_own_origin_and_owner(void **state)
{
	char sub[160];

	(void)state;
	(void)snprintf(sub, sizeof sub, "%s/parts", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	write_file("parts/hosts", "h1 A 192.0.2.1\n$ORIGIN deep\nh2 A 192.0.2.2\n"
				  "$INCLUDE more\n");
	write_file("parts/more", "$TTL 9\nh3 A 192.0.2.3\n");
	assert_int_equal(load("example.org.zone",
			      HEAD "last A 192.0.2.9\n$INCLUDE parts/hosts\n TXT mine\n"
				   "$INCLUDE parts/more in ; again\nown A 192.0.2.8\n"),
			 GAZ_OK);
	(void)publish();
	assert_int_equal(answers(ask("h1.example.org", 1)), 1);
	assert_int_equal(answers(ask("h2.deep.example.org", 1)), 1);
	assert_int_equal(answers(ask("h3.deep.example.org", 1)), 1);
	assert_int_equal(answers(ask("h3.in.example.org", 1)), 1);
	assert_int_equal(answers(ask("last.example.org", 16)), 1);
	assert_int_equal(ask("own.example.org", 1)[12 + 17 + 4 + 9], 9);
}

static void test_include_has_limits(void **state)
{
	char link_path[160];

	(void)state;
	expect_error(HEAD "$INCLUDE /etc/passwd\n", GAZ_EFORMAT, 4,
		     "outside the directory");
	expect_error(HEAD "\n$INCLUDE ../../../../../../../etc/passwd\n", GAZ_EFORMAT, 5,
		     "outside the directory");
	(void)snprintf(link_path, sizeof link_path, "%s/link", dir);
	assert_int_equal(symlink("/etc/passwd", link_path), 0);
	expect_error(HEAD "$INCLUDE link\n", GAZ_EFORMAT, 4, "outside the directory");
	expect_error(HEAD "$INCLUDE example.org.zone\n", GAZ_EFORMAT, 4,
		     "includes itself");
	expect_error(HEAD "$INCLUDE\n", GAZ_EFORMAT, 4, "wants a file");
	write_file("part", "\nx A nonsense\n");
	assert_int_equal(load("example.org.zone", HEAD "$INCLUDE part\n"), GAZ_EFORMAT);
	assert_non_null(strstr(err.text, "/part:2: "));
	for (int i = 0; i < 20; i++) {
		char name[16], text[32];

		(void)snprintf(name, sizeof name, "deep%d", i);
		(void)snprintf(text, sizeof text, "$INCLUDE deep%d\n", i + 1);
		write_file(name, text);
	}
	assert_int_equal(load("example.org.zone", HEAD "$INCLUDE deep0\n"), GAZ_ELIMIT);
	assert_non_null(strstr(err.text, "/deep14:1: "));
}

/* Few small files can include each other so often that reading them would not end. */
static void test_files_may_not_be_included_without_end(void **state)
{
	char name[16];
	char text[17 * 16 + 1] = "";

	(void)state;
	write_file("fan4", "; nothing\n");
	for (int i = 3; i >= 0; i--) {
		text[0] = '\0';
		for (int k = 0; k < 17; k++)
			(void)snprintf(text + strlen(text), sizeof text - strlen(text),
				       "$INCLUDE fan%d\n", i + 1);
		(void)snprintf(name, sizeof name, "fan%d", i);
		write_file(name, text);
	}
	assert_int_equal(load("example.org.zone", HEAD "$INCLUDE fan3\n"), GAZ_OK);
	assert_int_equal(load("example.org.zone", HEAD "$INCLUDE fan0\n"), GAZ_ELIMIT);
	assert_non_null(strstr(err.text, "65535"));
}

static void test_name_servers_in_the_zone_need_addresses(void **state)
{
	(void)state;
	expect_error(HEAD "@ NS ns\n", GAZ_EFORMAT, 4, "has no address");
	expect_error(HEAD "@ NS a\na CNAME b\nb A 192.0.2.1\n", GAZ_EFORMAT, 4,
		     "a CNAME");
	expect_error(HEAD "d DNAME e\n@ NS a.d\n", GAZ_EFORMAT, 5, "below a DNAME");
	assert_int_equal(load("example.org.zone", HEAD
			      "@ NS ns\n*.w AAAA ::1\nns A 192.0.2.1\nsub NS ns.sub\n"
			      "ns.sub A 192.0.2.1\nb NS x.w\nc NS c\nc A 192.0.2.1\n"),
			 GAZ_OK);
	assert_int_equal(warning_count, 0);
}

static void test_what_is_odd_is_warned_of_and_served(void **state)
{
	(void)state;
	assert_int_equal(load("example.org.zone", HEAD
			      "x.example.net. A 192.0.2.1\nc NS alias\nalias CNAME h\n"
			      "h A 192.0.2.1\nm MX 5 alias\nm MX 6 none\nm MX 0 .\n"
			      "_s._tcp SRV 0 0 5 alias\na NS ns.b\nb NS ns.example.net.\n"
			      "t.b TXT hidden\nb TXT hidden\nd DNAME h\nu.d A 192.0.2.1\n"
			      "m MX 7 u.d\ne NS ns.e\nf NS f\ng NS none\n"),
			 GAZ_OK);
	expect_warning(4, "outside the zone");
	expect_warning(5, "alias.example.org., which is a CNAME");
	expect_warning(8, "which is a CNAME");
	expect_warning(9, "has no address");
	expect_warning(11, "which is a CNAME");
	expect_warning(12, "no glue");
	expect_warning(14, "t.b.example.org. lies at or below a delegation");
	expect_warning(15, "b.example.org. lies at or below a delegation");
	expect_warning(17, "u.d.example.org. lies below a DNAME");
	expect_warning(18, "which lies below a DNAME");
	expect_warning(19, "has no glue");
	expect_warning(20, "has no glue");
	expect_warning(21, "has no address");
	assert_int_equal(warning_count, 13);
	(void)publish();
	assert_int_equal(answers(ask("m.example.org", 15)), 4);
	assert_int_equal(answers(ask("t.b.example.org", 16)), 0);
	assert_int_equal(answers(ask("b.example.org", 16)), 0);
}

static void test_a_built_zone_can_be_dropped_and_added_again(void **state)
{
	struct zonedb_stats stats;

	(void)state;
	assert_int_equal(load("example.org.zone", HEAD "a.b.c A 192.0.2.1\n"), GAZ_OK);
	assert_int_equal(zonedit_prepare(edit), GAZ_OK);
	zonedit_free(&edit);
	assert_int_equal(stats_now().zones, 0);
	assert_int_equal(zonedit_new(db, &edit), GAZ_OK);
	assert_null(zonedit_find_zone(edit, "static:example.org."));
	assert_int_equal(zonedit_add_built(edit, builds[0]), GAZ_OK);
	stats = publish();
	assert_int_equal(stats.zones, 1);
	assert_int_equal(stats.names, 4);
	assert_int_equal(answers(ask("a.b.c.example.org", 1)), 1);
	assert_int_equal(rcode(ask("b.c.example.org", 1)), 0);
	assert_int_equal(rcode(ask("a.c.example.org", 1)), 3);
}

/* A version of a zone, with nothing but its apex; needs the RCU read lock. */
static const struct zone *find_zone(const char *text)
{
	const struct view_tags tags = {0};
	struct name_hashes hashes;
	uint8_t wire[DNAME_MAX];
	struct dname name;
	size_t len;

	assert_int_equal(dname_from_text(text, wire, &len), GAZ_OK);
	assert_true(dname_parse(wire, len, &name) > 0);
	namehash_make(db, &name, &hashes);
	return lookup_zone(db, &tags, &name, &hashes);
}

static void test_an_answer_stays_with_one_version(void **state)
{
	const struct zone *old, *fresh, *other;

	(void)state;
	assert_int_equal(load("example.org.zone", HEAD), GAZ_OK);
	assert_int_equal(load("example.net.zone", HEAD "ns A 192.0.2.1\n"), GAZ_OK);
	(void)publish();
	rcu_read_lock();
	old = find_zone("example.org");
	other = find_zone("example.net");
	assert_int_equal(zonedit_new(db, &edit), GAZ_OK);
	assert_int_equal(
		zonedit_remove_zone(edit, zonedit_find_zone(edit, "static:example.org.")),
		GAZ_OK);
	assert_int_equal(load("example.org.zone", HEAD), GAZ_OK);
	(void)publish();
	fresh = find_zone("example.org");
	assert_ptr_not_equal(old, fresh);
	assert_ptr_equal(lookup_hold_version(old, fresh), old);
	assert_ptr_equal(lookup_hold_version(fresh, fresh), fresh);
	assert_ptr_equal(lookup_hold_version(other, fresh), fresh);
	assert_ptr_equal(lookup_hold_version(NULL, fresh), fresh);
	assert_null(lookup_hold_version(old, NULL));
	rcu_read_unlock();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_shipped_zones_load_and_answer),
		TEST(test_one_set_gets_one_ttl_and_no_duplicates),
		TEST(test_case_in_names_makes_no_other_record),
		TEST(test_origin_comes_from_the_name_and_ORIGIN),
		TEST(test_bad_record_is_named_with_its_line),
		TEST(test_bad_zone_leaves_nothing_behind),
		TEST(test_set_that_is_too_large_is_refused),
		TEST(test_file_that_cannot_be_read_is_an_error),
		TEST(test_all_forms_of_an_entry),
		TEST(test_data_of_rarer_types_is_checked),
		TEST(test_without_TTL_the_last_one_counts_and_first_the_SOA),
		TEST(test_include_has_its_own_origin_and_owner),
		TEST(test_include_has_limits),
		TEST(test_files_may_not_be_included_without_end),
		TEST(test_name_servers_in_the_zone_need_addresses),
		TEST(test_what_is_odd_is_warned_of_and_served),
		TEST(test_a_built_zone_can_be_dropped_and_added_again),
		TEST(test_an_answer_stays_with_one_version),
	};
	int failed;

	log_set_level(LOG_LEVEL_ERROR);
	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failed;
}
