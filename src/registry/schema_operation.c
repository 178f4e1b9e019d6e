/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/schema.h"

#include <string.h>

#include "base/arena.h"

/* Operations: their keys, and the coding of their values. There are up to a million of
 * them, as many as everything else together, so both are kept short. Stores of the first
 * two formats may have wide ones, which stay until their time is up: they are before all
 * others, since their keys begin with two octets of zero. */

enum {
	VERSION_WIDE = 1, /* the first octet of a value */
	VERSION = 2,
	TIME_LEN = 6,
	PART_LEN = OPERATION_KEY_LEN - TIME_LEN, /* of the target, in the key */
	WIDE_TIME_LEN = 8,
	WIDE_KEY_LEN = OPERATION_KEY_MAX,
	WIDE_TOKEN_LEN = ID_DIGEST_LEN,
	LINK_SAME = 255, /* instead of a length: as the link before it */
};

/* Stored as their index and one; new ones go behind them. */
static const char *const call_names[] = {
	"CreateHttpNamespace",	     "CreatePrivateDnsNamespace",
	"CreatePublicDnsNamespace",  "UpdateHttpNamespace",
	"UpdatePrivateDnsNamespace", "UpdatePublicDnsNamespace",
	"DeleteNamespace",	     "UpdateService",
	"RegisterInstance",	     "DeregisterInstance",
};

enum {
	CALL_NAMES = sizeof call_names / sizeof *call_names,
	CALL_OTHER = 0, /* its name follows */
};

/* ---- keys ---- */

void schema_operation_keys_at(int64_t submit_ms, bool wide, struct key *out)
{
	uint8_t wire[8];

	for (int i = 7; i >= 0; i--, submit_ms >>= 8)
		wire[i] = (uint8_t)submit_ms;
	*out = (struct key){.len = 0};
	if (wide)
		key_put(out, wire, WIDE_TIME_LEN);
	else
		key_put(out, wire + 8 - TIME_LEN, TIME_LEN);
}

gaz_status schema_operation_key(const char *id, struct key *out)
{
	uint8_t target[ID_TARGET_LEN];
	int64_t submit_ms;

	if (id_operation_time(id, &submit_ms) != GAZ_OK || submit_ms >> 8 * TIME_LEN ||
	    id_operation_target(id, target) != GAZ_OK)
		return GAZ_ENOTFOUND;
	schema_operation_keys_at(submit_ms, false, out);
	key_put(out, target, PART_LEN);
	return GAZ_OK;
}

gaz_status schema_operation_wide_key(const char *id, struct key *out)
{
	int64_t submit_ms;

	if (id_operation_time(id, &submit_ms) != GAZ_OK)
		return GAZ_ENOTFOUND;
	schema_operation_keys_at(submit_ms, true, out);
	key_put(out, id, ID_TARGET_CHARS);
	return GAZ_OK;
}

gaz_status schema_operation_time(struct span key, int64_t *submit_ms_out)
{
	struct reader r;
	uint64_t high;

	reader_init(&r, key);
	if (key.len == WIDE_KEY_LEN ? reader_u16(&r) != 0 : key.len != OPERATION_KEY_LEN)
		return GAZ_ESTORE;
	high = reader_u16(&r);
	*submit_ms_out = (int64_t)(high << 32 | reader_u32(&r));
	return GAZ_OK;
}

/* @param rest  of the target, or NULL: a wide key has all of it */
static gaz_status make_id(struct span key, const uint8_t *rest, int64_t submit_ms,
			  struct arena *arena, const char **out)
{
	char id[ID_OPERATION_SIZE];
	uint8_t target[ID_TARGET_LEN];

	if (key.len == WIDE_KEY_LEN) {
		id_operation_at((const char *)key.data + WIDE_TIME_LEN, submit_ms, id);
	} else if (rest) {
		memcpy(target, key.data + TIME_LEN, PART_LEN);
		memcpy(target + PART_LEN, rest, sizeof target - PART_LEN);
		id_operation(target, submit_ms, id);
	} else {
		return GAZ_ESTORE;
	}
	*out = arena_strdup(arena, id);
	return *out ? GAZ_OK : GAZ_ENOMEM;
}

/* ---- links ---- */

void operation_link_set(struct operation_link *link, struct span key)
{
	if (key.len > sizeof link->key)
		key.len = 0; /* no operation's */
	link->len = (uint8_t)key.len;
	if (key.len > 0)
		memcpy(link->key, key.data, key.len);
}

struct span operation_link_span(const struct operation_link *link)
{
	return (struct span){link->key, link->len};
}

static bool is_same(const struct operation_link *a, const struct operation_link *b)
{
	return a->len == b->len && memcmp(a->key, b->key, a->len) == 0;
}

