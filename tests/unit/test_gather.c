/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/gather.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A load: what comes in a batch, and how long it takes, without a rest and with one. */
struct load {
	unsigned plain;
	unsigned plain_us;
	unsigned rested;
	unsigned rested_us;
	unsigned messages; /* that those of a rested batch leave in */
};

static struct gather gather;
static uint64_t now_ns;

static int forget(void **state)
{
	(void)state;
	gather = (struct gather){.row = 0};
	now_ns = 1;
	return 0;
}

static bool serve(const struct load *load)
{
	bool rested = gather.rested;
	unsigned count = rested ? load->rested : load->plain;

	now_ns += 1000 * (rested ? load->rested_us : load->plain_us);
	return gather_is_due(&gather, now_ns, count, count,
			     rested ? load->messages : count);
}

/* How many rests there are in so many batches. */
static unsigned count_rests(const struct load *load, unsigned batches)
{
	unsigned count = 0;

	while (batches-- > 0)
		count += serve(load);
	return count;
}

/* Many under way from few ports. */
static const struct load busy = {6, 40, 25, 160, 9};

/* Queries come one by one, and now and then two or three. */
static void test_light_load_never_rests(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		assert_false(gather_is_due(&gather, now_ns += 100000, i % 4, i % 4,
					   i % 4 ? 1 : 0));
}

static void test_nothing_is_tried_before_it_is_known_how_it_is_without(void **state)
{
	(void)state;
	assert_int_equal(count_rests(&busy, GATHER_WINDOW - 1), 0);
	assert_true(serve(&busy));
}

static void test_rests_go_on_while_they_pay(void **state)
{
	(void)state;
	/* But for a look, now and then, at how it is without them. */
	assert_in_range(count_rests(&busy, 100000), 98000, 99000);
}

static void test_the_end_of_the_load_ends_the_rests_at_once(void **state)
{
	static const struct load light = {1, 1000, 1, 1000, 1};

	(void)state;
	while (gather.row > GATHER_ROW / 2 || gather.row == 0)
		(void)serve(&busy);
	assert_true(gather.rested);
	assert_int_equal(count_rests(&light, 100000), 0);
	/* That was no failure: with the load the rests come back. */
	assert_in_range(count_rests(&busy, 100), 80, 100);
}

/* Each try is of a window at most, and a pause follows that is soon long. */
static void expect_rare(struct load load)
{
	unsigned count;

	forget(NULL);
	count = count_rests(&load, 1000000);
	assert_in_range(count, 100, 1000000 / GATHER_PAUSE_MAX * (GATHER_WINDOW + 2));
}

static void test_tries_that_fail_become_rare(void **state)
{
	(void)state;
	expect_rare((struct load){6, 40, 25, 160, 25}); /* a port for each query */
	expect_rare((struct load){6, 40, 25, 160, 17}); /* nearly */
	expect_rare((struct load){8, 40, 8, 40, 1});	/* no more come in the time */
	expect_rare((struct load){8, 40, 11, 40, 1});
	expect_rare((struct load){8, 40, 16, 110, 1}); /* more, but later */
	expect_rare((struct load){8, 40, 0, 100, 0});
	forget(NULL); /* the limits */
	assert_true(count_rests(&(struct load){8, 40, 12, 80, 8}, 100000) > 98000);
}

static void test_a_try_that_pays_ends_the_pauses(void **state)
{
	static const struct load bad = {6, 40, 25, 160, 25};

	(void)state;
	(void)count_rests(&bad, 100000);
	assert_true(gather.failures > 5);
	for (unsigned i = 0; !serve(&busy); i++)
		assert_true(i <= GATHER_PAUSE_MAX + GATHER_WINDOW);
	(void)count_rests(&busy, GATHER_WINDOW);
	assert_int_equal(gather.failures, 0);
	(void)count_rests(&bad, GATHER_WINDOW); /* and they are short again */
	assert_int_equal(gather.failures, 1);
	assert_true(gather.pause <= GATHER_WINDOW);
}

/* A try of so many rests, at the end of which there is a single query; gives how many
 * batches there are until the next. */
static unsigned try_until_quiet(unsigned rests)
{
	unsigned plain = 0;

	while (!gather.rested)
		(void)serve(&busy);
	for (unsigned i = 1; i < rests; i++)
		assert_true(serve(&busy));
	assert_false(gather_is_due(&gather, now_ns += 1000000, 1, 1, 1));
	do
		plain++;
	while (!serve(&busy));
	return plain - 1;
}

/* Within a window it is not known that rests pay: who asks a few at once, now and then,
 * would have each of his last queries wait. */
static void test_a_try_that_finds_quiet_within_a_window_has_failed(void **state)
{
	unsigned pause = GATHER_WINDOW;

	(void)state;
	for (unsigned i = 0; i < 4; i++, pause *= 2)
		assert_int_equal(try_until_quiet(GATHER_WINDOW), pause);
	forget(NULL);
	for (unsigned i = 0; i < 3; i++)
		(void)try_until_quiet(1 + i % GATHER_WINDOW);
	assert_int_equal(gather.failures, 3);
}

static void test_the_end_of_the_load_after_a_window_is_no_failure(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(try_until_quiet(GATHER_WINDOW + 1 + i), GATHER_WINDOW);
		assert_int_equal(gather.failures, 0);
	}
}

static void test_large_batches_need_no_rest(void **state)
{
	static const struct load large = {GATHER_QUERIES_MAX, 100, 64, 200, 1};

	(void)state;
	assert_int_equal(count_rests(&large, 100000), 0);
}

static void test_between_rests_a_large_batch_needs_none(void **state)
{
	(void)state;
	while (gather.row == 0 || gather.row > GATHER_ROW / 2)
		(void)serve(&busy);
	assert_false(gather_is_due(&gather, now_ns += 160000, GATHER_QUERIES_MAX,
				   GATHER_QUERIES_MAX, 5));
	assert_true(gather_is_due(&gather, now_ns += 100000, 1, 1, 1));
}

static void test_what_is_not_answered_is_no_load(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_false(gather_is_due(&gather, now_ns += 40000, 30,
					   GATHER_REPLIES_MIN - 1, 1));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, forget)
	const struct CMUnitTest tests[] = {
		T(test_light_load_never_rests),
		T(test_nothing_is_tried_before_it_is_known_how_it_is_without),
		T(test_rests_go_on_while_they_pay),
		T(test_the_end_of_the_load_ends_the_rests_at_once),
		T(test_tries_that_fail_become_rare),
		T(test_a_try_that_pays_ends_the_pauses),
		T(test_a_try_that_finds_quiet_within_a_window_has_failed),
		T(test_the_end_of_the_load_after_a_window_is_no_failure),
		T(test_large_batches_need_no_rest),
		T(test_between_rests_a_large_batch_needs_none),
		T(test_what_is_not_answered_is_no_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
