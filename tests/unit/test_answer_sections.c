/* SPDX-License-Identifier: BSD-2-Clause */
/* Beside the answer itself: addresses of hosts in the additional section, what becomes of
 * records that do not fit, compression, the sides of a zone cut, and how much work one
 * query can cause. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>
#include <urcu.h>

#include "dns/wire.h"
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

#define SOA(zone) zone " 15 IN SOA ns.pub. hostmaster." zone " 1 7200 900 1209600 86400\n"

static void assert_sections(const char *name, const char *type, const char *answer,
			    const char *authority, const char *additional)
{
	ask(&fx, "192.0.2.9", name, type, &got);
	assert_int_equal(got.rcode, 0);
	assert_string_equal(got.sections[0], answer);
	assert_string_equal(got.sections[1], authority);
	assert_string_equal(got.sections[2], additional);
}

static unsigned count_lines(const char *text)
{
	unsigned lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* Each # of the line becomes the number. */
static void add_numbered(struct zone *zone, const char *line, int number)
{
	char text[512];
	size_t at = 0;

	for (; *line; line++) {
		if (*line == '#')
			at += (size_t)snprintf(text + at, sizeof text - at, "%d", number);
		else
			text[at++] = *line;
	}
	text[at] = '\0';
	fixture_add(&fx, zone, text);
}

static void ask_with_room(const char *name, const char *type, unsigned edns, bool tcp)
{
	uint8_t query[512];
	struct answer_request req =
		request_make("192.0.2.9", query, query_make(query, name, type, edns));

	req.tcp = tcp;
	ask_wire(&fx, &req, &got);
}

static struct zone *open_zone(void)
{
	return fixture_full_zone(&fx, "pub.", "example.com.", "", 1);
}

static void test_hosts_of_the_answer_come_with_their_addresses(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	fixture_add(&fx, zone, "example.com. 60 IN MX 10 mail.example.com.");
	fixture_add(&fx, zone, "example.com. 60 IN MX 20 mail.Example.com.");
	fixture_add(&fx, zone, "example.com. 60 IN MX 30 mail.elsewhere.test.");
	fixture_add(&fx, zone, "example.com. 60 IN MX 40 alias.example.com.");
	fixture_add(&fx, zone, "example.com. 60 IN MX 50 other.test.");
	fixture_add(&fx, zone, "mail.example.com. 61 IN A 192.0.2.1");
	fixture_add(&fx, zone, "mail.example.com. 61 IN AAAA 2001:db8::1");
	fixture_add(&fx, zone, "alias.example.com. 60 IN CNAME mail.example.com.");
	fixture_add(&fx, zone,
		    "_sip._tcp.example.com. 60 IN SRV 1 1 5060 x.w.example.com.");
	fixture_add(&fx, zone, "*.w.example.com. 62 IN A 192.0.2.2");
	fixture_add(&fx, zone, "twice.example.com. 60 IN MX 1 a.w.example.com.");
	fixture_add(&fx, zone, "twice.example.com. 60 IN MX 2 b.w.example.com.");
	fixture_add(&fx, zone, "afs.example.com. 60 IN AFSDB 1 x.w.example.com.");
	fixture_add(&fx, zone, "none.example.com. 60 IN SRV 0 0 0 .");
	fixture_add(&fx, zone, "null.example.com. 60 IN MX 0 .");
	fixture_add(&fx, zone, "kx.example.com. 60 IN KX 1 x.w.example.com.");
	fixture_add(&fx, zone, "mb.example.com. 60 IN MB x.w.example.com.");
	fixture_add(&fx, zone, "to.example.com. 60 IN CNAME _sip._tcp.example.com.");
	zone = fixture_full_zone(&fx, "other.", "other.test.", NULL, 2);
	fixture_add(&fx, zone, "other.test. 63 IN A 192.0.2.3");
	fixture_publish(&fx);
	assert_sections("example.com.", "MX",
			"example.com. 60 IN MX 10 mail.example.com.\n"
			"example.com. 60 IN MX 20 mail.Example.com.\n"
			"example.com. 60 IN MX 30 mail.elsewhere.test.\n"
			"example.com. 60 IN MX 40 alias.example.com.\n"
			"example.com. 60 IN MX 50 other.test.\n",
			"",
			"mail.example.com. 61 IN A 192.0.2.1\n"
			"mail.example.com. 61 IN AAAA 2001:db8::1\n"
			"other.test. 63 IN A 192.0.2.3\n");
	assert_true(got.aa);
	assert_sections("_sip._tcp.example.com.", "SRV",
			"_sip._tcp.example.com. 60 IN SRV 1 1 5060 x.w.example.com.\n",
			"", "x.w.example.com. 62 IN A 192.0.2.2\n");
	assert_sections("to.example.com.", "SRV",
			"to.example.com. 60 IN CNAME _sip._tcp.example.com.\n"
			"_sip._tcp.example.com. 60 IN SRV 1 1 5060 x.w.example.com.\n",
			"", "x.w.example.com. 62 IN A 192.0.2.2\n");
	assert_sections("afs.example.com.", "AFSDB",
			"afs.example.com. 60 IN AFSDB 1 x.w.example.com.\n", "",
			"x.w.example.com. 62 IN A 192.0.2.2\n");
	assert_sections("twice.example.com.", "MX",
			"twice.example.com. 60 IN MX 1 a.w.example.com.\n"
			"twice.example.com. 60 IN MX 2 b.w.example.com.\n",
			"",
			"a.w.example.com. 62 IN A 192.0.2.2\n"
			"b.w.example.com. 62 IN A 192.0.2.2\n");
	assert_sections("kx.example.com.", "KX",
			"kx.example.com. 60 IN KX 1 x.w.example.com.\n", "",
			"x.w.example.com. 62 IN A 192.0.2.2\n");
	assert_sections("mb.example.com.", "MB",
			"mb.example.com. 60 IN MB x.w.example.com.\n", "",
			"x.w.example.com. 62 IN A 192.0.2.2\n");
	assert_sections("none.example.com.", "SRV",
			"none.example.com. 60 IN SRV 0 0 0 .\n", "", "");
	assert_sections("null.example.com.", "MX", "null.example.com. 60 IN MX 0 .\n", "",
			"");
}

