/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/call.h"

#include <string.h>

#include "dns/name.h"
#include "registry/registry-internal.h"
#include "store/changeset.h"
#include "store/store.h"

gaz_status call_get(struct call *call, enum schema_table table, struct span key,
		    struct span *out)
{
	if (call->changes) {
		switch (changeset_find(call->changes, table, key, out)) {
		case CHANGESET_PUT:
			return GAZ_OK;
		case CHANGESET_DELETED:
			return GAZ_ENOTFOUND;
		case CHANGESET_UNTOUCHED:
			break;
		}
	}
	return store_get(call->txn, table, key, out);
}

void call_put(struct call *call, enum schema_table table, struct span key,
	      const struct bytes *value)
{
	/* An empty key would be one that key_span() refused: never write it. */
	if (value->failed || key.len == 0)
		call->changes->failed = true;
	else
		changeset_put(call->changes, table, key,
			      (struct span){value->data, value->len});
}

void call_delete(struct call *call, enum schema_table table, struct span key)
{
	changeset_delete(call->changes, table, key);
}

gaz_status call_read_first(struct store_txn *txn, enum schema_table table,
			   struct key *key_out, struct span *value_out)
{
	struct store_cursor *cursor = NULL;
	struct span key;
	gaz_status st = store_cursor_open(txn, table, &cursor);

	if (st == GAZ_OK)
		st = store_cursor_seek(cursor, (struct span){NULL, 0}, &key, value_out);
	if (st == GAZ_OK)
		key_put(key_out, key.data, key.len);
	store_cursor_close(&cursor);
	return st;
}

