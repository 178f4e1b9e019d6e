/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_registry.h"
#include "registry/check.h"
#include "registry/operation_recent.h"

/* Which operation a list begins with, remembered: never of one that it does not begin
 * with any more, whatever was refused, rolled back, swept or begun anew meanwhile. */

enum {
	SERVICES = 6,
	STEPS = 600,
	KEPT = 12, /* operations */
	LIMIT = 3, /* instances of a service, so that calls are refused */
};

static struct key key_of(const char *text)
{
	struct key key = {.len = 0};

	key_put(&key, text, strlen(text));
	return key;
}

static void test_tells_others_from_the_first_of_a_list(void **state)
{
	struct operation_recent *recent = NULL;
	struct key a = key_of("a");
	struct key b = key_of("b");
	struct key one = key_of("one");
	struct key two = key_of("two");

	(void)state;
	assert_int_equal(operation_recent_new(&recent), GAZ_OK);
	assert_false(operation_recent_is_other(recent, &a, key_span(&one)));
	operation_recent_note(recent, &a, key_span(&two));
	assert_true(operation_recent_is_other(recent, &a, key_span(&one)));
	assert_false(operation_recent_is_other(recent, &a, key_span(&two)));
	assert_false(operation_recent_is_other(recent, &b, key_span(&one)));
	operation_recent_note(recent, &a, key_span(&one));
	assert_false(operation_recent_is_other(recent, &a, key_span(&one)));
	operation_recent_note(recent, &a, (struct span){NULL, 0});
	assert_false(operation_recent_is_other(recent, &a, key_span(&two)));
	operation_recent_note(recent, &b, key_span(&two));
	operation_recent_forget(recent);
	assert_false(operation_recent_is_other(recent, &b, key_span(&one)));
	operation_recent_free(&recent);
	assert_null(recent);
	operation_recent_free(&recent);
}

/* ---- in a registry ---- */

static struct fixture f;
static const char *services[SERVICES];
static uint64_t random_state = 3;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % below;
}

static void on_fault(void *arg, const char *table, struct span key, const char *what)
{
	(void)arg;
	(void)key;
	fail_msg("%s: %s", table, what);
}

static void on_progress(void *arg, const char *table, size_t done, size_t total)
{
	(void)arg;
	(void)table;
	(void)done;
	(void)total;
}

static void check_all(void)
{
	const struct check_listener listener = {NULL, on_fault, on_progress};
	struct check_result result = {0};

	assert_int_equal(check_store(f.store, &listener, &result), GAZ_OK);
}

static void open_with_services(void)
{
	const char *ns;

	memset(&f, 0, sizeof f);
	f.config.clock.fixed_ms = 1700000000000;
	assert_int_equal(fixture_init(&f), GAZ_OK);
	fixture_close(&f);
	f.config.operation_max = KEPT;
	f.config.max_instances_per_service = LIMIT;
	assert_int_equal(fixture_open(&f), GAZ_OK);
	assert_int_equal(fixture_create_namespace(&f, "a.example", NULL, &ns), GAZ_OK);
	for (unsigned i = 0; i < SERVICES; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "s%u", i);
		assert_int_equal(fixture_create_service(&f, ns, name, &services[i]),
				 GAZ_OK);
	}
}

/* Calls that come to nothing when they have done all. */
static gaz_status register_then_refuse(struct call *call, const void *in, void *out)
{
	gaz_status st = instance_register(call, in, out);

	return st == GAZ_OK ? fault_set(&call->fault, FAULT_INVALID_INPUT, "no") : st;
}

static gaz_status register_then_fail(struct call *call, const void *in, void *out)
{
	gaz_status st = instance_register(call, in, out);

	return st == GAZ_OK ? GAZ_ENOMEM : st;
}

static gaz_status register_at(unsigned service, unsigned number, registry_run *run)
{
	struct text_pair pair = {"AWS_INSTANCE_IPV4", "192.0.2.1"};
	struct register_instance_in in = {.service_id = services[service],
					  .attributes = {&pair, 1, true}};
	struct operation_started_out out;
	char id[16];

	(void)snprintf(id, sizeof id, "i-%u", number);
	in.instance_id = id;
	return fixture_mutate(&f, run, &in, &out);
}

/* A list of one operation, and one that came to nothing: then the former grows old. */
static void test_what_came_to_nothing_begins_no_list(void **state)
{
	static registry_run *const runs[] = {register_then_refuse, register_then_fail};

	(void)state;
	open_with_services();
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(register_at(i, 1, instance_register), GAZ_OK);
		assert_int_not_equal(register_at(i, 2, runs[i]), GAZ_OK);
		for (unsigned n = 0; n < 2 * KEPT; n++)
			assert_int_equal(register_at(2, n % 2, instance_register),
					 GAZ_OK);
		check_all();
	}
	fixture_fini(&f);
}

/* Most calls go to some of the services, so that the lists of the others grow old. */
static gaz_status register_one(unsigned step, registry_run *run)
{
	uint32_t drawn = draw(SERVICES * SERVICES);
	unsigned service = 0;

	while (drawn >= (service + 1) * (service + 1))
		service++;
	return register_at(service, step % (LIMIT + 2), run);
}

static void test_lists_begin_with_what_is_there(void **state)
{
	unsigned refused = 0;
	unsigned failed = 0;

	(void)state;
	open_with_services();
	for (unsigned step = 0; step < STEPS; step++) {
		static registry_run *const runs[] = {
			instance_register, instance_register, instance_register,
			register_then_refuse, register_then_fail};
		gaz_status st;

		if (draw(40) == 0) {
			fixture_close(&f);
			f.config.clock.fixed_ms += (int64_t)draw(3) - 1;
			assert_int_equal(fixture_open(&f), GAZ_OK);
		}
		st = register_one(step, runs[draw(sizeof runs / sizeof *runs)]);
		refused += st == GAZ_EREFUSED;
		failed += st == GAZ_ENOMEM;
		check_all();
	}
	assert_true(refused > 20 && failed > 20);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tells_others_from_the_first_of_a_list),
		cmocka_unit_test(test_what_came_to_nothing_begins_no_list),
		cmocka_unit_test(test_lists_begin_with_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
