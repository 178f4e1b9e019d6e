/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "api/error.h"
#include "api/sigv4.h"

/* A request signed by botocore. */
#define SCOPE	  "AKIDEXAMPLE/20261122/us-west-2/servicediscovery/aws4_request"
#define SIGNATURE "5c2934e1bbf1c8909598390ab9bdaaa6bae8f423d014b7f161921c6c59eb0a37"
#define SIGNED	  "content-type;host;x-amz-date;x-amz-target;x-custom"
#define AUTHORIZATION                                                                    \
	"AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=" SIGNED                   \
	", Signature=" SIGNATURE
#define BODY "{\"Name\":\"example.com\",\"Vpc\":\"vpc-1c56417b\"}"

static const int64_t signed_ms = 1795349561000;

struct sent {
	const char *authorization;
	const char *date;
	const char *target;
	const char *host;
	const char *custom;
};

static const struct sent good = {
	.authorization = AUTHORIZATION,
	.date = "20261122T121241Z",
	.target = "Route53AutoNaming_v20170314.CreatePrivateDnsNamespace",
	.host = "127.0.0.1:8053",
	.custom = "a   b  c ",
};

static const char *find(void *arg, const char *name)
{
	const struct sent *sent = arg;
	const struct {
		const char *name;
		const char *value;
	} fields[] = {
		{"Authorization", sent->authorization},
		{"X-Amz-Date", sent->date},
		{"X-Amz-Target", sent->target},
		{"Host", sent->host},
		{"X-Custom", sent->custom},
		{"Content-Type", "application/x-amz-json-1.1"},
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (strcasecmp(name, fields[i].name) == 0)
			return fields[i].value;
	}
	return NULL;
}

static const struct api_key keys[] = {
	{"AKIDOTHER", "other"},
	{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
};

static gaz_status check_at(enum api_auth mode, struct sent sent, const char *body,
			   int64_t now_ms, struct sigv4_identity *identity, int *error)
{
	const struct sigv4_policy policy = {mode,	 keys,		 2,
					    "us-east-1", "000000000000", now_ms};
	const struct sigv4_request request = {"POST", "/",  find,
					      &sent,  body, strlen(body)};
	struct sigv4_refusal refusal = {0};
	gaz_status st = sigv4_authenticate(&policy, &request, identity, &refusal);

	if (st == GAZ_EREFUSED)
		assert_non_null(refusal.message);
	*error = refusal.error;
	return st;
}

static int error_of(enum api_auth mode, struct sent sent)
{
	struct sigv4_identity identity;
	int error;

	(void)check_at(mode, sent, BODY, signed_ms, &identity, &error);
	return error;
}

static struct sent with_authorization(const char *text)
{
	struct sent sent = good;

	sent.authorization = text;
	return sent;
}

static void test_signature_of_botocore_is_accepted(void **state)
{
	struct sigv4_identity identity;
	int error;

	(void)state;
	assert_int_equal(
		check_at(API_AUTH_VERIFY, good, BODY, signed_ms, &identity, &error),
		GAZ_OK);
	assert_string_equal(identity.region, "us-west-2");
	assert_string_equal(identity.account, "000000000000");
}

static void test_any_change_breaks_the_signature(void **state)
{
	struct sigv4_identity identity;
	struct sent sent;
	int error;

	(void)state;
	assert_int_equal(
		check_at(API_AUTH_VERIFY, good, BODY " ", signed_ms, &identity, &error),
		GAZ_EREFUSED);
	assert_int_equal(error, ERROR_INVALID_SIGNATURE);
	sent = good;
	sent.target = "Route53AutoNaming_v20170314.DeleteNamespace";
	assert_int_equal(error_of(API_AUTH_VERIFY, sent), ERROR_INVALID_SIGNATURE);
	sent = good;
	sent.host = "127.0.0.1";
	assert_int_equal(error_of(API_AUTH_VERIFY, sent), ERROR_INVALID_SIGNATURE);
	sent = good;
	sent.custom = NULL;
	assert_int_equal(error_of(API_AUTH_VERIFY, sent), ERROR_INVALID_SIGNATURE);
	sent = good;
	sent.custom = "a b c";
	assert_int_equal(error_of(API_AUTH_VERIFY, sent), 0); /* blanks do not count */
}

static void test_clock_skew_of_five_minutes_is_the_limit(void **state)
{
	static const struct {
		int64_t skew_s;
		int error;
	} cases[] = {
		{300, 0},
		{-300, 0},
		{301, ERROR_INVALID_SIGNATURE},
		{-301, ERROR_INVALID_SIGNATURE},
	};
	struct sigv4_identity identity;
	int error;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		(void)check_at(API_AUTH_VERIFY, good, BODY,
			       signed_ms + cases[i].skew_s * 1000, &identity, &error);
		assert_int_equal(error, cases[i].error);
	}
}

