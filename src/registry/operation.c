/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/operation-internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "registry/registry-internal.h"
#include "store/store.h"

enum {
	PREFIX_LEN = 32, /* of an operation id: its target's */
	ORDER_KEYS = 3,
};

static operation_apply *const apply_by_type[] = {
	[OPERATION_CREATE_NAMESPACE] = namespace_apply_create,
	[OPERATION_UPDATE_NAMESPACE] = namespace_apply_update,
	[OPERATION_DELETE_NAMESPACE] = namespace_apply_delete,
	[OPERATION_UPDATE_SERVICE] = service_apply_update,
	[OPERATION_REGISTER_INSTANCE] = instance_apply_register,
	[OPERATION_DEREGISTER_INSTANCE] = instance_apply_deregister,
};

gaz_status operation_fail_batch(struct call *call, const struct gaz_error *why,
				struct operation_failure *fail)
{
	fail->code = "INVALID_CHANGE_BATCH";
	fail->message =
		arena_printf(call->arena,
			     "%s (Service: AmazonRoute53; Status Code: 400; Error "
			     "Code: InvalidChangeBatch)",
			     why->text);
	return fail->message ? GAZ_OK : GAZ_ENOMEM;
}

gaz_status operation_lock_key(struct call *call, const char *kind, const char *name,
			      struct key *out)
{
	return call_name_key(call, NAME_LOCK, kind, name, out);
}

gaz_status operation_find_retry(struct call *call, struct operation_plan *plan,
				const char *token, const struct bytes *parameters,
				const char **operation_id_out)
{
	char digest[CALL_DIGEST_SIZE];
	struct span value;
	const char *within;
	gaz_status st;

	if (!token)
		return GAZ_ENOTFOUND;
	within = arena_printf(call->arena, "%s %s", plan->call_name, token);
	st = within ? call_digest(parameters, digest) : GAZ_ENOMEM;
	if (st == GAZ_OK)
		st = call_name_key(call, NAME_TOKEN, within, digest, &plan->token);
	if (st == GAZ_OK)
		st = call_get(call, TABLE_TOKEN, key_span(&plan->token), &value);
	if (st != GAZ_OK)
		return st;
	*operation_id_out =
		arena_strndup(call->arena, (const char *)value.data, value.len);
	return *operation_id_out ? GAZ_OK : GAZ_ENOMEM;
}

gaz_status operation_find_lock(struct call *call, const struct key *lock,
			       const char **operation_id_out, const char **call_name_out)
{
	struct span value;
	struct reader r;
	gaz_status st = call_get(call, TABLE_LOCK, key_span(lock), &value);

	if (st != GAZ_OK)
		return st;
	reader_init(&r, value);
	*operation_id_out = reader_text(&r, call->arena);
	*call_name_out = reader_text(&r, call->arena);
	if (call->arena->failed)
		return GAZ_ENOMEM;
	return r.failed ? GAZ_ESTORE : GAZ_OK;
}

gaz_status operation_check_locks(struct call *call, const struct operation_plan *plan)
{
	for (size_t i = 0; i < plan->lock_count; i++) {
		const char *id;
		const char *name;
		gaz_status st = operation_find_lock(call, &plan->locks[i], &id, &name);

		if (st == GAZ_ENOTFOUND)
			continue;
		if (st != GAZ_OK)
			return st;
		fault_set(&call->fault, FAULT_DUPLICATE_REQUEST,
			  "Another operation of type %s and id %s is in progress", name,
			  id);
		return fault_add(&call->fault, "DuplicateOperationId", id);
	}
	return GAZ_OK;
}

