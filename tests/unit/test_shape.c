/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/model.h"
#include "registry/instance.h"
#include "registry/namespace.h"
#include "registry/operation.h"
#include "registry/service.h"
#include "registry/tag.h"
#include "registry/vpc.h"

struct fixture {
	enum shape_mode mode;
	struct shape_patterns *patterns;
	struct arena arena;
	struct shape_problem problem;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	arena_init(&f->arena);
	assert_int_equal(
		shape_patterns_new(model_patterns, model_pattern_count, &f->patterns),
		GAZ_OK);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	shape_patterns_free(&f->patterns);
	arena_fini(&f->arena);
	free(f);
	return 0;
}

static gaz_status decode_json(struct fixture *f, const struct shape *shape, json_t *json,
			      void **out)
{
	gaz_status st;

	assert_non_null(json);
	memset(&f->problem, 0, sizeof f->problem);
	*out = arena_alloc(&f->arena, shape->size);
	st = shape_decode(f->patterns, shape, f->mode, json, &f->arena, *out,
			  &f->problem);
	json_decref(json);
	return st;
}

static void *decoded(void **state, const struct shape *shape, const char *text)
{
	struct fixture *f = *state;
	void *out;

	assert_int_equal(decode_json(f, shape, json_loads(text, 0, NULL), &out), GAZ_OK);
	return out;
}

static void violates(void **state, const struct shape *shape, const char *text,
		     const char *message)
{
	struct fixture *f = *state;
	void *out;

	assert_int_equal(decode_json(f, shape, json_loads(text, 0, NULL), &out),
			 GAZ_EFORMAT);
	assert_null(f->problem.wrong_type);
	assert_string_equal(f->problem.violations, message);
}

static void has_wrong_type(void **state, const struct shape *shape, const char *text,
			   const char *message)
{
	struct fixture *f = *state;
	void *out;

	assert_int_equal(
		decode_json(f, shape, json_loads(text, JSON_DECODE_ANY, NULL), &out),
		GAZ_EFORMAT);
	assert_null(f->problem.violations);
	assert_string_equal(f->problem.wrong_type, message);
}

static void test_namespace_with_everything_is_decoded(void **state)
{
	const struct create_namespace_in *in = decoded(
		state, &model_create_private_dns_namespace,
		"{\"Name\":\"example.com\",\"Vpc\":\"vpc-1\",\"CreatorRequestId\":\"c\","
		"\"Description\":\"\",\"Tags\":[{\"Key\":\"k\",\"Value\":\"\"},"
		"{\"Value\":\"v\",\"Key\":\"l\"}],"
		"\"Properties\":{\"DnsProperties\":{\"SOA\":{\"TTL\":60}}}}");

	assert_string_equal(in->name, "example.com");
	assert_string_equal(in->vpc, "vpc-1");
	assert_string_equal(in->creator_request_id, "c");
	assert_string_equal(in->description, "");
	assert_true(in->tags.present);
	assert_int_equal(in->tags.count, 2);
	assert_string_equal(in->tags.items[0].value, "");
	assert_string_equal(in->tags.items[1].key, "l");
	assert_true(in->properties->dns_properties->soa->ttl.present);
	assert_int_equal(in->properties->dns_properties->soa->ttl.value, 60);
}

static void test_absent_and_null_members_are_zero(void **state)
{
	const struct create_namespace_in *in = decoded(
		state, &model_create_http_namespace,
		"{\"Name\":\"n\",\"Tags\":null,\"Description\":null,\"Other\":[1,{}]}");

	assert_null(in->description);
	assert_null(in->creator_request_id);
	assert_false(in->tags.present);
	assert_null(in->properties);
}

static void test_filters_and_page_are_decoded(void **state)
{
	const struct page_in *in = decoded(
		state, &model_list_operations,
		"{\"MaxResults\":10.0,\"Filters\":[{\"Name\":\"STATUS\",\"Values\":["
		"\"FAIL\","
		"\"SUCCESS\"],\"Condition\":\"IN\"},{\"Name\":\"TYPE\",\"Values\":[]}]}");

	assert_int_equal(in->max_results.value, 10);
	assert_int_equal(in->filters.count, 2);
	assert_int_equal(in->filters.items[0].name, OPERATION_FILTER_STATUS);
	assert_int_equal(in->filters.items[0].condition, CONDITION_IN);
	assert_int_equal(in->filters.items[0].values.count, 2);
	assert_string_equal(in->filters.items[0].values.items[1], "SUCCESS");
	assert_int_equal(in->filters.items[1].condition, CONDITION_UNSET);
	assert_true(in->filters.items[1].values.present);
	assert_int_equal(in->filters.items[1].values.count, 0);
}

