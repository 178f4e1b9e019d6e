/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_registry.h"
#include "registry/discovery.h"
#include "registry/health.h"

/* UpdateService with a delay, and the filters of DiscoverInstances. */

enum {
	DELAY_MS = 3600000,
};

static struct fixture fixture;

static int set_up(void **state)
{
	memset(&fixture, 0, sizeof fixture);
	*state = &fixture;
	return fixture_init(&fixture);
}

static int tear_down(void **state)
{
	fixture_fini(*state);
	return 0;
}

static void make_service(struct fixture *f, const char **id_out)
{
	const char *ns;

	assert_int_equal(fixture_create_namespace(f, "example.com", NULL, &ns), GAZ_OK);
	assert_int_equal(fixture_create_service(f, ns, "web", id_out), GAZ_OK);
}

static void set_delay(struct fixture *f, uint32_t ms)
{
	fixture_close(f);
	f->config.operation_delay_ms = ms;
	assert_int_equal(fixture_open(f), GAZ_OK);
}

static void get_service(struct fixture *f, const char *id, struct service_record *out)
{
	memset(out, 0, sizeof *out);
	assert_int_equal(fixture_read(f, service_get, &(struct id_in){id}, out), GAZ_OK);
}

static gaz_status set_ttl(struct fixture *f, const char *service, enum record_type type,
			  int ttl, struct operation_started_out *started)
{
	struct dns_record_in record = {type, {true, ttl}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct service_change_in change = {.dns_config = &dns};

	return fixture_mutate(f, service_update,
			      &(struct update_service_in){service, &change}, started);
}

/* ---- UpdateService ---- */

static void test_update_changes_the_ttl_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct operation_started_out started;
	struct service_record before;
	struct service_record after;
	const char *id;

	make_service(f, &id);
	assert_int_equal(fixture_register(f, id, "i", "10.0.0.1", NULL), GAZ_OK);
	get_service(f, id, &before);
	assert_int_equal(set_ttl(f, id, RECORD_A, 5, &started), GAZ_OK);
	get_service(f, id, &after);
	assert_int_equal(before.dns_records[0].ttl, 60);
	assert_int_equal(after.dns_records[0].ttl, 5);
	assert_int_equal(after.revision, before.revision);
	assert_int_equal(after.instance_count, 1);
	assert_string_equal(after.creator_request_id, before.creator_request_id);
	assert_int_equal(fixture_names(f), 2);
}

static void test_update_refuses_another_record_type(void **state)
{
	struct fixture *f = *state;
	struct operation_started_out started;
	const char *id;

	make_service(f, &id);
	assert_int_equal(set_ttl(f, id, RECORD_AAAA, 5, &started), GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_INVALID_INPUT);
	assert_non_null(strstr(f->fault.message,
			       "existing service are [A], but the records in the "
			       "request are [AAAA]"));
}

static void test_update_without_dns_config_takes_the_names_away(void **state)
{
	struct fixture *f = *state;
	struct service_change_in change = {0};
	struct operation_started_out started;
	struct service_record svc;
	const char *id;

	make_service(f, &id);
	assert_int_equal(fixture_register(f, id, "i", "10.0.0.1", NULL), GAZ_OK);
	assert_int_equal(fixture_mutate(f, service_update,
					&(struct update_service_in){id, &change},
					&started),
			 GAZ_OK);
	assert_int_equal(fixture_names(f), 1);
	get_service(f, id, &svc);
	assert_true(svc.dns_deleted);
	assert_int_equal(svc.instance_count, 1);
	assert_int_equal(set_ttl(f, id, RECORD_A, 5, &started), GAZ_OK);
	assert_int_equal(fixture_names(f), 2);
}

