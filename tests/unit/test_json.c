/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "api/json.h"

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

static size_t memory_max = SIZE_MAX; /* more than this at once is not there */

void *__wrap_realloc(void *old, size_t size)
{
	return size > memory_max ? NULL : __real_realloc(old, size);
}

/* What has been written, with a NUL behind it. */
static const char *written(struct json_out *w)
{
	assert_int_equal(json_status(w), GAZ_OK);
	bytes_put_u8(&w->text, '\0');
	assert_false(w->text.failed);
	return (const char *)w->text.data;
}

static void text_prints(const char *text, const char *expected)
{
	struct json_out w;

	json_init(&w);
	json_put_text(&w, text);
	assert_string_equal(written(&w), expected);
	json_fini(&w);
}

static void test_text_is_escaped_where_it_must_be(void **state)
{
	(void)state;
	text_prints("", "\"\"");
	text_prints("plain /text'&<\x7f", "\"plain /text'&<\x7f\"");
	text_prints("\"", "\"\\\"\"");
	text_prints("a\"\"b", "\"a\\\"\\\"b\"");
	text_prints("c:\\d", "\"c:\\\\d\"");
	text_prints("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
	text_prints("\x01\x1f.", "\"\\u0001\\u001F.\"");
	text_prints("\xc3\xa9\"\xe2\x82\xac\xf0\x9f\x98\x80\n",
		    "\"\xc3\xa9\\\"\xe2\x82\xac\xf0\x9f\x98\x80\\n\"");
}

/* The reader of requests and the writer of replies agree on every code point. */
static void test_every_code_point_is_read_back(void **state)
{
	struct json_out w;
	json_t *texts = json_array();
	json_t *back;

	(void)state;
	json_init(&w);
	json_begin_array(&w);
	for (uint32_t point = 1; point < 0x110000; point += point < 0x10000 ? 1 : 0xff) {
		char source[24];
		json_t *text;

		if (point >= 0xd800 && point <= 0xdfff)
			continue;
		if (point < 0x10000)
			(void)snprintf(source, sizeof source, "\"\\u%04X\"",
				       (unsigned)point);
		else
			(void)snprintf(source, sizeof source, "\"\\u%04X\\u%04X\"",
				       (unsigned)(0xd7c0 + (point >> 10)),
				       (unsigned)(0xdc00 + (point & 0x3ff)));
		text = json_loads(source, JSON_DECODE_ANY, NULL);
		json_put_text(&w, json_string_value(text));
		json_array_append_new(texts, text);
	}
	json_end_array(&w);
	back = json_loads(written(&w), 0, NULL);
	assert_non_null(back);
	assert_true(json_equal(texts, back));
	json_decref(back);
	json_decref(texts);
	json_fini(&w);
}

static const char *const not_utf8[] = {
	"\x80",		    /* a continuation alone */
	"\xc3",		    /* cut */
	"\xe2\x82",	    /* cut */
	"\xf0\x9f\x98",	    /* cut */
	"\xc3\x28",	    /* no continuation */
	"\xe2\x28\xa1",	    /* no continuation */
	"\xc0\xaf",	    /* overlong */
	"\xc1\xbf",	    /* overlong */
	"\xe0\x80\xaf",	    /* overlong */
	"\xf0\x80\x80\xaf", /* overlong */
	"\xed\xa0\x80",	    /* a surrogate */
	"\xed\xbf\xbf",	    /* a surrogate */
	"\xf4\x90\x80\x80", /* above U+10FFFF */
	"\xf8\x88\x80\x80", /* no such first byte */
	"\xff",		    /* no such first byte */
};

static void test_text_that_is_not_utf8_is_a_latched_error(void **state)
{
	struct json_out w;

	(void)state;
	json_init(&w);
	for (size_t i = 0; i < sizeof not_utf8 / sizeof *not_utf8; i++) {
		json_put_text(&w, not_utf8[i]);
		json_put_text(&w, "fine");
		assert_int_equal(json_status(&w), GAZ_EFORMAT);
		json_reset(&w);
		json_name(&w, not_utf8[i]);
		assert_int_equal(json_status(&w), GAZ_EFORMAT);
		json_reset(&w);
	}
	json_put_text(&w, NULL);
	assert_int_equal(json_status(&w), GAZ_EFORMAT);
	json_fini(&w);
}

static void test_cut_text_ends_where_it_is_no_utf8_any_more(void **state)
{
	char text[32];
	struct json_out w;

	(void)state;
	json_init(&w);
	for (size_t i = 0; i < sizeof not_utf8 / sizeof *not_utf8; i++) {
		(void)snprintf(text, sizeof text, "a\n%s", not_utf8[i]);
		json_put_cut_text(&w, text);
		assert_string_equal(written(&w), "\"a\\n\"");
		json_reset(&w);
	}
	json_fini(&w);
}

static void test_commas_stand_between_values_at_every_depth(void **state)
{
	struct json_out w;

	(void)state;
	json_init(&w);
	json_begin_object(&w);
	json_member_object(&w, "a");
	json_end_object(&w);
	json_member_array(&w, "b");
	json_end_array(&w);
	json_member_array(&w, "c");
	for (unsigned i = 0; i < 2; i++) {
		json_begin_object(&w);
		json_member_uint(&w, "n", i);
		json_member_text(&w, "t", "x");
		json_member_optional(&w, "o", NULL);
		json_member_optional(&w, "p", "y");
		json_end_object(&w);
	}
	json_begin_array(&w);
	json_put_bool(&w, true);
	json_put_bool(&w, false);
	json_end_array(&w);
	json_put_seconds(&w, 0);
	json_end_array(&w);
	json_member_optional(&w, "\"", "");
	json_end_object(&w);
	assert_string_equal(written(&w),
			    "{\"a\":{},\"b\":[],\"c\":[{\"n\":0,\"t\":\"x\",\"p\":\"y\"},"
			    "{\"n\":1,\"t\":\"x\",\"p\":\"y\"},[true,false],0.0],"
			    "\"\\\"\":\"\"}");
	json_fini(&w);
}

static void test_numbers_are_exact_up_to_their_limits(void **state)
{
	static const int64_t ms[] = {
		0,
		1,
		20,
		300,
		999,
		1000,
		-1,
		-1500,
		1587055860000,
		1587055860100,
		1587055860121,
		253402300799999, /* the end of the year 9999 */
		INT64_MAX,
		INT64_MIN,
	};
	struct json_out w;

	(void)state;
	json_init(&w);
	json_begin_array(&w);
	json_put_uint(&w, 0);
	json_put_uint(&w, 10);
	json_put_uint(&w, INT64_MAX);
	json_put_uint(&w, UINT64_MAX);
	for (size_t i = 0; i < sizeof ms / sizeof *ms; i++)
		json_put_seconds(&w, ms[i]);
	json_end_array(&w);
	assert_string_equal(
		written(&w),
		"[0,10,9223372036854775807,18446744073709551615,0.0,0.001,0.02,0.3,0.999,"
		"1.0,-0.001,-1.5,1587055860.0,1587055860.1,1587055860.121,"
		"253402300799.999,9223372036854775.807,-9223372036854775.808]");
	json_fini(&w);
}

static void put_filler(struct json_out *w, size_t count)
{
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		json_put_text(w, "0123456789\t");
	json_end_array(w);
}

static void test_failed_allocation_is_latched_until_the_reset(void **state)
{
	struct json_out w;

	(void)state;
	json_init(&w);
	for (memory_max = 0; memory_max < 4096; memory_max = memory_max * 2 + 64) {
		put_filler(&w, 1000);
		json_put_uint(&w, 1);
		assert_int_equal(json_status(&w), GAZ_ENOMEM);
		json_reset(&w);
		assert_int_equal(json_status(&w), GAZ_OK);
	}
	memory_max = SIZE_MAX;
	put_filler(&w, 1);
	assert_string_equal(written(&w), "[\"0123456789\\t\"]");
	json_fini(&w);
}

static void test_reset_keeps_a_moderate_piece_of_memory(void **state)
{
	struct json_out w;
	size_t cap;

	(void)state;
	json_init(&w);
	put_filler(&w, 100);
	cap = w.text.cap;
	json_reset(&w);
	assert_int_equal(w.text.cap, cap);
	assert_int_equal(w.text.len, 0);
	put_filler(&w, JSON_KEEP_MAX / 10);
	assert_int_equal(json_status(&w), GAZ_OK);
	json_reset(&w);
	assert_int_equal(w.text.cap, 0);
	put_filler(&w, 0);
	assert_string_equal(written(&w), "[]");
	json_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_escaped_where_it_must_be),
		cmocka_unit_test(test_every_code_point_is_read_back),
		cmocka_unit_test(test_text_that_is_not_utf8_is_a_latched_error),
		cmocka_unit_test(test_cut_text_ends_where_it_is_no_utf8_any_more),
		cmocka_unit_test(test_commas_stand_between_values_at_every_depth),
		cmocka_unit_test(test_numbers_are_exact_up_to_their_limits),
		cmocka_unit_test(test_failed_allocation_is_latched_until_the_reset),
		cmocka_unit_test(test_reset_keeps_a_moderate_piece_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
