/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/keyhash.h"
#include "registry/check-internal.h"
#include "registry/operation-internal.h"

/* Operations, the tables that point to them, and what is pending. */

/* The region and account for which keys are made from now on. */
static void set_scope(struct check *c, const char *region, const char *account)
{
	c->call.region = region;
	c->call.account = account;
}

static gaz_status decode(struct check *c, struct span key, struct span value,
			 struct operation_record *op, struct operation_extra *extra)
{
	*op = (struct operation_record){0};
	*extra = (struct operation_extra){0};
	return operation_decode(&c->call, key, value, op, extra);
}

static gaz_status load_operation(struct check *c, const char *id,
				 struct operation_record *op,
				 struct operation_extra *extra)
{
	*op = (struct operation_record){0};
	*extra = (struct operation_extra){0};
	return operation_load(&c->call, id, op, extra);
}

/* ---- links ---- */

static void add_link(struct check_link links[CHECK_LINKS_MAX], size_t *count,
		     enum schema_table table, const struct key *key)
{
	links[(*count)++] = (struct check_link){.table = table, .key = *key};
}

/* The value of each lock of an operation; it lives in the arena. */
static gaz_status make_lock_value(struct check *c, const struct operation_record *op,
				  const struct operation_extra *extra, struct span *out)
{
	struct bytes value;

	bytes_init(&value);
	bytes_put_text(&value, op->id);
	bytes_put_text(&value, extra->call_name);
	*out = (struct span){NULL, value.len};
	if (!value.failed)
		out->data = (const uint8_t *)arena_strndup(
			&c->arena, (const char *)value.data, value.len);
	bytes_fini(&value);
	return out->data ? GAZ_OK : GAZ_ENOMEM;
}

static gaz_status list_pending(struct check *c, const struct operation_record *op,
			       const struct operation_extra *extra,
			       struct check_link links[CHECK_LINKS_MAX], size_t *count)
{
	struct key key = {0};
	struct span value;
	struct reader r;
	gaz_status st;

	key_put_time(&key, extra->due_ms, op->id, strlen(op->id));
	add_link(links, count, TABLE_PENDING, &key);
	links[*count - 1].any_value = true;
	st = store_get(c->txn, TABLE_PENDING, key_span(&key), &value);
	if (st != GAZ_OK)
		return st == GAZ_ENOTFOUND ? GAZ_OK : st;
	reader_init(&r, value);
	for (size_t left = reader_u8(&r); left > 0 && *count < CHECK_LINKS_MAX; left--) {
		const uint8_t *lock = reader_take(&r, ID_DIGEST_LEN);

		if (!lock)
			break;
		key = (struct key){0};
		key_put(&key, lock, ID_DIGEST_LEN);
		add_link(links, count, TABLE_LOCK, &key);
		st = make_lock_value(c, op, extra, &links[*count - 1].value);
		if (st != GAZ_OK)
			return st;
	}
	return GAZ_OK;
}

static gaz_status list_links(struct check *c, const struct operation_record *op,
			     const struct operation_extra *extra,
			     struct check_link links[CHECK_LINKS_MAX], size_t *count)
{
	*count = 0;
	set_scope(c, extra->region, op->account);
	return op->status == OPERATION_SUBMITTED
		       ? list_pending(c, op, extra, links, count)
		       : GAZ_OK;
}

gaz_status check_operation_links(struct check *c, const char *id,
				 struct check_link links[CHECK_LINKS_MAX],
				 size_t *count_out)
{
	struct operation_record op;
	struct operation_extra extra;
	gaz_status st = load_operation(c, id, &op, &extra);

	*count_out = 0;
	if (st == GAZ_ENOTFOUND || st == GAZ_ESTORE)
		return GAZ_OK;
	return st == GAZ_OK ? list_links(c, &op, &extra, links, count_out) : st;
}

/* ---- one operation ---- */

