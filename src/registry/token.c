/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/keyhash.h"
#include "base/rng.h"
#include "registry/registry-internal.h"
#include "store/store.h"

/* A table with linear probing. A slot says when an operation with such a digest was
 * submitted; the store says whether there is one, and which. So a slot may outlive
 * its operation, and nothing is ever taken out: when the table is full, what is older
 * than all operations is left behind. */

enum {
	CAP_MIN = 1024, /* a power of two, as every capacity */
};

/* Keys of this time and later ones are behind all wide ones. */
#define WIDE_KEYS_END_MS (INT64_C(1) << 32)

struct slot {
	uint64_t hash; /* 0: empty */
	int64_t submit_ms;
};

struct token_index {
	struct keyhash_key key; /* nobody outside can aim requests at one place */
	struct slot *slots;
	size_t cap;
	size_t used;
};

static uint64_t hash_token(const struct token_index *index,
			   const uint8_t token[OPERATION_TOKEN_LEN])
{
	uint64_t hash = keyhash_extend(&index->key, 0, token, OPERATION_TOKEN_LEN);

	return hash != 0 ? hash : 1;
}

static void insert(struct slot *slots, size_t cap, struct slot slot)
{
	size_t at = slot.hash & (cap - 1);

	while (slots[at].hash != 0)
		at = (at + 1) & (cap - 1);
	slots[at] = slot;
}

static bool is_kept(const struct slot *slot, int64_t oldest_ms)
{
	return slot->hash != 0 && slot->submit_ms >= oldest_ms;
}

/* Make room: half of the new table, at least, is empty. */
static gaz_status rebuild(struct token_index *index, int64_t oldest_ms)
{
	size_t kept = 0;
	size_t cap = CAP_MIN;
	struct slot *slots;

	for (size_t i = 0; i < index->cap; i++)
		kept += is_kept(&index->slots[i], oldest_ms);
	while (cap / 2 < kept)
		cap *= 2;
	slots = calloc(cap, sizeof *slots);
	if (!slots)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < index->cap; i++) {
		if (is_kept(&index->slots[i], oldest_ms))
			insert(slots, cap, index->slots[i]);
	}
	free(index->slots);
	index->slots = slots;
	index->cap = cap;
	index->used = kept;
	return GAZ_OK;
}

/* Wide operations lie before all others, but where the clock went back they need not be
 * the older ones: so the first of either kind counts. */
