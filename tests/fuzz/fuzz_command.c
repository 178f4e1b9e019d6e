/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "api/action.h"
#include "api/model.h"
#include "api/sigv4.h"
#include "fuzz.h"

/* An API request: the first byte chooses the operation and the signature mode,
 * the rest is the body, and the Authorization header too. */

static const char *find_header(void *arg, const char *name)
{
	return strcmp(name, "Authorization") == 0 || strcmp(name, "X-Amz-Date") == 0
		       ? arg
		       : "v";
}

static void decode_body(const struct shape *shape, const char *body, size_t len)
{
	static struct shape_patterns *patterns;
	struct shape_problem problem = {0};
	struct arena arena;
	json_t *json = json_loadb(body, len, JSON_ALLOW_NUL, NULL);
	gaz_status st;
	void *out;

	if (!patterns)
		CHECK(shape_patterns_new(model_patterns, model_pattern_count,
					 &patterns) == GAZ_OK);
	if (!json)
		return;
	arena_init(&arena);
	out = arena_alloc(&arena, shape->size);
	CHECK(out);
	st = shape_decode(patterns, shape, SHAPE_STRICT, json, &arena, out, &problem);
	CHECK(st == GAZ_OK || st == GAZ_EFORMAT);
	CHECK((st == GAZ_OK) == (!problem.wrong_type && !problem.violations));
	arena_fini(&arena);
	json_decref(json);
}

static void authenticate(int mode, char *header)
{
	const struct api_key key = {"AKID", "secret"};
	const struct sigv4_policy policy = {
		.mode = (enum api_auth)mode,
		.keys = &key,
		.key_count = 1,
		.default_region = "us-east-1",
		.default_account = "000000000000",
		.now_ms = 1795349561000,
	};
	const struct sigv4_request request = {
		.method = "POST",
		.uri = "/",
		.header = find_header,
		.header_arg = header,
		.body = (const uint8_t *)"{}",
		.body_len = 2,
	};
	struct sigv4_identity identity;
	struct sigv4_refusal refusal;
	gaz_status st = sigv4_authenticate(&policy, &request, &identity, &refusal);

	CHECK(st == GAZ_OK || st == GAZ_EREFUSED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count;
	const struct action *actions = action_table(&count);
	char *text;

	if (size < 2)
		return 0;
	decode_body(actions[data[0] % count].input, (const char *)data + 1, size - 1);
	text = strndup((const char *)data + 1, size - 1);
	CHECK(text);
	authenticate(data[0] % 3, text);
	free(text);
	return 0;
}
