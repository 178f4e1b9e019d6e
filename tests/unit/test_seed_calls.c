/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "seed/reply.h"
#include "seed/seed.h"

/* Which calls a seed makes, in which order, and what it tells when one of them fails: each
 * in turn. The API here is a server of one namespace at most whose faults can be chosen;
 * with the real one a seed is tested end to end. */

enum {
	WINDOW = 4,
	CALLS_MAX = 256,
	NEVER = CALLS_MAX,
};

static const char document[] =
	"{\"Vpcs\":[{\"Id\":\"v1\",\"Cidrs\":[\"10.0.0.0/8\"]}],\"Namespaces\":["
	"{\"Name\":\"n\",\"Type\":\"DNS_PRIVATE\",\"Vpc\":\"v1\",\"Services\":["
	"{\"Name\":\"s1\",\"Attributes\":{\"a\":\"b\"},\"Instances\":["
	"{\"InstanceId\":\"i1\"},{\"InstanceId\":\"i2\"},{\"InstanceId\":\"i3\"},"
	"{\"InstanceId\":\"i4\"},{\"InstanceId\":\"i5\"},{\"InstanceId\":\"i6\"}]},"
	"{\"Name\":\"s2\",\"Instances\":[{\"InstanceId\":\"j1\"},{\"InstanceId\":\"j2\"}]"
	"}]}"
	"]}";

struct server {
	json_t *replies[WINDOW]; /* of the calls under way */
	gaz_status statuses[WINDOW];
	bool are_creations[WINDOW];
	size_t creations; /* of the calls under way */
	size_t submitted;
	size_t collected;
	size_t most; /* under way at a time */

	size_t fails_at; /* the number of a call */
	gaz_status failure;
	bool fails_at_once; /* else its reply is the failure */
	bool is_throttled;  /* the refusal is that of a limit */
	bool is_impatient;
	bool is_slow;	  /* operations are pending at the first look */
	bool is_in_order; /* as struct seed_api has it */
	size_t most_creations;

	size_t registered;	    /* calls of RegisterInstance */
	size_t registered_at_first; /* when the first instance was told */

	json_t *ended; /* operations that have been looked at */
	char told[2048];
	size_t faults;
	char fault[1024]; /* the last one */
};

static json_t *operation(struct server *api, const char *id)
{
	const bool has_ended = !api->is_slow || json_object_get(api->ended, id);

	(void)json_object_set_new(api->ended, id, json_true());
	return json_pack("{s:{s:s, s:s, s:{s:s}}}", "Operation", "Id", id, "Status",
			 has_ended ? "SUCCESS" : "PENDING", "Targets", "NAMESPACE",
			 "ns-1");
}

static void expect_text(const json_t *input, const char *member, const char *text)
{
	assert_string_equal(reply_text(input, member), text);
}

/* What depends on a reply must have it. */
static json_t *answer(struct server *api, const char *name, const json_t *input)
{
	const char *service = reply_text(input, "ServiceId");
	char id[32];

	snprintf(id, sizeof id, "op-%zu", api->submitted);
	if (strcmp(name, "GetOperation") == 0)
		return operation(api, reply_text(input, "OperationId"));
	if (strcmp(name, "CreateService") == 0) {
		expect_text(input, "NamespaceId", "ns-1");
		snprintf(id, sizeof id, "srv-%s", reply_text(input, "Name"));
		return json_pack("{s:{s:s}}", "Service", "Id", id);
	}
	api->registered += strcmp(name, "RegisterInstance") == 0;
	if (strcmp(name, "RegisterInstance") == 0)
		assert_string_equal(service, reply_text(input, "InstanceId")[0] == 'i'
						     ? "srv-s1"
						     : "srv-s2");
	if (strcmp(name, "UpdateServiceAttributes") == 0)
		assert_string_equal(service, "srv-s1");
	return json_pack("{s:s}", "OperationId", id);
}