static void test_a_pending_update_excludes_others(void **state)
{
	struct fixture *f = *state;
	struct operation_started_out started;
	struct operation_started_out second;
	const char *id;

	make_service(f, &id);
	assert_int_equal(fixture_register(f, id, "i", "10.0.0.1", NULL), GAZ_OK);
	set_delay(f, DELAY_MS);
	assert_int_equal(set_ttl(f, id, RECORD_A, 5, &started), GAZ_OK);
	assert_int_equal(set_ttl(f, id, RECORD_A, 6, &second), GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_DUPLICATE_REQUEST);
	assert_string_equal(f->fault.extra[0].value, started.operation_id);
	assert_int_equal(fixture_register(f, id, "j", "10.0.0.2", NULL), GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_RESOURCE_IN_USE);
	assert_int_equal(fixture_mutate(f, instance_deregister,
					&(struct instance_in){id, "i"}, &second),
			 GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_RESOURCE_IN_USE);
	assert_int_equal(fixture_mutate(f, service_delete, &(struct id_in){id}, NULL),
			 GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_RESOURCE_IN_USE);
}

static void test_a_pending_update_ends_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct operation_started_out started;
	struct operation_record op;
	struct service_record svc;
	const char *id;

	make_service(f, &id);
	set_delay(f, DELAY_MS);
	assert_int_equal(set_ttl(f, id, RECORD_A, 5, &started), GAZ_OK);
	get_service(f, id, &svc);
	assert_int_equal(svc.dns_records[0].ttl, 60);
	assert_int_equal(
		fixture_read(f, operation_get,
			     &(struct get_operation_in){started.operation_id, NULL}, &op),
		GAZ_OK);
	fixture_close(f);
	f->config.clock.fixed_ms = op.create_ms + DELAY_MS;
	assert_int_equal(fixture_open(f), GAZ_OK);
	/* The first mutation comes after the operations that are due. */
	assert_int_equal(set_ttl(f, id, RECORD_A, 7, &started), GAZ_OK);
	get_service(f, id, &svc);
	assert_int_equal(svc.dns_records[0].ttl, 5);
}

/* ---- DiscoverInstances ---- */

static void add(struct fixture *f, const char *service, const char *id, const char *color,
		const char *health)
{
	struct text_pair pairs[] = {
		{"color", color},
		{"AWS_INIT_HEALTH_STATUS", health},
	};
	struct register_instance_in in = {
		.service_id = service,
		.instance_id = id,
		.attributes = {pairs, health ? 2 : 1, true},
	};
	struct operation_started_out started;

	assert_int_equal(fixture_mutate(f, instance_register, &in, &started), GAZ_OK);
}

/* An HTTP service "web" in "h" with the instances r (red), s (red), b (blue). */
static void make_colors(struct fixture *f, bool has_health, const char *health_of_red)
{
	struct create_namespace_in ns = {.name = "h"};
	struct custom_health_in custom = {0};
	struct create_service_in in = {.name = "web",
				       .custom_health = has_health ? &custom : NULL};
	struct operation_started_out started;
	struct operation_record op;
	struct service_record svc = {0};

	assert_int_equal(fixture_mutate(f, namespace_create_http, &ns, &started), GAZ_OK);
	assert_int_equal(
		fixture_read(f, operation_get,
			     &(struct get_operation_in){started.operation_id, NULL}, &op),
		GAZ_OK);
	in.namespace_id = op.namespace_id;
	assert_int_equal(fixture_mutate(f, service_create, &in, &svc), GAZ_OK);
	add(f, svc.id, "r", "red", health_of_red);
	add(f, svc.id, "s", "red", health_of_red);
	add(f, svc.id, "b", "blue", has_health ? "UNHEALTHY" : NULL);
}

static int compare_instances(const void *a, const void *b)
{
	return strcmp(((const struct discovered_instance *)a)->id,
		      ((const struct discovered_instance *)b)->id);
}

/* The ids that are found, in their order, as one text of one-letter ids. */
static void assert_found(struct fixture *f, struct discover_in in, const char *ids)
{
	struct discover_out out = {0};

	in.namespace_name = "h";
	in.service_name = "web";
	assert_int_equal(fixture_read(f, discovery_find_instances, &in, &out), GAZ_OK);
	assert_int_equal(out.revision, 4);
	assert_int_equal(out.count, strlen(ids));
	if (out.count > 0)
		qsort(out.items, out.count, sizeof *out.items, compare_instances);
	for (size_t i = 0; i < out.count; i++)
		assert_int_equal(out.items[i].id[0], ids[i]);
}