static void test_dates_must_be_there_and_agree(void **state)
{
	static const char *const bad[] = {NULL, "", "20261122T121241", "20261122 121241Z",
					  "ZZZZZZZZZZZZZZZZ"};
	struct sent sent = good;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		sent.date = bad[i];
		assert_int_equal(error_of(API_AUTH_VERIFY, sent),
				 ERROR_INCOMPLETE_SIGNATURE);
	}
	sent.date = "20261123T121241Z";
	assert_int_equal(error_of(API_AUTH_VERIFY, sent), ERROR_INVALID_SIGNATURE);
}

static void test_header_must_be_complete(void **state)
{
	static const char *const bad[] = {
		"",
		"Basic Zm9vOmJhcg==",
		"AWS4-HMAC-SHA256",
		"AWS4-HMAC-SHA256Credential=" SCOPE,
		"AWS4-HMAC-SHA256 Credential=" SCOPE,
		"AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=host",
		"AWS4-HMAC-SHA256 Credential=" SCOPE
		", SignedHeaders=host, Signature=abc",
		"AWS4-HMAC-SHA256 Credential=A/20261122/us-west-2/servicediscovery"
		", SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 "
		"Credential=A/2026112/us-west-2/servicediscovery/aws4_request"
		", SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 "
		"Credential=A/20261122/US_WEST/servicediscovery/aws4_request"
		", SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=A/20261122//servicediscovery/aws4_request"
		", SignedHeaders=host, Signature=" SIGNATURE,
		"AWS4-HMAC-SHA256 Credential=A/20261122/"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/servicediscovery/aws4_request"
		", SignedHeaders=host, Signature=" SIGNATURE,
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(error_of(API_AUTH_PARSE, with_authorization(bad[i])),
				 ERROR_INCOMPLETE_SIGNATURE);
		assert_int_equal(error_of(API_AUTH_VERIFY, with_authorization(bad[i])),
				 ERROR_INCOMPLETE_SIGNATURE);
		assert_int_equal(error_of(API_AUTH_OFF, with_authorization(bad[i])), 0);
	}
	assert_int_equal(error_of(API_AUTH_PARSE, with_authorization(NULL)),
			 ERROR_MISSING_AUTHENTICATION);
}

static void test_wrong_service_and_unknown_key_are_refused(void **state)
{
	(void)state;
	assert_int_equal(
		error_of(API_AUTH_PARSE,
			 with_authorization(
				 "AWS4-HMAC-SHA256 "
				 "Credential=A/20261122/eu-west-1/s3/aws4_request, "
				 "SignedHeaders=host, Signature=" SIGNATURE)),
		ERROR_INVALID_SIGNATURE);
	assert_int_equal(
		error_of(API_AUTH_VERIFY,
			 with_authorization("AWS4-HMAC-SHA256 Credential=NOBODY/20261122/"
					    "eu-west-1/servicediscovery/aws4_request, "
					    "SignedHeaders=host, Signature=" SIGNATURE)),
		ERROR_UNRECOGNIZED_CLIENT);
}

static void test_target_must_be_signed(void **state)
{
	(void)state;
	assert_int_equal(error_of(API_AUTH_VERIFY,
				  with_authorization("AWS4-HMAC-SHA256 Credential=" SCOPE
						     ", SignedHeaders=host;x-amz-date"
						     ", Signature=" SIGNATURE)),
			 ERROR_INVALID_SIGNATURE);
}

static void test_scope_gives_region_and_account_without_verification(void **state)
{
	static const char text[] = "AWS4-HMAC-SHA256 Credential=123456789012/20261122/"
				   "eu-west-1/servicediscovery/aws4_request, "
				   "SignedHeaders=host, Signature=" SIGNATURE;
	static const char bare[] =
		"AWS4-HMAC-SHA256 "
		"Credential=AKID/20200101/eu-west-3/servicediscovery/aws4_request";
	struct sigv4_identity identity;
	int error;

	(void)state;
	assert_int_equal(check_at(API_AUTH_PARSE, with_authorization(text), BODY, 0,
				  &identity, &error),
			 GAZ_OK);
	assert_string_equal(identity.region, "eu-west-1");
	assert_string_equal(identity.account, "123456789012");
	assert_int_equal(check_at(API_AUTH_OFF, with_authorization(bare), BODY, 0,
				  &identity, &error),
			 GAZ_OK);
	assert_string_equal(identity.region, "eu-west-3");
	assert_int_equal(check_at(API_AUTH_OFF, with_authorization(NULL), BODY, 0,
				  &identity, &error),
			 GAZ_OK);
	assert_string_equal(identity.region, "us-east-1");
	assert_string_equal(identity.account, "000000000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signature_of_botocore_is_accepted),
		cmocka_unit_test(test_any_change_breaks_the_signature),
		cmocka_unit_test(test_clock_skew_of_five_minutes_is_the_limit),
		cmocka_unit_test(test_dates_must_be_there_and_agree),
		cmocka_unit_test(test_header_must_be_complete),
		cmocka_unit_test(test_wrong_service_and_unknown_key_are_refused),
		cmocka_unit_test(test_target_must_be_signed),
		cmocka_unit_test(
			test_scope_gives_region_and_account_without_verification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
