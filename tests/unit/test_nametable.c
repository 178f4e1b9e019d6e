/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <urcu.h>

#include "base/rng.h"
#include "zone/nametable.h"

static bool has_no_memory;

void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return has_no_memory ? NULL : __real_aligned_alloc(align, size);
}

struct item {
	struct nametable_entry entry;
	uint64_t key;
};

static bool has_key(const void *entry, const void *key)
{
	return ((const struct item *)entry)->key == *(const uint64_t *)key;
}

/* Few values, so that buckets overflow. */
static uint64_t hash_of(uint64_t key, bool crowded)
{
	return crowded ? (key % 3) << 48 | 5 : key * 0x9e3779b97f4a7c15u;
}

static void run(bool crowded, uint64_t count)
{
	struct nametable table;
	struct item *items = calloc(count, sizeof *items);

	assert_non_null(items);
	assert_int_equal(nametable_init(&table), GAZ_OK);
	for (uint64_t i = 0; i < count; i++) {
		items[i].key = i;
		items[i].entry.hash = (uint32_t)hash_of(i, crowded);
		assert_int_equal(nametable_insert(&table, hash_of(i, crowded), &items[i]),
				 GAZ_OK);
	}
	for (uint64_t i = 0; i < 2 * count; i++) {
		void *found =
			nametable_find(&table, hash_of(i, crowded), has_key, &i, NULL);

		assert_ptr_equal(found, i < count ? &items[i] : NULL);
	}
	for (uint64_t i = 0; i < count; i += 2) {
		nametable_slot *slot = NULL;

		assert_non_null(
			nametable_find(&table, hash_of(i, crowded), has_key, &i, &slot));
		nametable_clear(&table, slot);
	}
	for (uint64_t i = 0; i < count; i++) {
		void *found =
			nametable_find(&table, hash_of(i, crowded), has_key, &i, NULL);

		assert_ptr_equal(found, i % 2 ? &items[i] : NULL);
	}
	assert_int_equal(table.count, count / 2);
	nametable_fini(&table);
	free(items);
}

static void test_entries_survive_growth(void **state)
{
	(void)state;
	run(false, 50000);
}

static void test_crowded_buckets_overflow(void **state)
{
	(void)state;
	run(true, 300);
}

static void test_reserved_slot_is_invisible(void **state)
{
	struct nametable table;
	nametable_slot *slot;
	uint64_t key = 0;

	(void)state;
	assert_int_equal(nametable_init(&table), GAZ_OK);
	assert_int_equal(nametable_reserve(&table, 0, &slot), GAZ_OK);
	assert_null(nametable_find(&table, 0, has_key, &key, NULL));
	assert_null(nametable_find(&table, (uint64_t)1 << 48, has_key, &key, NULL));
	nametable_clear(&table, slot);
	assert_int_equal(table.count, 0);
	nametable_fini(&table);
}

static gaz_status grow_without_memory(struct nametable *table, size_t more)
{
	gaz_status st;

	has_no_memory = true;
	st = nametable_grow(table, more);
	has_no_memory = false;
	return st;
}

/* A table that is worn or too large does its work: a new one would be better, but is
 * not needed. */
static void test_table_with_room_needs_no_memory(void **state)
{
	static struct item items[5000];
	struct nametable table;
	nametable_slot *slot;

	(void)state;
	assert_int_equal(nametable_init(&table), GAZ_OK);
	for (uint64_t i = 0; i < 60; i++) {
		items[i] = (struct item){{(uint32_t)hash_of(i, true)}, i};
		assert_int_equal(grow_without_memory(&table, 1), GAZ_OK);
		assert_int_equal(nametable_reserve(&table, hash_of(i, true), &slot),
				 GAZ_OK);
		nametable_fill(slot, hash_of(i, true), &items[i]);
	}
	assert_int_equal(grow_without_memory(&table, 5000), GAZ_ENOMEM);
	for (uint64_t i = 60; i < 5000; i++) {
		items[i] = (struct item){{(uint32_t)hash_of(i, false)}, i};
		assert_int_equal(nametable_insert(&table, hash_of(i, false), &items[i]),
				 GAZ_OK);
	}
	for (uint64_t i = 10; i < 5000; i++) {
		uint64_t hash = hash_of(i, i < 60);

		assert_non_null(nametable_find(&table, hash, has_key, &i, &slot));
		nametable_clear(&table, slot);
	}
	assert_int_equal(grow_without_memory(&table, 1), GAZ_OK);
	for (uint64_t i = 0; i < 10; i++)
		assert_ptr_equal(
			nametable_find(&table, hash_of(i, true), has_key, &i, NULL),
			&items[i]);
	nametable_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_survive_growth),
		cmocka_unit_test(test_crowded_buckets_overflow),
		cmocka_unit_test(test_reserved_slot_is_invisible),
		cmocka_unit_test(test_table_with_room_needs_no_memory),
	};
	int failed;

	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_barrier();
	rcu_unregister_thread();
	return failed;
}
