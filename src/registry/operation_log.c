/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/clock.h"
#include "registry/operation-internal.h"
#include "registry/registry-internal.h"
#include "registry/token.h"
#include "store/store.h"

enum {
	SWEEP_INTERVAL_MS = 1000,
	SWEEP_LATE_MS = 60000, /* how long one may stay too long while nothing happens */
	SWEEP_SLACK_MAX = 256,
};

/* The operations in the store: one table in the order of their submission, so
 * that a new one goes to its end and the sweep takes from its front. */

static gaz_status find(struct call *call, bool wide, const char *id, struct key *key_out,
		       struct span *value_out)
{
	gaz_status st = wide ? schema_operation_wide_key(id, key_out)
			     : schema_operation_key(id, key_out);

	return st == GAZ_OK
		       ? call_get(call, TABLE_OPERATION, key_span(key_out), value_out)
		       : st;
}

gaz_status operation_probe_key(struct call *call, const char *id,
			       struct operation_link *out)
{
	struct key key = {0};
	struct key wide = {0};
	struct span value;
	gaz_status st = find(call, false, id, &key, &value);

	if (st == GAZ_ENOTFOUND && call->registry->has_wide_operations)
		st = find(call, true, id, &wide, &value);
	operation_link_set(out, key_span(&key));
	return st;
}

void operation_save(struct call *call, const struct operation_record *op,
		    const struct operation_extra *extra)
{
	struct bytes value;

	bytes_init(&value);
	schema_put_operation(&value, op, extra);
	call_put(call, TABLE_OPERATION, operation_link_span(&extra->key), &value);
	bytes_fini(&value);
}

void operation_scope_partition(const struct call *call, struct key *out)
{
	key_put(out, "p", 1);
	call_put_partition(call, out);
}

void operation_scope_namespace(const char *id, struct key *out)
{
	key_put(out, "n", 1);
	key_put(out, id, strlen(id));
}

void operation_scope_service(const char *id, struct key *out)
{
	key_put(out, "s", 1);
	key_put(out, id, strlen(id));
}

void operation_make_scopes(const struct call *call, const struct operation_record *op,
			   const struct operation_extra *extra,
			   struct key out[OPERATION_SCOPES])
{
	operation_scope_partition(call, &out[OPERATION_IN_PARTITION]);
	if (extra->scope_namespace)
		operation_scope_namespace(extra->scope_namespace,
					  &out[OPERATION_IN_NAMESPACE]);
	if (op->service_id)
		operation_scope_service(op->service_id, &out[OPERATION_IN_SERVICE]);
}

/* Beside the tally of what the scope is, in a page that most operations write anyway. */
static void make_last_key(const struct key *scope, struct key *out)
{
	*out = *scope;
	key_put(out, "\001", 1); /* no id has it, so it ends none */
}

bool operation_is_last_key(struct span key, struct span *scope_out)
{
	if (key.len < 2 || key.data[key.len - 1] != 1)
		return false;
	if (key.data[0] != 'p' && memchr(key.data, '\0', key.len))
		return false;
	*scope_out = (struct span){key.data, key.len - 1};
	return true;
}

gaz_status operation_find_last(struct call *call, const struct key *scope,
			       struct operation_link *out)
{
	struct key key;
	struct span value;
	gaz_status st;