static void test_service_and_instance_are_decoded(void **state)
{
	const struct create_service_in *service =
		decoded(state, &model_create_service,
			"{\"Name\":\"web\",\"DnsConfig\":{\"RoutingPolicy\":\"WEIGHTED\","
			"\"DnsRecords\":"
			"[{\"Type\":\"A\",\"TTL\":0}]},\"HealthCheckCustomConfig\":{}}");
	const struct register_instance_in *instance =
		decoded(state, &model_register_instance,
			"{\"ServiceId\":\"s\",\"InstanceId\":\"i\",\"Attributes\":"
			"{\"AWS_INSTANCE_IPV4\":\"192.0.2.1\",\"empty\":\"\"}}");

	assert_int_equal(service->dns_config->routing_policy, ROUTING_WEIGHTED);
	assert_int_equal(service->dns_config->dns_records.count, 1);
	assert_int_equal(service->dns_config->dns_records.items[0].type, RECORD_A);
	assert_true(service->dns_config->dns_records.items[0].ttl.present);
	assert_non_null(service->custom_health);
	assert_false(service->custom_health->failure_threshold.present);
	assert_null(service->health_check);
	assert_int_equal(service->type, 0);
	assert_int_equal(instance->attributes.count, 2);
	assert_string_equal(instance->attributes.items[0].key, "AWS_INSTANCE_IPV4");
	assert_string_equal(instance->attributes.items[1].value, "");
}

static void test_missing_member_is_one_violation(void **state)
{
	violates(state, &model_get_namespace, "{}",
		 "1 validation error detected: Value null at 'id' failed to satisfy "
		 "constraint: "
		 "Member must not be null");
	violates(state, &model_get_namespace, "{\"Id\":null}",
		 "1 validation error detected: Value null at 'id' failed to satisfy "
		 "constraint: "
		 "Member must not be null");
}

static void test_violations_of_every_depth_are_collected_in_model_order(void **state)
{
	violates(
		state, &model_create_private_dns_namespace,
		"{\"Properties\":{\"DnsProperties\":{\"SOA\":{\"TTL\":-1}}},"
		"\"Tags\":[{\"Key\":\"a\",\"Value\":\"b\"},{\"Key\":\"\"}],\"Name\":\"a "
		"b\"}",
		"5 validation errors detected: "
		"Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy "
		"regular expression pattern: ^(?!arn:)[!-~]{1,253}$; "
		"Value null at 'vpc' failed to satisfy constraint: Member must not be "
		"null; "
		"Value '' at 'tags.2.member.key' failed to satisfy constraint: Member "
		"must have "
		"length greater than or equal to 1; "
		"Value null at 'tags.2.member.value' failed to satisfy constraint: "
		"Member must "
		"not be null; "
		"Value '-1' at 'properties.dnsProperties.sOA.tTL' failed to satisfy "
		"constraint: "
		"Member must have value greater than or equal to 0");
}

static void test_enum_and_range_violations_name_the_set_and_the_bound(void **state)
{
	violates(state, &model_list_namespaces,
		 "{\"MaxResults\":101,\"Filters\":[{\"Name\":\"X\",\"Values\":[\"\"],"
		 "\"Condition\":\"eq\"}]}",
		 "4 validation errors detected: "
		 "Value '101' at 'maxResults' failed to satisfy constraint: Member must "
		 "have "
		 "value less than or equal to 100; "
		 "Value 'X' at 'filters.1.member.name' failed to satisfy constraint: "
		 "Member must "
		 "satisfy enum value set: [TYPE, NAME, HTTP_NAME, RESOURCE_OWNER]; "
		 "Value '' at 'filters.1.member.values.1.member' failed to satisfy "
		 "constraint: "
		 "Member must have length greater than or equal to 1; "
		 "Value 'eq' at 'filters.1.member.condition' failed to satisfy "
		 "constraint: Member "
		 "must satisfy enum value set: [EQ, IN, BETWEEN, BEGINS_WITH]");
}

