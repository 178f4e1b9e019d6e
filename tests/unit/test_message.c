/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/message.h"
#include "dns/wire.h"

static const uint8_t PLAIN[] = {0x12, 0x34, 1, 0,   0,	 1,   0, 0, 0, 0, 0, 0,
				1,    'A',  3, 'c', 'o', 'm', 0, 0, 1, 0, 1};
static const uint8_t OPT[] = {0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0};

struct message {
	uint8_t wire[512];
	size_t len;
};

static struct message make(void)
{
	struct message m = {{0}, sizeof PLAIN};

	memcpy(m.wire, PLAIN, sizeof PLAIN);
	return m;
}

static void append(struct message *m, int count_at, const uint8_t *rr, size_t len)
{
	memcpy(m->wire + m->len, rr, len);
	m->len += len;
	m->wire[count_at]++;
}

/* In memory of exactly its size, for the sanitizers. */
static enum query_verdict parse(const struct message *m, struct query *out)
{
	uint8_t *copy = malloc(m->len ? m->len : 1);
	enum query_verdict verdict;

	assert_non_null(copy);
	memcpy(copy, m->wire, m->len);
	verdict = query_parse(copy, m->len, out);
	free(copy);
	return verdict;
}

static void test_plain_query_is_taken_apart(void **state)
{
	struct message m = make();
	struct query q;

	(void)state;
	assert_int_equal(parse(&m, &q), QUERY_OK);
	assert_int_equal(q.flags, 0x0100);
	assert_int_equal(q.question_len, sizeof PLAIN - 12);
	assert_int_equal(q.qtype, 1);
	assert_int_equal(q.qclass, 1);
	assert_int_equal(q.name.labels, 2);
	assert_memory_equal(q.name.wire, "\1a\3com", 7);
	assert_false(q.has_edns);
	assert_int_equal(q.udp_size, 512);
}

static void test_opt_is_read(void **state)
{
	static const uint8_t options[] = {0, 3, 0, 0, 0, 10, 0, 8,
					  1, 2, 3, 4, 5, 6,  7, 8};
	struct message m = make();
	struct query q;

	(void)state;
	append(&m, 11, OPT, sizeof OPT);
	assert_int_equal(parse(&m, &q), QUERY_OK);
	assert_true(q.has_edns && q.dnssec_ok);
	assert_int_equal(q.udp_size, 4096);
	memcpy(m.wire + m.len, options, sizeof options);
	m.wire[m.len - 1] = sizeof options;
	m.len += sizeof options;
	assert_false(q.edns.wants_nsid || q.edns.cookie || q.edns.wants_keepalive);
	assert_int_equal(parse(&m, &q), QUERY_OK);
	assert_true(q.edns.wants_nsid);
	assert_int_equal(q.edns.cookie_len, 8);
	m.wire[m.len - 9] = 9; /* the option is longer than the record */
	assert_int_equal(parse(&m, &q), QUERY_FORMERR);
	m = make();
	append(&m, 11, OPT, sizeof OPT);
	m.wire[m.len - 8] = 0; /* a size of 0 means 512 */
	assert_int_equal(parse(&m, &q), QUERY_OK);
	assert_int_equal(q.udp_size, 512);
	m.wire[m.len - 5] = 1;
	assert_int_equal(parse(&m, &q), QUERY_BADVERS);
	assert_true(q.has_edns);
	m.wire[m.len - 5] = 0;
	m.wire[m.len - 1] = 1; /* an octet that is no option */
	m.wire[m.len++] = 0;
	assert_int_equal(parse(&m, &q), QUERY_FORMERR);
	assert_true(q.has_edns);
}

static void test_broken_opt_is_a_format_error(void **state)
{
	static const uint8_t owned[] = {1, 'x', 0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0};
	struct message m = make();
	struct query q;

	(void)state;
	append(&m, 11, OPT, sizeof OPT);
	append(&m, 11, OPT, sizeof OPT);
	assert_int_equal(parse(&m, &q), QUERY_FORMERR);
	m = make();
	append(&m, 11, owned, sizeof owned);
	assert_int_equal(parse(&m, &q), QUERY_FORMERR);
	m = make();
	append(&m, 9, OPT, sizeof OPT); /* in the authority section */
	assert_int_equal(parse(&m, &q), QUERY_FORMERR);
}

static void test_other_records_are_skipped(void **state)
{
	static const uint8_t soa[] = {0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 2, 9, 9};
	struct message m = make();
	struct query q;

	(void)state;
	append(&m, 9, soa, sizeof soa);
	append(&m, 11, OPT, sizeof OPT);
	append(&m, 11, soa, sizeof soa);
	assert_int_equal(parse(&m, &q), QUERY_OK);
	assert_true(q.has_edns);
	m = make();
	append(&m, 7, soa, sizeof soa); /* an answer in a query */
	append(&m, 11, OPT, sizeof OPT);
	assert_int_equal(parse(&m, &q), QUERY_OK);
	assert_true(q.has_edns);
}