static gaz_status submit(void *arg, const struct seed_call *call, struct gaz_error *err)
{
	struct server *api = arg;
	const size_t number = api->submitted;
	const size_t at = number % WINDOW;

	assert_true(number - api->collected < WINDOW);
	assert_true(number < CALLS_MAX);
	if (number == api->fails_at && api->fails_at_once) {
		api->fails_at = NEVER;
		return gaz_error_set(err, api->failure, "broken");
	}
	api->statuses[at] = number == api->fails_at ? api->failure : GAZ_OK;
	if (api->statuses[at] == GAZ_EREFUSED)
		api->replies[at] =
			json_pack("{s:s, s:s}", "__type",
				  api->is_throttled ? "ThrottlingException" : "NotToday",
				  "Message", "no");
	else if (api->statuses[at] != GAZ_OK)
		api->replies[at] = NULL;
	else
		api->replies[at] = call->trial
					   ? json_object()
					   : answer(api, call->operation, call->input);
	api->are_creations[at] =
		strncmp(call->operation, "Create", 6) == 0 && !call->trial;
	api->creations += api->are_creations[at];
	if (api->creations > api->most_creations)
		api->most_creations = api->creations;
	api->submitted++;
	if (api->submitted - api->collected > api->most)
		api->most = api->submitted - api->collected;
	return GAZ_OK;
}

static gaz_status collect(void *arg, json_t **out, struct gaz_error *err)
{
	struct server *api = arg;
	const size_t at = api->collected % WINDOW;
	const gaz_status st = api->statuses[at];

	assert_true(api->collected < api->submitted);
	api->collected++;
	api->creations -= api->are_creations[at];
	if (st != GAZ_OK && st != GAZ_EREFUSED)
		return gaz_error_set(err, st, "broken");
	*out = api->replies[at];
	return st;
}

static void on_item(void *arg, const struct seed_item *item)
{
	struct server *api = arg;
	size_t len = strlen(api->told);

	assert_int_equal(item->action, SEED_CREATED);
	if (api->registered_at_first == 0 && strcmp(item->kind, "instance") == 0)
		api->registered_at_first = api->registered;
	(void)snprintf(api->told + len, sizeof api->told - len, "%s ", item->name);
}

static void on_fault(void *arg, const char *path, const char *message)
{
	struct server *api = arg;

	api->faults++;
	(void)snprintf(api->fault, sizeof api->fault, "%s: %s", path, message);
}

static gaz_status apply(struct server *api)
{
	const struct seed_api calls = {WINDOW, api->is_in_order, submit, collect, api};
	const struct seed_observer observer = {on_item, on_fault, NULL, api};
	const struct seed_options options = {.timeout_ms = api->is_impatient ? 0 : 60000};
	json_t *json = json_loads(document, 0, NULL);
	gaz_status st;

	assert_non_null(json);
	api->ended = json_object();
	st = seed_apply(&calls, &observer, &options, json);
	json_decref(json);
	json_decref(api->ended);
	assert_int_equal(api->collected, api->submitted);
	return st;
}

static const char *const all[] = {
	"v1 ",	    "n ",	"n/s1 ",    "n/s2 ",	"n/s1/i1 ", "n/s1/i2 ",
	"n/s1/i3 ", "n/s1/i4 ", "n/s1/i5 ", "n/s1/i6 ", "n/s2/j1 ", "n/s2/j2 ",
};

static size_t count_told(const struct server *api)
{
	size_t found = 0;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		found += strstr(api->told, all[i]) != NULL;
	return found;
}

static void test_calls_are_under_way_together_and_in_order(void **state)
{
	(void)state;
	for (int slow = 0; slow < 2; slow++) {
		struct server api = {.fails_at = NEVER, .is_slow = slow};

		assert_int_equal(apply(&api), GAZ_OK);
		assert_int_equal(api.most, WINDOW);
		assert_int_equal(api.faults, 0);
		assert_int_equal(count_told(&api), sizeof all / sizeof *all);
		/* Whoever waits sees that it goes on. */
		assert_true(slow || api.registered_at_first <= WINDOW);
	}
}

