/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu.h>

#include <cmocka.h>

#include "dns/message.h"
#include "dns/name.h"
#include "dns/reply.h"
#include "dns/wire.h"
#include "forward/cache.h"
#include "forward/entry.h"

/* Entries made of an upstream's messages, in a cache, and in replies. */

enum {
	NOW = 1000000,
	MAX_BYTES = 1 << 20,
};

static struct cache *cache;
static uint8_t scratch[ENTRY_SCRATCH_SIZE];
static uint8_t out[65535];

static void name_of(const char *text, struct dname *name)
{
	uint8_t wire[DNAME_MAX];
	size_t len;

	assert_int_equal(dname_from_text(text, wire, &len), GAZ_OK);
	assert_int_equal(dname_parse(wire, len, name), len);
}

/* `count` A records with this TTL, and as many NS records behind them. */
static struct entry *entry_of(const char *text, unsigned count, uint32_t ttl)
{
	static uint8_t packet[65535] = {[2] = 0x81, [3] = 0x80, [5] = 1};
	struct dname name;
	struct entry_source source = {
		.packet = packet, .name = &name, .qtype = DNS_TYPE_A, .now_ms = NOW};
	struct entry *entry = NULL;
	uint8_t *at = packet + DNS_HEADER_LEN;

	name_of(text, &name);
	wire_put_u16(packet + 6, (uint16_t)count);
	wire_put_u16(packet + 8, (uint16_t)count);
	memcpy(at, name.wire, name.len);
	memcpy(at + name.len, "\0\1\0\1", 4);
	at += name.len + 4;
	for (unsigned i = 0; i < 2 * count; i++) {
		memcpy(at, i < count ? "\xc0\x0c\0\1\0\1" : "\xc0\x0c\0\2\0\1", 6);
		wire_put_u32(at + 6, ttl);
		wire_put_u16(at + 10, i < count ? 4 : 2);
		memcpy(at + 12, i < count ? "\xc0\0\2\1" : "\xc0\x0c", i < count ? 4 : 2);
		at += i < count ? 16 : 14;
	}
	source.len = (size_t)(at - packet);
	assert_int_equal(entry_new(&source, scratch, &entry), GAZ_OK);
	return entry;
}

static struct cache_key key_of(struct dname *name, const char *text)
{
	name_of(text, name);
	return (struct cache_key){name, DNS_TYPE_A, false};
}

static void put(const char *text, unsigned count, uint32_t ttl, int64_t now_ms)
{
	struct entry *entry = entry_of(text, count, ttl);
	struct dname name;
	struct cache_key key = key_of(&name, text);

	cache_put(cache, &key, &entry, now_ms);
	assert_null(entry);
}

static const struct entry *find(const char *text, int64_t now_ms)
{
	const struct entry *entry;
	struct dname name;
	struct cache_key key = key_of(&name, text);

	rcu_read_lock();
	entry = cache_find(cache, &key, now_ms);
	rcu_read_unlock();
	return entry;
}

static int open_cache(void **state)
{
	(void)state;
	rcu_register_thread();
	return cache_new(MAX_BYTES, &cache) != GAZ_OK;
}

static int close_cache(void **state)
{
	(void)state;
	cache_free(&cache);
	rcu_barrier();
	rcu_unregister_thread();
	return 0;
}

static void test_entry_is_found_until_it_expires(void **state)
{
	(void)state;
	put("www.example", 1, 60, NOW);
	assert_non_null(find("www.example", NOW));
	assert_non_null(find("www.example", NOW + 59999));
	assert_null(find("www.example", NOW + 60000));
	assert_null(find("example", NOW));
	cache_flush(cache);
	assert_null(find("www.example", NOW));
}

static void test_key_is_name_type_and_dnssec(void **state)
{
	struct dname name;
	struct cache_key key;

	(void)state;
	put("www.example", 1, 60, NOW);
	key = key_of(&name, "www.example");
	key.with_dnssec = true;
	rcu_read_lock();
	assert_null(cache_find(cache, &key, NOW));
	key.with_dnssec = false;
	key.qtype = DNS_TYPE_AAAA;
	assert_null(cache_find(cache, &key, NOW));
	rcu_read_unlock();
}

static void test_new_entry_replaces_the_former_one(void **state)
{
	(void)state;
	put("www.example", 1, 60, NOW);
	put("www.example", 2, 60, NOW);
	assert_int_equal(find("www.example", NOW)->counts[0], 2);
}