static void test_map_violations_name_the_key(void **state)
{
	violates(
		state, &model_register_instance,
		"{\"ServiceId\":\"s\",\"InstanceId\":\"i\",\"Attributes\":{\"a b\":\"x\","
		"\"c\":\" x\",\"d\":null}}",
		"3 validation errors detected: "
		"Value 'a b' at 'attributes' failed to satisfy constraint: Map keys must "
		"satisfy "
		"constraint: [Member must satisfy regular expression pattern: "
		"^[a-zA-Z0-9!-~]+$]; "
		"Value ' x' at 'attributes.c.member' failed to satisfy constraint: "
		"Member must "
		"satisfy regular expression pattern: "
		"^([a-zA-Z0-9!-~][ \\ta-zA-Z0-9!-~]*){0,1}[a-zA-Z0-9!-~]{0,1}$; "
		"Value null at 'attributes.d.member' failed to satisfy constraint: "
		"Member must "
		"not be null");
}

static void test_list_length_is_checked(void **state)
{
	violates(state, &model_put_vpc, "{\"VpcId\":\"v\",\"Cidrs\":[]}",
		 "1 validation error detected: Value '[]' at 'cidrs' failed to satisfy "
		 "constraint: Member must have length greater than or equal to 1");
	violates(state, &model_untag_resource,
		 "{\"ResourceARN\":\"a\",\"TagKeys\":[null]}",
		 "1 validation error detected: Value null at 'tagKeys.1.member' failed "
		 "to satisfy "
		 "constraint: Member must not be null");
}

static void test_length_counts_code_points(void **state)
{
	struct fixture *f = *state;
	char text[64 * 4 + 2] = "";
	void *out;

	for (int i = 0; i < 64; i++)
		strcat(text, "\xf0\x9f\x98\x80");
	assert_int_equal(decode_json(f, &model_delete_vpc,
				     json_pack("{s:s}", "VpcId", text), &out),
			 GAZ_OK);
	strcat(text, "x");
	assert_int_equal(decode_json(f, &model_delete_vpc,
				     json_pack("{s:s}", "VpcId", text), &out),
			 GAZ_EFORMAT);
	assert_non_null(strstr(f->problem.violations, "less than or equal to 64"));
}

static void test_wrong_type_comes_before_violations(void **state)
{
	has_wrong_type(state, &model_create_private_dns_namespace,
		       "{\"Name\":\"\",\"Tags\":[{\"Key\":\"\",\"Value\":1}]}",
		       "The value at 'tags.1.member.value' must be a string");
	has_wrong_type(state, &model_create_http_namespace, "{\"Name\":[]}",
		       "The value at 'name' must be a string");
	has_wrong_type(state, &model_create_http_namespace, "{\"Tags\":{}}",
		       "The value at 'tags' must be a list");
	has_wrong_type(state, &model_create_http_namespace, "{\"Tags\":[\"x\"]}",
		       "The value at 'tags.1.member' must be an object");
	has_wrong_type(state, &model_list_namespaces, "{\"MaxResults\":\"10\"}",
		       "The value at 'maxResults' must be an integer");
	has_wrong_type(state, &model_list_namespaces, "{\"MaxResults\":10.5}",
		       "The value at 'maxResults' must be an integer");
	has_wrong_type(state, &model_list_namespaces, "{\"MaxResults\":1e300}",
		       "The value at 'maxResults' must be an integer");
	has_wrong_type(state, &model_list_namespaces, "{\"MaxResults\":true}",
		       "The value at 'maxResults' must be an integer");
	has_wrong_type(state, &model_register_instance, "{\"Attributes\":{\"a\":{}}}",
		       "The value at 'attributes.a.member' must be a string");
	has_wrong_type(state, &model_get_namespace, "[]", "The input must be an object");
}

static void test_names_follow_the_patterns_of_the_model(void **state)
{
	static const struct {
		const struct shape *shape;
		const char *name;
		bool good;
	} cases[] = {
		{&model_create_http_namespace, "Anything{}~!", true},
		{&model_create_http_namespace, "arn:x", false},
		{&model_create_http_namespace, "", false},
		{&model_create_http_namespace, "a\n", false},
		{&model_create_http_namespace, "\xc3\xa4", false},
		{&model_create_public_dns_namespace, "example.com", true},
		{&model_create_public_dns_namespace, "com", false},
		{&model_create_public_dns_namespace, "example.com.", false},
		{&model_create_public_dns_namespace, "example.com\n", false},
		{&model_create_public_dns_namespace, "-a.com", false},
		{&model_create_public_dns_namespace, "a_b.com", false},
		{&model_create_service, "web", true},
		{&model_create_service, ".", true},
		{&model_create_service, "_http._tcp", true},
		{&model_create_service, "_", false},
		{&model_create_service, "a.", false},
		{&model_create_service, "-a", false},
		{&model_create_service, "a\n", false},
		{&model_create_service, "", false},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		void *out;
		gaz_status st =
			decode_json(f, cases[i].shape,
				    json_pack("{s:s}", "Name", cases[i].name), &out);

		if ((st == GAZ_OK) != cases[i].good)
			fail_msg("\"%s\" at %zu", cases[i].name, i);
	}
}

