/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/operation-internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "registry/due.h"
#include "registry/registry-internal.h"
#include "registry/token.h"
#include "store/store.h"

enum {
	/* Of those pending, which a former start may have given a longer delay, a new one
	 * waits for such as are due so much later at most. */
	DUE_AHEAD_MS = 10000,
};

static operation_apply *const apply_by_type[] = {
	[OPERATION_CREATE_NAMESPACE] = namespace_apply_create,
	[OPERATION_UPDATE_NAMESPACE] = namespace_apply_update,
	[OPERATION_DELETE_NAMESPACE] = namespace_apply_delete,
	[OPERATION_UPDATE_SERVICE] = service_apply_update,
	[OPERATION_REGISTER_INSTANCE] = instance_apply_register,
	[OPERATION_DEREGISTER_INSTANCE] = instance_apply_deregister,
};

/* The other types reserve nothing. */
static operation_abandon *const abandon_by_type[] = {
	[OPERATION_CREATE_NAMESPACE] = namespace_abandon_create,
	[OPERATION_REGISTER_INSTANCE] = instance_abandon_register,
	[OPERATION_DEREGISTER_INSTANCE] = NULL,
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
	const char *within;
	gaz_status st;

	if (!token)
		return GAZ_ENOTFOUND;
	within = arena_printf(call->arena, "%s %s", plan->call_name, token);
	st = within ? call_digest(parameters, digest) : GAZ_ENOMEM;
	if (st == GAZ_OK)
		st = call_name_key(call, NAME_TOKEN, within, digest, &plan->token);
	if (st == GAZ_OK)
		st = token_find(call, plan->token.data, operation_id_out);
	return st;
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

/* Ids carry milliseconds: two operations on one target within one would
 * collide, so the later one's submit time moves on. */
static gaz_status make_id(struct call *call, const struct key *lock,
			  struct operation_record *op, struct operation_link *key_out)
{
	char id[ID_OPERATION_SIZE];
	gaz_status st;

	op->create_ms = call->now_ms;
	id_operation(lock->data, op->create_ms, id);
	while ((st = operation_probe_key(call, id, key_out)) == GAZ_OK)
		id_operation_at(id, ++op->create_ms, id);
	if (st != GAZ_ENOTFOUND)
		return st;
	op->id = arena_strdup(call->arena, id);
	return op->id ? GAZ_OK : GAZ_ENOMEM;
}

/* When an operation that waits shall end. Namespaces come into being in the order of the
 * calls, in which they are listed. Operations that are due at once end in the order of the
 * digests in their ids, so one of these is due later than all that are pending. Others
 * have no order to keep, and are not put off. */
static gaz_status choose_due(struct call *call, const struct operation_plan *plan,
			     const struct operation_record *op, int64_t *out)
{
	static const struct key all = {.len = 0};

	*out = op->create_ms + call->registry->config.operation_delay_ms;
	if (plan->type != OPERATION_CREATE_NAMESPACE)
		return GAZ_OK;
	return call_follow_last(call, TABLE_PENDING, &all, DUE_AHEAD_MS, out);
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

/* Not before its beginning, whatever the clock says. */
static int64_t end_time(const struct call *call, const struct operation_record *op)
{
	return call->now_ms > op->create_ms ? call->now_ms : op->create_ms;
}

/* Apply the intent and set the terminal status. @return also GAZ_EFORMAT: the
 * intent is damaged. */
static gaz_status finish(struct call *call, struct operation_record *op,
			 struct reader *intent)
{
	struct operation_failure fail = {0};
	gaz_status st = apply_by_type[op->type](call, intent, &fail);

	/* A damaged intent is no trouble of the store's that may pass. */
	if (st == GAZ_ESTORE && intent->failed)
		st = GAZ_EFORMAT;
	if (st != GAZ_OK)
		return st;
	op->status = fail.code ? OPERATION_FAIL : OPERATION_SUCCESS;
	op->error_code = fail.code;
	op->error_message = fail.message;
	op->update_ms = end_time(call, op);
	return GAZ_OK;
}

gaz_status operation_submit(struct call *call, const struct operation_plan *plan,
			    const char **operation_id_out)
{
	uint32_t delay_ms = call->registry->config.operation_delay_ms;
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
	st = make_id(call, &plan->locks[0], &op, &extra.key);
	if (st != GAZ_OK)
		return st;
	op.update_ms = op.create_ms;
	st = delay_ms > 0 ? choose_due(call, plan, &op, &extra.due_ms) : GAZ_OK;
	if (st != GAZ_OK)
		return st;
	if (delay_ms == 0) {
		extra.due_ms = op.create_ms;
		reader_init(&intent,
			    (struct span){plan->intent->data, plan->intent->len});
		st = finish(call, &op, &intent);
		if (st != GAZ_OK)
			return st;
	} else {
		save_pending(call, plan, &op, extra.due_ms);
	}
	extra.has_token = plan->token.len >= sizeof extra.token;
	if (extra.has_token)
		memcpy(extra.token, plan->token.data, sizeof extra.token);
	st = operation_add(call, &op, &extra);
	*operation_id_out = op.id;
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
	int64_t wait_ms;
	gaz_status st = due_find(call->txn, &call->registry->config, TABLE_PENDING,
				 call->now_ms, &key, &value, &wait_ms);

	if (st == GAZ_OK && wait_ms > 0)
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
		op.update_ms = end_time(call, &op);
		if (abandon_by_type[op.type])
			st = abandon_by_type[op.type](call, &r);
	} else {
		st = finish(call, &op, &r);
	}
	if (st == GAZ_OK)
		operation_save(call, &op, &extra);
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
