/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_registry.h"
#include "registry/discovery.h"
#include "registry/health.h"
#include "registry/healthcheck.h"

/* What the registry tells a listener of checks, and which results it takes. The
 * listener here is the test: all it does happens within a call that the test waits
 * for. */

static struct healthcheck_notice *last; /* the newest notices, one call's */

static void on_checks(void *arg, struct healthcheck_notice *take)
{
	(void)arg;
	healthcheck_free_notices(last);
	last = take;
}

static void forget_notices(void)
{
	healthcheck_free_notices(last);
	last = NULL;
}

struct scene {
	struct fixture f;
	const char *service;
};

static void update_check(struct scene *s, const char *path)
{
	struct dns_record_in record = {RECORD_A, {true, 60}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct health_check_in check = {.type = HEALTH_CHECK_HTTP, .resource_path = path};
	struct service_change_in change = {.dns_config = &dns,
					   .health_check = path ? &check : NULL};
	struct update_service_in in = {s->service, &change};
	struct operation_started_out started = {0};

	forget_notices();
	assert_int_equal(fixture_mutate(&s->f, service_update, &in, &started), GAZ_OK);
}

static gaz_status try_register(struct scene *s, const char *id, const char *port,
			       const char *token)
{
	struct text_pair pairs[] = {{"AWS_INSTANCE_IPV4", "192.0.2.1"},
				    {"AWS_INSTANCE_PORT", port}};
	struct register_instance_in in = {.service_id = s->service,
					  .instance_id = id,
					  .creator_request_id = token,
					  .attributes = {pairs, 2, true}};
	struct operation_started_out started = {0};

	forget_notices();
	return fixture_mutate(&s->f, instance_register, &in, &started);
}

static void register_one(struct scene *s, const char *id, const char *port)
{
	assert_int_equal(try_register(s, id, port, NULL), GAZ_OK);
}

static void deregister(struct scene *s, const char *id)
{
	struct instance_in in = {s->service, id};
	struct operation_started_out started = {0};

	forget_notices();
	assert_int_equal(fixture_mutate(&s->f, instance_deregister, &in, &started),
			 GAZ_OK);
}

/* @return whether it was taken */
static bool report(struct scene *s, const char *id, uint64_t fingerprint, bool healthy)
{
	struct healthcheck_report_in in = {s->service, id, fingerprint, healthy};
	struct healthcheck_report_out out = {0};

	assert_int_equal(fixture_mutate(&s->f, healthcheck_report, &in, &out), GAZ_OK);
	return out.taken;
}

static enum health_status status_of(struct scene *s, const char *id)
{
	struct get_health_in in = {.service_id = s->service, .instances = {&id, 1, true}};
	struct health_page_out page = {0};

	assert_int_equal(fixture_read(&s->f, health_list, &in, &page), GAZ_OK);
	assert_int_equal(page.count, 1);
	return page.items[0].status;
}

static void setup(struct scene *s, healthcheck_listener *listener)
{
	const char *namespace_id;

	memset(s, 0, sizeof *s);
	s->f.config.on_checks = listener;
	assert_int_equal(fixture_init(&s->f), GAZ_OK);
	assert_int_equal(
		fixture_create_namespace(&s->f, "x.example", NULL, &namespace_id),
		GAZ_OK);
	assert_int_equal(fixture_create_service(&s->f, namespace_id, "s", &s->service),
			 GAZ_OK);
}

static void teardown(struct scene *s)
{
	fixture_fini(&s->f);
	forget_notices();
}

static void test_each_change_is_told(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, on_checks);
	register_one(&s, "a", "80");
	assert_null(last); /* no check, nothing to tell */
	update_check(&s, "/x");
	assert_string_equal(last->instance_id, "a");
	assert_string_equal(last->service_id, s.service);
	assert_string_equal(last->path, "/x");
	assert_int_equal(last->port, 80);
	assert_int_equal(last->threshold, 1);
	assert_true(last->healthy && !last->is_gone && !last->next);
	register_one(&s, "b", "81");
	assert_string_equal(last->instance_id, "b");
	assert_null(last->next);
	update_check(&s, "/x"); /* as it is */
	assert_null(last);
	update_check(&s, "/y");
	assert_string_equal(last->path, "/y");
	assert_string_equal(last->next->instance_id, "b");
	deregister(&s, "a");
	assert_true(last->is_gone && !last->next);
	assert_string_equal(last->instance_id, "a");
	update_check(&s, NULL);
	assert_true(last->is_gone && !last->next);
	assert_string_equal(last->instance_id, "b");
	deregister(&s, "b");
	assert_null(last);
	teardown(&s);
}