static bool has_its_targets(const struct operation_record *op)
{
	switch (op->type) {
	case OPERATION_CREATE_NAMESPACE:
	case OPERATION_UPDATE_NAMESPACE:
	case OPERATION_DELETE_NAMESPACE:
		return op->namespace_id && !op->service_id && !op->instance_id;
	case OPERATION_UPDATE_SERVICE:
		return !op->namespace_id && op->service_id && !op->instance_id;
	case OPERATION_REGISTER_INSTANCE:
	case OPERATION_DEREGISTER_INSTANCE:
		return !op->namespace_id && op->service_id && op->instance_id;
	}
	return false;
}

static bool has_its_outcome(const struct operation_record *op)
{
	bool has_error = op->error_code && op->error_message;

	switch (op->status) {
	case OPERATION_SUBMITTED:
	case OPERATION_SUCCESS:
		return !op->error_code && !op->error_message;
	case OPERATION_FAIL:
		return has_error;
	case OPERATION_PENDING: /* worked out, never stored */
		break;
	}
	return false;
}

/* ---- lists ---- */

static bool equal_keys(const struct key *a, const struct key *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* What stands for an operation in the list of a scope. */
static uint64_t hash_place(struct span operation, const struct key *scope)
{
	static const struct keyhash_key any = {{0x9e3779b97f4a7c15, 0xd6e8feb86659fd93}};
	uint64_t h = keyhash_extend(&any, 0, operation.data, operation.len);

	return keyhash_extend(&any, h, scope->data, scope->len);
}

/* Is the operation at a key one of the scope? */
static gaz_status is_in_scope(struct check *c, struct span key, const struct key *scope,
			      bool *out)
{
	struct key scopes[OPERATION_SCOPES] = {0};
	struct operation_record op;
	struct operation_extra extra;
	struct span value;
	gaz_status st = store_get(c->txn, TABLE_OPERATION, key, &value);

	*out = false;
	if (st == GAZ_OK)
		st = decode(c, key, value, &op, &extra);
	if (st != GAZ_OK)
		return st;
	set_scope(c, extra.region, op.account);
	operation_make_scopes(&c->call, &op, &extra, scopes);
	for (size_t i = 0; i < OPERATION_SCOPES; i++)
		*out = *out || equal_keys(&scopes[i], scope);
	return GAZ_OK;
}

static bool is_below(struct span a, struct span b)
{
	int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	return order < 0 || (order == 0 && a.len < b.len);
}

/* What a link names may be gone if it was the oldest when it went. */
static gaz_status check_before(struct check *c, struct span key, const struct key *scope,
			       const struct operation_link *before)
{
	struct span at = operation_link_span(before);
	struct key oldest = {0};
	struct span value;
	bool fits = false;
	gaz_status st = is_in_scope(c, at, scope, &fits);

	if (st == GAZ_ENOTFOUND) {
		st = call_read_first(c->txn, TABLE_OPERATION, &oldest, &value);
		fits = st == GAZ_OK && is_below(at, key_span(&oldest));
		c->swept++;
	} else {
		c->reached += hash_place(at, scope);
	}
	if (st != GAZ_OK && st != GAZ_ESTORE)
		return st;
	if (!fits)
		check_fault(c, TABLE_OPERATION, key,
			    "the operation before it in a list is not there");
	return GAZ_OK;
}

static void note_unlisted(struct check *c, struct span key)
{
	if (c->unlisted++ == 0)
		key_put(&c->first_unlisted, key.data, key.len);
}

static gaz_status check_scopes(struct check *c, struct span key,
			       const struct operation_record *op,
			       const struct operation_extra *extra)
{
	struct key scopes[OPERATION_SCOPES] = {0};
	struct operation_link last;
	gaz_status st = GAZ_OK;

	set_scope(c, extra->region, op->account);
	operation_make_scopes(&c->call, op, extra, scopes);
	for (size_t i = 0; st == GAZ_OK && i < OPERATION_SCOPES; i++) {
		if (scopes[i].len == 0)
			continue;
		c->listed += hash_place(key, &scopes[i]);
		st = operation_find_last(&c->call, &scopes[i], &last);
		/* One that cannot be read is told where it is. */
		if (st == GAZ_OK && last.len == 0)
			note_unlisted(c, key);
		if (st == GAZ_ESTORE)
			st = GAZ_OK;
		if (st == GAZ_OK && extra->before[i].len > 0)
			st = check_before(c, key, &scopes[i], &extra->before[i]);
	}
	return st;
}

static gaz_status check_last(struct check *c, struct span key, struct span scope_span,
			     struct span value)
{
	struct key scope = {0};
	bool fits = false;
	gaz_status st;

	key_put(&scope, scope_span.data, scope_span.len);
	st = is_in_scope(c, value, &scope, &fits);
	if (st != GAZ_OK && st != GAZ_ENOTFOUND && st != GAZ_ESTORE)
		return st;
	if (fits)
		c->reached += hash_place(value, &scope);
	if (!fits)
		check_fault(c, c->table, key,
			    "the operation that its list begins with is not there");
	return GAZ_OK;
}

gaz_status check_operation_last_entry(struct check *c, struct span key, struct span value)
{
	return check_last(c, key, key, value);
}

gaz_status check_beside_tally(struct check *c, struct span key, struct span value)
{
	bool is_upper = key.data[0] != 's';
	struct span scope;
	struct span other;

	if (c->table == TABLE_UPPER_TALLY && !is_upper)
		check_fault(c, c->table, key, "it does not belong into this table");
	if (c->table == TABLE_TALLY && is_upper &&
	    store_get(c->txn, TABLE_UPPER_TALLY, key, &other) == GAZ_OK)
		check_fault(c, c->table, key, "it is in another table as well");
	return operation_is_last_key(key, &scope) ? check_last(c, key, scope, value)
						  : check_tally_entry(c, key, value);
}

/* Each operation is led to once in each list that it is in. The sweep goes by the keys:
 * of one millisecond, or where the clock went back, it may take later operations before
 * earlier ones, to which nothing leads until they go as well. */
void check_operation_lists(struct check *c)
{
	if (c->swept > 0)
		return;
	if (c->unlisted > 0)
		check_fault(c, TABLE_OPERATION, key_span(&c->first_unlisted),
			    "no list leads to it, nor to %zu others", c->unlisted - 1);
	else if (c->listed != c->reached)
		check_fault(c, TABLE_OPERATION, (struct span){NULL, 0},
			    "the lists do not lead to each operation once");
}

gaz_status check_operation_entry(struct check *c, struct span key, struct span value)
{
	struct check_link links[CHECK_LINKS_MAX];
	struct operation_record op;
	struct operation_extra extra;
	size_t count;
	gaz_status st = decode(c, key, value, &op, &extra);

	if (st == GAZ_ESTORE) {
		check_fault(c, TABLE_OPERATION, key, "its value cannot be read");
		return GAZ_OK;
	}
	if (st != GAZ_OK)
		return st;
	if (!extra.scope_namespace || !has_its_targets(&op))
		check_fault(c, TABLE_OPERATION, key,
			    "its targets are not those of its type");
	if (!has_its_outcome(&op))
		check_fault(c, TABLE_OPERATION, key,
			    "its status is unknown or does not go with its error");
	st = check_scopes(c, key, &op, &extra);
	if (st == GAZ_OK)
		st = list_links(c, &op, &extra, links, &count);
	return st == GAZ_OK ? check_links(c, TABLE_OPERATION, key, links, count) : st;
}

/* ---- what is pending ---- */

struct intent {
	const char *target;    /* the namespace, or the service, that it works on */
	const char *partition; /* where a new namespace holds a place; NULL: nowhere */
	bool is_new;	       /* the target is not there yet */
	bool holds_place;      /* of an instance, in the target */
};

static void read_create(struct check *c, struct reader *r, struct intent *out)
{
	struct pair_list tags;

	(void)reader_u8(r);
	for (int i = 0; i < 3; i++)
		(void)reader_text(r, &c->arena);
	(void)reader_u32(r);
	schema_read_pairs(r, &c->arena, &tags);
	out->target = reader_text(r, &c->arena);
	(void)reader_text(r, &c->arena);
	(void)reader_text(r, &c->arena);
	out->is_new = true;
	out->partition = call_partition_id(&c->call);
}

static void read_register(struct check *c, struct reader *r, struct intent *out)
{
	struct pair_list attributes;

	out->target = reader_text(r, &c->arena);
	(void)reader_text(r, &c->arena);
	schema_read_pairs(r, &c->arena, &attributes);
	(void)reader_text(r, &c->arena);
	out->holds_place = reader_u8(r) != 0;
}

/* The layouts are those that the calls write: see operation_apply. */
static void read_intent(struct check *c, enum operation_type type, struct reader *r,
			struct intent *out)
{
	struct service_record svc = {0};

	switch (type) {
	case OPERATION_CREATE_NAMESPACE:
		read_create(c, r, out);
		return;
	case OPERATION_UPDATE_NAMESPACE:
		out->target = reader_text(r, &c->arena);
		(void)reader_text(r, &c->arena);
		(void)reader_u8(r);
		(void)reader_u32(r);
		return;
	case OPERATION_DELETE_NAMESPACE:
		out->target = reader_text(r, &c->arena);
		return;
	case OPERATION_UPDATE_SERVICE:
		out->target = reader_text(r, &c->arena);
		if (schema_get_service((struct span){r->at, r->left}, &c->arena, &svc) !=
		    GAZ_OK)
			r->failed = true;
		r->left = 0;
		return;
	case OPERATION_REGISTER_INSTANCE:
		read_register(c, r, out);
		return;
	case OPERATION_DEREGISTER_INSTANCE:
		out->target = reader_text(r, &c->arena);
		(void)reader_text(r, &c->arena);
		return;
	}
	r->failed = true;
}

static gaz_status check_intent(struct check *c, struct span key, struct reader *r,
			       const struct operation_record *op)
{
	struct intent intent = {0};
	struct span value;
	gaz_status st;

	read_intent(c, op->type, r, &intent);
	if (c->arena.failed)
		return GAZ_ENOMEM;
	if (r->failed || r->left > 0 || !intent.target) {
		check_fault(c, TABLE_PENDING, key, "its value cannot be read");
		return GAZ_OK;
	}
	st = check_find(c, op->service_id ? TABLE_SERVICE : TABLE_NAMESPACE,
			intent.target, &value);
	if (st != GAZ_OK && st != GAZ_ENOTFOUND)
		return st;
	if (intent.is_new != (st == GAZ_ENOTFOUND))
		check_fault(c, TABLE_PENDING, key,
			    intent.is_new ? "what it shall create is there already"
					  : "what it works on does not exist");
	st = GAZ_OK;
	if (intent.holds_place)
		st = check_hold(c, 's', intent.target);
	if (st == GAZ_OK && intent.partition)
		st = check_hold(c, 'p', intent.partition);
	return st;
}

gaz_status check_pending_entry(struct check *c, struct span key, struct span value)
{
	struct operation_record op;
	struct operation_extra extra;
	struct reader r;
	const char *id = NULL;
	gaz_status st = GAZ_ENOTFOUND;

	if (key.len > 8) {
		id = check_text(c, (struct span){key.data + 8, key.len - 8});
		st = id ? load_operation(c, id, &op, &extra) : GAZ_ENOMEM;
	}
	/* One whose operation is not there, or has ended, is found when counting. */
	if (st == GAZ_ENOTFOUND || st == GAZ_ESTORE)
		return GAZ_OK;
	if (st != GAZ_OK)
		return st;
	set_scope(c, extra.region, op.account);
	reader_init(&r, value);
	for (size_t left = reader_u8(&r); left > 0; left--)
		(void)reader_take(&r, ID_DIGEST_LEN);
	return check_intent(c, key, &r, &op);
}