	make_last_key(scope, &key);
	st = call_get_tally(call, &key, &value);
	if (st == GAZ_ENOTFOUND)
		st = call_get(call, TABLE_OPERATION_LAST, key_span(scope), &value);
	operation_link_set(out, st == GAZ_OK ? value : (struct span){NULL, 0});
	if (st == GAZ_OK && out->len == 0)
		return GAZ_ESTORE;
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

/* @param last  empty: there is none any more */
static gaz_status save_last(struct call *call, const struct key *scope, struct span last)
{
	struct key key;
	struct span value;
	gaz_status st = call_get(call, TABLE_OPERATION_LAST, key_span(scope), &value);

	operation_recent_note(call->registry->recent, scope, last);
	make_last_key(scope, &key);
	if (last.len > 0)
		call_put_tally(call, &key, last);
	else
		call_delete_tally(call, &key);
	if (st == GAZ_OK)
		call_delete(call, TABLE_OPERATION_LAST, key_span(scope));
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

gaz_status operation_add(struct call *call, const struct operation_record *op,
			 struct operation_extra *extra)
{
	struct key scopes[OPERATION_SCOPES] = {0};
	gaz_status st = GAZ_OK;

	operation_make_scopes(call, op, extra, scopes);
	for (size_t i = 0; st == GAZ_OK && i < OPERATION_SCOPES; i++) {
		if (scopes[i].len == 0)
			continue;
		st = operation_find_last(call, &scopes[i], &extra->before[i]);
		if (st == GAZ_OK)
			st = save_last(call, &scopes[i],
				       operation_link_span(&extra->key));
	}
	if (st != GAZ_OK)
		return st;
	operation_save(call, op, extra);
	return extra->has_token ? token_add(call, extra->token, op->create_ms) : GAZ_OK;
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

gaz_status operation_decode(struct call *call, struct span key, struct span value,
			    struct operation_record *op, struct operation_extra *extra)
{
	gaz_status st = schema_get_operation(key, value, call->arena, op, extra);

	if (st == GAZ_OK)
		show_progress(call, op, extra);
	return st;
}

gaz_status operation_load(struct call *call, const char *id, struct operation_record *op,
			  struct operation_extra *extra)
{
	gaz_status st = GAZ_ENOTFOUND;

	for (int wide = 0; st == GAZ_ENOTFOUND && wide < 2; wide++) {
		struct key key = {0};
		struct span value;

		st = find(call, wide, id, &key, &value);
		if (st == GAZ_OK)
			st = operation_decode(call, key_span(&key), value, op, extra);
		if (st == GAZ_OK && strcmp(op->id, id) != 0)
			st = GAZ_ENOTFOUND;
	}
	return st;
}

/* Let the list of a scope begin behind the operation, if it begins with it. Only when
 * two share a millisecond, or the clock went back, is there anything behind it. */
static gaz_status skip(struct call *call, const struct key *scope, const struct key *key,
		       const struct operation_link *before)
{
	struct operation_link last;
	struct span next = operation_link_span(before);
	struct span value;
	gaz_status st;

	if (operation_recent_is_other(call->registry->recent, scope, key_span(key)))
		return GAZ_OK;
	st = operation_find_last(call, scope, &last);
	if (st != GAZ_OK || last.len != key->len ||
	    memcmp(last.key, key->data, last.len) != 0)
		return st;
	st = call_get(call, TABLE_OPERATION, next, &value);
	if (st == GAZ_OK)
		return save_last(call, scope, next);
	return st == GAZ_ENOTFOUND ? save_last(call, scope, (struct span){NULL, 0}) : st;
}

/* Remove one operation with all that points to it. The links of later ones may:
 * what a link names and is not there any more is the end of a list. */
static gaz_status forget(struct call *call, const struct operation_record *op,
			 const struct operation_extra *extra, const struct key *key)
{
	struct key scopes[OPERATION_SCOPES] = {0};
	gaz_status st = GAZ_OK;

	call->region = extra->region;
	call->account = op->account;
	operation_make_scopes(call, op, extra, scopes);
	for (size_t i = 0; st == GAZ_OK && i < OPERATION_SCOPES; i++) {
		if (scopes[i].len > 0)
			st = skip(call, &scopes[i], key, &extra->before[i]);
	}
	call_delete(call, TABLE_OPERATION, key_span(key));
	return st;
}

/* Taking the oldest away costs pages of its own, which a commit waits for. So they go
 * many at a time: once there are too many, somewhat more go than must; and once in a
 * while those whose time has come. */
static bool is_superfluous(const struct registry *r, size_t count)
{
	size_t slack = r->config.operation_max / 64;

	if (slack > SWEEP_SLACK_MAX)
		slack = SWEEP_SLACK_MAX;
	return count > r->config.operation_max - (r->sweeping ? slack : 0);
}

static bool is_outdated(const struct registry *r, int64_t submit_ms, int64_t now_ms)
{
	return submit_ms + r->config.operation_keep_ms <= now_ms &&
	       (r->sweeping || clock_monotonic_ms() >= r->next_sweep_ms);
}

/* The oldest, if it is to go. */
static gaz_status find_sweepings(struct call *call, struct key *key_out,
				 struct span *value_out)
{
	const struct registry *r = call->registry;
	size_t count = 0;
	int64_t submit_ms = 0;
	gaz_status st = call_read_first(call->txn, TABLE_OPERATION, key_out, value_out);

	if (st == GAZ_OK)
		st = schema_operation_time(key_span(key_out), &submit_ms);
	if (st == GAZ_OK)
		st = store_count(call->txn, TABLE_OPERATION, &count);
	if (st == GAZ_OK && !is_superfluous(r, count) &&
	    !is_outdated(r, submit_ms, call->now_ms))
		st = GAZ_ENOTFOUND;
	return st;
}

/* Nothing goes for a while: those that are kept grow old one by one, and go together.
 * The key is that of the oldest; it is empty where there is none. */
static void rest(struct call *call, const struct key *key)
{
	struct registry *r = call->registry;
	int64_t submit_ms;
	int64_t old_ms;

	if (schema_operation_time(key_span(key), &submit_ms) != GAZ_OK)
		submit_ms = call->now_ms;
	old_ms = submit_ms + r->config.operation_keep_ms;
	if (r->sweeping)
		r->next_sweep_ms = clock_monotonic_ms() + SWEEP_INTERVAL_MS;
	r->sweeping = false;
	r->sweep_due_ms = (old_ms > call->now_ms ? old_ms : call->now_ms) + SWEEP_LATE_MS;
}

gaz_status operation_sweep(struct call *call)
{
	struct operation_record op = {0};
	struct operation_extra extra = {0};
	struct key key = {0};
	struct span value;
	gaz_status st = find_sweepings(call, &key, &value);

	if (st == GAZ_OK)
		st = schema_get_nameless_operation(key_span(&key), value, call->arena,
						   &op, &extra);
	/* One that cannot be read stays: calls must not fail for it. So does one that is
	 * pending: it is younger than all that is behind it. */
	if (st == GAZ_ESTORE || (st == GAZ_OK && op.status != OPERATION_SUCCESS &&
				 op.status != OPERATION_FAIL))
		st = GAZ_ENOTFOUND;
	if (st != GAZ_OK) {
		rest(call, &key);
		return st;
	}
	call->registry->sweeping = true;
	return forget(call, &op, &extra, &key);
}
