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
#include "registry/operation-internal.h"
#include "registry/schema.h"
#include "registry/token.h"

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

static void get_operation(struct fixture *f, const char *id, struct operation_record *out)
{
	assert_int_equal(
		fixture_read(f, operation_get, &(struct get_operation_in){id, NULL}, out),
		GAZ_OK);
}

static void test_namespace_has_a_zone_when_the_reply_is_there(void **state)
{
	struct fixture *f = *state;
	const char *id;
	struct namespace_record ns;

	assert_int_equal(fixture_create_namespace(f, "example.com", "vpc-a", &id),
			 GAZ_OK);
	assert_int_equal(fixture_names(f), 1);
	assert_int_equal(fixture_read(f, namespace_get, &(struct id_in){id}, &ns),
			 GAZ_OK);
	assert_string_equal(ns.http_name, "example.com");
	assert_int_equal(ns.soa_ttl, 15);
	assert_non_null(ns.creator_request_id);
}

static void test_same_private_name_in_one_vpc_fails_through_the_operation(void **state)
{
	struct fixture *f = *state;
	struct create_namespace_in in = {.name = "Example.COM.", .vpc = "vpc-a"};
	struct operation_started_out started;
	struct operation_record op;
	const char *id;

	assert_int_equal(fixture_create_namespace(f, "example.com", "vpc-a", &id),
			 GAZ_OK);
	assert_int_equal(fixture_mutate(f, namespace_create_private_dns, &in, &started),
			 GAZ_OK);
	get_operation(f, started.operation_id, &op);
	assert_int_equal(op.status, OPERATION_FAIL);
	assert_string_equal(op.error_code, "CANNOT_CREATE_HOSTED_ZONE");
	assert_non_null(strstr(op.error_message, "ConflictingDomainExists"));
	assert_non_null(op.namespace_id);
	/* The failed one left nothing: its place in the quota is free again. */
	assert_int_equal(fixture_names(f), 1);
}

static void test_a_repeated_request_gets_the_same_operation(void **state)
{
	struct fixture *f = *state;
	struct create_namespace_in in = {.name = "h", .creator_request_id = "token"};
	struct operation_started_out first;
	struct operation_started_out again;

	assert_int_equal(fixture_mutate(f, namespace_create_http, &in, &first), GAZ_OK);
	assert_int_equal(fixture_mutate(f, namespace_create_http, &in, &again), GAZ_OK);
	assert_string_equal(first.operation_id, again.operation_id);
	in.description = "another request with the same token";
	assert_int_equal(fixture_mutate(f, namespace_create_http, &in, &again),
			 GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_NAMESPACE_ALREADY_EXISTS);
	assert_int_equal(f->fault.extra_count, 2);
	assert_string_equal(f->fault.extra[1].member, "CreatorRequestId");
	assert_string_equal(f->fault.extra[1].value, "token");
}

static void test_http_name_is_hashed_when_the_name_is_taken(void **state)
{
	struct fixture *f = *state;
	struct create_namespace_in in = {.name = "example.com"};
	struct operation_started_out started;
	struct operation_record op;
	struct namespace_record ns;
	const char *id;

	assert_int_equal(fixture_create_namespace(f, "example.com", "vpc-a", &id),
			 GAZ_OK);
	assert_int_equal(fixture_mutate(f, namespace_create_http, &in, &started), GAZ_OK);
	get_operation(f, started.operation_id, &op);
	assert_int_equal(
		fixture_read(f, namespace_get, &(struct id_in){op.namespace_id}, &ns),
		GAZ_OK);
	assert_int_equal(strncmp(ns.http_name, "example.com-", 12), 0);
	assert_int_equal(strlen(ns.http_name), 20);
}

static void test_quota_counts_places_and_gives_them_back(void **state)
{
	struct fixture *f = *state;
	const char *first;
	const char *second;
	struct operation_started_out started;

	fixture_close(f);
	f->config.max_namespaces = 1;
	assert_int_equal(fixture_open(f), GAZ_OK);
	assert_int_equal(fixture_create_namespace(f, "one.test", NULL, &first), GAZ_OK);
	assert_int_equal(fixture_create_namespace(f, "two.test", NULL, &second),
			 GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_RESOURCE_LIMIT_EXCEEDED);
	assert_int_equal(
		fixture_mutate(f, namespace_delete, &(struct id_in){first}, &started),
		GAZ_OK);
	assert_int_equal(fixture_create_namespace(f, "two.test", NULL, &second), GAZ_OK);
}