static void put_links(struct bytes *b, const struct operation_link *links)
{
	for (size_t i = 0; i < OPERATION_SCOPES; i++) {
		if (i > 0 && links[i].len > 0 && is_same(&links[i], &links[i - 1])) {
			bytes_put_u8(b, LINK_SAME);
			continue;
		}
		bytes_put_u8(b, links[i].len);
		bytes_put(b, links[i].key, links[i].len);
	}
}

static void read_links(struct reader *r, struct operation_link *links)
{
	for (size_t i = 0; i < OPERATION_SCOPES; i++) {
		uint8_t len = reader_u8(r);
		const uint8_t *key;

		if (i > 0 && len == LINK_SAME) {
			links[i] = links[i - 1];
			continue;
		}
		key = reader_take(r, len);
		if (len != 0 && len != OPERATION_KEY_LEN && len != WIDE_KEY_LEN)
			r->failed = true;
		operation_link_set(&links[i], (struct span){key, key ? len : 0});
	}
}

static void read_wide_links(struct reader *r, struct operation_link *links)
{
	for (size_t i = 0; i < OPERATION_SCOPES; i++) {
		const uint8_t *key = NULL;

		if (reader_u8(r) != 0)
			key = reader_take(r, WIDE_KEY_LEN);
		operation_link_set(&links[i], (struct span){key, key ? WIDE_KEY_LEN : 0});
	}
}

/* ---- values ---- */

static bool read_flag(struct reader *r)
{
	uint8_t flag = reader_u8(r);

	if (flag > 1)
		r->failed = true;
	return flag == 1;
}

/* The id of a resource; of any that does not look like one, its text. */
static void put_resource(struct bytes *b, const char *prefix, const char *id)
{
	uint8_t bits[ID_RANDOM_LEN];

	if (id && id_resource_bits(prefix, id, bits) == GAZ_OK) {
		bytes_put_u8(b, 1);
		bytes_put(b, bits, sizeof bits);
	} else {
		bytes_put_u8(b, 0);
		bytes_put_short_text(b, id);
	}
}

static const char *read_resource(struct reader *r, const char *prefix,
				 struct arena *arena)
{
	char id[ID_RESOURCE_SIZE];
	const uint8_t *bits;

	if (!read_flag(r))
		return reader_short_text(r, arena);
	bits = reader_take(r, ID_RANDOM_LEN);
	if (!bits)
		return NULL;
	id_resource_of(prefix, bits, id);
	return arena_strdup(arena, id);
}

static void put_call_name(struct bytes *b, const char *name)
{
	for (size_t i = 0; i < CALL_NAMES; i++) {
		if (strcmp(call_names[i], name) == 0) {
			bytes_put_u8(b, (uint8_t)(i + 1));
			return;
		}
	}
	bytes_put_u8(b, CALL_OTHER);
	bytes_put_short_text(b, name);
}

static const char *read_call_name(struct reader *r, struct arena *arena)
{
	uint8_t code = reader_u8(r);

	if (code == CALL_OTHER)
		return reader_short_text(r, arena);
	if (code > CALL_NAMES) {
		r->failed = true;
		return NULL;
	}
	return call_names[code - 1];
}

void schema_put_operation(struct bytes *b, const struct operation_record *op,
			  const struct operation_extra *extra)
{
	uint8_t target[ID_TARGET_LEN];

	if (id_operation_target(op->id, target) != GAZ_OK) {
		b->failed = true;
		return;
	}
	bytes_put_u8(b, VERSION);
	bytes_put(b, target + PART_LEN, sizeof target - PART_LEN);
	put_links(b, extra->before);
	bytes_put_u8(b, extra->has_token);
	if (extra->has_token)
		bytes_put(b, extra->token, sizeof extra->token);
	bytes_put_u8(b, (uint8_t)op->type);
	bytes_put_u8(b, (uint8_t)op->status);
	put_call_name(b, extra->call_name);
	bytes_put_varint(b, (uint64_t)op->update_ms - (uint64_t)op->create_ms);
	bytes_put_varint(b, (uint64_t)extra->due_ms - (uint64_t)op->create_ms);
	bytes_put_short_text(b, extra->region);
	bytes_put_short_text(b, op->account);
	put_resource(b, "ns-", extra->scope_namespace);
	put_resource(b, "ns-", op->namespace_id);
	put_resource(b, "srv-", op->service_id);
	bytes_put_short_text(b, op->instance_id);
	bytes_put_short_text(b, op->error_code);
	bytes_put_short_text(b, op->error_message);
}

/* @param rest_out  of the target; NULL when the value is wide */
static void read_head(struct reader *r, struct operation_extra *out,
		      const uint8_t **rest_out)
{
	uint8_t version = reader_u8(r);
	size_t token_len = version == VERSION_WIDE ? WIDE_TOKEN_LEN : sizeof out->token;
	const uint8_t *token = NULL;

	*rest_out = NULL;
	if (version == VERSION_WIDE) {
		read_wide_links(r, out->before);
	} else {
		*rest_out = reader_take(r, ID_TARGET_LEN - PART_LEN);
		read_links(r, out->before);
	}
	if (version != VERSION_WIDE && version != VERSION)
		r->failed = true;
	if (read_flag(r))
		token = reader_take(r, token_len);
	out->has_token = token != NULL;
	if (token)
		memcpy(out->token, token, sizeof out->token);
}

