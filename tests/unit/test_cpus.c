/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* sched_getcpu */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpus.h"
#include "base/thread.h"

static void test_lists_are_read_and_printed_in_one_form(void **state)
{
	static const struct {
		const char *text;
		const char *printed;
		unsigned count;
	} rows[] = {
		{"0", "0", 1},
		{"0-1,4", "0-1,4", 3},
		{"4,0-1", "0-1,4", 3},
		{"0,1,2,5,6", "0-2,5-6", 5},
		{"7-7", "7", 1},
		{"007", "7", 1},
		{"63,64", "63-64", 2},
		{"8191", "8191", 1},
		{"0-8191", "0-8191", CPUS_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cpus set;
		char text[CPUS_TEXT_SIZE];

		assert_int_equal(cpus_parse(rows[i].text, &set), GAZ_OK);
		assert_string_equal(cpus_print(&set, text), rows[i].printed);
		assert_int_equal(cpus_count(&set), rows[i].count);
	}
}

static void test_what_is_no_list_is_refused_and_changes_nothing(void **state)
{
	static const char *const wrong[] = {
		"",
		"-",
		",",
		"0,",
		",0",
		"0,,1",
		"0-",
		"-1",
		"1-0",
		"0-1-2",
		"all",
		"0 ",
		" 0",
		"0, 1",
		"+1",
		"0x1",
		"0;1",
		"0-1,1",
		"3,3",
		"8192",
		"1-8192",
		"4294967296",
		"18446744073709551616",
		"1.5",
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct cpus set = {{5}};

		assert_int_equal(cpus_parse(wrong[i], &set), GAZ_EFORMAT);
		assert_int_equal(set.bits[0], 5);
	}
}

static void test_what_has_no_room_is_cut(void **state)
{
	struct cpus set = {{0}};
	char text[CPUS_TEXT_SIZE];

	(void)state;
	assert_string_equal(cpus_print(&set, text), "");
	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu += 2)
		cpus_add(&set, cpu);
	cpus_print(&set, text);
	assert_true(strlen(text) < CPUS_TEXT_SIZE);
	assert_true(strlen(text) > CPUS_TEXT_SIZE - 10);
	assert_memory_equal(text, "0,2,4,6,8,10,", 13);
	assert_string_equal(text + strlen(text) - 4, ",...");
}

static void test_turns_go_round_in_ascending_order(void **state)
{
	static const int expected[] = {1, 2, 70, 1, 2, 70, 1};
	struct cpus set;

	(void)state;
	assert_int_equal(cpus_parse("70,1-2", &set), GAZ_OK);
	for (unsigned turn = 0; turn < sizeof expected / sizeof *expected; turn++)
		assert_int_equal(cpus_in_turn(&set, turn), expected[turn]);
	assert_int_equal(cpus_next(&set, 3), 70);
	assert_int_equal(cpus_next(&set, 71), -1);
	assert_int_equal(cpus_in_turn(&(struct cpus){{0}}, 3), -1);
}

static void test_a_set_without_another(void **state)
{
	struct cpus all;
	struct cpus some;
	struct cpus left;
	char text[CPUS_TEXT_SIZE];

	(void)state;
	assert_int_equal(cpus_parse("0-3,100-101", &all), GAZ_OK);
	assert_int_equal(cpus_parse("1,101-200", &some), GAZ_OK);
	left = cpus_subtract(&all, &some);
	assert_string_equal(cpus_print(&left, text), "0,2-3,100");
	left = cpus_subtract(&all, &all);
	assert_int_equal(cpus_count(&left), 0);
}

/* ---- threads ---- */

struct place {
	struct cpus cpus;
	int cpu;
};

static void *look_around(void *arg)
{
	struct place *place = arg;

	place->cpu = sched_getcpu();
	return thread_read_cpus(&place->cpus) == GAZ_OK ? arg : NULL;
}

static void start_on(int cpu, struct place *out)
{
	pthread_t thread;
	void *result;

	assert_int_equal(thread_start_on(cpu, &thread, "placed", THREAD_FOREMOST,
					 look_around, out),
			 GAZ_OK);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, out);
}

static void test_a_thread_begins_on_its_cpu_or_where_its_creator_may_run(void **state)
{
	struct cpus all;
	struct place place;

	(void)state;
	assert_int_equal(thread_read_cpus(&all), GAZ_OK);
	for (int cpu = cpus_next(&all, 0); cpu >= 0;
	     cpu = cpus_next(&all, (unsigned)cpu + 1)) {
		struct cpus one = {{0}};

		start_on(cpu, &place);
		assert_int_equal(place.cpu, cpu);
		cpus_add(&one, (unsigned)cpu);
		assert_memory_equal(&place.cpus, &one, sizeof one);
	}
	start_on(-1, &place);
	assert_memory_equal(&place.cpus, &all, sizeof all);
}

static void test_a_cpu_that_is_not_there_starts_no_thread(void **state)
{
	struct place place;
	pthread_t thread;
	struct cpus all;

	(void)state;
	assert_int_equal(thread_read_cpus(&all), GAZ_OK);
	if (cpus_has(&all, CPUS_MAX - 1))
		skip();
	assert_int_equal(thread_start_on(CPUS_MAX - 1, &thread, "nowhere", THREAD_BEHIND,
					 look_around, &place),
			 GAZ_EIO);
}

struct waiting {
	pthread_barrier_t told;
	struct place place;
};

static void *look_around_when_told(void *arg)
{
	struct waiting *waiting = arg;

	pthread_barrier_wait(&waiting->told);
	return look_around(&waiting->place);
}

static void test_those_that_run_are_kept_and_keep_those_they_start(void **state)
{
	struct waiting waiting;
	pthread_t before;
	struct cpus all;
	struct cpus last = {{0}};
	struct place place;

	(void)state;
	assert_int_equal(thread_read_cpus(&all), GAZ_OK);
	cpus_add(&last, (unsigned)cpus_in_turn(&all, cpus_count(&all) - 1));
	assert_int_equal(pthread_barrier_init(&waiting.told, NULL, 2), 0);
	assert_int_equal(thread_start(&before, "before", THREAD_BEHIND,
				      look_around_when_told, &waiting),
			 GAZ_OK);
	assert_int_equal(thread_keep_to(&last), GAZ_OK);
	pthread_barrier_wait(&waiting.told);
	assert_int_equal(pthread_join(before, NULL), 0);
	assert_memory_equal(&waiting.place.cpus, &last, sizeof last);
	start_on(-1, &place);
	assert_memory_equal(&place.cpus, &last, sizeof last);
	/* The others are still there for who is told so. */
	start_on(cpus_next(&all, 0), &place);
	assert_int_equal(place.cpu, cpus_next(&all, 0));
	assert_int_equal(thread_keep_to(&(struct cpus){{0}}), GAZ_EIO);
	assert_int_equal(thread_keep_to(&all), GAZ_OK);
	pthread_barrier_destroy(&waiting.told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_are_read_and_printed_in_one_form),
		cmocka_unit_test(test_what_is_no_list_is_refused_and_changes_nothing),
		cmocka_unit_test(test_what_has_no_room_is_cut),
		cmocka_unit_test(test_turns_go_round_in_ascending_order),
		cmocka_unit_test(test_a_set_without_another),
		cmocka_unit_test(
			test_a_thread_begins_on_its_cpu_or_where_its_creator_may_run),
		cmocka_unit_test(test_a_cpu_that_is_not_there_starts_no_thread),
		cmocka_unit_test(test_those_that_run_are_kept_and_keep_those_they_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
