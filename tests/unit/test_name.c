/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/wire.h"

static void assert_wire(const char *text, const char *wire, size_t len)
{
	uint8_t out[DNAME_MAX];
	size_t got;

	assert_int_equal(dname_from_text(text, out, &got), GAZ_OK);
	assert_int_equal(got, len);
	assert_memory_equal(out, wire, len);
}

static void test_text_becomes_wire_form(void **state)
{
	(void)state;
	assert_wire(".", "", 1);
	assert_wire("com", "\3com", 5);
	assert_wire("Web.example.com.", "\3Web\7example\3com", 17);
	assert_wire("a\\.b.c", "\3a.b\1c", 7);
	assert_wire("a\\255\\000\\\\", "\4a\377\0\\", 6);
	assert_wire("i:/@_-.x", "\6i:/@_-\1x", 10);
}

static void test_bad_text_is_refused(void **state)
{
	static const char *const bad[] = {"",	 "..",	  ".a",	    "a..b",
					  "a\\", "a\\25", "a\\256", "a\\2x5"};
	uint8_t out[DNAME_MAX];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(dname_from_text(bad[i], out, &len), GAZ_EFORMAT);
}

static void test_length_limits_are_exact(void **state)
{
	char text[300];
	uint8_t out[DNAME_MAX];
	size_t len;

	(void)state;
	memset(text, 'a', sizeof text);
	text[64] = '\0';
	assert_int_equal(dname_from_text(text, out, &len), GAZ_ELIMIT);
	text[63] = '\0';
	assert_int_equal(dname_from_text(text, out, &len), GAZ_OK);
	text[63] = text[64] = 'a';
	for (int i = 63; i < 253; i += 64)
		text[i] = '.';
	text[254] = '\0';
	assert_int_equal(dname_from_text(text, out, &len), GAZ_ELIMIT);
	text[253] = '\0'; /* 63 + 63 + 63 + 61 and dots: 255 octets */
	assert_int_equal(dname_from_text(text, out, &len), GAZ_OK);
	assert_int_equal(len, 255);
	assert_int_equal(dname_below("a", out, out, &len), GAZ_ELIMIT);
}

static void test_name_below_a_suffix_spans_labels(void **state)
{
	uint8_t suffix[DNAME_MAX];
	uint8_t out[DNAME_MAX];
	char text[DNAME_TEXT_SIZE];
	size_t len;

	(void)state;
	assert_int_equal(dname_from_text("web.example.com", suffix, &len), GAZ_OK);
	assert_int_equal(dname_below("10.0.0.1", suffix, out, &len), GAZ_OK);
	assert_string_equal(dname_to_text(out, text), "10.0.0.1.web.example.com.");
	assert_int_equal(dname_below(".", suffix, out, &len), GAZ_OK);
	assert_true(dname_equal(out, suffix));
}

static void test_text_and_wire_form_agree(void **state)
{
	uint8_t name[DNAME_MAX] = {0};
	uint8_t back[DNAME_MAX];
	char text[DNAME_TEXT_SIZE];
	size_t len;

	(void)state;
	for (int c = 0; c < 256; c++) {
		memcpy(name, "\3x?y\1z", 7);
		name[2] = (uint8_t)c;
		assert_int_equal(dname_from_text(dname_to_text(name, text), back, &len),
				 GAZ_OK);
		assert_int_equal(len, 7);
		assert_memory_equal(name, back, 7);
	}
	name[0] = 0;
	assert_string_equal(dname_to_text(name, text), ".");
}

static void test_only_letters_are_lowered(void **state)
{
	uint8_t in[256];
	uint8_t out[256];

	(void)state;
	for (int c = 0; c < 256; c++)
		in[c] = (uint8_t)c;
	for (size_t start = 0; start < 9; start++) {
		dname_lower(out, in + start, 256 - start);
		for (size_t i = 0; i < 256 - start; i++) {
			uint8_t c = in[start + i];

			assert_int_equal(out[i], c >= 'A' && c <= 'Z' ? c + 32 : c);
		}
	}
}