/* Where the API does not keep the order of calls, one waits for the other. */
static void test_what_is_listed_in_order_is_created_in_order(void **state)
{
	(void)state;
	for (int in_order = 0; in_order < 2; in_order++) {
		struct server api = {.fails_at = NEVER, .is_in_order = in_order};

		assert_int_equal(apply(&api), GAZ_OK);
		assert_int_equal(api.most, WINDOW);
		assert_int_equal(api.most_creations, in_order ? 2 : 1);
	}
}

/* The item and what lies in it are missing, and nothing else; a fault in what there is to
 * begin with ends all. */
static void test_a_refusal_spoils_what_depends_on_it(void **state)
{
	struct server whole = {.fails_at = NEVER};
	size_t complete = 0;

	(void)state;
	assert_int_equal(apply(&whole), GAZ_OK);
	for (size_t n = 0; n < whole.submitted; n++) {
		struct server api = {.fails_at = n, .failure = GAZ_EREFUSED};

		assert_int_equal(apply(&api), GAZ_EREFUSED);
		assert_int_equal(api.faults, 1);
		assert_non_null(strstr(api.fault, ": NotToday: no"));
		if (strstr(api.fault, ".Instances["))
			complete += count_told(&api) == sizeof all / sizeof *all - 1;
		assert_true(count_told(&api) < sizeof all / sizeof *all);
	}
	assert_int_equal(complete, 2 * 8); /* its registration, its operation */
}

static void test_a_throttled_call_is_made_again(void **state)
{
	struct server whole = {.fails_at = NEVER};

	(void)state;
	assert_int_equal(apply(&whole), GAZ_OK);
	for (size_t n = 0; n < whole.submitted; n++) {
		struct server api = {
			.fails_at = n,
			.failure = GAZ_EREFUSED,
			.is_throttled = true,
		};

		assert_int_equal(apply(&api), GAZ_OK);
		assert_int_equal(api.submitted, whole.submitted + 1);
		assert_int_equal(api.faults, 0);
		assert_int_equal(count_told(&api), sizeof all / sizeof *all);
	}
}

static void test_a_call_that_is_throttled_for_long_is_refused(void **state)
{
	struct server api = {
		.fails_at = 0,
		.failure = GAZ_EREFUSED,
		.is_throttled = true,
		.is_impatient = true,
	};

	(void)state;
	assert_int_equal(apply(&api), GAZ_EREFUSED);
	assert_string_equal(api.fault,
			    "Vpcs[0]: Gazetteer.PutVpc: ThrottlingException: no");
}

/* Told once; what was under way and succeeded is told as done. */
static void test_an_error_ends_the_work(void **state)
{
	struct server whole = {.fails_at = NEVER};

	(void)state;
	assert_int_equal(apply(&whole), GAZ_OK);
	for (size_t n = 0; n < whole.submitted; n++) {
		for (int once = 0; once < 2; once++) {
			struct server api = {
				.fails_at = n,
				.failure = GAZ_EIO,
				.fails_at_once = once,
				.is_slow = n % 2,
			};

			assert_int_equal(apply(&api), GAZ_EIO);
			assert_int_equal(api.faults, 1);
			assert_non_null(strstr(api.fault, ": broken"));
			assert_true(api.submitted <= n + WINDOW);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_are_under_way_together_and_in_order),
		cmocka_unit_test(test_what_is_listed_in_order_is_created_in_order),
		cmocka_unit_test(test_a_refusal_spoils_what_depends_on_it),
		cmocka_unit_test(test_a_throttled_call_is_made_again),
		cmocka_unit_test(test_a_call_that_is_throttled_for_long_is_refused),
		cmocka_unit_test(test_an_error_ends_the_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
