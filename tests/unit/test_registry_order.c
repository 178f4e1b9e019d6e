/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "fixture_registry.h"

/* Namespaces and services are listed in the order of the calls that created them, however
 * many of these are made within a millisecond, and whenever they end. */

enum {
	DELAY_MS = 1000,
};

static const int64_t START_MS = 1700000000000;

static struct fixture f;

static int set_up(void **state)
{
	(void)state;
	return (int)fixture_init_at(&f, START_MS);
}

static int tear_down(void **state)
{
	(void)state;
	fixture_fini(&f);
	return 0;
}

static void test_what_ends_at_once(void **state)
{
	struct page_in in = {0};
	struct namespace_page_out page = {0};
	const char *ids[8];
	const char *service_ids[8];
	struct service_page_out services = {0};

	(void)state;
	for (int i = 0; i < 8; i++) {
		char name[24];

		(void)snprintf(name, sizeof name, "n%d.test", i);
		assert_int_equal(fixture_create_namespace(&f, name, NULL, &ids[i]),
				 GAZ_OK);
		assert_int_equal(
			fixture_create_service(&f, ids[0], name, &service_ids[i]),
			GAZ_OK);
	}
	assert_int_equal(fixture_read(&f, namespace_list, &in, &page), GAZ_OK);
	assert_int_equal(page.count, 8);
	assert_int_equal(fixture_read(&f, service_list, &in, &services), GAZ_OK);
	assert_int_equal(services.count, 8);
	for (int i = 0; i < 8; i++) {
		assert_string_equal(page.items[i].id, ids[i]);
		assert_string_equal(services.items[i].id, service_ids[i]);
	}
	assert_int_equal(page.items[7].create_ms, START_MS + 7);
}

/* ---- operations that wait ---- */

/* @return the operation's id */
static const char *begin_namespace(int number)
{
	char name[24];
	struct create_namespace_in in = {.name = name};
	struct operation_started_out started;

	(void)snprintf(name, sizeof name, "n%03d", number);
	assert_int_equal(fixture_mutate(&f, namespace_create_http, &in, &started),
			 GAZ_OK);
	return arena_strdup(&f.arena, started.operation_id);
}

static enum operation_status status_of(const char *operation_id)
{
	struct get_operation_in get = {.operation_id = operation_id};
	struct operation_record op;

	assert_int_equal(fixture_read(&f, operation_get, &get, &op), GAZ_OK);
	return op.status;
}