static void test_memory_is_bounded_and_used_entries_stay(void **state)
{
	enum {
		COUNT = 20000, /* of some 300 octets each */
	};
	size_t bytes = 0;
	char name[64];

	(void)state;
	put("used.example", 5, 60, NOW);
	for (unsigned i = 0; i < COUNT; i++) {
		(void)snprintf(name, sizeof name, "n%u.example", i);
		put(name, 5, 60, NOW);
		assert_non_null(find("used.example", NOW));
	}
	for (unsigned i = 0; i < COUNT; i++) {
		(void)snprintf(name, sizeof name, "n%u.example", i);
		if (find(name, NOW))
			bytes += find(name, NOW)->size;
	}
	assert_true(bytes <= MAX_BYTES);
	assert_true(bytes > MAX_BYTES / 2);
}

static unsigned answer(const struct entry *entry, size_t limit, int64_t now_ms,
		       struct reply *reply)
{
	static uint8_t wire[] = "\0\1\1\0\0\1\0\0\0\0\0\0\3WWW\7example\0\0\1\0\1";
	static struct query query;

	assert_int_equal(query_parse(wire, sizeof wire - 1, &query), QUERY_OK);
	reply_begin(reply, &query, NULL, out, limit);
	return entry_answer(entry, reply, DNS_HEADER_LEN, now_ms);
}

static void test_reply_has_lower_ttls(void **state)
{
	struct entry *entry = entry_of("www.example", 1, 60);
	struct reply reply;

	(void)state;
	assert_int_equal(answer(entry, 512, NOW + 12999, &reply), DNS_NOERROR);
	assert_int_equal(wire_get_u32(out + entry->records_at + 6), 48);
	assert_int_equal(wire_get_u32(out + entry->records_at + 16 + 6), 48);
	assert_int_equal(reply.counts[REPLY_ANSWER] + reply.counts[REPLY_AUTHORITY], 2);
	free(entry);
}

static void test_what_does_not_fit_stays_out_by_sections(void **state)
{
	struct entry *entry = entry_of("www.example", 20, 60);
	struct reply reply;

	(void)state;
	answer(entry, 1232, NOW, &reply);
	assert_int_equal(reply.counts[REPLY_AUTHORITY], 20);
	answer(entry, 512, NOW, &reply);
	assert_int_equal(reply.counts[REPLY_ANSWER], 20);
	assert_int_equal(reply.counts[REPLY_AUTHORITY], 0);
	assert_false(reply.flags & DNS_FLAG_TC);
	free(entry);
	entry = entry_of("www.example", 40, 60);
	answer(entry, 512, NOW, &reply);
	assert_int_equal(reply.counts[REPLY_ANSWER], 0);
	assert_true(reply.flags & DNS_FLAG_TC);
	free(entry);
}

static void test_addresses_take_turns(void **state)
{
	struct entry *entry = entry_of("www.example", 3, 60);
	struct reply reply;

	(void)state;
	for (uint8_t i = 0; i < 3; i++) /* each with its own last octet */
		((uint8_t *)(uintptr_t)entry->wire)[entry->records_at + 16 * i + 15] = i;
	assert_int_equal(answer(entry, 512, NOW, &reply), DNS_NOERROR); /* its id is 1 */
	for (unsigned i = 0; i < 3; i++) {
		assert_memory_equal(out + entry->records_at + 16 * i, "\xc0\x0c\0\1\0\1",
				    6);
		assert_int_equal(out[entry->records_at + 16 * i + 15], (i + 1) % 3);
	}
	assert_memory_equal(out + entry->records_at + 48, "\xc0\x0c\0\2\0\1", 6);
	free(entry);
}

static void test_what_is_no_reply_makes_no_entry(void **state)
{
	struct dname name;
	uint8_t packet[64] = {[5] = 1};
	struct entry_source source = {
		.packet = packet, .len = 12, .name = &name, .qtype = DNS_TYPE_A};
	struct entry *entry = NULL;

	(void)state;
	name_of("www.example", &name);
	assert_int_equal(entry_new(&source, scratch, &entry), GAZ_EFORMAT); /* a query */
	packet[2] = 0x80;
	packet[3] = DNS_REFUSED;
	packet[5] = 0;
	assert_int_equal(entry_new(&source, scratch, &entry), GAZ_EFORMAT);
	source.len = 11;
	assert_int_equal(entry_new(&source, scratch, &entry), GAZ_EFORMAT);
	assert_null(entry);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_cache, close_cache)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_entry_is_found_until_it_expires),
		T(test_key_is_name_type_and_dnssec),
		T(test_new_entry_replaces_the_former_one),
		T(test_memory_is_bounded_and_used_entries_stay),
		T(test_reply_has_lower_ttls),
		T(test_what_does_not_fit_stays_out_by_sections),
		T(test_addresses_take_turns),
		T(test_what_is_no_reply_makes_no_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