static void test_instances_make_names_and_the_last_one_takes_it_away(void **state)
{
	struct fixture *f = *state;
	const char *ns;
	const char *svc;
	struct operation_started_out started;

	assert_int_equal(fixture_create_namespace(f, "example.com", "vpc-a", &ns),
			 GAZ_OK);
	assert_int_equal(fixture_create_service(f, ns, "a.b", &svc), GAZ_OK);
	assert_int_equal(fixture_names(f), 1);
	assert_int_equal(fixture_register(f, svc, "i-1", "10.0.0.1", NULL), GAZ_OK);
	assert_int_equal(fixture_register(f, svc, "i-2", "10.0.0.1", NULL), GAZ_OK);
	assert_int_equal(fixture_names(f),
			 3); /* b.example.com is an empty non-terminal */
	assert_int_equal(fixture_mutate(f, instance_deregister,
					&(struct instance_in){svc, "i-1"}, &started),
			 GAZ_OK);
	assert_int_equal(fixture_names(f), 3);
	assert_int_equal(fixture_mutate(f, service_delete, &(struct id_in){svc}, NULL),
			 GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_RESOURCE_IN_USE);
	assert_int_equal(fixture_mutate(f, instance_deregister,
					&(struct instance_in){svc, "i-2"}, &started),
			 GAZ_OK);
	assert_int_equal(fixture_names(f), 1);
	assert_int_equal(fixture_mutate(f, service_delete, &(struct id_in){svc}, NULL),
			 GAZ_OK);
}

static void test_a_failed_registration_leaves_no_trace(void **state)
{
	struct fixture *f = *state;
	char long_id[65];
	const char *ns;
	const char *svc;
	const char *operation_id;
	struct dns_record_in record = {RECORD_SRV, {true, 60}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct service_record created;
	struct operation_record op;
	struct text_pair pairs[] = {{"AWS_INSTANCE_IPV4", "10.0.0.1"},
				    {"AWS_INSTANCE_PORT", "80"}};
	struct register_instance_in in = {.attributes = {pairs, 2, true}};
	struct operation_started_out started;

	/* A target of one label with 64 octets cannot be a name. */
	memset(long_id, 'x', 64);
	long_id[64] = '\0';
	assert_int_equal(fixture_create_namespace(f, "example.com", "vpc-a", &ns),
			 GAZ_OK);
	assert_int_equal(fixture_mutate(f, service_create,
					&(struct create_service_in){.name = "_x._tcp",
								    .namespace_id = ns,
								    .dns_config = &dns},
					&created),
			 GAZ_OK);
	in.service_id = created.id;
	in.instance_id = long_id;
	assert_int_equal(fixture_mutate(f, instance_register, &in, &started), GAZ_OK);
	get_operation(f, started.operation_id, &op);
	assert_int_equal(op.status, OPERATION_FAIL);
	assert_string_equal(op.error_code, "INVALID_CHANGE_BATCH");
	assert_int_equal(fixture_names(f), 1);
	assert_int_equal(
		fixture_read(f, service_get, &(struct id_in){created.id}, &created),
		GAZ_OK);
	assert_int_equal(created.instance_count, 0);
	assert_int_equal(created.revision, 1);

	in.instance_id = "ok";
	assert_int_equal(fixture_mutate(f, instance_register, &in, &started), GAZ_OK);
	assert_int_equal(fixture_names(f), 4); /* apex, _tcp, _x._tcp, ok._x._tcp */

	/* An A service at the name of that helper. */
	assert_int_equal(fixture_create_service(f, ns, "ok._x._tcp", &svc), GAZ_OK);
	assert_int_equal(fixture_register(f, svc, "i", "10.9.9.9", &operation_id),
			 GAZ_OK);
	get_operation(f, operation_id, &op);
	assert_int_equal(op.status, OPERATION_FAIL);
	assert_non_null(strstr(op.error_message, "ok._x._tcp.example.com"));
	assert_int_equal(fixture_names(f), 4);
}

static void test_operations_on_one_target_have_ids_of_their_own(void **state)
{
	struct fixture *f = *state;
	const char *ns;
	const char *svc;
	const char *ids[50];

	assert_int_equal(fixture_create_namespace(f, "example.com", NULL, &ns), GAZ_OK);
	assert_int_equal(fixture_create_service(f, ns, "a", &svc), GAZ_OK);
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(fixture_register(f, svc, "same", "10.0.0.1", &ids[i]),
				 GAZ_OK);
		if (i > 0) {
			assert_int_equal(strncmp(ids[i], ids[0], 32), 0);
			assert_true(strcmp(ids[i], ids[i - 1]) > 0);
		}
	}
}

