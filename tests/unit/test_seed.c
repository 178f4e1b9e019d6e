/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "seed/compare-internal.h"
#include "seed/place-internal.h"

/* What needs no API: comparing, and finding the place that a message is about. The rest
 * is tested end to end. */

static char told[4096]; /* "PATH: message\n" for each fault */

static void on_fault(void *arg, const char *path, const char *message)
{
	size_t len = strlen(told);

	(void)arg;
	(void)snprintf(told + len, sizeof told - len, "%s: %s\n", path, message);
}

static const struct seed_observer observer = {.on_fault = on_fault};

static bool tell(const char *input, const char *message)
{
	struct seed s = {.observer = &observer};
	json_t *json = json_loads(input, 0, NULL);
	bool found;

	assert_non_null(json);
	told[0] = '\0';
	found = seed_tell_violations(&s, "S[0]", json, message);
	assert_int_equal(s.faults > 0, found);
	json_decref(json);
	return found;
}

#define FAILED "failed to satisfy constraint: "

static void test_each_violation_is_told_with_its_place(void **state)
{
	(void)state;
	assert_true(tell(
		"{\"DnsConfig\":{\"DnsRecords\":[{},{\"TTL\":-1}]},\"Name\":\"x\"}",
		"2 validation errors detected: Value '-1' at "
		"'dnsConfig.dnsRecords.2.member.tTL' " FAILED
		"Too small; Value null at 'dnsConfig.dnsRecords.1.member.type' " FAILED
		"Member must not be null"));
	assert_string_equal(told, "S[0].DnsConfig.DnsRecords[1].TTL: Value '-1' " FAILED
				  "Too small\n"
				  "S[0].DnsConfig.DnsRecords[0].Type: Value null " FAILED
				  "Member must not be null\n");
}

static void test_keys_of_maps_stay_as_they_are(void **state)
{
	(void)state;
	assert_true(tell("{\"Attributes\":{\"a\":\"\",\"a.b\":\"\"}}",
			 "1 validation error detected: Value '' at "
			 "'attributes.a.b.member' " FAILED "x"));
	assert_string_equal(told, "S[0].Attributes.a.b: Value '' " FAILED "x\n");
}

static void test_the_id_of_a_vpc_is_called_id(void **state)
{
	(void)state;
	assert_true(tell("{\"VpcId\":\"\"}",
			 "1 validation error detected: Value '' at 'vpcId' " FAILED "x"));
	assert_string_equal(told, "S[0].Id: Value '' " FAILED "x\n");
}

static void test_a_wrong_type_is_told_with_its_place(void **state)
{
	(void)state;
	assert_true(tell("{\"Tags\":[{\"Key\":1}]}",
			 "The value at 'tags.1.member.key' must be a string"));
	assert_string_equal(told, "S[0].Tags[0].Key: The value must be a string\n");
}

/* Values are the writer's own; whatever is in them, something is told. */
static void test_values_that_look_like_messages_harm_nobody(void **state)
{
	static const char *const messages[] = {
		"1 validation error detected: Value 'x' at 'y' " FAILED
		"z' at 'name' " FAILED "w",
		"1 validation error detected: Value '; Value ' at '' " FAILED "x",
		"1 validation error detected: Value 'x' at "
		"'18446744073709551616.member.' " FAILED "x",
		"1 validation error detected: Value 'x' at '0.member' " FAILED "x",
		"1 validation error detected: Value 'x' at '....' " FAILED "x",
		"The value at '' must be a list",
	};

	(void)state;
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
		assert_true(tell("{\"Name\":\"x\"}", messages[i]));
}

static void test_other_messages_have_no_violation(void **state)
{
	static const char *const messages[] = {
		"",
		"Rate exceeded",
		"1 validation error detected: ",
		"1 validation error detected: nonsense",
		("1 validation error detected: ' " FAILED),
		"The value at 'x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
		assert_false(tell("{}", messages[i]));
}

static bool is_within(const char *want, const char *have)
{
	json_t *a = json_loads(want, JSON_DECODE_ANY, NULL);
	json_t *b = json_loads(have, JSON_DECODE_ANY, NULL);
	bool result;

	assert_non_null(a);
	result = seed_is_within(a, b);
	json_decref(a);
	json_decref(b);
	return result;
}

static void test_only_what_is_wanted_counts(void **state)
{
	(void)state;
	assert_true(is_within("{\"a\":1}", "{\"a\":1.0,\"b\":2}"));
	assert_true(is_within("{\"a\":null}", "{\"b\":2}"));
	assert_true(is_within("{\"a\":\"\"}", "{\"b\":2}"));
	assert_true(is_within("{\"a\":{}}", "{}"));
	assert_true(is_within("[{\"a\":1},{\"b\":2}]", "[{\"b\":2,\"c\":3},{\"a\":1}]"));
	assert_false(is_within("[{\"a\":1}]", "[{\"a\":1},{\"a\":1}]"));
	assert_false(is_within("[{\"a\":1},{\"b\":2}]", "[{\"a\":1},{\"b\":3}]"));
	assert_false(is_within("{\"a\":1}", "{}"));
	assert_false(is_within("{\"a\":{\"b\":1}}", "{\"a\":[]}"));
	assert_false(is_within("\"x\"", "\"X\""));
}

static bool has_attributes(const char *want, const char *have)
{
	json_t *a = json_loads(want, 0, NULL);
	json_t *b = json_loads(have, 0, NULL);
	bool result = seed_has_attributes(a, b);

	json_decref(a);
	json_decref(b);
	return result;
}

static void test_attributes_are_equal_but_for_an_ec2_address(void **state)
{
	(void)state;
	assert_true(has_attributes("{\"a\":\"1\"}", "{\"a\":\"1\"}"));
	assert_false(has_attributes("{\"a\":\"1\"}", "{\"a\":\"1\",\"b\":\"2\"}"));
	assert_false(has_attributes("{\"a\":\"1\",\"b\":\"2\"}", "{\"a\":\"1\"}"));
	assert_true(has_attributes("{\"AWS_EC2_INSTANCE_ID\":\"i-1\"}",
				   "{\"AWS_EC2_INSTANCE_ID\":\"i-1\","
				   "\"AWS_INSTANCE_IPV4\":\"10.0.0.1\"}"));
	assert_false(has_attributes("{\"a\":\"1\"}",
				    "{\"a\":\"1\",\"AWS_INSTANCE_IPV4\":\"10.0.0.1\"}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_violation_is_told_with_its_place),
		cmocka_unit_test(test_keys_of_maps_stay_as_they_are),
		cmocka_unit_test(test_the_id_of_a_vpc_is_called_id),
		cmocka_unit_test(test_a_wrong_type_is_told_with_its_place),
		cmocka_unit_test(test_values_that_look_like_messages_harm_nobody),
		cmocka_unit_test(test_other_messages_have_no_violation),
		cmocka_unit_test(test_only_what_is_wanted_counts),
		cmocka_unit_test(test_attributes_are_equal_but_for_an_ec2_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
