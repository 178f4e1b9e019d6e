/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "fixture_registry.h"
#include "registry/apex.h"
#include "registry/schema.h"
#include "store/changeset.h"

/* Operations whose stored intent is damaged end as failed, hold up no others, and
 * give back what they had reserved. And the serial, of which a client sees only
 * the first few values. */

enum {
	START_MS = 1700000000,
	DELAY_MS = 1000,
	LOCKS_LEN = 1, /* the count before the locks */
};

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

/* Cut the intents of all pending operations but the first few; the locks stay whole. */
static void damage_intents(size_t left, size_t spared)
{
	struct store_txn *txn = NULL;
	struct store_cursor *cursor = NULL;
	struct changeset changes;
	struct span key;
	struct span value;
	gaz_status st;

	registry_close(&f.registry);
	changeset_init(&changes);
	assert_int_equal(store_begin_write(f.store, &txn), GAZ_OK);
	assert_int_equal(store_cursor_open(txn, TABLE_PENDING, &cursor), GAZ_OK);
	for (st = store_cursor_seek(cursor, (struct span){NULL, 0}, &key, &value);
	     st == GAZ_OK; st = store_cursor_next(cursor, &key, &value)) {
		size_t locks;

		if (spared > 0) {
			spared--;
			continue;
		}
		locks = LOCKS_LEN + value.data[0] * (size_t)ID_DIGEST_LEN;
		assert_true(value.len > locks + left);
		changeset_put(&changes, TABLE_PENDING, key,
			      (struct span){value.data, locks + left});
	}
	store_cursor_close(&cursor);
	assert_true(changes.count > 0);
	assert_int_equal(store_apply(txn, &changes), GAZ_OK);
	assert_int_equal(store_commit(&txn), GAZ_OK);
	changeset_fini(&changes);
}

/* The oldest operation cannot be read any more, from some octet on. */
static void damage_oldest_operation(size_t len)
{
	struct store_txn *txn = NULL;
	struct store_cursor *cursor = NULL;
	struct changeset changes;
	struct span key;
	struct span value;

	registry_close(&f.registry);
	changeset_init(&changes);
	assert_int_equal(store_begin_write(f.store, &txn), GAZ_OK);
	assert_int_equal(store_cursor_open(txn, TABLE_OPERATION, &cursor), GAZ_OK);
	assert_int_equal(store_cursor_seek(cursor, (struct span){NULL, 0}, &key, &value),
			 GAZ_OK);
	changeset_put(&changes, TABLE_OPERATION, key,
		      (struct span){value.data, value.len < len ? value.len - 1 : len});
	store_cursor_close(&cursor);
	assert_int_equal(store_apply(txn, &changes), GAZ_OK);
	assert_int_equal(store_commit(&txn), GAZ_OK);
	changeset_fini(&changes);
}

static struct operation_record wait_for_the_end(const char *id)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct operation_record op;

	for (int i = 0; i < 60000; i++) {
		assert_int_equal(fixture_read(&f, operation_get,
					      &(struct get_operation_in){id, NULL}, &op),
				 GAZ_OK);
		if (op.status == OPERATION_SUCCESS || op.status == OPERATION_FAIL)
			return op;
		nanosleep(&pause, NULL);
	}
	fail_msg("operation %s does not end", id);
	return op;
}

static void assert_internal_failure(const char *id)
{
	struct operation_record op = wait_for_the_end(id);

	assert_int_equal(op.status, OPERATION_FAIL);
	assert_string_equal(op.error_code, "INTERNAL_FAILURE");
	assert_non_null(op.error_message);
}

static void test_abandoned_namespace_gives_its_place_back(void **state)
{
	struct create_namespace_in in = {.name = "a.example", .vpc = "vpc-a"};
	struct operation_started_out started;
	const char *id;

	(void)state;
	f.config.max_namespaces = 1;
	fixture_reopen_at(&f, START_MS, DELAY_MS);
	assert_int_equal(fixture_mutate(&f, namespace_create_private_dns, &in, &started),
			 GAZ_OK);
	in.name = "b.example";
	assert_int_equal(fixture_mutate(&f, namespace_create_private_dns, &in,
					&(struct operation_started_out){0}),
			 GAZ_EREFUSED);
	assert_int_equal(f.fault.code, FAULT_RESOURCE_LIMIT_EXCEEDED);

	damage_intents(3, 0);
	fixture_reopen_at(&f, START_MS + 2 * DELAY_MS, 0);
	assert_internal_failure(started.operation_id);
	assert_int_equal(fixture_names(&f), 0);
	assert_int_equal(fixture_create_namespace(&f, "a.example", "vpc-a", &id), GAZ_OK);
	assert_int_equal(fixture_names(&f), 1);
}