/* The newest operation on the same target, by its id's time. */
static gaz_status find_last_ms(struct call *call, const char *id, int64_t *out)
{
	struct store_cursor *cursor = NULL;
	struct key above = {0};
	struct span key;
	struct span value;
	gaz_status st;

	/* '.' follows '-' in ASCII. */
	key_put(&above, id, PREFIX_LEN);
	key_put(&above, ".", 1);
	st = store_cursor_open(call->txn, TABLE_OPERATION, &cursor);
	if (st == GAZ_OK)
		st = store_cursor_seek_below(cursor, key_span(&above), &key, &value);
	if (st == GAZ_OK &&
	    (key.len <= PREFIX_LEN || memcmp(key.data, id, PREFIX_LEN) != 0))
		st = GAZ_ENOTFOUND;
	if (st == GAZ_OK) {
		char digits[16] = {0};
		size_t len = key.len - PREFIX_LEN - 1;

		memcpy(digits, key.data + PREFIX_LEN + 1,
		       len < sizeof digits ? len : sizeof digits - 1);
		*out = strtoll(digits, NULL, 36);
	}
	store_cursor_close(&cursor);
	return st;
}

/* Ids carry milliseconds: two operations on one target within one would
 * collide, so the later one's submit time moves on. */
static gaz_status make_id(struct call *call, const struct key *lock,
			  char id[ID_OPERATION_SIZE], int64_t *submit_ms_out)
{
	int64_t submit_ms = call->now_ms;
	int64_t last_ms = 0;
	gaz_status st = id_operation(lock->data, lock->len, submit_ms, id);

	if (st == GAZ_OK)
		st = find_last_ms(call, id, &last_ms);
	if (st == GAZ_ENOTFOUND)
		st = GAZ_OK;
	if (st == GAZ_OK && last_ms >= submit_ms) {
		submit_ms = last_ms + 1;
		st = id_operation(lock->data, lock->len, submit_ms, id);
	}
	*submit_ms_out = submit_ms;
	return st;
}

static size_t make_order_keys(const struct call *call, const struct operation_record *op,
			      const char *scope_namespace, struct key keys[ORDER_KEYS])
{
	size_t count = 0;

	key_put(&keys[count], "p", 1);
	call_put_partition(call, &keys[count++]);
	if (scope_namespace) {
		key_put(&keys[count], "n", 1);
		key_put_text(&keys[count++], scope_namespace);
	}
	if (op->service_id) {
		key_put(&keys[count], "s", 1);
		key_put_text(&keys[count++], op->service_id);
	}
	for (size_t i = 0; i < count; i++) {
		key_put_u64(&keys[i], UINT64_MAX - (uint64_t)op->create_ms);
		key_put(&keys[i], op->id, strlen(op->id));
	}
	return count;
}

/* Make the operation known to lists, and to the sweep that will remove it. */
static void put_indexes(struct call *call, const struct operation_record *op,
			const struct operation_plan *plan)
{
	const struct span nothing = {NULL, 0};
	struct key keys[ORDER_KEYS] = {0};
	struct key age = {0};
	size_t count = make_order_keys(call, op, plan->scope_namespace, keys);

	for (size_t i = 0; i < count; i++)
		changeset_put(call->changes, TABLE_OPERATION_ORDER, key_span(&keys[i]),
			      nothing);
	key_put_time(&age, op->create_ms, op->id, strlen(op->id));
	changeset_put(call->changes, TABLE_OPERATION_AGE, key_span(&age),
		      key_span(&plan->token));
	if (plan->token.len > 0)
		changeset_put(call->changes, TABLE_TOKEN, key_span(&plan->token),
			      (struct span){(const uint8_t *)op->id, strlen(op->id)});
}

static void save_operation(struct call *call, const struct operation_record *op,
			   const struct operation_extra *extra)
{
	struct bytes value;

	bytes_init(&value);
	schema_put_operation(&value, op, extra);
	call_put(call, TABLE_OPERATION,
		 (struct span){(const uint8_t *)op->id, strlen(op->id)}, &value);
	bytes_fini(&value);
}

static void save_pending(struct call *call, const struct operation_plan *plan,
			 const struct operation_record *op, int64_t due_ms)
{
	struct key key = {0};
	struct bytes value;

	bytes_init(&value);
	bytes_put_text(&value, op->id);
	bytes_put_text(&value, plan->call_name);
	for (size_t i = 0; i < plan->lock_count; i++)
		call_put(call, TABLE_LOCK, key_span(&plan->locks[i]), &value);

	bytes_reset(&value);
	bytes_put_u8(&value, (uint8_t)plan->lock_count);
	for (size_t i = 0; i < plan->lock_count; i++)
		bytes_put(&value, plan->locks[i].data, plan->locks[i].len);
	bytes_put(&value, plan->intent->data, plan->intent->len);
	key_put_time(&key, due_ms, op->id, strlen(op->id));
	call_put(call, TABLE_PENDING, key_span(&key), &value);
	bytes_fini(&value);
}