static void test_everything_is_there_after_a_restart(void **state)
{
	struct fixture *f = *state;
	const char *ns;
	const char *svc;
	const char *operation_id;
	struct operation_record op;
	struct service_record service;
	size_t names;

	assert_int_equal(fixture_create_namespace(f, "example.com", "vpc-a", &ns),
			 GAZ_OK);
	assert_int_equal(fixture_create_service(f, ns, "web", &svc), GAZ_OK);
	assert_int_equal(fixture_register(f, svc, "i-1", "10.0.0.1", &operation_id),
			 GAZ_OK);
	names = fixture_names(f);
	fixture_close(f);
	assert_int_equal(fixture_open(f), GAZ_OK);
	assert_int_equal(fixture_names(f), names);
	get_operation(f, operation_id, &op);
	assert_int_equal(op.status, OPERATION_SUCCESS);
	assert_string_equal(op.service_id, svc);
	assert_int_equal(fixture_read(f, service_get, &(struct id_in){svc}, &service),
			 GAZ_OK);
	assert_int_equal(service.instance_count, 1);
	assert_int_equal(service.revision, 2);
}

static void test_a_pending_operation_excludes_others_and_ends_after_restart(void **state)
{
	struct fixture *f = *state;
	struct create_namespace_in in = {.name = "slow.test"};
	struct operation_started_out started;
	struct operation_started_out second;
	struct operation_record op;

	fixture_close(f);
	f->config.operation_delay_ms = 3600000;
	assert_int_equal(fixture_open(f), GAZ_OK);
	assert_int_equal(fixture_mutate(f, namespace_create_public_dns, &in, &started),
			 GAZ_OK);
	get_operation(f, started.operation_id, &op);
	assert_int_equal(op.status, OPERATION_SUBMITTED);
	assert_non_null(op.namespace_id);
	assert_int_equal(fixture_names(f), 0);
	assert_int_equal(fixture_mutate(f, namespace_create_http, &in, &second),
			 GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_DUPLICATE_REQUEST);
	assert_string_equal(f->fault.extra[0].value, started.operation_id);
	assert_int_equal(fixture_mutate(f, namespace_delete,
					&(struct id_in){op.namespace_id}, &second),
			 GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_DUPLICATE_REQUEST);

	fixture_close(f);
	f->config.clock.fixed_ms = op.create_ms + 3600000;
	assert_int_equal(fixture_open(f), GAZ_OK);
	/* The first mutation comes after the operations that are due. */
	assert_int_equal(fixture_mutate(f, namespace_create_public_dns, &in, &second),
			 GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_NAMESPACE_ALREADY_EXISTS);
	get_operation(f, started.operation_id, &op);
	assert_int_equal(op.status, OPERATION_SUCCESS);
	assert_int_equal(fixture_names(f), 1);
}

