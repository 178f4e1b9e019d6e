/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/id.h"
#include "base/keyhash.h"
#include "base/log.h"
#include "base/netaddr.h"
#include "base/proxyv2.h"
#include "base/rng.h"
#include "base/siphash.h"
#include "base/thread.h"

static void test_operation_id_has_the_form_that_aws_shows(void **state)
{
	static const uint8_t target[ID_DIGEST_LEN] = "any digest of a lock's key";
	char first[ID_OPERATION_SIZE];
	char second[ID_OPERATION_SIZE];

	(void)state;
	id_operation(target, 1587055860121, first);
	id_operation(target, 1587055860122, second);
	assert_int_equal(strlen(first), 41);
	assert_string_equal(first + 32, "-k9302yzd");
	assert_memory_equal(first, second, 32); /* one target: one prefix */
	assert_string_equal(second + 32, "-k9302yze");
	assert_int_equal(strspn(first, "abcdefghijklmnopqrstuvwxyz234567"), 32);
}

static void test_operation_id_is_taken_apart_only_in_its_one_form(void **state)
{
	static const char *const wrong[] = {
		"",
		"k9302yzd",
		"abcdefghijklmnopqrstuvwxyz234567",
		"abcdefghijklmnopqrstuvwxyz234567-",
		"abcdefghijklmnopqrstuvwxyz234567-0k9302yzd",
		"abcdefghijklmnopqrstuvwxyz234567-K9302YZD",
		"abcdefghijklmnopqrstuvwxyz234567--1",
		"abcdefghijklmnopqrstuvwxyz234567-zzzzzzzzzzzzzz",
		"abcdefghijklmnopqrstuvwxyz234567-k9302yzd-and-more",
		"abcdefghijklmnopqrstuvwxyz234567 k9302yzd",
	};
	static const uint8_t target[ID_DIGEST_LEN] = "any digest of a lock's key";
	char id[ID_OPERATION_SIZE];
	int64_t ms = 0;

	(void)state;
	id_operation(target, 1587055860121, id);
	assert_int_equal(id_operation_time(id, &ms), GAZ_OK);
	assert_int_equal(ms, 1587055860121);
	id_operation_at(id, INT64_MAX, id);
	assert_int_equal(id_operation_time(id, &ms), GAZ_OK);
	assert_int_equal(ms, INT64_MAX);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(id_operation_time(wrong[i], &ms), GAZ_EFORMAT);
}

static void test_ids_are_the_bits_they_are_made_of(void **state)
{
	static const char *const wrong[] = {"",
					    "ns-",
					    "ns-abcdefghijklmno",
					    "srv-abcdefghijklmnop",
					    "ns-abcdefghijklmno1",
					    "ns-abcdefghijklmnopq",
					    "ns-ABCDEFGHIJKLMNOP"};
	uint8_t target[ID_TARGET_LEN];
	uint8_t target_again[ID_TARGET_LEN];
	uint8_t bits[ID_RANDOM_LEN];
	char id[ID_OPERATION_SIZE];
	char again[ID_OPERATION_SIZE];

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(id_resource("srv-", id), GAZ_OK);
		assert_int_equal(id_resource_bits("srv-", id, bits), GAZ_OK);
		id_resource_of("srv-", bits, again);
		assert_string_equal(id, again);
		assert_int_equal(rng_secret(target, sizeof target), GAZ_OK);
		id_operation(target, i, id);
		assert_int_equal(id_operation_target(id, target_again), GAZ_OK);
		assert_memory_equal(target, target_again, sizeof target);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(id_resource_bits("ns-", wrong[i], bits), GAZ_EFORMAT);
	assert_int_equal(id_operation_target("abc", target), GAZ_EFORMAT);
	id[5] = 'A';
	assert_int_equal(id_operation_target(id, target), GAZ_EFORMAT);
}

static void test_resource_ids_differ_and_keep_their_alphabet(void **state)
{
	char a[ID_RESOURCE_SIZE];
	char b[ID_RESOURCE_SIZE];
	char zone[ID_ZONE_SIZE];

	(void)state;
	assert_int_equal(id_resource("ns-", a), GAZ_OK);
	assert_int_equal(id_resource("ns-", b), GAZ_OK);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), 19);
	assert_int_equal(strspn(a + 3, "abcdefghijklmnopqrstuvwxyz234567"), 16);
	assert_int_equal(id_hosted_zone(zone), GAZ_OK);
	assert_int_equal(strlen(zone), 21);
	assert_int_equal(strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), 21);
}