/* Apply the intent and set the terminal status. */
static gaz_status finish(struct call *call, struct operation_record *op,
			 struct reader *intent)
{
	struct operation_failure fail = {0};
	gaz_status st = apply_by_type[op->type](call, intent, &fail);

	if (st != GAZ_OK)
		return st;
	op->status = fail.code ? OPERATION_FAIL : OPERATION_SUCCESS;
	op->error_code = fail.code;
	op->error_message = fail.message;
	op->update_ms = call->now_ms > op->create_ms ? call->now_ms : op->create_ms;
	return GAZ_OK;
}

gaz_status operation_submit(struct call *call, const struct operation_plan *plan,
			    const char **operation_id_out)
{
	uint32_t delay_ms = call->registry->config.operation_delay_ms;
	char id[ID_OPERATION_SIZE];
	struct operation_record op = {
		.account = call->account,
		.type = plan->type,
		.status = OPERATION_SUBMITTED,
		.namespace_id = plan->namespace_id,
		.service_id = plan->service_id,
		.instance_id = plan->instance_id,
	};
	struct operation_extra extra = {
		.call_name = plan->call_name,
		.region = call->region,
		.scope_namespace = plan->scope_namespace,
	};
	struct reader intent;
	gaz_status st;

	if (plan->intent->failed)
		return GAZ_ENOMEM;
	st = make_id(call, &plan->locks[0], id, &op.create_ms);
	if (st != GAZ_OK)
		return st;
	op.id = arena_strdup(call->arena, id);
	if (!op.id)
		return GAZ_ENOMEM;
	op.update_ms = op.create_ms;
	extra.due_ms = op.create_ms + delay_ms;
	if (delay_ms == 0) {
		reader_init(&intent,
			    (struct span){plan->intent->data, plan->intent->len});
		st = finish(call, &op, &intent);
		if (st != GAZ_OK)
			return st;
	} else {
		save_pending(call, plan, &op, extra.due_ms);
	}
	save_operation(call, &op, &extra);
	put_indexes(call, &op, plan);
	*operation_id_out = op.id;
	return GAZ_OK;
}

gaz_status operation_next_due(struct store_txn *txn, int64_t *due_ms_out)
{
	struct key key = {0};
	struct span value;
	gaz_status st = call_read_first(txn, TABLE_PENDING, &key, &value);

	if (st == GAZ_OK)
		*due_ms_out = key_time_ms(&key);
	return st;
}

/* An operation that waits shows SUBMITTED for the first half of its time and
 * PENDING for the second; this is worked out, not stored. */
static void show_progress(const struct call *call, struct operation_record *op,
			  const struct operation_extra *extra)
{
	int64_t half_ms = op->create_ms + (extra->due_ms - op->create_ms) / 2;

	if (op->status == OPERATION_SUBMITTED && call->now_ms >= half_ms) {
		op->status = OPERATION_PENDING;
		op->update_ms = half_ms;
	}
}

gaz_status operation_load(struct call *call, const char *id, struct operation_record *op,
			  struct operation_extra *extra)
{
	struct span value;
	gaz_status st = call_get(call, TABLE_OPERATION,
				 (struct span){(const uint8_t *)id, strlen(id)}, &value);

	if (st != GAZ_OK)
		return st;
	st = schema_get_operation(value, call->arena, op, extra);
	op->id = id;
	if (st == GAZ_OK)
		show_progress(call, op, extra);
	return st;
}