static void test_discovery_without_a_check_ignores_the_health_filter(void **state)
{
	struct fixture *f = *state;

	make_colors(f, false, NULL);
	for (int filter = 0; filter <= HEALTH_FILTER_HEALTHY_OR_ELSE_ALL; filter++)
		assert_found(
			f,
			(struct discover_in){.health_status = (enum health_filter)filter},
			"brs");
}

static void test_discovery_filters_by_health(void **state)
{
	struct fixture *f = *state;

	make_colors(f, true, "HEALTHY");
	assert_found(f, (struct discover_in){0}, "rs");
	assert_found(f, (struct discover_in){.health_status = HEALTH_FILTER_HEALTHY},
		     "rs");
	assert_found(f, (struct discover_in){.health_status = HEALTH_FILTER_UNHEALTHY},
		     "b");
	assert_found(f, (struct discover_in){.health_status = HEALTH_FILTER_ALL}, "brs");
	assert_found(
		f,
		(struct discover_in){.health_status = HEALTH_FILTER_HEALTHY_OR_ELSE_ALL},
		"rs");
}

static void test_discovery_falls_back_when_none_is_healthy(void **state)
{
	struct fixture *f = *state;

	make_colors(f, true, "UNHEALTHY");
	assert_found(f, (struct discover_in){0}, "");
	assert_found(
		f,
		(struct discover_in){.health_status = HEALTH_FILTER_HEALTHY_OR_ELSE_ALL},
		"brs");
}

static void test_discovery_falls_back_among_what_matches(void **state)
{
	struct fixture *f = *state;
	struct text_pair blue = {"color", "blue"};

	make_colors(f, true, "HEALTHY");
	assert_found(
		f,
		(struct discover_in){.health_status = HEALTH_FILTER_HEALTHY_OR_ELSE_ALL,
				     .query_parameters = {&blue, 1, true}},
		"b");
	/* Options narrow what the health filter left, if anything is left of it. */
	assert_found(f, (struct discover_in){.optional_parameters = {&blue, 1, true}},
		     "rs");
}

static void test_discovery_narrows_by_options_only_if_some_match(void **state)
{
	struct fixture *f = *state;
	struct text_pair red = {"color", "red"};
	struct text_pair green = {"color", "green"};

	make_colors(f, false, NULL);
	assert_found(f, (struct discover_in){.query_parameters = {&red, 1, true}}, "rs");
	assert_found(f, (struct discover_in){.query_parameters = {&green, 1, true}}, "");
	assert_found(f, (struct discover_in){.optional_parameters = {&red, 1, true}},
		     "rs");
	assert_found(f, (struct discover_in){.optional_parameters = {&green, 1, true}},
		     "brs");
}

static void test_discovery_cuts_to_max_results(void **state)
{
	struct fixture *f = *state;
	struct discover_in in = {
		.namespace_name = "h", .service_name = "web", .max_results = {true, 2}};
	struct discover_out out = {0};

	make_colors(f, false, NULL);
	assert_int_equal(fixture_read(f, discovery_find_instances, &in, &out), GAZ_OK);
	assert_int_equal(out.count, 2);
	assert_string_not_equal(out.items[0].id, out.items[1].id);
}

/* ---- GetInstancesHealthStatus ---- */

