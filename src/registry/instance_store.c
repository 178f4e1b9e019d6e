/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/instance_store.h"

#include <string.h>

#include "registry/instance_filter.h"
#include "registry/registry-internal.h"
#include "store/changeset.h"
#include "store/store.h"

/* The two places, in the order in which they are looked at. */
static const enum schema_table places[] = {TABLE_TALLY, TABLE_INSTANCE};

enum {
	PLACES = sizeof places / sizeof *places,
};

static void make_key(enum schema_table place, const char *service_id, struct span id,
		     struct key *out)
{
	*out = (struct key){.len = 0};
	if (place == TABLE_TALLY)
		key_put(out, "s", 1);
	key_put_text(out, service_id);
	if (id.len > 0)
		key_put(out, id.data, id.len);
}

static struct span text_span(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

bool instance_is_young(struct span key, struct span *instance_key_out)
{
	if (key.len < 1 || key.data[0] != 's' || !memchr(key.data, '\0', key.len))
		return false;
	*instance_key_out = (struct span){key.data + 1, key.len - 1};
	return true;
}

/* @return true: there is no such instance, without a look into the store. Only the writer
 * can tell. */
static bool is_excluded(const struct call *call, const char *service_id, const char *id)
{
	struct key key;

	if (!call->changes)
		return false;
	make_key(TABLE_INSTANCE, service_id, text_span(id), &key);
	return instance_filter_excludes(call->registry->filter, key_span(&key));
}

/* Where is it? @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ESTORE */
static gaz_status find(struct call *call, const char *service_id, const char *id,
		       enum schema_table *place_out, struct key *key_out,
		       struct span *value_out)
{
	gaz_status st = GAZ_ENOTFOUND;

	if (is_excluded(call, service_id, id))
		return st;
	for (size_t i = 0; st == GAZ_ENOTFOUND && i < PLACES; i++) {
		*place_out = places[i];
		make_key(places[i], service_id, text_span(id), key_out);
		st = call_get(call, places[i], key_span(key_out), value_out);
	}
	return st;
}

gaz_status instance_load(struct call *call, const char *service_id, const char *id,
			 struct instance_record *out)
{
	enum schema_table place;
	struct key key;
	struct span value;
	gaz_status st = find(call, service_id, id, &place, &key, &value);

	if (st == GAZ_OK)
		st = schema_get_instance(value, call->arena, out);
	if (st == GAZ_OK)
		out->id = id;
	return st;
}

gaz_status instance_remove(struct call *call, const char *service_id, const char *id)
{
	enum schema_table place;
	struct key key;
	struct span value;
	gaz_status st = find(call, service_id, id, &place, &key, &value);

	if (st == GAZ_OK)
		call_delete(call, place, key_span(&key));
	return st;
}

/* ---- growing up ---- */

struct young {
	struct span keys[INSTANCE_YOUNG_MAX];
	struct span values[INSTANCE_YOUNG_MAX];
	size_t count;
};

static gaz_status read_young(struct call *call, const char *service_id, struct young *out)
{
	struct store_cursor *cursor = NULL;
	struct key prefix;
	struct span key;
	gaz_status st = store_cursor_open(call->txn, TABLE_TALLY, &cursor);

	make_key(TABLE_TALLY, service_id, (struct span){NULL, 0}, &prefix);
	out->count = 0;
	if (st == GAZ_OK)
		st = store_cursor_seek(cursor, key_span(&prefix), &key,
				       &out->values[out->count]);
	while (st == GAZ_OK && key.len > prefix.len &&
	       memcmp(key.data, prefix.data, prefix.len) == 0) {
		out->keys[out->count++] = key;
		if (out->count == INSTANCE_YOUNG_MAX)
			break;
		st = store_cursor_next(cursor, &key, &out->values[out->count]);
	}
	store_cursor_close(&cursor);
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

/* Where a new one goes; the young ones make room when there are too many. */
static gaz_status choose_place(struct call *call, const char *service_id,
			       enum schema_table *place_out)
{
	struct young young;
	gaz_status st = read_young(call, service_id, &young);

	*place_out = TABLE_TALLY;
	if (st != GAZ_OK || young.count < INSTANCE_YOUNG_MAX)
		return st;
	*place_out = TABLE_INSTANCE;
	for (size_t i = 0; i < young.count; i++) {
		struct span key = young.keys[i];

		changeset_put(call->changes, TABLE_INSTANCE,
			      (struct span){key.data + 1, key.len - 1}, young.values[i]);
		call_delete(call, TABLE_TALLY, key);
	}
	return GAZ_OK;
}

static void put_instance(struct call *call, enum schema_table place,
			 const char *service_id, const struct instance_record *inst)
{
	struct key key;
	struct bytes value;

	make_key(place, service_id, text_span(inst->id), &key);
	bytes_init(&value);
	schema_put_instance(&value, inst);
	call_put(call, place, key_span(&key), &value);
	bytes_fini(&value);
}

gaz_status instance_add(struct call *call, const char *service_id,
			const struct instance_record *inst)
{
	enum schema_table place;
	struct key key;
	gaz_status st = choose_place(call, service_id, &place);

	if (st != GAZ_OK)
		return st;
	put_instance(call, place, service_id, inst);
	make_key(TABLE_INSTANCE, service_id, text_span(inst->id), &key);
	instance_filter_add(call->registry->filter, key_span(&key));
	return GAZ_OK;
}

gaz_status instance_replace(struct call *call, const char *service_id,
			    const struct instance_record *inst)
{
	/* Without its changes, which may be about a million other instances. */
	struct call stored = {.txn = call->txn};
	enum schema_table place;
	struct key key;
	struct span old;
	gaz_status st = find(&stored, service_id, inst->id, &place, &key, &old);

	if (st == GAZ_OK)
		put_instance(call, place, service_id, inst);
	return st;
}

/* ---- all of a service ---- */

/* One of the two places while they are walked together. */
struct side {
	struct store_cursor *cursor;
	struct key prefix;
	struct span key; /* of the next one; empty: there is none */
	struct span value;
};

static gaz_status settle(struct side *side, gaz_status st)
{
	if (st != GAZ_OK || side->key.len <= side->prefix.len ||
	    memcmp(side->key.data, side->prefix.data, side->prefix.len) != 0)
		side->key = (struct span){NULL, 0};
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static gaz_status open_side(struct store_txn *txn, enum schema_table place,
			    const char *service_id, struct span from, struct side *side)
{
	struct key start;
	gaz_status st = store_cursor_open(txn, place, &side->cursor);

	make_key(place, service_id, (struct span){NULL, 0}, &side->prefix);
	make_key(place, service_id, from, &start);
	if (st == GAZ_OK)
		st = store_cursor_seek(side->cursor, key_span(&start), &side->key,
				       &side->value);
	return settle(side, st);
}

static struct span id_at(const struct side *side)
{
	return (struct span){side->key.data + side->prefix.len,
			     side->key.len - side->prefix.len};
}

static bool is_before(const struct side *a, const struct side *b)
{
	struct span one;
	struct span other;
	int order;

	if (a->key.len == 0 || b->key.len == 0)
		return a->key.len > 0;
	one = id_at(a);
	other = id_at(b);
	order = memcmp(one.data, other.data, one.len < other.len ? one.len : other.len);
	return order < 0 || (order == 0 && one.len < other.len);
}

gaz_status instance_walk(struct store_txn *txn, const char *service_id, struct span from,
			 instance_visit *visit, void *arg)
{
	struct side sides[PLACES] = {0};
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < PLACES; i++)
		st = open_side(txn, places[i], service_id, from, &sides[i]);
	while (st == GAZ_OK) {
		struct side *next = &sides[!is_before(&sides[0], &sides[1])];

		if (next->key.len == 0)
			break;
		st = visit(arg, id_at(next), next->value);
		if (st == GAZ_OK)
			st = settle(next, store_cursor_next(next->cursor, &next->key,
							    &next->value));
	}
	for (size_t i = 0; i < PLACES; i++)
		store_cursor_close(&sides[i].cursor);
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

struct list {
	struct arena *arena;
	struct instance_record *items;
	size_t count;
	size_t cap;
};

static gaz_status add_to_list(void *arg, struct span id, struct span value)
{
	struct list *list = arg;
	struct instance_record *inst = &list->items[list->count];

	if (list->count == list->cap)
		return GAZ_ENOTFOUND;
	list->count++;
	inst->id = arena_strndup(list->arena, (const char *)id.data, id.len);
	return schema_get_instance(value, list->arena, inst);
}

gaz_status instance_load_all(struct call *call, const char *service_id,
			     struct instance_record **items_out, size_t *count_out)
{
	struct list list = {.arena = call->arena};
	struct tally tally;
	gaz_status st = call_load_tally(call, 's', service_id, &tally);

	if (st != GAZ_OK)
		return st;
	list.cap = tally.children;
	list.items = arena_alloc(call->arena, (list.cap + 1) * sizeof *list.items);
	if (!list.items)
		return GAZ_ENOMEM;
	st = instance_walk(call->txn, service_id, (struct span){NULL, 0}, add_to_list,
			   &list);
	if (call->arena->failed)
		return GAZ_ENOMEM;
	*items_out = list.items;
	*count_out = list.count;
	return st;
}
