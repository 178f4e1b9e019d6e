/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_registry.h"
#include "registry/apex.h"
#include "registry/health.h"
#include "registry/healthcheck.h"

/* Every allocation of a mutation is made to fail in turn: either the call
 * succeeds, or it fails and has changed nothing, neither in the store nor in
 * the zone database, and the next call works. */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static _Atomic long allocations_left = -1; /* -1: none fails */
static _Atomic bool has_failed;

/* From the n-th on `FAIL_COUNT` allocations fail, so that a single retry does
 * not hide the failure. */
enum {
	FAIL_COUNT = 2000,
};

static bool must_fail(void)
{
	long left = atomic_load(&allocations_left);

	if (left == -1)
		return false;
	left = atomic_fetch_sub(&allocations_left, 1);
	if (left > 0)
		return false;
	if (left < -FAIL_COUNT)
		return false;
	atomic_store(&has_failed, true);
	return true;
}

void *__wrap_malloc(size_t size)
{
	return must_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return must_fail() ? NULL : __real_realloc(old, size);
}

static struct fixture f;

static void set_up_service(const char **ns, const char **svc)
{
	memset(&f, 0, sizeof f);
	assert_int_equal(fixture_init(&f), GAZ_OK);
	assert_int_equal(fixture_create_namespace(&f, "example.com", "vpc-a", ns),
			 GAZ_OK);
	assert_int_equal(fixture_create_service(&f, *ns, "x.web", svc), GAZ_OK);
}

static uint32_t instance_count(const char *svc)
{
	struct service_record record;

	assert_int_equal(fixture_read(&f, service_get, &(struct id_in){svc}, &record),
			 GAZ_OK);
	return record.instance_count;
}

/* With a serial that counts each registration changes the SOA as well, with PTR records
 * there is another zone. */
static void check_registration(bool counting, bool ptr)
{
	struct apex_values apex = apex_route53;
	const char *ns;
	const char *svc;
	bool reached_the_end = false;
	size_t names;

	apex.counting = counting;
	set_up_service(&ns, &svc);
	fixture_close(&f);
	f.config.apex = &apex;
	f.config.ptr = ptr;
	assert_int_equal(fixture_open(&f), GAZ_OK);
	names = fixture_names(&f);
	assert_true(ptr ? names > 1 : names == 1);
	for (long n = 1; !reached_the_end; n++) {
		struct operation_started_out started;
		gaz_status st;

		assert_int_equal(instance_count(svc), 0);
		assert_int_equal(fixture_names(&f), names);
		atomic_store(&has_failed, false);
		atomic_store(&allocations_left, n);
		st = fixture_register(&f, svc, "i-1", "10.0.0.1", NULL);
		atomic_store(&allocations_left, -1);
		reached_the_end = !atomic_load(&has_failed);
		assert_true(st == GAZ_OK || !reached_the_end);
		if (st != GAZ_OK)
			continue;
		assert_int_equal(instance_count(svc), 1);
		assert_int_equal(fixture_names(&f), names + (ptr ? 3 : 2));
		assert_int_equal(fixture_mutate(&f, instance_deregister,
						&(struct instance_in){svc, "i-1"},
						&started),
				 GAZ_OK);
		assert_true(n < 10000);
	}
	fixture_fini(&f);
}

static void test_registration_is_all_or_nothing_at_every_allocation(void **state)
{
	(void)state;
	check_registration(false, false);
}

static void test_counted_registration_is_all_or_nothing_at_every_allocation(void **state)
{
	(void)state;
	check_registration(true, false);
}

static void test_reversed_registration_is_all_or_nothing_at_every_allocation(void **state)
{
	(void)state;
	check_registration(false, true);
}

static void test_namespace_creation_is_all_or_nothing_at_every_allocation(void **state)
{
	const char *ns;
	const char *svc;
	bool reached_the_end = false;

	(void)state;
	set_up_service(&ns, &svc);
	for (long n = 1; !reached_the_end; n++) {
		struct create_namespace_in in = {.name = "other.example", .vpc = "vpc-b"};
		struct operation_started_out started;
		struct operation_record op;
		gaz_status st;

		assert_int_equal(fixture_names(&f), 1);
		atomic_store(&has_failed, false);
		atomic_store(&allocations_left, n);
		st = fixture_mutate(&f, namespace_create_private_dns, &in, &started);
		atomic_store(&allocations_left, -1);
		reached_the_end = !atomic_load(&has_failed);
		assert_true(st == GAZ_OK || !reached_the_end);
		if (st != GAZ_OK)
			continue;
		assert_int_equal(fixture_names(&f), 2);
		assert_int_equal(fixture_read(&f, operation_get,
					      &(struct get_operation_in){
						      started.operation_id, NULL},
					      &op),
				 GAZ_OK);
		assert_int_equal(op.status, OPERATION_SUCCESS);
		assert_int_equal(fixture_mutate(&f, namespace_delete,
						&(struct id_in){op.namespace_id},
						&started),
				 GAZ_OK);
		assert_true(n < 10000);
	}
	fixture_fini(&f);
}