static void test_uuid_is_version_4(void **state)
{
	char uuid[ID_UUID_SIZE];

	(void)state;
	assert_int_equal(id_uuid(uuid), GAZ_OK);
	assert_int_equal(strlen(uuid), 36);
	assert_int_equal(uuid[14], '4');
	assert_non_null(strchr("89ab", uuid[19]));
}

static void test_bytes_are_read_back_as_written(void **state)
{
	static const uint64_t numbers[] = {0, 127, 128, 16383, 16384, UINT64_MAX};
	struct bytes b;
	struct reader r;
	struct arena arena;

	(void)state;
	bytes_init(&b);
	arena_init(&arena);
	bytes_put_u8(&b, 7);
	bytes_put_u32(&b, 0xdeadbeef);
	bytes_put_u64(&b, UINT64_MAX - 1);
	bytes_put_text(&b, "hello");
	bytes_put_text(&b, NULL);
	bytes_put_text(&b, "");
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		bytes_put_varint(&b, numbers[i]);
	bytes_put_short_text(&b, NULL);
	bytes_put_short_text(&b, "");
	bytes_put_short_text(&b, "hello");
	assert_false(b.failed);

	reader_init(&r, (struct span){b.data, b.len});
	assert_int_equal(reader_u8(&r), 7);
	assert_int_equal(reader_u32(&r), 0xdeadbeef);
	assert_true(reader_u64(&r) == UINT64_MAX - 1);
	assert_string_equal(reader_text(&r, &arena), "hello");
	assert_null(reader_text(&r, &arena));
	assert_string_equal(reader_text(&r, &arena), "");
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		assert_true(reader_varint(&r) == numbers[i]);
	assert_null(reader_short_text(&r, &arena));
	assert_string_equal(reader_short_text(&r, &arena), "");
	assert_string_equal(reader_short_text(&r, &arena), "hello");
	assert_false(r.failed);
	assert_int_equal(reader_u8(&r), 0);
	assert_true(r.failed);
	bytes_fini(&b);
	arena_fini(&arena);
}

static void test_truncated_bytes_latch_an_error_at_every_length(void **state)
{
	struct bytes b;
	struct arena arena;

	(void)state;
	bytes_init(&b);
	arena_init(&arena);
	bytes_put_u64(&b, 1);
	bytes_put_text(&b, "text");
	bytes_put_varint(&b, 300);
	bytes_put_short_text(&b, "short");
	for (size_t len = 0; len < b.len; len++) {
		struct reader r;

		reader_init(&r, (struct span){b.data, len});
		(void)reader_u64(&r);
		(void)reader_text(&r, &arena);
		(void)reader_varint(&r);
		(void)reader_short_text(&r, &arena);
		assert_true(r.failed);
	}
	bytes_fini(&b);
	arena_fini(&arena);
}

static void test_prefix_with_host_bits_is_refused(void **state)
{
	struct netprefix p;
	char text[NETADDR_TEXT_SIZE];

	(void)state;
	assert_int_equal(netaddr_parse_prefix("10.1.0.0/16", &p), GAZ_OK);
	assert_string_equal(netaddr_print_prefix(&p, text), "10.1.0.0/16");
	assert_int_equal(netaddr_parse_prefix("10.1.0.1/16", &p), GAZ_EFORMAT);
	assert_int_equal(netaddr_parse_prefix("10.1.0.0/33", &p), GAZ_EFORMAT);
	assert_int_equal(netaddr_parse_prefix("10.1.0.0/", &p), GAZ_EFORMAT);
	assert_int_equal(netaddr_parse_prefix("10.1.0.0/+8", &p), GAZ_EFORMAT);
	assert_int_equal(netaddr_parse_prefix("fd00:1::/32", &p), GAZ_OK);
	assert_int_equal(netaddr_parse_prefix("192.0.2.1", &p), GAZ_OK);
	assert_int_equal(p.len, 32);
	assert_int_equal(netaddr_parse_prefix("", &p), GAZ_EFORMAT);
}

