/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/message.h"
#include "dns/recode.h"
#include "dns/reply.h"
#include "dns/wire.h"

/* Messages of an upstream, octet by octet, and what becomes of them. */

static uint8_t message[65535];
static size_t len;
static uint8_t out[65535];
static uint8_t query_wire[] = "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\3wWw\7example\0\0\1\0\1";
static struct query query;
static struct reply reply;

static void add(const void *bytes, size_t count)
{
	memcpy(message + len, bytes, count);
	len += count;
}

#define ADD(text) add(text, sizeof text - 1)

static void add_u16(unsigned v)
{
	wire_put_u16(message + len, (uint16_t)v);
	len += 2;
}

/* Header and the question www.example A; the records follow. */
static void begin(unsigned answers, unsigned authority, unsigned additional)
{
	len = 0;
	add_u16(0);
	add_u16(0x8180);
	add_u16(1);
	add_u16(answers);
	add_u16(authority);
	add_u16(additional);
	ADD("\3www\7example\0\0\1\0\1");
}

static void add_fixed(unsigned type, uint32_t ttl, size_t rdata_len)
{
	add_u16(type);
	add_u16(DNS_CLASS_IN);
	wire_put_u32(message + len, ttl);
	len += 4;
	add_u16((unsigned)rdata_len);
}

static gaz_status recode_into(size_t limit, bool with_dnssec, uint32_t *ttl)
{
	const struct recode_source source = {message, len, DNS_HEADER_LEN, with_dnssec};

	assert_int_equal(query_parse(query_wire, sizeof query_wire - 1, &query),
			 QUERY_OK);
	reply_begin(&reply, &query, NULL, out, limit);
	return recode_append(&reply, &source, ttl);
}

static gaz_status recode(bool with_dnssec, uint32_t *ttl)
{
	return recode_into(sizeof out, with_dnssec, ttl);
}