gaz_status call_follow_last(struct call *call, enum schema_table table,
			    const struct key *prefix, int64_t ahead_ms, int64_t *time_ms)
{
	struct store_cursor *cursor = NULL;
	struct key above = *prefix;
	struct span key;
	struct span value;
	struct reader r;
	gaz_status st = store_cursor_open(call->txn, table, &cursor);

	key_put_u64(&above, (uint64_t)(*time_ms + ahead_ms));
	if (st == GAZ_OK)
		st = store_cursor_seek_below(cursor, key_span(&above), &key, &value);
	if (st == GAZ_OK && key.len > prefix->len &&
	    memcmp(key.data, prefix->data, prefix->len) == 0) {
		int64_t last_ms;

		reader_init(&r,
			    (struct span){key.data + prefix->len, key.len - prefix->len});
		last_ms = (int64_t)reader_u64(&r);
		if (!r.failed && last_ms >= *time_ms)
			*time_ms = last_ms + 1;
	}
	store_cursor_close(&cursor);
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

void call_put_partition(const struct call *call, struct key *key)
{
	key_put_text(key, call->region);
	key_put_text(key, call->account);
}

gaz_status call_digest(const struct bytes *bytes, char out[CALL_DIGEST_SIZE])
{
	uint8_t digest[ID_DIGEST_LEN];

	if (bytes->failed || id_digest(bytes->data, bytes->len, digest) != GAZ_OK)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < sizeof digest; i++) {
		out[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	out[CALL_DIGEST_SIZE - 1] = '\0';
	return GAZ_OK;
}

gaz_status call_name_key(const struct call *call, enum name_kind kind, const char *within,
			 const char *name, struct key *out)
{
	struct bytes text;
	uint8_t digest[ID_DIGEST_LEN];
	gaz_status st = GAZ_ENOMEM;

	bytes_init(&text);
	bytes_put_u8(&text, (uint8_t)kind);
	bytes_put_text(&text, call->region);
	bytes_put_text(&text, call->account);
	bytes_put_text(&text, within);
	bytes_put_text(&text, name);
	if (!text.failed)
		st = id_digest(text.data, text.len, digest);
	bytes_fini(&text);
	out->len = 0;
	out->overflow = false;
	if (st == GAZ_OK)
		key_put(out, digest, sizeof digest);
	return st;
}

gaz_status call_find_name(struct call *call, const struct key *name, const char **id_out)
{
	struct span value;
	gaz_status st = call_get(call, TABLE_NAME, key_span(name), &value);

	if (st != GAZ_OK)
		return st;
	*id_out = arena_strndup(call->arena, (const char *)value.data, value.len);
	return *id_out ? GAZ_OK : GAZ_ENOMEM;
}

void call_claim_name(struct call *call, const struct key *name, const char *id)
{
	changeset_put(call->changes, TABLE_NAME, key_span(name),
		      (struct span){(const uint8_t *)id, strlen(id)});
}

const char *call_fold_name(struct call *call, const char *name)
{
	uint8_t wire[DNAME_MAX];
	char text[DNAME_TEXT_SIZE];
	char *folded;
	size_t len;

	/* By way of the wire form: \097 is another way to write an a. */
	if (dname_from_text(name, wire, &len) == GAZ_OK)
		name = dname_to_text(wire, text);
	folded = arena_strdup(call->arena, name);
	for (char *at = folded; at && *at; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + ('a' - 'A'));
	}
	return folded;
}

gaz_status call_resolve_id(struct call *call, const char *kind, const char *id_or_arn,
			   const char **id_out)
{
	struct arn arn;
	gaz_status st;

	if (!arn_is_one(id_or_arn)) {
		*id_out = id_or_arn;
		return GAZ_OK;
	}
	st = arn_parse(call->arena, id_or_arn, &arn);
	if (st == GAZ_ENOMEM)
		return st;
	if (st != GAZ_OK || strcmp(arn.kind, kind) != 0 ||
	    strcmp(arn.region, call->region) != 0 ||
	    strcmp(arn.account, call->account) != 0)
		return GAZ_ENOTFOUND;
	*id_out = arn.id;
	return GAZ_OK;
}

static gaz_status load_value(struct call *call, enum schema_table table, const char *id,
			     struct span *out)
{
	return call_get(call, table, (struct span){(const uint8_t *)id, strlen(id)}, out);
}

static bool is_ours(const struct call *call, const char *region, const char *account)
{
	return strcmp(region, call->region) == 0 && strcmp(account, call->account) == 0;
}

gaz_status call_load_namespace(struct call *call, const char *id,
			       struct namespace_record *out)
{
	struct namespace_record ns = {0};
	struct tally tally;
	struct span value;
	gaz_status st = load_value(call, TABLE_NAMESPACE, id, &value);

	if (st == GAZ_OK)
		st = schema_get_namespace(value, call->arena, &ns);
	if (st == GAZ_OK && !is_ours(call, ns.region, ns.account))
		st = GAZ_ENOTFOUND;
	if (st == GAZ_OK)
		st = call_load_tally(call, 'n', id, &tally);
	if (st != GAZ_OK)
		return st;
	ns.id = arena_strdup(call->arena, id);
	ns.arn = arn_print(call->arena,
			   &(struct arn){ns.region, ns.account, "namespace", id});
	ns.service_count = tally.children;
	ns.zone_changes = tally.revision;
	if (!ns.id || !ns.arn)
		return GAZ_ENOMEM;
	*out = ns;
	return GAZ_OK;
}

gaz_status call_load_service(struct call *call, const char *id,
			     struct service_record *out)
{
	struct service_record svc = {0};
	struct tally tally;
	struct span value;
	gaz_status st = load_value(call, TABLE_SERVICE, id, &value);

	if (st == GAZ_OK)
		st = schema_get_service(value, call->arena, &svc);
	if (st == GAZ_OK && !is_ours(call, svc.region, svc.account))
		st = GAZ_ENOTFOUND;
	if (st == GAZ_OK)
		st = call_load_tally(call, 's', id, &tally);
	if (st != GAZ_OK)
		return st;
	svc.id = arena_strdup(call->arena, id);
	svc.arn = arn_print(call->arena,
			    &(struct arn){svc.region, svc.account, "service", id});
	svc.instance_count = tally.children;
	svc.revision = tally.revision;
	if (!svc.id || !svc.arn)
		return GAZ_ENOMEM;
	*out = svc;
	return GAZ_OK;
}

gaz_status call_require_namespace(struct call *call, const char *id_or_arn,
				  struct namespace_record *out)
{
	const char *id = NULL;
	gaz_status st = call_resolve_id(call, "namespace", id_or_arn, &id);

	if (st == GAZ_OK)
		st = call_load_namespace(call, id, out);
	if (st == GAZ_ENOTFOUND)
		return fault_set(&call->fault, FAULT_NAMESPACE_NOT_FOUND,
				 "Namespace %s does not exist", id_or_arn);
	return st;
}

gaz_status call_require_service(struct call *call, const char *id_or_arn,
				struct service_record *out)
{
	const char *id = NULL;
	gaz_status st = call_resolve_id(call, "service", id_or_arn, &id);

	if (st == GAZ_OK)
		st = call_load_service(call, id, out);
	if (st == GAZ_ENOTFOUND)
		return fault_set(&call->fault, FAULT_SERVICE_NOT_FOUND,
				 "Service %s does not exist", id_or_arn);
	return st;
}

void call_save_service(struct call *call, const struct service_record *svc)
{
	struct bytes value;

	bytes_init(&value);
	schema_put_service(&value, svc);
	call_put(call, TABLE_SERVICE,
		 (struct span){(const uint8_t *)svc->id, strlen(svc->id)}, &value);
	bytes_fini(&value);
}

gaz_status call_load_pairs(struct call *call, enum schema_table table, const char *id,
			   struct pair_list *out)
{
	struct span value;
	struct reader r;
	gaz_status st = load_value(call, table, id, &value);

	*out = (struct pair_list){.present = true};
	if (st == GAZ_ENOTFOUND)
		return GAZ_OK;
	if (st != GAZ_OK)
		return st;
	reader_init(&r, value);
	schema_read_pairs(&r, call->arena, out);
	if (call->arena->failed)
		return GAZ_ENOMEM;
	return r.failed ? GAZ_ESTORE : GAZ_OK;
}

void call_save_pairs(struct call *call, enum schema_table table, const char *id,
		     const struct pair_list *pairs)
{
	struct bytes value;

	bytes_init(&value);
	schema_put_pairs(&value, pairs);
	call_put(call, table, (struct span){(const uint8_t *)id, strlen(id)}, &value);
	bytes_fini(&value);
}

static bool is_listed(const struct text_list *keys, const char *key)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (strcmp(keys->items[i], key) == 0)
			return true;
	}
	return false;
}

