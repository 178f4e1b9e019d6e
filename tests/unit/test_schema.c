/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "registry/schema.h"

/* How operations lie in the store. */

static struct arena arena;

static struct span span_of(const struct bytes *b)
{
	return (struct span){b->data, b->len};
}

static const char *make_id(uint8_t last, int64_t submit_ms)
{
	uint8_t target[ID_TARGET_LEN] = "twenty octets of it";
	char id[ID_OPERATION_SIZE];

	target[ID_TARGET_LEN - 1] = last;
	id_operation(target, submit_ms, id);
	return arena_strdup(&arena, id);
}

static void assert_text(const char *a, const char *b)
{
	if (a && b)
		assert_string_equal(a, b);
	else
		assert_true(a == b);
}

static void assert_same(const struct operation_record *a, const struct operation_extra *x,
			const struct operation_record *b, const struct operation_extra *y)
{
	assert_text(a->id, b->id);
	assert_text(a->account, b->account);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->status, b->status);
	assert_true(a->create_ms == b->create_ms && a->update_ms == b->update_ms);
	assert_text(a->namespace_id, b->namespace_id);
	assert_text(a->service_id, b->service_id);
	assert_text(a->instance_id, b->instance_id);
	assert_text(a->error_code, b->error_code);
	assert_text(a->error_message, b->error_message);
	assert_text(x->call_name, y->call_name);
	assert_text(x->region, y->region);
	assert_text(x->scope_namespace, y->scope_namespace);
	assert_true(x->due_ms == y->due_ms);
	assert_int_equal(x->has_token, y->has_token);
	if (x->has_token)
		assert_memory_equal(x->token, y->token, sizeof x->token);
	for (size_t i = 0; i < OPERATION_SCOPES; i++) {
		assert_int_equal(x->before[i].len, y->before[i].len);
		assert_memory_equal(x->before[i].key, y->before[i].key, x->before[i].len);
	}
}

static void make_samples(struct operation_record ops[3], struct operation_extra extras[3])
{
	static char long_message[1000];
	struct key key = {0};
	struct key wide = {0};

	memset(long_message, 'm', sizeof long_message - 1);
	ops[0] = (struct operation_record){
		.id = make_id('a', 1790000000000),
		.account = "123456789012",
		.type = OPERATION_REGISTER_INSTANCE,
		.status = OPERATION_SUCCESS,
		.create_ms = 1790000000000,
		.update_ms = 1790000000000,
		.service_id = "srv-abcdefghijklmnop",
		.instance_id = "i-1",
	};
	extras[0] = (struct operation_extra){
		.call_name = "RegisterInstance",
		.region = "us-east-1",
		.scope_namespace = "ns-234567abcdefghij",
		.due_ms = 1790000000000,
		.has_token = true,
		.token = "sixteen octets!",
	};
	assert_int_equal(schema_operation_key(make_id('b', 1789999999999), &key), GAZ_OK);
	for (size_t i = 0; i < OPERATION_SCOPES; i++)
		operation_link_set(&extras[0].before[i], key_span(&key));

	ops[1] = (struct operation_record){
		.id = make_id('c', 10),
		.account = "000000000000",
		.type = OPERATION_UPDATE_NAMESPACE,
		.status = OPERATION_FAIL,
		.create_ms = 10,
		.update_ms = 5, /* the clock went back */
		.namespace_id = "some-other-id",
		.error_code = "",
		.error_message = long_message,
	};
	extras[1] = (struct operation_extra){
		.call_name = "SomeCallOfLaterTimes",
		.region = "",
		.scope_namespace = "ns-ABCDEFGHIJKLMNOP", /* no id of ours */
		.due_ms = INT64_MAX,
	};
	assert_int_equal(schema_operation_wide_key(make_id('d', 1), &wide), GAZ_OK);
	operation_link_set(&extras[1].before[1], key_span(&wide));
	operation_link_set(&extras[1].before[2], key_span(&key));

	ops[2] = ops[0];
	extras[2] = extras[0];
	ops[2].id = make_id('e', (INT64_C(1) << 48) - 1);
	ops[2].create_ms = ops[2].update_ms = extras[2].due_ms = (INT64_C(1) << 48) - 1;
	operation_link_set(&extras[2].before[1], (struct span){NULL, 0});
}