static void test_parse_takes_a_name_apart(void **state)
{
	static const uint8_t wire[] = "\3WeB\7eXample\3com\0rest";
	struct dname name;

	(void)state;
	assert_int_equal(dname_parse(wire, sizeof wire, &name), 17);
	assert_int_equal(name.labels, 3);
	assert_int_equal(name.len, 17);
	assert_int_equal(name.offsets[1], 4);
	assert_int_equal(name.offsets[3], 16);
	assert_memory_equal(name.wire, "\3web\7example\3com", 17);
	for (size_t left = 0; left < 17; left++)
		assert_int_equal(dname_parse(wire, left, &name), 0);
	assert_int_equal(dname_parse((const uint8_t *)"\300\14", 2, &name), 0);
	assert_int_equal(dname_parse((const uint8_t *)"\100x", 2, &name), 0);
}

static void test_longest_name_has_127_labels(void **state)
{
	uint8_t wire[300];
	struct dname name;

	(void)state;
	for (int i = 0; i < 300; i += 2) {
		wire[i] = 1;
		wire[i + 1] = 'a';
	}
	assert_int_equal(dname_parse(wire, sizeof wire, &name), 0);
	assert_int_equal(dname_check(wire, sizeof wire), 0);
	wire[254] = 0;
	assert_int_equal(dname_parse(wire, sizeof wire, &name), 255);
	assert_int_equal(dname_check(wire, sizeof wire), 255);
	assert_int_equal(name.labels, 127);
}

static void test_within_compares_whole_labels(void **state)
{
	const uint8_t *apex = (const uint8_t *)"\7example\3COM";

	(void)state;
	assert_true(dname_is_within((const uint8_t *)"\7EXAMPLE\3com", apex));
	assert_true(dname_is_within((const uint8_t *)"\1a\7example\3com", apex));
	assert_false(dname_is_within((const uint8_t *)"\10xexample\3com", apex));
	assert_false(dname_is_within((const uint8_t *)"\3com", apex));
	assert_true(dname_is_within(apex, (const uint8_t *)""));
}

static void test_rdata_forms_are_checked(void **state)
{
	const uint8_t *name = (const uint8_t *)"\1a";
	uint8_t buf[RDATA_SOA_MAX];
	size_t len;

	(void)state;
	len = rdata_soa(buf, sizeof buf, name, name, 1, 2, 3, 4, 5);
	assert_int_equal(len, 26);
	assert_true(rdata_is_valid(DNS_TYPE_SOA, buf, len));
	assert_false(rdata_is_valid(DNS_TYPE_SOA, buf, len - 1));
	assert_int_equal(rdata_soa_minimum(buf, len), 5);
	assert_int_equal(rdata_soa(buf, 25, name, name, 1, 2, 3, 4, 5), 0);
	len = rdata_srv(buf, sizeof buf, 1, 1, 80, name);
	assert_true(rdata_is_valid(DNS_TYPE_SRV, buf, len));
	assert_false(rdata_is_valid(DNS_TYPE_SRV, buf, 6));
	assert_false(rdata_is_valid(DNS_TYPE_A, buf, 5));
	assert_false(rdata_is_valid(DNS_TYPE_TXT, (const uint8_t *)"\2a", 2));
	assert_true(rdata_is_valid(DNS_TYPE_TXT, (const uint8_t *)"\1a", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_becomes_wire_form),
		cmocka_unit_test(test_bad_text_is_refused),
		cmocka_unit_test(test_length_limits_are_exact),
		cmocka_unit_test(test_name_below_a_suffix_spans_labels),
		cmocka_unit_test(test_text_and_wire_form_agree),
		cmocka_unit_test(test_only_letters_are_lowered),
		cmocka_unit_test(test_parse_takes_a_name_apart),
		cmocka_unit_test(test_longest_name_has_127_labels),
		cmocka_unit_test(test_within_compares_whole_labels),
		cmocka_unit_test(test_rdata_forms_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
