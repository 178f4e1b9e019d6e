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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_survive_growth),
		cmocka_unit_test(test_crowded_buckets_overflow),
		cmocka_unit_test(test_reserved_slot_is_invisible),
	};
	int failed;

	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_barrier();
	rcu_unregister_thread();
	return failed;
}