static void test_health_of_named_instances_pages_with_a_token_of_its_own(void **state)
{
	struct fixture *f = *state;
	const char *ids[] = {"k", "i", "k", "j"};
	struct get_health_in in = {.instances = {ids, 4, true},
				   .page = {.max_results = {true, 2}}};
	struct health_page_out out = {0};
	const char *token;

	make_service(f, &in.service_id);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
			fixture_register(f, in.service_id, ids[i], "10.0.0.1", NULL),
			GAZ_OK);
	assert_int_equal(fixture_read(f, health_list, &in, &out), GAZ_OK);
	assert_int_equal(out.count, 2);
	assert_string_equal(out.items[1].id, "j");
	assert_int_equal(out.items[1].status, HEALTH_UNKNOWN);
	token = in.page.next_token = out.next_token;
	assert_non_null(token);
	assert_int_equal(fixture_read(f, health_list, &in, &out), GAZ_OK);
	assert_int_equal(out.count, 1);
	assert_string_equal(out.items[0].id, "k");
	assert_null(out.next_token);
	in.instances.count = 3;
	assert_int_equal(fixture_read(f, health_list, &in, &out), GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_INVALID_INPUT);
}

static void register_srv(struct fixture *f, const char *service, const char *id)
{
	struct text_pair pairs[] = {{"AWS_INSTANCE_IPV4", "10.0.0.1"},
				    {"AWS_INSTANCE_PORT", "80"}};
	struct register_instance_in in = {service, id, NULL, {pairs, 2, true}};
	struct operation_started_out started;
	struct operation_record op;

	assert_int_equal(fixture_mutate(f, instance_register, &in, &started), GAZ_OK);
	assert_int_equal(
		fixture_read(f, operation_get,
			     &(struct get_operation_in){started.operation_id, NULL}, &op),
		GAZ_OK);
	assert_int_equal(op.status, OPERATION_SUCCESS);
}

static void make_srv_service(struct fixture *f, const char *name,
			     struct service_record *out)
{
	struct dns_record_in record = {RECORD_SRV, {true, 60}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct create_service_in create = {.name = name, .dns_config = &dns};

	assert_int_equal(
		fixture_create_namespace(f, "example.com", NULL, &create.namespace_id),
		GAZ_OK);
	assert_int_equal(fixture_mutate(f, service_create, &create, out), GAZ_OK);
}

static enum operation_status update_records(struct fixture *f, const char *service,
					    struct dns_config_in *dns)
{
	struct service_change_in change = {.dns_config = dns};
	struct update_service_in in = {service, &change};
	struct operation_started_out started;
	struct operation_record op;