static gaz_status read_back(struct span key, struct span value,
			    struct operation_record *op, struct operation_extra *extra)
{
	*op = (struct operation_record){0};
	*extra = (struct operation_extra){0};
	return schema_get_operation(key, value, &arena, op, extra);
}

static void test_operations_are_read_back_as_written(void **state)
{
	struct operation_record ops[3];
	struct operation_extra extras[3];
	struct operation_record op;
	struct operation_extra extra;
	struct bytes value;
	const char *id;

	(void)state;
	arena_init(&arena);
	bytes_init(&value);
	make_samples(ops, extras);
	for (size_t i = 0; i < 3; i++) {
		struct key key = {0};

		bytes_reset(&value);
		schema_put_operation(&value, &ops[i], &extras[i]);
		assert_false(value.failed);
		assert_int_equal(schema_operation_key(ops[i].id, &key), GAZ_OK);
		assert_int_equal(key.len, OPERATION_KEY_LEN);
		assert_int_equal(read_back(key_span(&key), span_of(&value), &op, &extra),
				 GAZ_OK);
		assert_same(&op, &extra, &ops[i], &extras[i]);
		assert_int_equal(extra.key.len, key.len);
		extra = (struct operation_extra){0};
		assert_int_equal(schema_get_operation_head(span_of(&value), &extra),
				 GAZ_OK);
		assert_int_equal(extra.has_token, extras[i].has_token);
		assert_int_equal(schema_get_operation_id(key_span(&key), span_of(&value),
							 &arena, &id),
				 GAZ_OK);
		assert_string_equal(id, ops[i].id);

		/* Nor with something cut off, or behind it. */
		for (size_t len = 0; len < value.len; len++)
			assert_int_equal(read_back(key_span(&key),
						   (struct span){value.data, len}, &op,
						   &extra),
					 GAZ_ESTORE);
		bytes_put_u8(&value, 0);
		assert_int_equal(read_back(key_span(&key), span_of(&value), &op, &extra),
				 GAZ_ESTORE);
	}
	bytes_fini(&value);
	arena_fini(&arena);
}

static void test_keys_are_in_the_order_of_time_wide_ones_first(void **state)
{
	static const int64_t times_ms[] = {1, 255, 256, 1790000000000, 1790000000001};
	struct key before = {0};
	struct key key;
	struct key beginning;
	int64_t ms;

	(void)state;
	arena_init(&arena);
	for (int wide = 1; wide >= 0; wide--) {
		for (size_t i = wide ? 0 : 3; i < 5; i++) {
			const char *id = make_id((uint8_t)(9 - i), times_ms[i]);

			key = (struct key){0};
			assert_int_equal(wide ? schema_operation_wide_key(id, &key)
					      : schema_operation_key(id, &key),
					 GAZ_OK);
			assert_true(memcmp(before.data, key.data, OPERATION_KEY_LEN) < 0);
			assert_int_equal(schema_operation_time(key_span(&key), &ms),
					 GAZ_OK);
			assert_true(ms == times_ms[i]);
			schema_operation_keys_at(ms, wide, &beginning);
			assert_memory_equal(key.data, beginning.data, beginning.len);
			before = key;
		}
	}
	key.len--;
	assert_int_equal(schema_operation_time(key_span(&key), &ms), GAZ_ESTORE);
	arena_fini(&arena);
}

static void test_what_is_no_id_has_no_key(void **state)
{
	static const char *const wrong[] = {
		"",
		"abcdefghijklmnopqrstuvwxyz234567-",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-1",
		"abcdefghijklmnopqrstuvwxyz234561-1",
		"abcdefghijklmnopqrstuvwxyz234567-2rrvthnxts", /* 2^48 + 4 ms */
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct key key = {0};

		assert_int_equal(schema_operation_key(wrong[i], &key), GAZ_ENOTFOUND);
		assert_int_equal(key.len, 0);
	}
}