static void test_result_of_what_has_changed_is_dropped(void **state)
{
	struct scene s;
	uint64_t first;

	(void)state;
	setup(&s, on_checks);
	update_check(&s, "/x");
	register_one(&s, "a", "80");
	first = last->fingerprint;
	assert_true(report(&s, "a", first, false));
	assert_int_equal(status_of(&s, "a"), HEALTH_UNHEALTHY);
	assert_true(report(&s, "a", first, false)); /* once more: as it is */
	register_one(&s, "a", "80");		    /* the same, anew */
	assert_true(last->healthy);
	assert_int_equal(status_of(&s, "a"), HEALTH_HEALTHY);
	assert_false(report(&s, "a", first, false));
	first = last->fingerprint;
	update_check(&s, "/y");
	assert_false(report(&s, "a", first, false));
	first = last->fingerprint;
	update_check(&s, NULL);
	assert_false(report(&s, "a", first, false));
	assert_int_equal(status_of(&s, "a"), HEALTH_UNKNOWN);
	deregister(&s, "a");
	assert_false(report(&s, "a", first, false));
	teardown(&s);
}

static void test_retried_registration_keeps_its_results(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, on_checks);
	update_check(&s, "/x");
	assert_int_equal(try_register(&s, "a", "80", "token"), GAZ_OK);
	assert_true(report(&s, "a", last->fingerprint, false));
	assert_int_equal(try_register(&s, "a", "80", "token"), GAZ_OK);
	assert_null(last);
	assert_int_equal(status_of(&s, "a"), HEALTH_UNHEALTHY);
	/* The same token with other attributes is another registration. */
	assert_int_equal(try_register(&s, "a", "81", "token"), GAZ_OK);
	assert_int_equal(status_of(&s, "a"), HEALTH_HEALTHY);
	teardown(&s);
}

static void test_refused_call_tells_nothing(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, on_checks);
	update_check(&s, "/x");
	assert_int_equal(try_register(&s, "a", "0", NULL), GAZ_EREFUSED);
	assert_null(last);
	teardown(&s);
}

static void test_check_that_is_taken_away_heals(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, on_checks);
	update_check(&s, "/x");
	register_one(&s, "a", "80");
	assert_true(report(&s, "a", last->fingerprint, false));
	update_check(&s, "/y"); /* another path: what was found still counts */
	assert_false(last->healthy);
	assert_int_equal(status_of(&s, "a"), HEALTH_UNHEALTHY);
	update_check(&s, NULL);
	update_check(&s, "/y");
	assert_true(last->healthy);
	assert_int_equal(status_of(&s, "a"), HEALTH_HEALTHY);
	teardown(&s);
}

static void test_opening_tells_what_the_store_has(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, on_checks);
	update_check(&s, "/x");
	register_one(&s, "a", "80");
	assert_true(report(&s, "a", last->fingerprint, false));
	register_one(&s, "b", "80");
	for (int i = 0; i < 2; i++) {
		fixture_close(&s.f);
		forget_notices();
		assert_int_equal(fixture_open(&s.f), GAZ_OK);
		assert_string_equal(last->instance_id, "a");
		assert_false(last->healthy);
		assert_string_equal(last->next->instance_id, "b");
		assert_true(last->next->healthy);
		assert_null(last->next->next);
	}
	teardown(&s);
}

static void test_without_a_listener_all_are_healthy(void **state)
{
	struct scene s;

	(void)state;
	setup(&s, on_checks);
	update_check(&s, "/x");
	register_one(&s, "a", "80");
	assert_true(report(&s, "a", last->fingerprint, false));
	fixture_close(&s.f);
	forget_notices();
	s.f.config.on_checks = NULL;
	assert_int_equal(fixture_open(&s.f), GAZ_OK);
	assert_null(last);
	assert_int_equal(status_of(&s, "a"), HEALTH_HEALTHY);
	deregister(&s, "a"); /* the zone database agrees with the store */
	register_one(&s, "a", "80");
	assert_null(last);
	teardown(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_change_is_told),
		cmocka_unit_test(test_result_of_what_has_changed_is_dropped),
		cmocka_unit_test(test_retried_registration_keeps_its_results),
		cmocka_unit_test(test_refused_call_tells_nothing),
		cmocka_unit_test(test_check_that_is_taken_away_heals),
		cmocka_unit_test(test_opening_tells_what_the_store_has),
		cmocka_unit_test(test_without_a_listener_all_are_healthy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
