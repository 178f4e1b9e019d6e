/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_client.h"
#include "api_stub.h"

/* Calls over real sockets: what is answered to what. */

static void test_read_and_mutation_are_answered(void **state)
{
	struct reply r = call(state, AWS "DeleteNamespace", "{\"Id\":\"ns-1\"}");

	assert_success(&r, "{\"OperationId\":\"operation-1\"}");
	assert_string_equal(stub.last, "namespace_delete");
	assert_string_equal(stub.region, "us-east-1");
	assert_string_equal(stub.account, "000000000000");
	r = call(state, AWS "GetNamespace", "{\"Id\":\"ns-1\"}");
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.body, "\"Id\":\"ns-1\""));
	r = call(state, "Gazetteer.GetStatus", "{}");
	assert_non_null(strstr(r.body, "\"Version\":\"test\""));
}

static void test_empty_body_is_an_empty_object(void **state)
{
	struct reply r = call(state, AWS "ListNamespaces", "");

	assert_success(&r, "{\"Namespaces\":[]}");
	r = ask(state, "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: " AWS
		       "ListNamespaces\r\n\r\n");
	assert_success(&r, "{\"Namespaces\":[]}");
}

static void test_any_path_and_header_case_will_do(void **state)
{
	struct reply r = ask(state, "POST /a/b?c HTTP/1.1\r\nhost: data-x\r\n"
				    "content-type: Application/JSON; charset=utf-8\r\n"
				    "x-AMZ-target: " AWS "ListNamespaces\r\n"
				    "content-length: 2\r\n\r\n{}");

	assert_success(&r, "{\"Namespaces\":[]}");
}

static void test_scope_selects_region_and_account(void **state)
{
	struct reply r = ask(
		state, "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 "
		       "Credential=123456789012/20261122/eu-west-1/servicediscovery/"
		       "aws4_request, "
		       "SignedHeaders=host, Signature=x\r\nX-Amz-Target: " AWS
		       "ListNamespaces\r\n\r\n");

	assert_int_equal(r.status, 200);
	assert_string_equal(stub.region, "eu-west-1");
	assert_string_equal(stub.account, "123456789012");
}

static void test_unknown_operations_are_refused(void **state)
{
	struct reply r = call(state, AWS "Nothing", "{}");

	assert_error(&r, 400, "UnknownOperationException");
	r = ask(state, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	assert_error(&r, 400, "UnknownOperationException");
	r = ask(state, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: "
		       "text/xml\r\nX-Amz-Target: " AWS "ListNamespaces\r\n\r\n");
	assert_error(&r, 400, "UnknownOperationException");
}

static void test_other_methods_are_refused_and_the_connection_closed(void **state)
{
	static const char *const methods[] = {"GET",	 "PUT",	  "DELETE", "PATCH",
					      "OPTIONS", "TRACE", "HEAD"};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		struct conn *c = dial_tcp(state);
		struct reply r;
		char text[128];

		(void)snprintf(text, sizeof text,
			       "%s / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: " AWS
			       "ListNamespaces\r\n\r\n",
			       methods[i]);
		send_text(c, text);
		r = receive(c);
		if (strcmp(methods[i], "HEAD") == 0) {
			assert_int_equal(r.status, 404);
			assert_common_headers(&r);
		} else {
			assert_error(&r, 404, "UnknownOperationException");
		}
		assert_closed(c);
		hang_up(c);
	}
}

static void test_broken_json_is_a_serialization_error(void **state)
{
	static const char *const bad[] = {
		"{",
		"[]",
		"1",
		"null",
		"{} x",
		"{\"Id\":\"\\u0000\"}",
		"{\"Id\":\"\xff\"}",
		"{\"Id\":\"\\ud800\"}",
		"{\"Id\":1}",
		"{\"Id\":1e999}",
		"{\"Id\":99999999999999999999}",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct reply r = call(state, AWS "GetNamespace", bad[i]);

		assert_error(&r, 400, "SerializationException");
		assert_non_null(strstr(r.body, "\"message\":"));
	}
}

static void test_last_of_duplicate_members_wins(void **state)
{
	struct reply r = call(state, AWS "GetNamespace", "{\"Id\":1,\"Id\":\"ns-2\"}");

	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.body, "\"Id\":\"ns-2\""));
}

static void test_violations_are_one_invalid_input(void **state)
{
	struct reply r = call(state, AWS "GetNamespace", "{}");

	assert_error(&r, 400, "InvalidInput");
	assert_string_equal(
		r.body, "{\"__type\":\"InvalidInput\",\"Message\":\"1 validation error "
			"detected: Value null at 'id' failed to satisfy constraint: "
			"Member must not be null\"}");
	assert_null(stub.last);
}

static void test_faults_keep_their_extra_members(void **state)
{
	struct reply r;

	stub.answer = GAZ_EREFUSED;
	stub.fault = (struct fault){.code = FAULT_DUPLICATE_REQUEST,
				    .message = "m",
				    .extra_count = 1,
				    .extra = {{"DuplicateOperationId", "op-1"}}};
	r = call(state, AWS "DeleteNamespace", "{\"Id\":\"n\"}");
	assert_error(&r, 400, "DuplicateRequest");
	assert_non_null(
		strstr(r.body, "\"Message\":\"m\",\"DuplicateOperationId\":\"op-1\""));
}

static void test_other_failures_are_500_and_503(void **state)
{
	struct reply r;

	stub.answer = GAZ_ESTORE;
	r = call(state, AWS "GetNamespace", "{\"Id\":\"n\"}");
	assert_error(&r, 500, "InternalFailure");
	stub.answer = GAZ_EBUSY;
	r = call(state, AWS "DeleteNamespace", "{\"Id\":\"n\"}");
	assert_error(&r, 503, "ServiceUnavailable");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read_and_mutation_are_answered),
		TEST(test_empty_body_is_an_empty_object),
		TEST(test_any_path_and_header_case_will_do),
		TEST(test_scope_selects_region_and_account),
		TEST(test_unknown_operations_are_refused),
		TEST(test_other_methods_are_refused_and_the_connection_closed),
		TEST(test_broken_json_is_a_serialization_error),
		TEST(test_last_of_duplicate_members_wins),
		TEST(test_violations_are_one_invalid_input),
		TEST(test_faults_keep_their_extra_members),
		TEST(test_other_failures_are_500_and_503),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