	assert_int_equal(fixture_mutate(f, service_update, &in, &started), GAZ_OK);
	assert_int_equal(
		fixture_read(f, operation_get,
			     &(struct get_operation_in){started.operation_id, NULL}, &op),
		GAZ_OK);
	return op.status;
}

/* While a service has no records its instances may clash; it shows when the records
 * shall come back, and then nothing of it may be left. */
static void test_records_that_clash_do_not_come_back(void **state)
{
	struct fixture *f = *state;
	struct dns_record_in record = {RECORD_SRV, {true, 60}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct service_record svc;
	struct operation_started_out started;

	make_srv_service(f, "s", &svc);
	assert_int_equal(update_records(f, svc.id, NULL), OPERATION_SUCCESS);
	register_srv(f, svc.id, "A");
	register_srv(f, svc.id, "a");
	register_srv(f, svc.id, "b");
	assert_int_equal(update_records(f, svc.id, &dns), OPERATION_FAIL);
	assert_int_equal(fixture_names(f), 1);
	fixture_close(f);
	assert_int_equal(fixture_open(f), GAZ_OK);
	assert_int_equal(fixture_names(f), 1);
	assert_int_equal(fixture_mutate(f, instance_deregister,
					&(struct instance_in){svc.id, "A"}, &started),
			 GAZ_OK);
	assert_int_equal(update_records(f, svc.id, &dns), OPERATION_SUCCESS);
	assert_int_equal(fixture_names(f), 4); /* the apex, s, a.s, b.s */
}

/* As many instances as the quota allows fit, however long their names are. */
static void test_a_full_service_of_long_names_is_served(void **state)
{
	struct fixture *f = *state;
	struct dns_record_in record = {RECORD_SRV, {true, 61}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct service_record svc;
	char name[128];

	memset(name, 'x', 127);
	name[60] = '.';
	name[121] = '\0';
	make_srv_service(f, name, &svc);
	for (int i = 0; i < 1000; i++) {
		char id[64];

		(void)snprintf(id, sizeof id, "%060d", i);
		register_srv(f, svc.id, id);
	}
	register_srv(f, svc.id, name + 61); /* and one more that is registered again */
	register_srv(f, svc.id, name + 61);
	assert_int_equal(update_records(f, svc.id, &dns), OPERATION_SUCCESS);
	assert_int_equal(update_records(f, svc.id, NULL), OPERATION_SUCCESS);
	assert_int_equal(fixture_names(f), 1);
	assert_int_equal(update_records(f, svc.id, &dns), OPERATION_SUCCESS);
	assert_int_equal(fixture_names(f), 1004);
}

static void make_checked_service(struct fixture *f, const char **id_out)
{
	struct dns_record_in record = {RECORD_A, {true, 60}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct custom_health_in custom = {0};
	struct create_service_in in = {
		.name = "checked", .dns_config = &dns, .custom_health = &custom};
	struct service_record svc;

	assert_int_equal(
		fixture_create_namespace(f, "example.com", NULL, &in.namespace_id),
		GAZ_OK);
	assert_int_equal(fixture_mutate(f, service_create, &in, &svc), GAZ_OK);
	*id_out = svc.id;
}

static void ask_for_health(struct fixture *f, const char *service,
			   enum health_status status)
{
	struct update_health_in in = {service, "i", status};

	assert_int_equal(fixture_mutate(f, health_update, &in, NULL), GAZ_OK);
}

static enum health_status health_now(struct fixture *f, const char *service)
{
	struct get_health_in in = {.service_id = service};
	struct health_page_out page = {0};

	assert_int_equal(fixture_read(f, health_list, &in, &page), GAZ_OK);
	assert_int_equal(page.count, 1);
	return page.items[0].status;
}

/* Let time pass; the writer does what is due before the next mutation. */
static void pass_time(struct fixture *f, int64_t ms)
{
	const char *id;
	char name[64];

	fixture_close(f);
	f->config.clock.fixed_ms += ms;
	assert_int_equal(fixture_open(f), GAZ_OK);
	(void)snprintf(name, sizeof name, "n%lld.test",
		       (long long)f->config.clock.fixed_ms);
	assert_int_equal(fixture_create_namespace(f, name, NULL, &id), GAZ_OK);
}

static void test_a_custom_status_takes_effect_after_its_delay(void **state)
{
	struct fixture *f = *state;
	const char *service;

	fixture_close(f);
	f->config.clock.fixed_ms = 1700000000000;
	f->config.custom_health_delay_ms = 30000;
	assert_int_equal(fixture_open(f), GAZ_OK);
	make_checked_service(f, &service);
	assert_int_equal(fixture_register(f, service, "i", "10.0.0.1", NULL), GAZ_OK);

	ask_for_health(f, service, HEALTH_UNHEALTHY);
	pass_time(f, 20000);
	ask_for_health(f, service,
		       HEALTH_UNHEALTHY); /* neither restarts nor shortens it */
	assert_int_equal(health_now(f, service), HEALTH_HEALTHY);
	pass_time(f, 10000);
	assert_int_equal(health_now(f, service), HEALTH_UNHEALTHY);

	ask_for_health(f, service, HEALTH_HEALTHY);
	ask_for_health(f, service, HEALTH_UNHEALTHY); /* calls it off */
	pass_time(f, 60000);
	assert_int_equal(health_now(f, service), HEALTH_UNHEALTHY);

	ask_for_health(f, service, HEALTH_HEALTHY);
	assert_int_equal(fixture_register(f, service, "i", "10.0.0.2", NULL), GAZ_OK);
	pass_time(f, 60000); /* what was under way went with the old registration */
	assert_int_equal(health_now(f, service), HEALTH_HEALTHY);
}

/* A clock that was set back by an hour does not put the status off by an hour. */
static void test_a_custom_status_outlives_a_clock_that_goes_back(void **state)
{
	struct fixture *f = *state;
	const char *service;

	fixture_close(f);
	f->config.clock.fixed_ms = 1700000000000;
	f->config.custom_health_delay_ms = 30000;
	assert_int_equal(fixture_open(f), GAZ_OK);
	make_checked_service(f, &service);
	assert_int_equal(fixture_register(f, service, "i", "10.0.0.1", NULL), GAZ_OK);
	ask_for_health(f, service, HEALTH_UNHEALTHY);
	pass_time(f, -3600000);
	assert_int_equal(health_now(f, service), HEALTH_UNHEALTHY);
	ask_for_health(f, service, HEALTH_HEALTHY);
	pass_time(f, 29999);
	assert_int_equal(health_now(f, service), HEALTH_UNHEALTHY);
	pass_time(f, 1);
	assert_int_equal(health_now(f, service), HEALTH_HEALTHY);
}

/* The address of an SRV target belongs to one instance: names that differ by case
 * alone are one name. */
static void test_srv_targets_that_differ_by_case_conflict(void **state)
{
	struct fixture *f = *state;
	struct dns_record_in record = {RECORD_SRV, {true, 60}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct create_service_in create = {.name = "_x._tcp", .dns_config = &dns};
	struct service_record svc;
	struct text_pair pairs[] = {{"AWS_INSTANCE_IPV4", "10.0.0.1"},
				    {"AWS_INSTANCE_PORT", "80"}};
	struct register_instance_in in = {.instance_id = "a",
					  .attributes = {pairs, 2, true}};
	struct operation_started_out started;
	struct operation_record op;

	assert_int_equal(
		fixture_create_namespace(f, "example.com", NULL, &create.namespace_id),
		GAZ_OK);
	assert_int_equal(fixture_mutate(f, service_create, &create, &svc), GAZ_OK);
	in.service_id = svc.id;
	for (int i = 0; i < 3; i++) {
		static const char *const ids[] = {"a", "a", "A"};

		in.instance_id = ids[i];
		assert_int_equal(fixture_mutate(f, instance_register, &in, &started),
				 GAZ_OK);
		assert_int_equal(fixture_read(f, operation_get,
					      &(struct get_operation_in){
						      started.operation_id, NULL},
					      &op),
				 GAZ_OK);
		assert_int_equal(op.status, i < 2 ? OPERATION_SUCCESS : OPERATION_FAIL);
	}
	assert_string_equal(op.error_code, "INVALID_CHANGE_BATCH");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_REGISTRY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		WITH_REGISTRY(test_records_that_clash_do_not_come_back),
		WITH_REGISTRY(test_a_full_service_of_long_names_is_served),
		WITH_REGISTRY(test_a_custom_status_takes_effect_after_its_delay),
		WITH_REGISTRY(test_a_custom_status_outlives_a_clock_that_goes_back),
		WITH_REGISTRY(test_srv_targets_that_differ_by_case_conflict),
		WITH_REGISTRY(test_update_changes_the_ttl_and_nothing_else),
		WITH_REGISTRY(test_update_refuses_another_record_type),
		WITH_REGISTRY(test_update_without_dns_config_takes_the_names_away),
		WITH_REGISTRY(test_a_pending_update_excludes_others),
		WITH_REGISTRY(test_a_pending_update_ends_after_a_restart),
		WITH_REGISTRY(test_discovery_without_a_check_ignores_the_health_filter),
		WITH_REGISTRY(test_discovery_filters_by_health),
		WITH_REGISTRY(test_discovery_falls_back_when_none_is_healthy),
		WITH_REGISTRY(test_discovery_falls_back_among_what_matches),
		WITH_REGISTRY(test_discovery_narrows_by_options_only_if_some_match),
		WITH_REGISTRY(test_discovery_cuts_to_max_results),
		WITH_REGISTRY(
			test_health_of_named_instances_pages_with_a_token_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