/* Every pattern, with texts that make a naive matcher work hard. */
static void test_hostile_megabyte_is_refused_quickly_with_a_small_message(void **state)
{
	static const char *const units[] = {"a", "a.", "a-", "-", " ", "!", "\xc3\xa4"};
	static const struct {
		const struct shape *shape;
		const char *member;
	} places[] = {
		{&model_create_http_namespace, "Name"},
		{&model_create_public_dns_namespace, "Name"},
		{&model_create_service, "Name"},
		{&model_register_instance, "InstanceId"},
	};
	const size_t size = 1 << 20;
	char *text = malloc(size + 3);
	struct fixture *f = *state;
	void *out;

	for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
		size_t len = strlen(units[u]);

		for (size_t at = 0; at < size; at += len)
			memcpy(text + at, units[u], len + 1);
		for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
			assert_int_equal(
				decode_json(f, places[p].shape,
					    json_pack("{s:s}", places[p].member, text),
					    &out),
				GAZ_EFORMAT);
			assert_true(strlen(f->problem.violations) <
				    SHAPE_MESSAGE_MAX + 64);
		}
		assert_int_equal(decode_json(f, &model_register_instance,
					     json_pack("{s:{s:s, s:s}}", "Attributes",
						       "k", text, text, "v"),
					     &out),
				 GAZ_EFORMAT);
		assert_true(strlen(f->problem.violations) < SHAPE_MESSAGE_MAX + 64);
	}
	free(text);
}

static void test_hundred_thousand_violations_make_a_bounded_message(void **state)
{
	struct fixture *f = *state;
	json_t *list = json_array();
	void *out;

	for (int i = 0; i < 100000; i++)
		json_array_append_new(list, json_object());
	assert_int_equal(decode_json(f, &model_list_namespaces,
				     json_pack("{s:o}", "Filters", list), &out),
			 GAZ_EFORMAT);
	assert_true(strlen(f->problem.violations) < SHAPE_MESSAGE_MAX + 64);
	assert_memory_equal(f->problem.violations,
			    "200000 validation errors detected: ", 35);
}

static void test_shown_values_are_cut_between_characters(void **state)
{
	struct fixture *f = *state;
	char text[1201] = "";
	json_t *shown;
	void *out;

	for (int i = 0; i < 400; i++)
		strcat(text, "\xe2\x82\xac");
	assert_int_equal(
		decode_json(f, &model_get_service, json_pack("{s:s}", "Id", text), &out),
		GAZ_EFORMAT);
	assert_non_null(strstr(f->problem.violations, "...' at 'id'"));
	shown = json_string(f->problem.violations); /* NULL when it is not UTF-8 */
	assert_non_null(shown);
	json_decref(shown);
}

static void test_strict_members_that_do_not_exist_are_violations(void **state)
{
	struct fixture *f = *state;
	const char *text = "{\"Name\":\"x\",\"Nmae\":1,\"Tags\":[{\"Key\":\"k\","
			   "\"Value\":\"v\",\"Vlaue\":null}]}";

	(void)decoded(state, &model_create_http_namespace, text);
	f->mode = SHAPE_STRICT;
	violates(state, &model_create_http_namespace, text,
		 "2 validation errors detected: Value '1' at 'nmae' failed to satisfy "
		 "constraint: Member must be one that exists here; Value null at "
		 "'tags.1.member.vlaue' failed to satisfy constraint: Member must be one "
		 "that exists here");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_namespace_with_everything_is_decoded),
		TEST(test_absent_and_null_members_are_zero),
		TEST(test_filters_and_page_are_decoded),
		TEST(test_service_and_instance_are_decoded),
		TEST(test_missing_member_is_one_violation),
		TEST(test_violations_of_every_depth_are_collected_in_model_order),
		TEST(test_enum_and_range_violations_name_the_set_and_the_bound),
		TEST(test_map_violations_name_the_key),
		TEST(test_list_length_is_checked),
		TEST(test_length_counts_code_points),
		TEST(test_wrong_type_comes_before_violations),
		TEST(test_names_follow_the_patterns_of_the_model),
		TEST(test_hostile_megabyte_is_refused_quickly_with_a_small_message),
		TEST(test_hundred_thousand_violations_make_a_bounded_message),
		TEST(test_shown_values_are_cut_between_characters),
		TEST(test_strict_members_that_do_not_exist_are_violations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