static void test_owner_points_to_the_question_and_keeps_its_case(void **state)
{
	static const uint8_t want[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
	uint32_t ttl;

	(void)state;
	begin(1, 0, 0);
	ADD("\3WWW\7EXAMPLE\0"); /* written out by the upstream */
	add_fixed(DNS_TYPE_A, 60, 4);
	ADD("\xc0\0\2\1");
	assert_int_equal(recode(false, &ttl), GAZ_OK);
	assert_int_equal(ttl, 60);
	assert_int_equal(reply.counts[REPLY_ANSWER], 1);
	assert_int_equal(reply.len, sizeof query_wire - 1 + sizeof want - 1);
	assert_memory_equal(out + sizeof query_wire - 1, want, sizeof want - 1);
	assert_memory_equal(out + DNS_HEADER_LEN, "\3wWw", 4);
}

static void test_names_in_data_are_taken_along(void **state)
{
	/* www.example CNAME a.example, whose A record's owner is the CNAME's data. */
	static const uint8_t want[] = "\xc0\x0c\0\5\0\1\0\0\0\x05\0\4\1a\xc0\x10"
				      "\xc0\x29\0\1\0\1\0\0\0\x09\0\4\xc0\0\2\2";
	uint32_t ttl;

	(void)state;
	begin(2, 0, 0);
	ADD("\xc0\x0c");
	add_fixed(DNS_TYPE_CNAME, 5, 4);
	ADD("\1a\xc0\x10");
	ADD("\xc0\x29");
	add_fixed(DNS_TYPE_A, 9, 4);
	ADD("\xc0\0\2\2");
	assert_int_equal(recode(false, &ttl), GAZ_OK);
	assert_int_equal(ttl, 5);
	assert_int_equal(reply.len, sizeof query_wire - 1 + sizeof want - 1);
	assert_memory_equal(out + sizeof query_wire - 1, want, sizeof want - 1);
}

static void test_srv_target_is_written_out(void **state)
{
	static const uint8_t want[] = "\0\1\0\2\0\x35\3www\7example";
	uint32_t ttl;

	(void)state;
	begin(1, 0, 0);
	ADD("\xc0\x0c");
	add_fixed(DNS_TYPE_SRV, 5, 8);
	ADD("\0\1\0\2\0\x35\xc0\x0c"); /* compressed, which RFC 2782 forbids */
	assert_int_equal(recode(false, &ttl), GAZ_OK);
	assert_memory_equal(out + reply.len - sizeof want, want, sizeof want);
	assert_int_equal(wire_get_u16(out + reply.len - sizeof want - 2), sizeof want);
}

static void test_dnssec_and_opt_stay_out(void **state)
{
	uint32_t ttl;

	(void)state;
	for (int with_dnssec = 0; with_dnssec < 2; with_dnssec++) {
		begin(2, 1, 1);
		ADD("\xc0\x0c");
		add_fixed(DNS_TYPE_RRSIG, 3, 19);
		ADD("\0\1\x08\2\0\0\0\1\0\0\0\1\0\0\0\1\0\1\0");
		ADD("\xc0\x0c");
		add_fixed(DNS_TYPE_A, 9, 4);
		ADD("\xc0\0\2\2");
		ADD("\xc0\x0c");
		add_fixed(DNS_TYPE_NSEC, 2, 1);
		ADD("\0");
		ADD("\0");
		add_fixed(DNS_TYPE_OPT, 0, 0);
		assert_int_equal(recode(with_dnssec, &ttl), GAZ_OK);
		assert_int_equal(ttl, with_dnssec ? 2 : 9);
		assert_int_equal(reply.counts[REPLY_ANSWER], with_dnssec ? 2 : 1);
		assert_int_equal(reply.counts[REPLY_AUTHORITY], with_dnssec ? 1 : 0);
		assert_int_equal(reply.counts[REPLY_ADDITIONAL], 0);
	}
}

static void test_negative_ttl_is_bounded_by_the_minimum(void **state)
{
	uint32_t ttl;

	(void)state;
	begin(0, 1, 0);
	ADD("\xc0\x10");
	add_fixed(DNS_TYPE_SOA, 900, 24);
	ADD("\xc0\x0c\xc0\x0c\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\x1e");
	assert_int_equal(recode(false, &ttl), GAZ_OK);
	assert_int_equal(ttl, 30);
}

static void test_message_without_records_has_no_ttl(void **state)
{
	uint32_t ttl = 1;

	(void)state;
	begin(0, 0, 0);
	assert_int_equal(recode(false, &ttl), GAZ_OK);
	assert_int_equal(ttl, 0);
}

static void test_no_room_is_said(void **state)
{
	uint32_t ttl;

	(void)state;
	begin(40, 0, 0);
	for (int i = 0; i < 40; i++) {
		ADD("\xc0\x0c");
		add_fixed(DNS_TYPE_A, 9, 4);
		ADD("\xc0\0\2\2");
	}
	assert_int_equal(recode_into(512, false, &ttl), GAZ_ELIMIT);
	assert_true(reply.len <= 512);
	assert_int_equal(recode_into(700, false, &ttl), GAZ_OK);
}

static void test_malformed_messages_are_refused(void **state)
{
	static const char *const names[] = {"\xc0\xff", "\xc0\x1d", "\x40", "\xc0"};
	uint32_t ttl;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		begin(1, 0, 0);
		add(names[i], strlen(names[i])); /* past the end, to itself, no label */
		if (i < 3) {
			add_fixed(DNS_TYPE_A, 9, 4);
			ADD("\xc0\0\2\2");
		}
		assert_int_equal(recode(false, &ttl), GAZ_EFORMAT);
	}
	begin(1, 0, 0);
	ADD("\xc0\x0c");
	add_fixed(DNS_TYPE_CNAME, 9, 1);
	ADD("\3a"); /* its data ends within a name */
	assert_int_equal(recode(false, &ttl), GAZ_EFORMAT);
}

/* Whatever the octets: it ends, and stays within what it was given. */
static void test_any_octets_are_survived(void **state)
{
	uint32_t ttl;
	unsigned good = 0;

	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		begin(2, 1, 0);
		ADD("\xc0\x0c");
		add_fixed(DNS_TYPE_CNAME, 5, 4);
		ADD("\1a\xc0\x10");
		ADD("\xc0\x29");
		add_fixed(DNS_TYPE_MX, 9, 4);
		ADD("\0\1\xc0\x29");
		ADD("\xc0\x10");
		add_fixed(DNS_TYPE_SOA, 900, 24);
		ADD("\xc0\x0c\xc0\x0c\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\x1e");
		for (int i = rand() % 4; i >= 0; i--)
			message[(size_t)rand() % len] = (uint8_t)rand();
		len -= (size_t)(rand() % 3 == 0 ? rand() % (int)len : 0);
		if (recode_into(512, true, &ttl) != GAZ_OK)
			continue;
		good++;
		assert_true(reply.len <= 512);
		for (size_t at = sizeof query_wire - 1; at < reply.len;)
			at = recode_next(out, recode_ttl_at(out, at));
	}
	assert_true(good > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner_points_to_the_question_and_keeps_its_case),
		cmocka_unit_test(test_names_in_data_are_taken_along),
		cmocka_unit_test(test_srv_target_is_written_out),
		cmocka_unit_test(test_dnssec_and_opt_stay_out),
		cmocka_unit_test(test_negative_ttl_is_bounded_by_the_minimum),
		cmocka_unit_test(test_message_without_records_has_no_ttl),
		cmocka_unit_test(test_no_room_is_said),
		cmocka_unit_test(test_malformed_messages_are_refused),
		cmocka_unit_test(test_any_octets_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