static void check_abandoned_registration(size_t left)
{
	struct operation_started_out started;
	const char *ns;
	const char *svc;
	const char *operation_id;

	assert_int_equal(fixture_create_namespace(&f, "a.example", "vpc-a", &ns), GAZ_OK);
	assert_int_equal(fixture_create_service(&f, ns, "web", &svc), GAZ_OK);
	f.config.max_instances_per_service = 1;
	fixture_reopen_at(&f, START_MS, DELAY_MS);
	assert_int_equal(fixture_register(&f, svc, "i", "10.0.0.1", &operation_id),
			 GAZ_OK);
	assert_int_equal(fixture_register(&f, svc, "j", "10.0.0.2", NULL), GAZ_EREFUSED);

	damage_intents(left, 0);
	fixture_reopen_at(&f, START_MS + 2 * DELAY_MS, 0);
	assert_internal_failure(operation_id);
	assert_int_equal(fixture_register(&f, svc, "i", "10.0.0.1", NULL), GAZ_OK);
	assert_int_equal(fixture_mutate(&f, instance_deregister,
					&(struct instance_in){svc, "i"}, &started),
			 GAZ_OK);
	assert_int_equal(fixture_mutate(&f, service_delete, &(struct id_in){svc}, NULL),
			 GAZ_OK);
}

static void test_abandoned_registration_gives_its_place_back(void **state)
{
	(void)state;
	/* The service's id, with its length, can still be read. */
	check_abandoned_registration(40);
}

static const char *start_create(const char *name)
{
	struct create_namespace_in in = {.name = name};
	struct operation_started_out started;

	assert_int_equal(fixture_mutate(&f, namespace_create_http, &in, &started),
			 GAZ_OK);
	return started.operation_id;
}

static void test_only_the_damaged_one_of_those_due_fails(void **state)
{
	const char *first;
	const char *damaged;
	const char *last;

	(void)state;
	fixture_reopen_at(&f, START_MS, DELAY_MS);
	first = start_create("a");
	fixture_reopen_at(&f, START_MS + 1, DELAY_MS);
	damaged = start_create("b");
	damage_intents(0, 1);
	fixture_reopen_at(&f, START_MS + 2, DELAY_MS);
	last = start_create("c");
	fixture_reopen_at(&f, START_MS + 2 * DELAY_MS, 0);
	assert_internal_failure(damaged);
	assert_int_equal(wait_for_the_end(first).status, OPERATION_SUCCESS);
	assert_int_equal(wait_for_the_end(last).status, OPERATION_SUCCESS);
}

static void test_serial_goes_round_past_zero(void **state)
{
	struct apex_values values = apex_route53;

	(void)state;
	assert_int_equal(apex_serial(&values, 12345), 1);
	values.counting = true;
	assert_int_equal(apex_serial(&values, 0), 1);
	assert_int_equal(apex_serial(&values, 1), 2);
	assert_int_equal(apex_serial(&values, UINT32_MAX - 1), UINT32_MAX);
	assert_int_equal(apex_serial(&values, UINT32_MAX), 1);
	assert_int_equal(apex_serial(&values, 2 * (uint64_t)UINT32_MAX + 5), 6);
}

static void work_on_with_damage(size_t len)
{
	struct text_pair pair = {"AWS_INSTANCE_IPV4", "10.0.0.3"};
	struct register_instance_in in = {.instance_id = "i-3",
					  .creator_request_id = "token",
					  .attributes = {&pair, 1, true}};
	struct operation_started_out started = {0};
	const char *ns;
	const char *svc;

	assert_int_equal(fixture_create_namespace(&f, "a.test", NULL, &ns), GAZ_OK);
	assert_int_equal(fixture_create_service(&f, ns, "s", &svc), GAZ_OK);
	damage_oldest_operation(len);
	f.config.operation_max = 1;
	fixture_reopen_at(&f, START_MS + 1, 0);
	assert_int_equal(fixture_register(&f, svc, "i-1", "10.0.0.1", NULL), GAZ_OK);
	assert_int_equal(fixture_register(&f, svc, "i-2", "10.0.0.2", NULL), GAZ_OK);
	in.service_id = svc;
	assert_int_equal(fixture_mutate(&f, instance_register, &in, &started), GAZ_OK);
}

static void test_damaged_oldest_operation_does_not_stop_calls(void **state)
{
	(void)state;
	work_on_with_damage(SIZE_MAX);
}

/* Also where it cannot be seen whether it has a token. */
static void test_operation_without_a_head_does_not_stop_calls(void **state)
{
	(void)state;
	work_on_with_damage(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_abandoned_namespace_gives_its_place_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_abandoned_registration_gives_its_place_back, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_only_the_damaged_one_of_those_due_fails, set_up, tear_down),
		cmocka_unit_test(test_serial_goes_round_past_zero),
		cmocka_unit_test_setup_teardown(
			test_damaged_oldest_operation_does_not_stop_calls, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_operation_without_a_head_does_not_stop_calls, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