static void test_endpoints_in_every_form(void **state)
{
	static const struct {
		const char *text;
		const char *printed; /* NULL: refused */
	} cases[] = {
		{"127.0.0.1", "127.0.0.1:53"},
		{"127.0.0.1:10053", "127.0.0.1:10053"},
		{"::1", "[::1]:53"},
		{"[::1]", "[::1]:53"},
		{"[::1]:0", "[::1]:0"},
		{"[127.0.0.1]:53", NULL},
		{"127.0.0.1:65536", NULL},
		{"127.0.0.1:", NULL},
		{"[::1", NULL},
		{"[::1]x", NULL},
		{"localhost:53", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sockaddr_storage sa;
		char text[NETADDR_TEXT_SIZE];
		gaz_status st = netaddr_parse_endpoint(cases[i].text, 53, &sa);

		if (!cases[i].printed) {
			assert_int_equal(st, GAZ_EFORMAT);
			continue;
		}
		assert_int_equal(st, GAZ_OK);
		netaddr_print_endpoint((struct sockaddr *)&sa, text);
		assert_string_equal(text, cases[i].printed);
	}
}

static void test_rng_below_reaches_every_value_and_no_other(void **state)
{
	struct rng rng;
	unsigned seen[10] = {0};

	(void)state;
	rng_seed(&rng, 1);
	for (int i = 0; i < 10000; i++) {
		uint32_t v = rng_below(&rng, 10);

		assert_true(v < 10);
		seen[v]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(seen[i], 850, 1150);
}

static void test_log_escape_leaves_only_printable_text(void **state)
{
	char out[16];

	(void)state;
	assert_string_equal(log_escape("a\n\\", 3, out, sizeof out), "a\\x0a\\x5c");
	log_escape("aaaaaaaaaaaaaaaaaaaaaaaa", 24, out, sizeof out);
	assert_true(strlen(out) < sizeof out);
	assert_non_null(strstr(out, "..."));
}

/* Labels that differ in length alone, behind their length, under many keys. */
static void test_keyhash_tells_repeated_octets_apart(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 11);
	for (int round = 0; round < 2000; round++) {
		const struct keyhash_key key = {{rng_next(&rng), rng_next(&rng)}};
		uint64_t seen[40];

		for (uint8_t len = 1; len < 40; len++) {
			uint8_t label[41];

			memset(label, '1', sizeof label);
			label[0] = len;
			seen[len] = keyhash_extend(&key, 0, label, 1u + len);
			for (int other = 1; other < len; other++)
				assert_true(seen[other] != seen[len]);
		}
	}
}

static void test_keyhash_depends_on_key_length_and_bytes(void **state)
{
	struct keyhash_key k1 = {{1, 2}};
	struct keyhash_key k2 = {{3, 4}};

	(void)state;
	assert_true(keyhash_extend(&k1, 0, "abc", 3) != keyhash_extend(&k2, 0, "abc", 3));
	assert_true(keyhash_extend(&k1, 0, "abc", 3) != keyhash_extend(&k1, 0, "abd", 3));
	assert_true(keyhash_extend(&k1, 0, "a\0", 2) != keyhash_extend(&k1, 0, "a", 1));
	assert_true(keyhash_extend(&k1, 1, "abc", 3) != keyhash_extend(&k1, 0, "abc", 3));
}

/* The vectors of the paper: key 0 to 15, messages of the octets 0, 1, 2 and so on. */
static void test_siphash_is_the_reference(void **state)
{
	uint8_t octets[64];
	struct siphash_key key;

	(void)state;
	for (uint8_t i = 0; i < sizeof octets; i++)
		octets[i] = i;
	key = siphash_key_read(octets);
	assert_true(siphash24(&key, octets, 0) == 0x726fdb47dd0e0e31);
	assert_true(siphash24(&key, octets, 15) == 0xa129ca6149be45e5);
	assert_true(siphash24(&key, octets, 63) == 0x958a324ceb064572);
}

static void test_arena_serves_large_and_small_requests(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena);
	for (size_t size = 0; size < 100000; size = size * 2 + 1)
		memset(arena_alloc(&arena, size), 1, size);
	assert_string_equal(arena_printf(&arena, "%s-%d", "x", 7), "x-7");
	assert_false(arena.failed);
	assert_null(arena_alloc(&arena, SIZE_MAX - 1));
	assert_true(arena.failed);
	arena_fini(&arena);
}

static void test_arena_release_frees_what_came_after_the_mark(void **state)
{
	struct arena arena;
	struct arena_mark mark;
	char *kept;
	char *again;

	(void)state;
	arena_init(&arena);
	kept = arena_strdup(&arena, "kept");
	mark = arena_mark(&arena);
	again = arena_strdup(&arena, "gone");
	for (int i = 0; i < 100; i++)
		assert_non_null(arena_alloc(&arena, 10000));
	arena_release(&arena, mark);
	assert_string_equal(kept, "kept");
	assert_ptr_equal(arena_strdup(&arena, "next"), again);
	assert_false(arena.failed);
	arena_fini(&arena);
}

static size_t make_header(uint8_t out[PROXYV2_MAX + 16], uint8_t command, uint8_t family,
			  size_t addresses)
{
	static const uint8_t signature[] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
					    0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

	memset(out, 7, PROXYV2_MAX + 16);
	memcpy(out, signature, sizeof signature);
	out[12] = command;
	out[13] = family;
	out[14] = (uint8_t)(addresses >> 8);
	out[15] = (uint8_t)addresses;
	return 16 + addresses;
}