static void test_operations_are_forgotten_when_they_are_old(void **state)
{
	struct fixture *f = *state;
	struct create_namespace_in in = {.name = "h", .creator_request_id = "token"};
	struct operation_started_out first;
	struct operation_started_out again;
	struct operation_record op;
	const char *id;

	assert_int_equal(fixture_mutate(f, namespace_create_http, &in, &first), GAZ_OK);
	get_operation(f, first.operation_id, &op);
	fixture_close(f);
	f->config.clock.fixed_ms = op.create_ms + 86400000 - 1;
	assert_int_equal(fixture_open(f), GAZ_OK);
	assert_int_equal(fixture_create_namespace(f, "one.test", NULL, &id), GAZ_OK);
	get_operation(f, first.operation_id, &op);
	fixture_close(f);
	f->config.clock.fixed_ms++;
	assert_int_equal(fixture_open(f), GAZ_OK);
	assert_int_equal(fixture_create_namespace(f, "two.test", NULL, &id), GAZ_OK);
	assert_int_equal(
		fixture_read(f, operation_get,
			     &(struct get_operation_in){first.operation_id, NULL}, &op),
		GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_OPERATION_NOT_FOUND);
	/* Its token went with it. */
	assert_int_equal(fixture_mutate(f, namespace_create_http, &in, &again),
			 GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_NAMESPACE_ALREADY_EXISTS);
}

/* One that a former format has written, an hour ahead of the clock. */
static gaz_status put_wide_operation(struct call *call, const void *in, void *out)
{
	char id[ID_OPERATION_SIZE];
	struct operation_record op = {.id = id,
				      .account = call->account,
				      .type = OPERATION_CREATE_NAMESPACE,
				      .status = OPERATION_SUCCESS,
				      .create_ms = call->now_ms + 3600000};
	struct operation_extra extra = {.call_name = "CreateHttpNamespace",
					.region = call->region};
	struct key key = {0};
	struct bytes value;

	(void)out;
	id_operation_at(in, op.create_ms, id);
	op.update_ms = extra.due_ms = op.create_ms;
	assert_int_equal(schema_operation_wide_key(id, &key), GAZ_OK);
	bytes_init(&value);
	schema_put_operation(&value, &op, &extra);
	call_put(call, TABLE_OPERATION, key_span(&key), &value);
	bytes_fini(&value);
	return GAZ_OK;
}

static gaz_status add_tokens(struct call *call, const void *in, void *out)
{
	(void)in;
	(void)out;
	for (unsigned i = 0; i < 2000; i++) {
		uint8_t token[OPERATION_TOKEN_LEN] = {(uint8_t)i, (uint8_t)(i >> 8)};

		assert_int_equal(token_add(call, token, call->now_ms), GAZ_OK);
	}
	return GAZ_OK;
}

static void test_tokens_are_kept_behind_wide_operations_of_the_future(void **state)
{
	struct fixture *f = *state;
	struct create_namespace_in in = {.name = "h", .creator_request_id = "token"};
	struct operation_started_out first;
	struct operation_started_out again;

	assert_int_equal(fixture_mutate(f, namespace_create_http, &in, &first), GAZ_OK);
	assert_int_equal(fixture_mutate(f, put_wide_operation, first.operation_id, NULL),
			 GAZ_OK);
	assert_int_equal(fixture_mutate(f, add_tokens, NULL, NULL), GAZ_OK);
	assert_int_equal(fixture_mutate(f, namespace_create_http, &in, &again), GAZ_OK);
	assert_string_equal(first.operation_id, again.operation_id);
}

static void test_operations_are_kept_up_to_a_number(void **state)
{
	struct fixture *f = *state;
	struct page_in in = {0};
	struct operation_page_out page = {0};
	const char *ns;
	const char *svc;

	fixture_close(f);
	f->config.operation_max = 5;
	assert_int_equal(fixture_open(f), GAZ_OK);
	assert_int_equal(fixture_create_namespace(f, "one.test", NULL, &ns), GAZ_OK);
	assert_int_equal(fixture_create_service(f, ns, "a", &svc), GAZ_OK);
	for (int i = 0; i < 20; i++)
		assert_int_equal(fixture_register(f, svc, "same", "10.0.0.1", NULL),
				 GAZ_OK);
	assert_int_equal(fixture_read(f, operation_list, &in, &page), GAZ_OK);
	assert_in_range(page.count, 5, 6);
}