static void test_hosts_are_looked_for_with_the_eyes_of_the_client(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	fixture_vpcs(&fx, "vpc-a=10.0.0.0/8");
	fixture_add(&fx, zone, "svc.example.com. 60 IN SRV 1 1 80 db.corp.");
	zone = fixture_full_zone(&fx, "corp", "corp.", "vpc-a", 3);
	fixture_add(&fx, zone, "db.corp. 60 IN A 10.0.0.2");
	fixture_publish(&fx);
	assert_sections("svc.example.com.", "SRV",
			"svc.example.com. 60 IN SRV 1 1 80 db.corp.\n", "", "");
	ask(&fx, "10.0.0.9", "svc.example.com.", "SRV", &got);
	assert_string_equal(got.sections[2], "db.corp. 60 IN A 10.0.0.2\n");
}

static void test_apex_servers_come_with_glue_from_below_a_cut(void **state)
{
	struct zone *zone = fixture_zone(&fx, "s", "example.com.", "", 0);

	(void)state;
	fixture_add(&fx, zone, "example.com. 60 IN SOA ns. h. 1 2 3 4 5");
	fixture_add(&fx, zone, "example.com. 60 IN NS ns.sub.example.com.");
	fixture_add(&fx, zone, "example.com. 60 IN NS ns2.example.com.");
	fixture_add(&fx, zone, "sub.example.com. 60 IN NS ns.sub.example.com.");
	fixture_add(&fx, zone, "sub.example.com. 60 IN NS ns2.example.com.");
	fixture_add(&fx, zone, "ns.sub.example.com. 60 IN A 192.0.2.1");
	fixture_add(&fx, zone, "ns2.example.com. 60 IN A 192.0.2.2");
	fixture_add(&fx, zone, "mx.example.com. 60 IN MX 1 ns.sub.example.com.");
	fixture_publish(&fx);
	assert_sections("example.com.", "NS",
			"example.com. 60 IN NS ns.sub.example.com.\n"
			"example.com. 60 IN NS ns2.example.com.\n",
			"",
			"ns.sub.example.com. 60 IN A 192.0.2.1\n"
			"ns2.example.com. 60 IN A 192.0.2.2\n");
	/* For a mail host that is another server's to say. */
	assert_sections("mx.example.com.", "MX",
			"mx.example.com. 60 IN MX 1 ns.sub.example.com.\n", "", "");
	assert_sections("x.sub.example.com.", "A", "",
			"sub.example.com. 60 IN NS ns.sub.example.com.\n"
			"sub.example.com. 60 IN NS ns2.example.com.\n",
			"ns.sub.example.com. 60 IN A 192.0.2.1\n"
			"ns2.example.com. 60 IN A 192.0.2.2\n");
}