static gaz_status end_next(struct call *call, bool abandon)
{
	struct operation_record op = {0};
	struct operation_extra extra = {0};
	struct key key = {0};
	struct span value;
	struct reader r;
	const char *id;
	gaz_status st = call_read_first(call->txn, TABLE_PENDING, &key, &value);

	if (st == GAZ_OK && key_time_ms(&key) > call->now_ms)
		st = GAZ_ENOTFOUND;
	if (st != GAZ_OK)
		return st;
	id = arena_strndup(call->arena, (const char *)key.data + 8, key.len - 8);
	if (!id)
		return GAZ_ENOMEM;
	st = operation_load(call, id, &op, &extra);
	if (st != GAZ_OK)
		return st == GAZ_ENOTFOUND ? GAZ_ESTORE : st;
	call->region = extra.region;
	call->account = op.account;

	reader_init(&r, value);
	for (size_t left = reader_u8(&r); left > 0; left--) {
		const uint8_t *lock = reader_take(&r, ID_DIGEST_LEN);

		if (!lock)
			return GAZ_ESTORE;
		call_delete(call, TABLE_LOCK, (struct span){lock, ID_DIGEST_LEN});
	}
	call_delete(call, TABLE_PENDING, key_span(&key));
	if (abandon) {
		op.status = OPERATION_FAIL;
		op.error_code = "INTERNAL_FAILURE";
		op.error_message = "The operation could not be carried out";
		op.update_ms = call->now_ms;
	} else {
		st = finish(call, &op, &r);
	}
	if (st == GAZ_OK)
		save_operation(call, &op, &extra);
	return st;
}

gaz_status operation_finish_next(struct call *call)
{
	return end_next(call, false);
}

gaz_status operation_abandon_next(struct call *call)
{
	return end_next(call, true);
}

/* Remove one operation with all that points to it. */
static gaz_status forget(struct call *call, const struct operation_record *op,
			 const struct operation_extra *extra, const struct key *age,
			 struct span token)
{
	struct key keys[ORDER_KEYS] = {0};
	size_t count;

	call->region = extra->region;
	call->account = op->account;
	count = make_order_keys(call, op, extra->scope_namespace, keys);
	for (size_t i = 0; i < count; i++)
		call_delete(call, TABLE_OPERATION_ORDER, key_span(&keys[i]));
	if (token.len > 0)
		call_delete(call, TABLE_TOKEN, token);
	call_delete(call, TABLE_OPERATION,
		    (struct span){(const uint8_t *)op->id, strlen(op->id)});
	call_delete(call, TABLE_OPERATION_AGE, key_span(age));
	return GAZ_OK;
}

gaz_status operation_sweep(struct call *call)
{
	const struct registry_config *config = &call->registry->config;
	struct operation_record op = {0};
	struct operation_extra extra = {0};
	struct key age = {0};
	struct span token;
	const char *id;
	size_t count = 0;
	gaz_status st = call_read_first(call->txn, TABLE_OPERATION_AGE, &age, &token);

	if (st == GAZ_OK)
		st = store_count(call->txn, TABLE_OPERATION_AGE, &count);
	if (st == GAZ_OK &&
	    key_time_ms(&age) + config->operation_keep_ms > call->now_ms &&
	    count <= config->operation_max)
		st = GAZ_ENOTFOUND;
	if (st != GAZ_OK)
		return st;
	id = arena_strndup(call->arena, (const char *)age.data + 8, age.len - 8);
	if (!id)
		return GAZ_ENOMEM;
	st = operation_load(call, id, &op, &extra);
	if (st != GAZ_OK)
		return st == GAZ_ENOTFOUND ? GAZ_ESTORE : st;
	/* One that is pending is younger than all that is behind it. */
	if (op.status != OPERATION_SUCCESS && op.status != OPERATION_FAIL)
		return GAZ_ENOTFOUND;
	return forget(call, &op, &extra, &age, token);
}

gaz_status operation_get(struct call *call, const void *in, void *out)
{
	const struct get_operation_in *input = in;
	struct operation_record *op = out;
	struct operation_extra extra = {0};
	gaz_status st = operation_load(call, input->operation_id, op, &extra);

	if (st == GAZ_OK &&
	    (strcmp(extra.region, call->region) != 0 ||
	     strcmp(op->account, call->account) != 0 ||
	     (input->owner_account && strcmp(input->owner_account, call->account) != 0)))
		st = GAZ_ENOTFOUND;
	if (st == GAZ_ENOTFOUND)
		return fault_set(&call->fault, FAULT_OPERATION_NOT_FOUND,
				 "No operation exists with id %s", input->operation_id);
	return st;
}