/* Of the target a key has a part alone. */
static void test_two_operations_of_one_key_keep_their_ids(void **state)
{
	struct operation_record ops[3];
	struct operation_extra extras[3];
	struct operation_record op;
	struct operation_extra extra;
	struct key keys[2] = {0};

	(void)state;
	arena_init(&arena);
	make_samples(ops, extras);
	for (size_t i = 0; i < 2; i++) {
		struct bytes value;

		bytes_init(&value);
		ops[0].id = make_id((uint8_t)i, ops[0].create_ms);
		assert_int_equal(schema_operation_key(ops[0].id, &keys[i]), GAZ_OK);
		schema_put_operation(&value, &ops[0], &extras[0]);
		assert_int_equal(
			read_back(key_span(&keys[i]), span_of(&value), &op, &extra),
			GAZ_OK);
		assert_string_equal(op.id, ops[0].id);
		bytes_fini(&value);
	}
	assert_memory_equal(keys[0].data, keys[1].data, OPERATION_KEY_LEN);
	arena_fini(&arena);
}

/* What no gazetteerd writes is an error, not a surprise later. */
static void test_impossible_operations_are_refused(void **state)
{
	struct operation_record ops[3];
	struct operation_extra extras[3];
	struct operation_record op;
	struct operation_extra extra;
	struct key key = {0};
	struct bytes value;

	(void)state;
	arena_init(&arena);
	bytes_init(&value);
	for (int i = 0; i < 9; i++) {
		make_samples(ops, extras);
		if (i == 1)
			ops[0].account = NULL;
		else if (i == 2)
			extras[0].region = NULL;
		else if (i == 3)
			ops[0].type = (enum operation_type)0;
		else if (i == 4)
			ops[0].type =
				(enum operation_type)(OPERATION_DEREGISTER_INSTANCE + 1);
		else if (i == 5)
			ops[0].status = OPERATION_PENDING; /* worked out, never stored */
		else if (i == 6)
			ops[0].update_ms = -1;
		else if (i == 7)
			extras[0].due_ms = INT64_MIN;
		else if (i == 8)
			extras[0].before[2].len = 9;
		key = (struct key){0};
		bytes_reset(&value);
		assert_int_equal(schema_operation_key(ops[0].id, &key), GAZ_OK);
		schema_put_operation(&value, &ops[0], &extras[0]);
		assert_int_equal(read_back(key_span(&key), span_of(&value), &op, &extra),
				 i == 0 ? GAZ_OK : GAZ_ESTORE);
	}
	/* A wide key of a time that the other kind cannot have. */
	key = (struct key){0};
	assert_int_equal(schema_operation_wide_key(ops[0].id, &key), GAZ_OK);
	key.data[0] = 0x80;
	assert_int_equal(read_back(key_span(&key), span_of(&value), &op, &extra),
			 GAZ_ESTORE);
	bytes_fini(&value);
	arena_fini(&arena);
}

/* Whatever the octets are: it is read or refused, and what is read is possible. */
static void test_random_values_are_read_or_refused(void **state)
{
	struct operation_record ops[3];
	struct operation_extra extras[3];
	struct operation_record op;
	struct operation_extra extra;
	struct arena_mark mark;
	uint32_t random = 1;

	(void)state;
	arena_init(&arena);
	make_samples(ops, extras);
	mark = arena_mark(&arena);
	for (size_t round = 0; round < 60000; round++) {
		struct key key = {0};
		struct bytes value;

		bytes_init(&value);
		assert_int_equal(schema_operation_key(ops[round % 3].id, &key), GAZ_OK);
		schema_put_operation(&value, &ops[round % 3], &extras[round % 3]);
		for (size_t i = 0; i < 1 + round % 4; i++) {
			random = random * 1664525 + 1013904223;
			value.data[(random >> 8) % value.len] = (uint8_t)(random >> 24);
		}
		if (round % 5 == 0)
			value.data[0] = 1;
		if (read_back(key_span(&key), span_of(&value), &op, &extra) == GAZ_OK) {
			assert_true(op.type >= OPERATION_CREATE_NAMESPACE &&
				    op.type <= OPERATION_DEREGISTER_INSTANCE);
			assert_true(op.status != OPERATION_PENDING);
			assert_true(extra.due_ms >= 0 && op.update_ms >= 0);
			assert_true(op.account && extra.region && extra.call_name);
		}
		bytes_fini(&value);
		arena_release(&arena, mark);
	}
	arena_fini(&arena);
}

