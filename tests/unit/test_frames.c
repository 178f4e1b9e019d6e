/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct frames frames;
static const uint8_t *message;
static size_t len;

/* The test makes allocations fail. */

static bool is_failing;

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
	return is_failing ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return is_failing ? NULL : __real_realloc(old, size);
}

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(frames_init(&frames), GAZ_OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	frames_fini(&frames);
	return 0;
}

static void give(const void *data, size_t size)
{
	size_t room;
	uint8_t *at = frames_room(&frames, &room);

	assert_true(size <= room);
	memcpy(at, data, size);
	frames_received(&frames, size);
}

static void expect(const char *text)
{
	assert_int_equal(frames_next(&frames, &message, &len), FRAMES_WHOLE);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(message, text, len);
}

static void expect_partial(void)
{
	assert_int_equal(frames_next(&frames, &message, &len), FRAMES_PARTIAL);
}

static void test_messages_come_one_after_the_other(void **state)
{
	(void)state;
	expect_partial();
	give("\0\14first octets\0\15second octets\0\14a", 32);
	expect("first octets");
	expect("second octets");
	expect_partial();
	assert_int_equal(frames_settle(&frames), GAZ_OK);
	expect_partial();
	give(" thirdmessa", 11);
	expect("a thirdmessa");
	expect_partial();
}

static void test_octets_may_come_one_by_one(void **state)
{
	const char *stream = "\0\14one by one..\0\14and another.";

	(void)state;
	for (size_t i = 0; i < 28; i++) {
		give(stream + i, 1);
		if (i == 13)
			expect("one by one..");
		else if (i == 27)
			expect("and another.");
		else
			expect_partial();
		assert_int_equal(frames_settle(&frames), GAZ_OK);
	}
}

static void test_message_shorter_than_a_header_breaks_the_stream(void **state)
{
	(void)state;
	give("\0\14first octets\0\13", 16);
	expect("first octets");
	assert_int_equal(frames_next(&frames, &message, &len), FRAMES_BROKEN);
	assert_int_equal(frames_next(&frames, &message, &len), FRAMES_BROKEN);
}

static void test_room_grows_to_the_longest_message_and_not_further(void **state)
{
	static const uint8_t prefix[] = {0xff, 0xff};
	size_t room;

	(void)state;
	(void)frames_room(&frames, &room);
	assert_true(room < 0xffff);
	give(prefix, sizeof prefix);
	expect_partial();
	assert_int_equal(frames_settle(&frames), GAZ_OK);
	(void)memset(frames_room(&frames, &room), 'x', 0xffff);
	assert_int_equal(room, 0xffff);
	frames_received(&frames, room);
	assert_int_equal(frames_next(&frames, &message, &len), FRAMES_WHOLE);
	assert_int_equal(len, 0xffff);
	assert_int_equal(message[0xfffe], 'x');
	assert_int_equal(frames_settle(&frames), GAZ_OK);
	(void)frames_room(&frames, &room);
	assert_int_equal(room, 2 + 0xffff);
}

static void test_without_memory_nothing_is_lost(void **state)
{
	struct frames none = {0};

	(void)state;
	give("\0\14first octets\377\377", 16);
	expect("first octets");
	is_failing = true;
	assert_int_equal(frames_init(&none), GAZ_ENOMEM);
	assert_int_equal(frames_settle(&frames), GAZ_ENOMEM);
	is_failing = false;
	expect_partial();
	assert_int_equal(frames_settle(&frames), GAZ_OK);
	frames_fini(&none);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_messages_come_one_after_the_other),
		T(test_octets_may_come_one_by_one),
		T(test_message_shorter_than_a_header_breaks_the_stream),
		T(test_room_grows_to_the_longest_message_and_not_further),
		T(test_without_memory_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