/* ---- health checks ---- */

static size_t notices;
static uint64_t fingerprint;

static void on_checks(void *arg, struct healthcheck_notice *take)
{
	(void)arg;
	for (const struct healthcheck_notice *it = take; it; it = it->next) {
		notices++;
		fingerprint = it->fingerprint;
	}
	healthcheck_free_notices(take);
}

static void set_up_checked_service(const char **svc)
{
	struct health_check_in check = {.type = HEALTH_CHECK_HTTP};
	struct create_service_in in = {.name = "s", .health_check = &check};
	struct dns_record_in record = {RECORD_A, {true, 60}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct service_record record_out = {0};

	memset(&f, 0, sizeof f);
	f.config.on_checks = on_checks;
	assert_int_equal(fixture_init(&f), GAZ_OK);
	assert_int_equal(
		fixture_create_namespace(&f, "example.com", NULL, &in.namespace_id),
		GAZ_OK);
	in.dns_config = &dns;
	assert_int_equal(fixture_mutate(&f, service_create, &in, &record_out), GAZ_OK);
	*svc = record_out.id;
}

static gaz_status register_checked(const char *svc)
{
	struct text_pair pairs[] = {{"AWS_INSTANCE_IPV4", "192.0.2.1"},
				    {"AWS_INSTANCE_PORT", "80"}};
	struct register_instance_in in = {
		.service_id = svc, .instance_id = "i-1", .attributes = {pairs, 2, true}};
	struct operation_started_out started = {0};

	return fixture_mutate(&f, instance_register, &in, &started);
}

static bool is_healthy(const char *svc)
{
	struct get_health_in in = {.service_id = svc};
	struct health_page_out page = {0};

	assert_int_equal(fixture_read(&f, health_list, &in, &page), GAZ_OK);
	assert_int_equal(page.count, 1);
	return page.items[0].status == HEALTH_HEALTHY;
}

static void test_notice_goes_out_if_and_only_if_the_call_succeeds(void **state)
{
	const char *svc;
	bool reached_the_end = false;

	(void)state;
	set_up_checked_service(&svc);
	for (long n = 1; !reached_the_end; n++) {
		gaz_status st;

		notices = 0;
		atomic_store(&has_failed, false);
		atomic_store(&allocations_left, n);
		st = register_checked(svc);
		atomic_store(&allocations_left, -1);
		reached_the_end = !atomic_load(&has_failed);
		assert_true(st == GAZ_OK || !reached_the_end);
		assert_int_equal(notices, st == GAZ_OK);
		assert_true(n < 10000);
	}
	fixture_fini(&f);
}

static void test_report_is_all_or_nothing_at_every_allocation(void **state)
{
	const char *svc;
	bool reached_the_end = false;

	(void)state;
	set_up_checked_service(&svc);
	assert_int_equal(register_checked(svc), GAZ_OK);
	for (long n = 1; !reached_the_end; n++) {
		bool before = is_healthy(svc);
		struct healthcheck_report_in in = {svc, "i-1", fingerprint, !before};
		struct healthcheck_report_out out = {0};
		gaz_status st;

		atomic_store(&has_failed, false);
		atomic_store(&allocations_left, n);
		st = fixture_mutate(&f, healthcheck_report, &in, &out);
		atomic_store(&allocations_left, -1);
		reached_the_end = !atomic_load(&has_failed);
		assert_true(st == GAZ_OK || !reached_the_end);
		assert_int_equal(is_healthy(svc), st == GAZ_OK ? !before : before);
		assert_true(st != GAZ_OK || (out.taken && out.changed));
		assert_true(n < 10000);
	}
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registration_is_all_or_nothing_at_every_allocation),
		cmocka_unit_test(
			test_reversed_registration_is_all_or_nothing_at_every_allocation),
		cmocka_unit_test(
			test_counted_registration_is_all_or_nothing_at_every_allocation),
		cmocka_unit_test(
			test_namespace_creation_is_all_or_nothing_at_every_allocation),
		cmocka_unit_test(test_notice_goes_out_if_and_only_if_the_call_succeeds),
		cmocka_unit_test(test_report_is_all_or_nothing_at_every_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