/* RFC 9471: TC when an address of a server below the cut does not fit, not for others. */
static void test_glue_that_does_not_fit_sets_tc(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	for (int i = 10; i < 26; i++) {
		add_numbered(zone, "in.example.com. 60 IN NS ns#.in.example.com.", i);
		add_numbered(zone, "ns#.in.example.com. 60 IN A 192.0.2.#", i);
		add_numbered(zone, "out.example.com. 60 IN NS ns#.other.example.com.", i);
		add_numbered(zone, "ns#.other.example.com. 60 IN A 192.0.2.#", i);
	}
	fixture_publish(&fx);
	ask_with_room("x.in.example.com.", "A", 0, false);
	assert_int_equal(count_lines(got.sections[1]), 16);
	assert_true(got.tc);
	assert_true(count_lines(got.sections[2]) < 16);
	ask_with_room("x.in.example.com.", "A", 0, true);
	assert_false(got.tc);
	assert_int_equal(count_lines(got.sections[2]), 16);
	ask_with_room("x.out.example.com.", "A", 0, false);
	assert_int_equal(count_lines(got.sections[1]), 16);
	assert_false(got.tc);
	assert_true(count_lines(got.sections[2]) < 16);
	ask_with_room("x.out.example.com.", "A", 1232, false);
	assert_int_equal(count_lines(got.sections[2]), 16);
}