static void wait_for_success(const char *operation_id)
{
	for (int i = 0; i < 60000; i++) {
		if (status_of(operation_id) == OPERATION_SUCCESS)
			return;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	fail_msg("the operation waits for longer than the delay");
}

static void wait_for_all(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	static const char *waiting[] = {"SUBMITTED", "PENDING"};
	struct filter filter = {.name = OPERATION_FILTER_STATUS,
				.condition = CONDITION_IN,
				.values = {waiting, 2, true}};
	struct page_in in = {.filters = {&filter, 1, true}};
	struct operation_page_out page;

	for (int i = 0; i < 60000; i++) {
		page = (struct operation_page_out){0};
		assert_int_equal(fixture_read(&f, operation_list, &in, &page), GAZ_OK);
		if (page.count == 0)
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("operations do not end");
}

static void assert_listed_in_order(int count)
{
	struct page_in in = {.max_results = {true, 100}};
	struct namespace_page_out page = {0};

	assert_int_equal(fixture_read(&f, namespace_list, &in, &page), GAZ_OK);
	assert_int_equal(page.count, count);
	for (int i = 0; i < count; i++) {
		char name[24];

		(void)snprintf(name, sizeof name, "n%03d", i);
		assert_string_equal(page.items[i].name, name);
		assert_true(i == 0 ||
			    page.items[i].create_ms > page.items[i - 1].create_ms);
	}
}

static void test_what_ends_in_one_millisecond(void **state)
{
	(void)state;
	fixture_reopen_at(&f, START_MS, DELAY_MS);
	for (int i = 0; i < 20; i++)
		begin_namespace(i);
	fixture_reopen_at(&f, START_MS + 10 * DELAY_MS, DELAY_MS);
	wait_for_all();
	assert_listed_in_order(20);
}

static void test_what_is_begun_before_and_after_a_restart(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		fixture_reopen_at(&f, START_MS, DELAY_MS);
		begin_namespace(i);
	}
	fixture_reopen_at(&f, START_MS + 10 * DELAY_MS, DELAY_MS);
	wait_for_all();
	assert_listed_in_order(20);
}

/* Registrations between them have no order to keep, and wait no longer than they shall. */
static void test_instances_are_not_put_off(void **state)
{
	const char *last;
	const char *ns;
	const char *svc;

	(void)state;
	assert_int_equal(fixture_create_namespace(&f, "a.test", NULL, &ns), GAZ_OK);
	assert_int_equal(fixture_create_service(&f, ns, "web", &svc), GAZ_OK);
	svc = arena_strdup(&f.arena, svc);
	fixture_reopen_at(&f, START_MS + 1, DELAY_MS);
	for (int i = 0; i < 100; i++) {
		char id[24];

		begin_namespace(i);
		(void)snprintf(id, sizeof id, "i%d", i);
		assert_int_equal(fixture_register(&f, svc, id, "10.0.0.1", &last),
				 GAZ_OK);
	}
	fixture_reopen_at(&f, START_MS + 1 + DELAY_MS, DELAY_MS);
	wait_for_success(last);
}

/* Nor does a new creation wait for one that got a much longer delay by a former start. */
static void test_a_longer_delay_is_over_with_its_start(void **state)
{
	const char *first;
	const char *second;

	(void)state;
	fixture_reopen_at(&f, START_MS, 3600000);
	first = begin_namespace(0);
	fixture_reopen_at(&f, START_MS + 1, DELAY_MS);
	second = begin_namespace(1);
	fixture_reopen_at(&f, START_MS + 1 + DELAY_MS, DELAY_MS);
	wait_for_success(second);
	assert_int_not_equal(status_of(first), OPERATION_SUCCESS);
}

/* Clients look for operations by the time that they end. */
static void test_a_clock_that_has_gone_far_back_is_believed(void **state)
{
	struct page_in in = {0};
	struct namespace_page_out page = {0};
	const char *id;

	(void)state;
	assert_int_equal(fixture_create_namespace(&f, "a.test", NULL, &id), GAZ_OK);
	fixture_reopen_at(&f, START_MS - 600000, 0);
	assert_int_equal(fixture_create_namespace(&f, "b.test", NULL, &id), GAZ_OK);
	assert_int_equal(fixture_read(&f, namespace_list, &in, &page), GAZ_OK);
	assert_int_equal(page.count, 2);
	assert_string_equal(page.items[0].name, "b.test");
	assert_int_equal(page.items[0].create_ms, START_MS - 600000);
}

/* The clock is set back by an hour while the daemon is down: what was begun before ends
 * nevertheless, also beside what is begun now; that waits as long as ever. */
static void test_what_waits_when_the_clock_goes_back(void **state)
{
	const char *before[3];
	const char *later;
	enum operation_status status;

	(void)state;
	fixture_reopen_at(&f, START_MS, DELAY_MS);
	for (int i = 0; i < 3; i++)
		before[i] = begin_namespace(i);
	fixture_reopen_at(&f, START_MS - 3600000, DELAY_MS);
	later = begin_namespace(3);
	for (int i = 0; i < 3; i++)
		wait_for_success(before[i]);
	status = status_of(later);
	assert_true(status == OPERATION_SUBMITTED || status == OPERATION_PENDING);
	fixture_reopen_at(&f, START_MS - 3600000 + DELAY_MS, DELAY_MS);
	wait_for_success(later);
}

/* ---- many ---- */

static size_t check_services(const char *namespace_id)
{
	struct filter filter = {.name = SERVICE_FILTER_NAMESPACE_ID,
				.condition = CONDITION_EQ,
				.values = {&namespace_id, 1, true}};
	struct page_in in = {.max_results = {true, 100}, .filters = {&filter, 1, true}};
	size_t count = 0;

	do {
		struct service_page_out page = {0};

		assert_int_equal(fixture_read(&f, service_list, &in, &page), GAZ_OK);
		for (size_t i = 0; i < page.count; i++, count++) {
			char name[24];

			(void)snprintf(name, sizeof name, "s%zu", count);
			assert_string_equal(page.items[i].name, name);
		}
		in.next_token = page.next_token;
	} while (in.next_token);
	return count;
}

static void test_thousands_within_a_millisecond(void **state)
{
	enum {
		COUNT = 2500,
	};
	const char *ns;
	const char *svc;

	(void)state;
	assert_int_equal(fixture_create_namespace(&f, "a.test", NULL, &ns), GAZ_OK);
	ns = arena_strdup(&f.arena, ns);
	for (int i = 0; i < COUNT; i++) {
		char name[24];

		/* The clock goes back by a minute, once. */
		if (i == COUNT / 2)
			fixture_reopen_at(&f, START_MS - 60000, 0);
		(void)snprintf(name, sizeof name, "s%d", i);
		assert_int_equal(fixture_create_service(&f, ns, name, &svc), GAZ_OK);
	}
	assert_int_equal(check_services(ns), COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_REGISTRY(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
		WITH_REGISTRY(test_what_ends_at_once),
		WITH_REGISTRY(test_what_ends_in_one_millisecond),
		WITH_REGISTRY(test_what_is_begun_before_and_after_a_restart),
		WITH_REGISTRY(test_instances_are_not_put_off),
		WITH_REGISTRY(test_what_waits_when_the_clock_goes_back),
		WITH_REGISTRY(test_a_longer_delay_is_over_with_its_start),
		WITH_REGISTRY(test_a_clock_that_has_gone_far_back_is_believed),
		WITH_REGISTRY(test_thousands_within_a_millisecond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
