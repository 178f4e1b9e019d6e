/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "api/rate.h"

enum {
	START_MS = 1000000,
};

static struct rate_table *make(uint32_t per_second, uint32_t burst)
{
	const struct rate_limit limits[RATE_KIND_COUNT] = {
		[RATE_OTHER] = {per_second, burst},
		[RATE_DISCOVER_INSTANCES] = {per_second, burst},
	};
	struct rate_table *table;

	assert_int_equal(rate_new(limits, &table), GAZ_OK);
	return table;
}

static bool take(struct rate_table *table, int64_t now_ms)
{
	return rate_take(table, RATE_OTHER, "us-east-1", "000000000000", now_ms);
}

static unsigned drain(struct rate_table *table, int64_t now_ms)
{
	unsigned count = 0;

	while (count < 1000000 && take(table, now_ms))
		count++;
	return count;
}

static void test_without_limits_there_is_no_table(void **state)
{
	struct rate_table *table = make(0, 0);

	(void)state;
	assert_null(table);
	assert_true(take(table, START_MS));
	rate_free(&table);
}

static void test_bucket_holds_its_burst_and_refills_at_its_rate(void **state)
{
	struct rate_table *table = make(10, 20);

	(void)state;
	assert_int_equal(drain(table, START_MS), 20);
	assert_false(take(table, START_MS + 99));
	assert_true(take(table, START_MS + 100));
	assert_false(take(table, START_MS + 100));
	assert_int_equal(drain(table, START_MS + 600), 5);
	assert_int_equal(drain(table, START_MS + 3600000), 20);
	rate_free(&table);
}

static void test_polling_does_not_lose_fractions(void **state)
{
	struct rate_table *table = make(3, 1);
	unsigned taken = 0;

	(void)state;
	for (int64_t ms = 0; ms < 10000; ms++)
		taken += take(table, START_MS + ms);
	assert_in_range(taken, 29, 31);
	rate_free(&table);
}

static void test_clock_that_goes_back_gives_nothing_and_takes_nothing(void **state)
{
	struct rate_table *table = make(10, 20);

	(void)state;
	assert_int_equal(drain(table, START_MS), 20);
	assert_false(take(table, START_MS - 500000));
	assert_true(take(table, START_MS - 500000 + 100));
	rate_free(&table);
}

static void test_extreme_figures_do_not_overflow(void **state)
{
	struct rate_table *table = make(UINT32_MAX, UINT32_MAX);

	(void)state;
	assert_true(take(table, 0));
	assert_true(take(table, INT64_MAX));
	assert_true(take(table, 1));
	assert_true(take(table, INT64_MAX));
	rate_free(&table);
}

static void test_callers_and_kinds_have_buckets_of_their_own(void **state)
{
	struct rate_table *table = make(1, 1);

	(void)state;
	assert_true(take(table, START_MS));
	assert_false(take(table, START_MS));
	assert_true(rate_take(table, RATE_OTHER, "us-east-2", "000000000000", START_MS));
	assert_true(rate_take(table, RATE_OTHER, "us-east-1", "000000000001", START_MS));
	/* The texts are kept apart. */
	assert_true(rate_take(table, RATE_OTHER, "us-east-10", "00000000000", START_MS));
	assert_true(rate_take(table, RATE_DISCOVER_INSTANCES, "us-east-1", "000000000000",
			      START_MS));
	for (int i = 0; i < 10; i++)
		assert_true(rate_take(table, RATE_DISCOVER_INSTANCES_REVISION,
				      "us-east-1", "000000000000", START_MS));
	rate_free(&table);
}

static void test_a_flood_of_callers_is_served_from_a_fixed_table(void **state)
{
	struct rate_table *table = make(1, 1);
	char region[32];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		(void)snprintf(region, sizeof region, "r-%d", i);
		assert_true(rate_take(table, RATE_OTHER, region, "0", START_MS));
	}
	rate_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_limits_there_is_no_table),
		cmocka_unit_test(test_bucket_holds_its_burst_and_refills_at_its_rate),
		cmocka_unit_test(test_polling_does_not_lose_fractions),
		cmocka_unit_test(
			test_clock_that_goes_back_gives_nothing_and_takes_nothing),
		cmocka_unit_test(test_extreme_figures_do_not_overflow),
		cmocka_unit_test(test_callers_and_kinds_have_buckets_of_their_own),
		cmocka_unit_test(test_a_flood_of_callers_is_served_from_a_fixed_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