static void test_query_with_a_key_is_taken_apart(void **state)
{
	static const uint8_t tsig[] = {1,  'k', 0,   0, 250, 0, 255, 0, 0, 0, 0, 0,
				       21, 1,	'a', 0, 0,   0, 1,   2, 3, 4, 1, 44,
				       0,  2,	7,   7, 9,   9, 0,   0, 0, 0};
	static const unsigned counted[] = {12, 25, 33}; /* lengths in it */
	struct message m = make();
	struct query q;

	(void)state;
	append(&m, 11, OPT, sizeof OPT);
	append(&m, 11, tsig, sizeof tsig);
	assert_int_equal(parse(&m, &q), QUERY_BADKEY);
	assert_true(q.has_edns);
	assert_int_equal(q.tsig - q.wire, m.len - sizeof tsig);
	assert_int_equal(q.tsig_owner, 3);
	assert_int_equal(q.tsig_algorithm, 3);
	append(&m, 11, OPT, sizeof OPT); /* it must be the last one */
	assert_int_equal(parse(&m, &q), QUERY_FORMERR);
	m = make();
	append(&m, 9, tsig, sizeof tsig);
	assert_int_equal(parse(&m, &q), QUERY_FORMERR);
	for (unsigned i = 0; i < sizeof counted / sizeof *counted; i++) {
		for (int by = -1; by < 2; by += 2) {
			m = make();
			append(&m, 11, tsig, sizeof tsig);
			m.wire[m.len - sizeof tsig + counted[i]] += (uint8_t)by;
			assert_int_equal(parse(&m, &q), QUERY_FORMERR);
		}
	}
	m = make();
	append(&m, 11, tsig, sizeof tsig);
	m.wire[m.len - sizeof tsig + 6] = 1; /* class IN */
	assert_int_equal(parse(&m, &q), QUERY_FORMERR);
}

/* 254 octets of labels, then a pointer to the root: one octet does not hold its length. */
static void test_longest_name_of_a_key(void **state)
{
	static const uint8_t rest[] = {0xc0, sizeof PLAIN - 5,
				       0,    250,
				       0,    255,
				       0,    0,
				       0,    0,
				       0,    19,
				       1,    'a',
				       0,    0,
				       0,    0,
				       0,    0,
				       0,    0,
				       0,    0,
				       0,    9,
				       9,    0,
				       0,    0,
				       0};
	uint8_t tsig[254 + sizeof rest];
	struct message m = make();
	struct query q;

	(void)state;
	memset(tsig, 'k', sizeof tsig);
	tsig[0] = tsig[64] = tsig[128] = 63;
	tsig[192] = 61;
	memcpy(tsig + 254, rest, sizeof rest);
	append(&m, 11, tsig, sizeof tsig);
	assert_int_equal(parse(&m, &q), QUERY_BADKEY);
	assert_int_equal(q.tsig_owner, 256);
	assert_int_equal(q.tsig_algorithm, 3);
}

static void test_pointer_that_leads_nowhere_is_a_format_error(void **state)
{
	uint8_t record[] = {1, 'x', 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0};
	static const uint16_t nowhere[] = {0, 11, sizeof PLAIN, sizeof PLAIN + 2, 0x3fff};
	struct message m = make();
	struct query q;

	(void)state;
	append(&m, 11, record, sizeof record);
	assert_int_equal(parse(&m, &q), QUERY_OK);
	for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
		wire_put_u16(record + 2, 0xc000 | nowhere[i]);
		m = make();
		append(&m, 11, record, sizeof record);
		assert_int_equal(parse(&m, &q), QUERY_FORMERR);
	}
}

static void test_what_is_no_query_is_dropped_or_refused(void **state)
{
	struct message m = make();
	struct query q;

	(void)state;
	m.len = 11;
	assert_int_equal(parse(&m, &q), QUERY_DROP);
	m.len = 0;
	assert_int_equal(parse(&m, &q), QUERY_DROP);
	m = make();
	m.wire[2] |= 0x80;
	assert_int_equal(parse(&m, &q), QUERY_DROP);
	m.wire[2] = 4 << 3; /* NOTIFY */
	assert_int_equal(parse(&m, &q), QUERY_NOTIMP);
	assert_int_equal(q.question_len, sizeof PLAIN - 12);
	append(&m, 11, OPT, sizeof OPT);
	m.wire[2] = 7 << 3; /* unassigned: who knows what this is */
	assert_int_equal(parse(&m, &q), QUERY_NOTIMP);
	assert_int_equal(q.question_len, 0);
	assert_true(q.has_edns);
	m.len = 12;
	m.wire[2] = 5 << 3; /* UPDATE */
	assert_int_equal(parse(&m, &q), QUERY_NOTIMP);
	assert_int_equal(q.question_len, 0);
}

static void test_every_cut_is_a_format_error(void **state)
{
	struct message m = make();
	struct query q;

	(void)state;
	append(&m, 11, OPT, sizeof OPT);
	for (size_t len = 12; len < m.len; len++) {
		struct message cut = m;

		cut.len = len;
		assert_int_equal(parse(&cut, &q), QUERY_FORMERR);
		assert_int_equal(q.question_len,
				 len < sizeof PLAIN ? 0 : sizeof PLAIN - 12);
	}
	m.len++;
	assert_int_equal(parse(&m, &q), QUERY_FORMERR); /* an octet too many */
	m = make();
	m.wire[5] = 0;
	assert_int_equal(parse(&m, &q), QUERY_FORMERR);
	m.wire[5] = 2;
	assert_int_equal(parse(&m, &q), QUERY_FORMERR);
}

static void test_compressed_question_is_a_format_error(void **state)
{
	struct message m = make();
	struct query q;

	(void)state;
	m.wire[14] = 0xc0;
	m.wire[15] = 12;
	assert_int_equal(parse(&m, &q), QUERY_FORMERR);
	assert_int_equal(q.question_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_query_is_taken_apart),
		cmocka_unit_test(test_opt_is_read),
		cmocka_unit_test(test_broken_opt_is_a_format_error),
		cmocka_unit_test(test_other_records_are_skipped),
		cmocka_unit_test(test_query_with_a_key_is_taken_apart),
		cmocka_unit_test(test_longest_name_of_a_key),
		cmocka_unit_test(test_pointer_that_leads_nowhere_is_a_format_error),
		cmocka_unit_test(test_what_is_no_query_is_dropped_or_refused),
		cmocka_unit_test(test_every_cut_is_a_format_error),
		cmocka_unit_test(test_compressed_question_is_a_format_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