void call_remove_pairs(struct pair_list *pairs, const struct text_list *keys)
{
	size_t kept = 0;

	for (size_t i = 0; i < pairs->count; i++) {
		if (!is_listed(keys, pairs->items[i].key))
			pairs->items[kept++] = pairs->items[i];
	}
	pairs->count = kept;
}

static enum schema_table tally_table(const struct key *key)
{
	return key->data[0] == 's' ? TABLE_TALLY : TABLE_UPPER_TALLY;
}

gaz_status call_get_tally(struct call *call, const struct key *key, struct span *out)
{
	enum schema_table table = tally_table(key);
	gaz_status st = call_get(call, table, key_span(key), out);

	if (st == GAZ_ENOTFOUND && table == TABLE_UPPER_TALLY)
		st = call_get(call, TABLE_TALLY, key_span(key), out);
	return st;
}

/* Where stores of the first two formats have it. */
static void delete_former(struct call *call, const struct key *key)
{
	if (call->registry->has_former_tallies && tally_table(key) == TABLE_UPPER_TALLY)
		call_delete(call, TABLE_TALLY, key_span(key));
}

void call_put_tally(struct call *call, const struct key *key, struct span value)
{
	/* As in call_put(). */
	if (key_span(key).len == 0)
		call->changes->failed = true;
	changeset_put(call->changes, tally_table(key), key_span(key), value);
	delete_former(call, key);
}

void call_delete_tally(struct call *call, const struct key *key)
{
	call_delete(call, tally_table(key), key_span(key));
	delete_former(call, key);
}

static void make_tally_key(char kind, const char *id, struct key *key)
{
	key_put(key, &kind, 1);
	key_put(key, id, strlen(id));
}

gaz_status call_load_tally(struct call *call, char kind, const char *id,
			   struct tally *out)
{
	struct key key = {0};
	struct span value;
	gaz_status st;

	memset(out, 0, sizeof *out);
	make_tally_key(kind, id, &key);
	st = call_get_tally(call, &key, &value);
	if (st == GAZ_ENOTFOUND)
		return GAZ_OK;
	return st == GAZ_OK ? schema_get_tally(value, out) : st;
}

void call_save_tally(struct call *call, char kind, const char *id,
		     const struct tally *tally)
{
	struct key key = {0};
	struct bytes value;

	bytes_init(&value);
	make_tally_key(kind, id, &key);
	schema_put_tally(&value, tally);
	if (value.failed)
		call->changes->failed = true;
	else
		call_put_tally(call, &key, (struct span){value.data, value.len});
	bytes_fini(&value);
}

void call_drop_tally(struct call *call, char kind, const char *id)
{
	struct key key = {0};

	make_tally_key(kind, id, &key);
	call_delete_tally(call, &key);
}

const char *call_partition_id(struct call *call)
{
	return arena_printf(call->arena, "%s/%s", call->region, call->account);
}