static gaz_status find_oldest_ms(struct call *call, int64_t *out)
{
	struct store_cursor *cursor = NULL;
	struct key starts[2] = {0};
	gaz_status st = store_cursor_open(call->txn, TABLE_OPERATION, &cursor);

	schema_operation_keys_at(WIDE_KEYS_END_MS, false, &starts[1]);
	*out = INT64_MAX;
	for (size_t i = 0; st == GAZ_OK && i < 2; i++) {
		struct span key;
		struct span value;
		int64_t submit_ms;

		st = store_cursor_seek(cursor, key_span(&starts[i]), &key, &value);
		if (st == GAZ_OK && schema_operation_time(key, &submit_ms) != GAZ_OK)
			submit_ms = INT64_MIN; /* nothing is too old */
		if (st == GAZ_OK && submit_ms < *out)
			*out = submit_ms;
	}
	store_cursor_close(&cursor);
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static gaz_status add(struct call *call, struct token_index *index,
		      const uint8_t token[OPERATION_TOKEN_LEN], int64_t submit_ms)
{
	/* A quarter stays empty, so that probes are short. */
	if (index->used >= index->cap / 4 * 3) {
		int64_t oldest_ms;
		gaz_status st = find_oldest_ms(call, &oldest_ms);

		if (st == GAZ_OK)
			st = rebuild(index, oldest_ms);
		if (st != GAZ_OK)
			return st;
	}
	insert(index->slots, index->cap,
	       (struct slot){hash_token(index, token), submit_ms});
	index->used++;
	return GAZ_OK;
}

static gaz_status read_operations(struct call *call, struct token_index *index)
{
	struct store_cursor *cursor = NULL;
	struct span key;
	struct span value;
	gaz_status st = store_cursor_open(call->txn, TABLE_OPERATION, &cursor);

	if (st == GAZ_OK)
		st = store_cursor_seek(cursor, (struct span){NULL, 0}, &key, &value);
	while (st == GAZ_OK) {
		struct operation_extra head = {0};
		int64_t submit_ms;

		/* What cannot be read is passed over: calls must not fail for it. */
		if (schema_get_operation_head(value, &head) == GAZ_OK &&
		    schema_operation_time(key, &submit_ms) == GAZ_OK && head.has_token)
			st = add(call, index, head.token, submit_ms);
		if (st == GAZ_OK)
			st = store_cursor_next(cursor, &key, &value);
	}
	store_cursor_close(&cursor);
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

gaz_status token_load(struct call *call)
{
	struct token_index *index;
	gaz_status st;

	if (call->registry->tokens)
		return GAZ_OK;
	index = calloc(1, sizeof *index);
	if (!index)
		return GAZ_ENOMEM;
	st = rng_secret(&index->key, sizeof index->key);
	if (st == GAZ_OK)
		st = read_operations(call, index);
	if (st == GAZ_OK) {
		call->registry->tokens = index;
		index = NULL;
	}
	token_index_free(&index);
	return st;
}

/* Among operations whose keys have this beginning. */
static gaz_status find_among(struct call *call, const struct key *start,
			     const uint8_t token[OPERATION_TOKEN_LEN],
			     const char **operation_id_out)
{
	struct store_cursor *cursor = NULL;
	struct operation_extra head = {0};
	struct span key;
	struct span value;
	bool found = false;
	gaz_status st = store_cursor_open(call->txn, TABLE_OPERATION, &cursor);

	if (st == GAZ_OK)
		st = store_cursor_seek(cursor, key_span(start), &key, &value);
	while (st == GAZ_OK && !found) {
		if (key.len < start->len ||
		    memcmp(key.data, start->data, start->len) != 0) {
			st = GAZ_ENOTFOUND;
			break;
		}
		st = schema_get_operation_head(value, &head);
		found = st == GAZ_OK && head.has_token &&
			memcmp(head.token, token, OPERATION_TOKEN_LEN) == 0;
		if (found)
			st = schema_get_operation_id(key, value, call->arena,
						     operation_id_out);
		else if (st == GAZ_OK)
			st = store_cursor_next(cursor, &key, &value);
	}
	store_cursor_close(&cursor);
	return st;
}

/* The operation of that millisecond that holds the digest. */
static gaz_status find_at(struct call *call, int64_t submit_ms,
			  const uint8_t token[OPERATION_TOKEN_LEN],
			  const char **operation_id_out)
{
	gaz_status st = GAZ_ENOTFOUND;

	for (int wide = 0; st == GAZ_ENOTFOUND && wide < 2; wide++) {
		struct key start;

		schema_operation_keys_at(submit_ms, wide, &start);
		st = find_among(call, &start, token, operation_id_out);
	}
	return st;
}

gaz_status token_find(struct call *call, const uint8_t token[OPERATION_TOKEN_LEN],
		      const char **operation_id_out)
{
	const struct token_index *index;
	uint64_t hash;
	gaz_status st = token_load(call);

	if (st != GAZ_OK)
		return st;
	index = call->registry->tokens;
	if (index->cap == 0)
		return GAZ_ENOTFOUND;
	hash = hash_token(index, token);
	for (size_t at = hash & (index->cap - 1); index->slots[at].hash != 0;
	     at = (at + 1) & (index->cap - 1)) {
		if (index->slots[at].hash != hash)
			continue;
		st = find_at(call, index->slots[at].submit_ms, token, operation_id_out);
		if (st != GAZ_ENOTFOUND)
			return st;
	}
	return GAZ_ENOTFOUND;
}

gaz_status token_add(struct call *call, const uint8_t token[OPERATION_TOKEN_LEN],
		     int64_t submit_ms)
{
	gaz_status st = token_load(call);

	return st == GAZ_OK ? add(call, call->registry->tokens, token, submit_ms) : st;
}

void token_index_free(struct token_index **index)
{
	if (!*index)
		return;
	free((*index)->slots);
	free(*index);
	*index = NULL;
}