static void test_proxy_header_is_read_at_every_length(void **state)
{
	static const struct {
		uint8_t command;
		uint8_t family;
		size_t addresses;
		enum proxyv2_verdict verdict;
	} rows[] = {
		{0x21, 0x11, 12, PROXYV2_SOURCE},  {0x21, 0x12, 100, PROXYV2_SOURCE},
		{0x21, 0x22, 36, PROXYV2_SOURCE},  {0x21, 0x11, 11, PROXYV2_BROKEN},
		{0x21, 0x21, 35, PROXYV2_BROKEN},  {0x20, 0x11, 0, PROXYV2_LOCAL},
		{0x21, 0x00, 0, PROXYV2_LOCAL},	   {0x21, 0x31, 216, PROXYV2_LOCAL},
		{0x11, 0x11, 12, PROXYV2_BROKEN},  {0x22, 0x11, 12, PROXYV2_BROKEN},
		{0x21, 0x11, 521, PROXYV2_BROKEN}, {0x21, 0x11, 520, PROXYV2_SOURCE},
	};
	uint8_t bytes[PROXYV2_MAX + 16];
	struct netaddr source;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t whole = make_header(bytes, rows[i].command, rows[i].family,
					   rows[i].addresses);
		size_t len = 0;

		assert_int_equal(proxyv2_parse(bytes, whole, &len, &source),
				 rows[i].verdict);
		if (rows[i].verdict == PROXYV2_BROKEN)
			continue;
		assert_int_equal(len, whole);
		for (size_t part = 0; part < whole; part++)
			assert_int_equal(proxyv2_parse(bytes, part, &len, &source),
					 PROXYV2_PARTIAL);
	}
	for (size_t i = 0; i < 12; i++) {
		size_t whole = make_header(bytes, 0x21, 0x11, 12);
		size_t len;

		bytes[i] ^= 1;
		assert_int_equal(proxyv2_parse(bytes, whole, &len, &source),
				 PROXYV2_BROKEN);
	}
}

struct seen {
	int nice;
	bool takes_signals;
};

static void *look_around(void *arg)
{
	struct seen *seen = arg;
	sigset_t blocked;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	seen->takes_signals =
		!sigismember(&blocked, SIGPIPE) || !sigismember(&blocked, SIGTERM);
	seen->nice = getpriority(PRIO_PROCESS, 0);
	return seen;
}

static void test_threads_take_no_signals_and_some_give_way(void **state)
{
	static const enum thread_rank ranks[] = {THREAD_FOREMOST, THREAD_BEHIND};
	struct seen seen[2];
	sigset_t blocked;

	(void)state;
	for (int i = 0; i < 2; i++) {
		pthread_t thread;
		void *result;

		assert_int_equal(
			thread_start(&thread, "some", ranks[i], look_around, &seen[i]),
			GAZ_OK);
		assert_int_equal(pthread_join(thread, &result), 0);
		assert_ptr_equal(result, &seen[i]);
		assert_false(seen[i].takes_signals);
	}
	assert_int_equal(seen[0].nice, getpriority(PRIO_PROCESS, 0));
	if (seen[0].nice < 19)
		assert_true(seen[1].nice > seen[0].nice);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	assert_false(sigismember(&blocked, SIGTERM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operation_id_has_the_form_that_aws_shows),
		cmocka_unit_test(test_operation_id_is_taken_apart_only_in_its_one_form),
		cmocka_unit_test(test_resource_ids_differ_and_keep_their_alphabet),
		cmocka_unit_test(test_ids_are_the_bits_they_are_made_of),
		cmocka_unit_test(test_uuid_is_version_4),
		cmocka_unit_test(test_bytes_are_read_back_as_written),
		cmocka_unit_test(test_truncated_bytes_latch_an_error_at_every_length),
		cmocka_unit_test(test_prefix_with_host_bits_is_refused),
		cmocka_unit_test(test_endpoints_in_every_form),
		cmocka_unit_test(test_rng_below_reaches_every_value_and_no_other),
		cmocka_unit_test(test_log_escape_leaves_only_printable_text),
		cmocka_unit_test(test_keyhash_depends_on_key_length_and_bytes),
		cmocka_unit_test(test_keyhash_tells_repeated_octets_apart),
		cmocka_unit_test(test_siphash_is_the_reference),
		cmocka_unit_test(test_proxy_header_is_read_at_every_length),
		cmocka_unit_test(test_arena_serves_large_and_small_requests),
		cmocka_unit_test(test_arena_release_frees_what_came_after_the_mark),
		cmocka_unit_test(test_threads_take_no_signals_and_some_give_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