static size_t count_operations(const struct fixture *f)
{
	struct store_txn *txn = NULL;
	size_t count = 0;

	assert_int_equal(store_begin_read(f->store, &txn), GAZ_OK);
	assert_int_equal(store_count(txn, TABLE_OPERATION, &count), GAZ_OK);
	store_abort(&txn);
	return count;
}

/* With one more operation than may be kept, a 64th of them goes with it. */
static void test_operations_go_many_at_a_time(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;
	size_t sweeps = 0;
	const char *ns;
	const char *svc;

	fixture_close(f);
	f->config.operation_max = 256;
	assert_int_equal(fixture_open(f), GAZ_OK);
	assert_int_equal(fixture_create_namespace(f, "one.test", NULL, &ns), GAZ_OK);
	assert_int_equal(fixture_create_service(f, ns, "a", &svc), GAZ_OK);
	for (int i = 0; i < 256 + 20; i++) {
		size_t before = count;

		assert_int_equal(fixture_register(f, svc, "same", "10.0.0.1", NULL),
				 GAZ_OK);
		count = count_operations(f);
		assert_in_range(count, before < 256 ? before : 252, 256);
		sweeps += count < before;
	}
	assert_in_range(sweeps, 4, 5);
}

/* Without any call, and more than go at a time. */
static void test_old_operations_go_by_themselves(void **state)
{
	enum {
		PATIENCE = 60000, /* milliseconds */
	};
	struct fixture *f = *state;
	struct operation_record op;
	const char *last = NULL;
	const char *ns;
	const char *svc;

	assert_int_equal(fixture_create_namespace(f, "one.test", NULL, &ns), GAZ_OK);
	assert_int_equal(fixture_create_service(f, ns, "a", &svc), GAZ_OK);
	for (int i = 0; i < 600; i++)
		assert_int_equal(fixture_register(f, svc, "same", "10.0.0.1", &last),
				 GAZ_OK);
	get_operation(f, last, &op);
	fixture_close(f);
	f->config.clock.fixed_ms = op.create_ms + 86400000;
	assert_int_equal(fixture_open(f), GAZ_OK);
	for (int i = 0; i < PATIENCE && count_operations(f) > 0; i++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	assert_int_equal(count_operations(f), 0);
}

static const char *register_with_token(struct fixture *f, const char *service_id, int n)
{
	struct text_pair pair = {"AWS_INSTANCE_IPV4", "10.0.0.1"};
	char token[16];
	struct register_instance_in in = {.service_id = service_id,
					  .instance_id = "i",
					  .creator_request_id = token,
					  .attributes = {&pair, 1, true}};
	struct operation_started_out started = {0};

	(void)snprintf(token, sizeof token, "token-%d", n);
	assert_int_equal(fixture_mutate(f, instance_register, &in, &started), GAZ_OK);
	return started.operation_id;
}

static void test_requests_are_known_again_as_long_as_their_operations(void **state)
{
	enum {
		REQUESTS = 800, /* more than the index has room for at first */
	};
	static const int samples[] = {0, 1, 400, REQUESTS - 1};
	static char ids[REQUESTS][64];
	struct fixture *f = *state;
	const char *namespace_id;
	const char *service_id;

	assert_int_equal(fixture_create_namespace(f, "x.example", NULL, &namespace_id),
			 GAZ_OK);
	assert_int_equal(fixture_create_service(f, namespace_id, "s", &service_id),
			 GAZ_OK);
	service_id = arena_strdup(&f->arena, service_id);
	for (int i = 0; i < REQUESTS; i++)
		strcpy(ids[i], register_with_token(f, service_id, i));
	for (int life = 0; life < 2; life++) {
		for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
			assert_string_equal(
				register_with_token(f, service_id, samples[i]),
				ids[samples[i]]);
		fixture_close(f);
		assert_int_equal(fixture_open(f), GAZ_OK);
	}
	fixture_close(f);
	f->config.operation_max = 3;
	assert_int_equal(fixture_open(f), GAZ_OK);
	/* Each mutation takes some of the old operations away. */
	for (int i = 0; i < 4; i++)
		(void)register_with_token(f, service_id, REQUESTS + i);
	assert_string_not_equal(register_with_token(f, service_id, 0), ids[0]);
}

static void test_two_ways_to_write_a_name_are_one_name(void **state)
{
	struct fixture *f = *state;
	struct create_namespace_in in = {.name = "\\097.test", .vpc = "vpc-a"};
	struct operation_started_out started;
	struct operation_record op;
	const char *id;

	assert_int_equal(fixture_create_namespace(f, "a.test", "vpc-a", &id), GAZ_OK);
	assert_int_equal(fixture_mutate(f, namespace_create_private_dns, &in, &started),
			 GAZ_OK);
	get_operation(f, started.operation_id, &op);
	assert_int_equal(op.status, OPERATION_FAIL);
	assert_non_null(strstr(op.error_message, "ConflictingDomainExists"));
}

static void test_a_repeated_service_request_is_one_with_equal_tags(void **state)
{
	struct fixture *f = *state;
	struct text_pair tag = {"k", "v"};
	struct dns_record_in record = {RECORD_A, {true, 60}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct create_service_in in = {.name = "s",
				       .creator_request_id = "token",
				       .dns_config = &dns,
				       .tags = {&tag, 1, true}};
	struct service_record first;
	struct service_record again;

	assert_int_equal(fixture_create_namespace(f, "a.test", NULL, &in.namespace_id),
			 GAZ_OK);
	assert_int_equal(fixture_mutate(f, service_create, &in, &first), GAZ_OK);
	assert_int_equal(fixture_mutate(f, service_create, &in, &again), GAZ_OK);
	assert_string_equal(first.id, again.id);
	tag.value = "other";
	assert_int_equal(fixture_mutate(f, service_create, &in, &again), GAZ_EREFUSED);
	assert_int_equal(f->fault.code, FAULT_SERVICE_ALREADY_EXISTS);
}

static void test_resources_of_another_region_do_not_exist(void **state)
{
	struct fixture *f = *state;
	struct call call = {
		.arena = &f->arena, .region = "eu-west-1", .account = "000000000000"};
	struct namespace_record ns;
	const char *id;

	assert_int_equal(fixture_create_namespace(f, "example.com", NULL, &id), GAZ_OK);
	assert_int_equal(registry_read(f->registry, &call, namespace_get,
				       &(struct id_in){id}, &ns),
			 GAZ_EREFUSED);
	assert_int_equal(call.fault.code, FAULT_NAMESPACE_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_REGISTRY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		WITH_REGISTRY(test_namespace_has_a_zone_when_the_reply_is_there),
		WITH_REGISTRY(
			test_same_private_name_in_one_vpc_fails_through_the_operation),
		WITH_REGISTRY(test_a_repeated_request_gets_the_same_operation),
		WITH_REGISTRY(test_http_name_is_hashed_when_the_name_is_taken),
		WITH_REGISTRY(test_quota_counts_places_and_gives_them_back),
		WITH_REGISTRY(test_instances_make_names_and_the_last_one_takes_it_away),
		WITH_REGISTRY(test_a_failed_registration_leaves_no_trace),
		WITH_REGISTRY(test_operations_on_one_target_have_ids_of_their_own),
		WITH_REGISTRY(test_everything_is_there_after_a_restart),
		WITH_REGISTRY(
			test_a_pending_operation_excludes_others_and_ends_after_restart),
		WITH_REGISTRY(test_operations_are_forgotten_when_they_are_old),
		WITH_REGISTRY(test_tokens_are_kept_behind_wide_operations_of_the_future),
		WITH_REGISTRY(test_operations_are_kept_up_to_a_number),
		WITH_REGISTRY(test_operations_go_many_at_a_time),
		WITH_REGISTRY(test_requests_are_known_again_as_long_as_their_operations),
		WITH_REGISTRY(test_old_operations_go_by_themselves),
		WITH_REGISTRY(test_two_ways_to_write_a_name_are_one_name),
		WITH_REGISTRY(test_a_repeated_service_request_is_one_with_equal_tags),
		WITH_REGISTRY(test_resources_of_another_region_do_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