/* As stores of the first two formats have it. */
static void put_wide(struct bytes *b, const struct operation_record *op,
		     const struct operation_extra *extra, const uint8_t *token)
{
	bytes_put_u8(b, 1);
	for (size_t i = 0; i < OPERATION_SCOPES; i++) {
		bytes_put_u8(b, extra->before[i].len > 0);
		bytes_put(b, extra->before[i].key, extra->before[i].len);
	}
	bytes_put_u8(b, extra->has_token);
	if (extra->has_token)
		bytes_put(b, token, ID_DIGEST_LEN);
	bytes_put_u8(b, (uint8_t)op->type);
	bytes_put_u8(b, (uint8_t)op->status);
	bytes_put_text(b, extra->region);
	bytes_put_text(b, op->account);
	bytes_put_text(b, extra->call_name);
	bytes_put_u64(b, (uint64_t)op->create_ms);
	bytes_put_u64(b, (uint64_t)op->update_ms);
	bytes_put_u64(b, (uint64_t)extra->due_ms);
	bytes_put_text(b, extra->scope_namespace);
	bytes_put_text(b, op->namespace_id);
	bytes_put_text(b, op->service_id);
	bytes_put_text(b, op->instance_id);
	bytes_put_text(b, op->error_code);
	bytes_put_text(b, op->error_message);
}

static void test_wide_operations_are_read(void **state)
{
	static const uint8_t token[ID_DIGEST_LEN] = "sixteen octets!\0and sixteen more";
	struct operation_record ops[3];
	struct operation_extra extras[3];
	struct operation_record op;
	struct operation_extra extra;

	(void)state;
	arena_init(&arena);
	make_samples(ops, extras);
	for (size_t i = 0; i < 3; i++) {
		struct key key = {0};
		struct bytes value;

		for (size_t j = 0; j < OPERATION_SCOPES; j++) {
			struct key before = {0};

			assert_int_equal(schema_operation_wide_key(
						 make_id((uint8_t)j, 77), &before),
					 GAZ_OK);
			operation_link_set(&extras[i].before[j],
					   i == j ? (struct span){NULL, 0}
						  : key_span(&before));
		}
		bytes_init(&value);
		put_wide(&value, &ops[i], &extras[i], token);
		assert_int_equal(schema_operation_wide_key(ops[i].id, &key), GAZ_OK);
		assert_int_equal(read_back(key_span(&key), span_of(&value), &op, &extra),
				 GAZ_OK);
		assert_same(&op, &extra, &ops[i], &extras[i]);
		for (size_t len = 0; len < value.len; len++)
			assert_int_equal(read_back(key_span(&key),
						   (struct span){value.data, len}, &op,
						   &extra),
					 GAZ_ESTORE);

		/* One that ended later stays where it is. */
		bytes_reset(&value);
		schema_put_operation(&value, &ops[i], &extras[i]);
		assert_int_equal(read_back(key_span(&key), span_of(&value), &op, &extra),
				 GAZ_OK);
		assert_same(&op, &extra, &ops[i], &extras[i]);
		assert_int_equal(extra.key.len, OPERATION_KEY_MAX);
		key.data[OPERATION_KEY_MAX - 1] = '1';
		assert_int_equal(read_back(key_span(&key), span_of(&value), &op, &extra),
				 GAZ_ESTORE);
		bytes_fini(&value);
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operations_are_read_back_as_written),
		cmocka_unit_test(test_keys_are_in_the_order_of_time_wide_ones_first),
		cmocka_unit_test(test_what_is_no_id_has_no_key),
		cmocka_unit_test(test_two_operations_of_one_key_keep_their_ids),
		cmocka_unit_test(test_wide_operations_are_read),
		cmocka_unit_test(test_impossible_operations_are_refused),
		cmocka_unit_test(test_random_values_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