static void test_glue_below_the_cut_comes_first(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	for (int i = 10; i < 28; i++)
		add_numbered(zone, "in.example.com. 60 IN NS ns#.example.com.", i);
	for (int i = 10; i < 28; i++)
		add_numbered(zone, "ns#.example.com. 60 IN A 192.0.2.#", i);
	fixture_add(&fx, zone, "in.example.com. 60 IN NS ns.in.example.com.");
	fixture_add(&fx, zone, "ns.in.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	ask_with_room("x.in.example.com.", "A", 0, false);
	assert_false(got.tc);
	assert_int_equal(count_lines(got.sections[1]), 19);
	assert_int_equal(strncmp(got.sections[2], "ns.in.example.com.", 18), 0);
	assert_true(count_lines(got.sections[2]) < 19);
}

/* However many there are (RFC 9471, section 3.1). */
static void test_glue_is_whole(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	for (int i = 0; i < 36; i++) {
		add_numbered(zone, "s.example.com. 60 IN NS #.s.example.com.", i);
		add_numbered(zone, "#.s.example.com. 60 IN A 192.0.2.#", i);
	}
	for (int i = 0; i < 100; i++) {
		add_numbered(zone, "in.example.com. 60 IN NS #.in.example.com.", i);
		add_numbered(zone, "#.in.example.com. 60 IN A 192.0.2.#", i);
		add_numbered(zone, "in.example.com. 60 IN NS #.out.example.com.", i);
		add_numbered(zone, "#.out.example.com. 60 IN A 192.0.2.#", i);
	}
	fixture_publish(&fx);
	ask_with_room("x.s.example.com.", "A", 1232, false);
	assert_false(got.tc);
	assert_int_equal(count_lines(got.sections[2]), 36);
	ask_with_room("x.in.example.com.", "A", 0, true);
	assert_int_equal(count_lines(got.sections[1]), 200);
	assert_int_equal(count_lines(got.sections[2]), 100 + ANSWER_HOSTS_MAX);
}

/* RFC 9460, section 4.1: addresses and the next service, but nothing for their own name */
static void test_services_come_with_what_they_lead_to(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	fixture_add(&fx, zone, "example.com. 60 IN HTTPS 0 svc.example.com.");
	fixture_add(&fx, zone, "svc.example.com. 60 IN HTTPS 1 . alpn=h2");
	fixture_add(&fx, zone, "svc.example.com. 60 IN HTTPS 2 host.example.com.");
	fixture_add(&fx, zone, "svc.example.com. 60 IN HTTPS 3 svc.example.com.");
	fixture_add(&fx, zone, "svc.example.com. 60 IN AAAA 2001:db8::1");
	fixture_add(&fx, zone, "svc.example.com. 60 IN SVCB 1 host.example.com.");
	fixture_add(&fx, zone, "host.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	ask_with_room("example.com.", "HTTPS", 1232, false);
	assert_int_equal(count_lines(got.sections[0]), 1);
	assert_int_equal(count_lines(got.sections[2]), 4);
	assert_non_null(strstr(got.sections[2], "svc.example.com. 60 IN AAAA 2001:db8"));
	assert_non_null(strstr(got.sections[2], "svc.example.com. 60 IN HTTPS 2 host"));
	assert_null(strstr(got.sections[2], "SVCB"));
	ask_with_room("svc.example.com.", "HTTPS", 1232, false);
	assert_int_equal(count_lines(got.sections[0]), 3);
	assert_string_equal(got.sections[2], "host.example.com. 60 IN A 192.0.2.1\n");
	assert_sections("svc.example.com.", "SVCB",
			"svc.example.com. 60 IN SVCB 1 host.example.com.\n", "",
			"host.example.com. 60 IN A 192.0.2.1\n");
}

static void test_additional_records_that_do_not_fit_are_left_out(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	for (int i = 10; i < 26; i++) {
		add_numbered(zone, "example.com. 60 IN MX # m#.example.com.", i);
		add_numbered(zone, "m#.example.com. 60 IN A 192.0.2.#", i);
		add_numbered(zone, "m#.example.com. 60 IN AAAA 2001:db8::#", i);
	}
	fixture_publish(&fx);
	ask_with_room("example.com.", "MX", 0, false);
	assert_false(got.tc);
	assert_true(got.len <= 512);
	assert_int_equal(count_lines(got.sections[0]), 16);
	assert_true(count_lines(got.sections[2]) > 0);
	ask_with_room("example.com.", "MX", 1232, false);
	assert_false(got.tc);
	assert_int_equal(count_lines(got.sections[2]), 32);
}

static void add_srv(struct zone *zone, int count)
{
	for (int i = 0; i < count; i++) {
		char text[512];

		(void)snprintf(text, sizeof text,
			       "many.example.com. 60 IN SRV 1 1 80 "
			       "instance-with-quite-a-long-name-%d.many.example.com.",
			       i);
		assert_int_equal(fixture_try(&fx, zone, text, RRSET_MULTIVALUE, true),
				 GAZ_OK);
	}
}

/* Eight such records take more than 512 octets; those that fit are an answer too. */
static void test_multivalue_gives_as_many_as_fit(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	add_srv(zone, 12);
	fixture_publish(&fx);
	ask_with_room("many.example.com.", "SRV", 0, false);
	assert_false(got.tc);
	assert_true(got.len <= 512);
	assert_in_range(count_lines(got.sections[0]), 4, 7);
	ask_with_room("many.example.com.", "SRV", 1232, false);
	assert_int_equal(count_lines(got.sections[0]), 8);
}

static size_t find(const char *octets, size_t len)
{
	size_t found = 0;

	for (size_t i = 0; i + len <= got.len; i++)
		found += memcmp(got.wire + i, octets, len) == 0;
	return found;
}

/* Names of the well-known types point into the question; those of others are whole. */
static void test_names_in_data_are_compressed(void **state)
{
	struct zone *zone = fixture_zone(&fx, "s", "example.com.", "", 0);

	(void)state;
	fixture_add(
		&fx, zone,
		"example.com. 60 IN SOA ns.example.com. admin.example.com. 1 2 3 4 5");
	fixture_add(&fx, zone, "example.com. 60 IN NS ns.example.com.");
	fixture_add(&fx, zone, "example.com. 60 IN NS ns.elsewhere.com.");
	fixture_add(&fx, zone, "mx.example.com. 60 IN MX 5 mx.example.com.");
	fixture_add(&fx, zone, "srv.example.com. 60 IN SRV 5 5 5 srv.example.com.");
	fixture_add(&fx, zone, "c.a.example.com. 60 IN CNAME d.a.example.com.");
	fixture_add(&fx, zone, "d.a.example.com. 60 IN CNAME e.example.com.");
	fixture_add(&fx, zone, "p.example.com. 60 IN PTR example.com.");
	fixture_add(&fx, zone, "o.example.com. 60 IN DNAME example.com.");
	fixture_publish(&fx);
	ask(&fx, "192.0.2.9", "no.example.com.", "A", &got);
	assert_string_equal(got.sections[1], "example.com. 5 IN SOA ns.example.com. "
					     "admin.example.com. 1 2 3 4 5\n");
	assert_int_equal(find("\7example", 8), 1);
	assert_int_equal(find("\2ns\xc0\x0f", 5), 1);
	assert_int_equal(got.len, 12 + 20 + 12 + 5 + 8 + 20);
	ask(&fx, "192.0.2.9", "example.com.", "NS", &got);
	assert_string_equal(got.sections[0], "example.com. 60 IN NS ns.example.com.\n"
					     "example.com. 60 IN NS ns.elsewhere.com.\n");
	assert_int_equal(find("\2ns\xc0\x0c", 5), 1);
	assert_int_equal(find("\3com", 4), 1);
	ask(&fx, "192.0.2.9", "mx.example.com.", "MX", &got);
	assert_string_equal(got.sections[0],
			    "mx.example.com. 60 IN MX 5 mx.example.com.\n");
	assert_int_equal(got.len, 12 + 20 + 12 + 4);
	ask(&fx, "192.0.2.9", "srv.example.com.", "SRV", &got);
	assert_int_equal(find("\7example", 8), 2);
	ask(&fx, "192.0.2.9", "p.example.com.", "PTR", &got);
	assert_string_equal(got.sections[0], "p.example.com. 60 IN PTR example.com.\n");
	assert_int_equal(find("\7example", 8), 1);
	/* What differs from the question in case points to the first of its kind. */
	ask(&fx, "192.0.2.9", "nO.eXamPle.cOm.", "A", &got);
	assert_string_equal(got.sections[1], "eXamPle.cOm. 5 IN SOA ns.example.com. "
					     "admin.example.com. 1 2 3 4 5\n");
	assert_int_equal(got.len, 12 + 20 + 12 + 16 + 8 + 20);
	/* A chain of compressed names: owners and the SOA's are found all the same. */
	ask(&fx, "192.0.2.9", "c.a.example.com.", "A", &got);
	assert_int_equal(got.rcode, 3);
	assert_string_equal(got.sections[0],
			    "c.a.example.com. 60 IN CNAME d.a.example.com.\n"
			    "d.a.example.com. 60 IN CNAME e.example.com.\n");
	assert_int_equal(strncmp(got.sections[1], "example.com. 5 IN SOA", 21), 0);
	assert_int_equal(find("\7example", 8), 1);
	/* The DNAME is whole, and the CNAME made from it is not. */
	ask(&fx, "192.0.2.9", "c.a.o.ExamplE.coM.", "A", &got);
	assert_int_equal(find("\7example", 8), 1);
	assert_non_null(
		strstr(got.sections[0], "d.a.example.com. 60 IN CNAME e.example.com.\n"));
	ask(&fx, "192.0.2.9", "c.A.o.example.com.", "A", &got);
	assert_string_equal(got.sections[0],
			    "o.example.com. 60 IN DNAME example.com.\n"
			    "c.A.o.example.com. 60 IN CNAME c.A.example.com.\n"
			    "c.A.example.com. 60 IN CNAME d.a.example.com.\n"
			    "d.a.example.com. 60 IN CNAME e.example.com.\n");
}

static void test_chain_of_dnames_over_compressed_names(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "pub.", "example.com.", "", 0);

	(void)state;
	fixture_add(&fx, zone, "a.example.com. 60 IN DNAME b.example.com.");
	fixture_add(&fx, zone, "b.example.com. 60 IN DNAME c.other.test.");
	zone = fixture_full_zone(&fx, "other.", "other.test.", "", 0);
	fixture_add(&fx, zone, "c.other.test. 60 IN DNAME d.other.test.");
	fixture_add(&fx, zone, "x.y.d.other.test. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	assert_sections("x.y.a.example.com.", "A",
			"a.example.com. 60 IN DNAME b.example.com.\n"
			"x.y.a.example.com. 60 IN CNAME x.y.b.example.com.\n"
			"b.example.com. 60 IN DNAME c.other.test.\n"
			"x.y.b.example.com. 60 IN CNAME x.y.c.other.test.\n"
			"c.other.test. 60 IN DNAME d.other.test.\n"
			"x.y.c.other.test. 60 IN CNAME x.y.d.other.test.\n"
			"x.y.d.other.test. 60 IN A 192.0.2.1\n",
			"", "");
	assert_sections("x.y.a.example.com.", "CNAME",
			"a.example.com. 60 IN DNAME b.example.com.\n"
			"x.y.a.example.com. 60 IN CNAME x.y.b.example.com.\n",
			"", "");
}

#define DIGEST "0000000000000000000000000000000000000000000000000000000000000000"

/* A DNAME that leads to below itself makes the name longer each time. */
static void test_dname_is_in_a_reply_once(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	fixture_add(&fx, zone, "d.example.com. 60 IN DNAME x.d.example.com.");
	fixture_publish(&fx);
	ask(&fx, "192.0.2.9", "a.d.example.com.", "A", &got);
	assert_int_equal(count_lines(got.sections[0]), 1 + ANSWER_CHAIN_MAX);
	assert_int_equal(strncmp(got.sections[0], "d.example.com. 60 IN DNAME", 26), 0);
	assert_null(strstr(strstr(got.sections[0], "DNAME") + 5, "DNAME"));
}

static void test_any_goes_on_behind_a_dname(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	fixture_add(&fx, zone, "d.example.com. 60 IN DNAME to.example.com.");
	fixture_add(&fx, zone, "a.to.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	assert_sections("a.d.example.com.", "ANY",
			"d.example.com. 60 IN DNAME to.example.com.\n"
			"a.d.example.com. 60 IN CNAME a.to.example.com.\n"
			"a.to.example.com. 60 IN A 192.0.2.1\n",
			"", "");
	ask(&fx, "192.0.2.9", "b.d.example.com.", "ANY", &got);
	assert_int_equal(got.rcode, 3);
}

static void test_ds_records_are_those_of_the_parent(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	fixture_add(&fx, zone, "sub.example.com. 60 IN NS ns.sub.example.com.");
	fixture_add(&fx, zone, "sub.example.com. 60 IN DS 1 8 2 " DIGEST);
	fixture_add(&fx, zone, "bare.example.com. 60 IN NS ns.bare.example.com.");
	fixture_full_zone(&fx, "pub2.", "sub.example.com.", NULL, 2);
	fixture_full_zone(&fx, "pub3.", "own.example.com.", NULL, 3);
	fixture_publish(&fx);
	assert_sections("sub.example.com.", "DS",
			"sub.example.com. 60 IN DS 1 8 2 " DIGEST "\n", "", "");
	assert_true(got.aa);
	assert_sections("bare.example.com.", "DS", "", SOA("example.com."), "");
	assert_true(got.aa);
	/* A child zone that its parent knows nothing of answers for itself. */
	ask(&fx, "192.0.2.9", "own.example.com.", "DS", &got);
	assert_int_equal(got.rcode, 0);
	assert_string_equal(got.sections[0], "");
	assert_int_equal(strncmp(got.sections[1], "own.example.com. 15 IN SOA", 26), 0);
	ask(&fx, "192.0.2.9", "sub.example.com.", "A", &got);
	assert_int_equal(strncmp(got.sections[1], "sub.example.com. 15 IN SOA", 26), 0);
	ask(&fx, "192.0.2.9", "x.sub.example.com.", "DS", &got);
	assert_int_equal(got.rcode, 3);
	assert_int_equal(strncmp(got.sections[1], "sub.example.com. 15 IN SOA", 26), 0);
	assert_sections("example.com.", "DS", "", SOA("example.com."), "");
}

/* RFC 4592: what a wildcard covers, and what it does not. */
static void test_wildcards_to_the_letter(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	fixture_add(&fx, zone, "*.example.com. 60 IN TXT any");
	fixture_add(&fx, zone, "sub.*.example.com. 60 IN TXT below");
	fixture_add(&fx, zone, "_a._b.host.example.com. 60 IN SRV 1 1 1 x.example.com.");
	fixture_add(&fx, zone, "sub.example.com. 60 IN NS ns.elsewhere.test.");
	fixture_add(&fx, zone, "ent.*.e.example.com. 60 IN TXT deep");
	fixture_add(&fx, zone, "*.n.example.com. 60 IN NS ns.elsewhere.test.");
	fixture_add(&fx, zone, "*.d.example.com. 60 IN DNAME elsewhere.test.");
	fixture_publish(&fx);
	assert_sections("host3.example.com.", "TXT",
			"host3.example.com. 60 IN TXT \"any\"\n", "", "");
	assert_sections("foo.bar.example.com.", "TXT",
			"foo.bar.example.com. 60 IN TXT \"any\"\n", "", "");
	assert_sections("host3.example.com.", "MX", "", SOA("example.com."), "");
	assert_sections("_b.host.example.com.", "TXT", "", SOA("example.com."), "");
	assert_sections("sub.*.example.com.", "TXT",
			"sub.*.example.com. 60 IN TXT \"below\"\n", "", "");
	assert_sections("*.example.com.", "TXT", "*.example.com. 60 IN TXT \"any\"\n", "",
			"");
	assert_sections("*.example.com.", "A", "", SOA("example.com."), "");
	ask(&fx, "192.0.2.9", "ghost.*.example.com.", "TXT", &got);
	assert_int_equal(got.rcode, 3);
	ask(&fx, "192.0.2.9", "x.host.example.com.", "TXT", &got);
	assert_int_equal(got.rcode, 3);
	assert_sections("host.sub.example.com.", "TXT", "",
			"sub.example.com. 60 IN NS ns.elsewhere.test.\n", "");
	/* The wildcard is an empty non-terminal: what it stands for has no data. */
	assert_sections("x.e.example.com.", "TXT", "", SOA("example.com."), "");
	/* Its NS and DNAME records are data of the names that it stands for; only at and
	 * below itself they are more (sections 4.2 and 4.4 advise against both). */
	assert_sections("x.n.example.com.", "A", "", SOA("example.com."), "");
	assert_sections("x.n.example.com.", "NS",
			"x.n.example.com. 60 IN NS ns.elsewhere.test.\n", "", "");
	assert_sections("*.n.example.com.", "A", "",
			"*.n.example.com. 60 IN NS ns.elsewhere.test.\n", "");
	assert_sections("x.d.example.com.", "A", "", SOA("example.com."), "");
	assert_sections("x.*.d.example.com.", "A",
			"*.d.example.com. 60 IN DNAME elsewhere.test.\n"
			"x.*.d.example.com. 60 IN CNAME x.elsewhere.test.\n",
			"", "");
}

/* Below a cut nothing is answered, and an empty non-terminal above one is none. */
static void test_occluded_names_are_never_answered(void **state)
{
	static const char *const types[] = {"A",   "TXT",   "NS", "DS",
					    "ANY", "CNAME", "SOA"};
	static const char *const names[] = {"a.sub.example.com.", "b.a.sub.example.com.",
					    "sub.sub.example.com.",
					    "none.sub.example.com."};
	struct zone *zone = open_zone();

	(void)state;
	fixture_add(&fx, zone, "sub.example.com. 60 IN NS ns.elsewhere.test.");
	fixture_add(&fx, zone, "a.sub.example.com. 60 IN A 192.0.2.1");
	fixture_add(&fx, zone, "b.a.sub.example.com. 60 IN CNAME example.com.");
	fixture_add(&fx, zone, "sub.sub.example.com. 60 IN NS ns.elsewhere.test.");
	fixture_add(&fx, zone, "to.example.com. 60 IN CNAME a.sub.example.com.");
	fixture_add(&fx, zone, "ent.dn.example.com. 60 IN TXT x");
	fixture_publish(&fx);
	for (size_t n = 0; n < 4; n++) {
		for (size_t t = 0; t < 7; t++) {
			assert_sections(names[n], types[t], "",
					"sub.example.com. 60 IN NS ns.elsewhere.test.\n",
					"");
			assert_false(got.aa);
		}
	}
	/* Of an answer that ends there the CNAME is ours. */
	assert_sections("to.example.com.", "A",
			"to.example.com. 60 IN CNAME a.sub.example.com.\n",
			"sub.example.com. 60 IN NS ns.elsewhere.test.\n", "");
	assert_true(got.aa);
	assert_sections("dn.example.com.", "A", "", SOA("example.com."), "");
}

static void test_dname_that_makes_a_name_too_long(void **state)
{
	static const char longest[] =
		"123456789012345678901234567890123456789012345678901234567890."
		"123456789012345678901234567890123456789012345678901234567890."
		"123456789012345678901234567890123456789012345678901234567890."
		"12345678901234567890123456789012345678901234567890.";
	char text[512];
	struct zone *zone = open_zone();

	(void)state;
	fixture_add(&fx, zone, "d.example.com. 60 IN DNAME much-longer.example.com.");
	fixture_publish(&fx);
	(void)snprintf(text, sizeof text, "%sd.example.com.", longest);
	ask(&fx, "192.0.2.9", text, "A", &got);
	assert_int_equal(got.rcode, 6);
	assert_true(got.aa);
	assert_string_equal(got.sections[0],
			    "d.example.com. 60 IN DNAME much-longer.example.com.\n");
}

static unsigned lookups_of(const char *name, const char *type, bool tcp)
{
	static struct answer_job job;
	static uint8_t reply[ANSWER_TCP_CAP];
	uint8_t query[512];

	job.req = request_make("192.0.2.9", query, query_make(query, name, type, 1232));
	job.req.tcp = tcp;
	rcu_read_lock();
	answer_begin(&fx.ctx, &job);
	(void)answer_finish(&job, reply, sizeof reply);
	rcu_read_unlock();
	return job.lookups;
}

/* A look-up is one pass over a name's labels and a few probes: the number of them bounds
 * the work, whatever the zones hold and whatever is asked. */
static void test_work_of_one_query_is_bounded(void **state)
{
	char deep[256] = "";
	struct zone *zone = open_zone();

	(void)state;
	for (int i = 0; i < 118; i++)
		strcat(deep, "x.");
	strcat(deep, "example.com.");
	fixture_add(&fx, zone, "web.example.com. 60 IN A 192.0.2.1");
	fixture_add(&fx, zone, "*.w.example.com. 60 IN CNAME x.w2.example.com.");
	fixture_add(&fx, zone, "*.w2.example.com. 60 IN CNAME y.w.example.com.");
	fixture_add(&fx, zone, "loop.example.com. 60 IN DNAME x.loop.example.com.");
	for (int i = 0; i < 100; i++)
		add_numbered(zone, "c#.example.com. 60 IN CNAME d#.example.com.", i);
	for (int i = 0; i < 99; i++) {
		char text[128];

		(void)snprintf(text, sizeof text,
			       "d%d.example.com. 60 IN CNAME c%d.example.com.", i, i + 1);
		fixture_add(&fx, zone, text);
	}
	for (int i = 0; i < 1000; i++)
		add_numbered(zone, "big.example.com. 60 IN MX # m#.elsewhere.test.", i);
	for (int i = 0; i < 300; i++)
		add_numbered(zone, "cut.example.com. 60 IN NS n#.cut.example.com.", i);
	fixture_publish(&fx);
	assert_int_equal(lookups_of("web.example.com.", "A", false), 1);
	assert_int_equal(lookups_of("no.example.com.", "A", false), 1);
	assert_int_equal(lookups_of(deep, "A", false), 1);
	assert_int_equal(lookups_of("c0.example.com.", "A", false), 1 + ANSWER_CHAIN_MAX);
	assert_int_equal(lookups_of("a.w.example.com.", "A", false), 4);
	assert_int_equal(lookups_of("a.loop.example.com.", "A", false),
			 1 + ANSWER_CHAIN_MAX);
	assert_int_equal(lookups_of("big.example.com.", "MX", true),
			 1 + ANSWER_HOSTS_MAX);
	assert_int_equal(lookups_of("x.cut.example.com.", "A", true), 1 + 300);
	assert_int_equal(lookups_of("x.cut.example.com.", "A", false), 1); /* TC */
	assert_int_equal(lookups_of("big.example.com.", "MX", false), 1);  /* TC */
}

/* Replies of every size that a client may announce: whole records, counts that are
 * right (ldns reads them), TC exactly when the answer is not there. */
static void test_every_size_is_kept(void **state)
{
	struct zone *zone = open_zone();

	(void)state;
	for (int i = 0; i < 12; i++) {
		add_numbered(zone, "s.example.com. 60 IN NS n#.s.example.com.", i);
		add_numbered(zone, "n#.s.example.com. 60 IN AAAA 2001:db8::#", i);
		add_numbered(zone, "m.example.com. 60 IN MX # n#.example.com.", i);
		add_numbered(zone, "n#.example.com. 60 IN A 192.0.2.#", i);
	}
	add_srv(zone, 9);
	fixture_publish(&fx);
	for (unsigned size = 512; size <= 1300; size++) {
		static const char *const asked[][2] = {{"x.s.example.com.", "A"},
						       {"m.example.com.", "MX"},
						       {"many.example.com.", "SRV"}};

		for (int i = 0; i < 3; i++) {
			unsigned records;

			ask_with_room(asked[i][0], asked[i][1], size, false);
			assert_true(got.len <= size && got.len <= 1232);
			records = count_lines(got.sections[i == 0]);
			assert_true(i == 2 ? records > 0 && !got.tc
					   : records == 12 || got.tc);
		}
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_hosts_of_the_answer_come_with_their_addresses),
		T(test_hosts_are_looked_for_with_the_eyes_of_the_client),
		T(test_apex_servers_come_with_glue_from_below_a_cut),
		T(test_glue_that_does_not_fit_sets_tc),
		T(test_glue_below_the_cut_comes_first),
		T(test_glue_is_whole),
		T(test_services_come_with_what_they_lead_to),
		T(test_additional_records_that_do_not_fit_are_left_out),
		T(test_multivalue_gives_as_many_as_fit),
		T(test_names_in_data_are_compressed),
		T(test_chain_of_dnames_over_compressed_names),
		T(test_dname_is_in_a_reply_once),
		T(test_any_goes_on_behind_a_dname),
		T(test_ds_records_are_those_of_the_parent),
		T(test_wildcards_to_the_letter),
		T(test_occluded_names_are_never_answered),
		T(test_dname_that_makes_a_name_too_long),
		T(test_work_of_one_query_is_bounded),
		T(test_every_size_is_kept),
	};
	int failed;

	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failed;
}