gaz_status schema_get_operation_head(struct span value, struct operation_extra *out)
{
	const uint8_t *rest;
	struct reader r;

	reader_init(&r, value);
	read_head(&r, out, &rest);
	return r.failed ? GAZ_ESTORE : GAZ_OK;
}

gaz_status schema_get_operation_id(struct span key, struct span value,
				   struct arena *arena, const char **out)
{
	struct operation_extra head;
	const uint8_t *rest;
	struct reader r;
	int64_t submit_ms;
	gaz_status st = schema_operation_time(key, &submit_ms);

	reader_init(&r, value);
	read_head(&r, &head, &rest);
	if (r.failed)
		st = GAZ_ESTORE;
	return st == GAZ_OK ? make_id(key, rest, submit_ms, arena, out) : st;
}

static void read_wide_rest(struct reader *r, struct arena *arena,
			   struct operation_record *op, struct operation_extra *extra)
{
	extra->region = reader_text(r, arena);
	op->account = reader_text(r, arena);
	extra->call_name = reader_text(r, arena);
	if ((int64_t)reader_u64(r) != op->create_ms)
		r->failed = true;
	op->update_ms = (int64_t)reader_u64(r);
	extra->due_ms = (int64_t)reader_u64(r);
	extra->scope_namespace = reader_text(r, arena);
	op->namespace_id = reader_text(r, arena);
	op->service_id = reader_text(r, arena);
	op->instance_id = reader_text(r, arena);
	op->error_code = reader_text(r, arena);
	op->error_message = reader_text(r, arena);
}

static void read_rest(struct reader *r, struct arena *arena, struct operation_record *op,
		      struct operation_extra *extra)
{
	extra->call_name = read_call_name(r, arena);
	op->update_ms = (int64_t)((uint64_t)op->create_ms + reader_varint(r));
	extra->due_ms = (int64_t)((uint64_t)op->create_ms + reader_varint(r));
	extra->region = reader_short_text(r, arena);
	op->account = reader_short_text(r, arena);
	extra->scope_namespace = read_resource(r, "ns-", arena);
	op->namespace_id = read_resource(r, "ns-", arena);
	op->service_id = read_resource(r, "srv-", arena);
	op->instance_id = reader_short_text(r, arena);
	op->error_code = reader_short_text(r, arena);
	op->error_message = reader_short_text(r, arena);
}

/* Whoever has read one goes by its type, and works with its times. */
static bool is_possible(const struct operation_record *op,
			const struct operation_extra *extra)
{
	return op->type >= OPERATION_CREATE_NAMESPACE &&
	       op->type <= OPERATION_DEREGISTER_INSTANCE &&
	       (op->status == OPERATION_SUBMITTED || op->status == OPERATION_SUCCESS ||
		op->status == OPERATION_FAIL) &&
	       op->update_ms >= 0 && extra->due_ms >= 0 && op->account && extra->region &&
	       extra->call_name;
}

/* @param rest_out  of the target, as read_head() has it */
static gaz_status read_operation(struct span key, struct span value, struct arena *arena,
				 struct operation_record *out,
				 struct operation_extra *extra, const uint8_t **rest_out)
{
	const uint8_t *rest;
	struct reader r;
	gaz_status st = schema_operation_time(key, &out->create_ms);

	if (st != GAZ_OK)
		return st;
	operation_link_set(&extra->key, key);
	reader_init(&r, value);
	read_head(&r, extra, &rest);
	out->type = (enum operation_type)reader_u8(&r);
	out->status = (enum operation_status)reader_u8(&r);
	if (rest)
		read_rest(&r, arena, out, extra);
	else
		read_wide_rest(&r, arena, out, extra);
	*rest_out = rest;
	if (arena->failed)
		return GAZ_ENOMEM;
	return r.failed || r.left > 0 || !is_possible(out, extra) ? GAZ_ESTORE : GAZ_OK;
}

gaz_status schema_get_operation(struct span key, struct span value, struct arena *arena,
				struct operation_record *out,
				struct operation_extra *extra)
{
	const uint8_t *rest;
	uint8_t target[ID_TARGET_LEN];
	gaz_status st = read_operation(key, value, arena, out, extra, &rest);

	if (st == GAZ_OK)
		st = make_id(key, rest, out->create_ms, arena, &out->id);
	if (st == GAZ_OK && id_operation_target(out->id, target) != GAZ_OK)
		st = GAZ_ESTORE;
	return st;
}

gaz_status schema_get_nameless_operation(struct span key, struct span value,
					 struct arena *arena,
					 struct operation_record *out,
					 struct operation_extra *extra)
{
	const uint8_t *rest;

	return read_operation(key, value, arena, out, extra, &rest);
}
