/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "registry/check-internal.h"
#include "registry/healthcheck.h"
#include "registry/registry-internal.h"
#include "zone/zonedb.h"

enum {
	PROGRESS_MS = 500,
	PROGRESS_ENTRIES = 4096, /* looked at before the clock is */
	WHAT_SIZE = 512,
	TIME_LEN = 8, /* of a time in a key */
};

void check_fault(struct check *c, enum schema_table table, struct span key,
		 const char *fmt, ...)
{
	char what[WHAT_SIZE];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	c->result.faults++;
	c->listener->fault(c->listener->arg, schema_table_names[table], key, what);
}

static void tell_progress(struct check *c, enum schema_table table, size_t done,
			  size_t total)
{
	int64_t now_ms;

	if (done % PROGRESS_ENTRIES != 0)
		return;
	now_ms = clock_monotonic_ms();
	if (now_ms - c->told_ms < PROGRESS_MS)
		return;
	c->told_ms = now_ms;
	c->listener->progress(c->listener->arg, schema_table_names[table], done, total);
}

static int compare_spans(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.data, b.data, len) : 0;

	return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

static bool equal_spans(struct span a, struct span b)
{
	return a.len == b.len && compare_spans(a, b) == 0;
}

/* The order of the keys proves that the walk moves on: in a damaged file pages may
 * form a circle. */
gaz_status check_walk(struct check *c, enum schema_table table, check_entry *entry)
{
	const struct span start = {NULL, 0};
	struct store_cursor *cursor = NULL;
	struct span last = start;
	struct span key;
	struct span value;
	size_t total = 0;
	size_t done = 0;
	gaz_status st = store_count(c->txn, table, &total);

	c->table = table;
	if (st == GAZ_OK)
		st = store_cursor_open(c->txn, table, &cursor);
	if (st == GAZ_OK)
		st = store_cursor_seek(cursor, start, &key, &value);
	while (st == GAZ_OK) {
		if (done > 0 && compare_spans(last, key) >= 0) {
			check_fault(c, table, key, "the keys are out of order");
			st = GAZ_ESTORE;
			break;
		}
		last = key;
		done++;
		st = entry(c, key, value);
		arena_fini(&c->arena);
		tell_progress(c, table, done, total);
		if (st == GAZ_OK)
			st = store_cursor_next(cursor, &key, &value);
	}
	store_cursor_close(&cursor);
	c->result.entries += done;
	if (st != GAZ_ENOTFOUND)
		return st;
	if (done != total)
		check_fault(c, table, start, "it has %zu entries, but counts %zu", done,
			    total);
	return GAZ_OK;
}

gaz_status check_count_below(struct check *c, enum schema_table table,
			     const struct key *prefix, size_t *out)
{
	struct store_cursor *cursor = NULL;
	struct span key;
	struct span value;
	size_t limit = 0;
	gaz_status st = store_count(c->txn, table, &limit);

	*out = 0;
	if (st == GAZ_OK)
		st = store_cursor_open(c->txn, table, &cursor);
	if (st == GAZ_OK)
		st = store_cursor_seek(cursor, key_span(prefix), &key, &value);
	while (st == GAZ_OK && *out <= limit && key.len >= prefix->len &&
	       memcmp(key.data, prefix->data, prefix->len) == 0) {
		++*out;
		st = store_cursor_next(cursor, &key, &value);
	}
	store_cursor_close(&cursor);
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

gaz_status check_find(struct check *c, enum schema_table table, const char *id,
		      struct span *out)
{
	return store_get(c->txn, table, (struct span){(const uint8_t *)id, strlen(id)},
			 out);
}

bool check_is_id(struct span key, const char *prefix)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	size_t len = strlen(prefix);

	if (key.len != len + 16 || memcmp(key.data, prefix, len) != 0)
		return false;
	for (size_t i = len; i < key.len; i++) {
		if (key.data[i] == '\0' || !strchr(digits, key.data[i]))
			return false;
	}
	return true;
}

const char *check_text(struct check *c, struct span span)
{
	return arena_strndup(&c->arena, span.len ? (const char *)span.data : "",
			     span.len);
}

bool check_pairs(const struct pair_list *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		if (!pairs->items[i].key || !pairs->items[i].value)
			return false;
		for (size_t k = 0; k < i; k++) {
			if (strcmp(pairs->items[i].key, pairs->items[k].key) == 0)
				return false;
		}
	}
	return true;
}

/* ---- links ---- */

gaz_status check_links(struct check *c, enum schema_table owner_table,
		       struct span owner_key, const struct check_link *links,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *table = schema_table_names[links[i].table];
		struct span value;
		gaz_status st = store_get(c->txn, links[i].table, key_span(&links[i].key),
					  &value);

		if (st == GAZ_ENOTFOUND) {
			check_fault(c, owner_table, owner_key,
				    "it has no entry in the table %s", table);
			continue;
		}
		if (st != GAZ_OK)
			return st;
		c->found[links[i].table]++;
		if (!links[i].any_value && !equal_spans(value, links[i].value))
			check_fault(c, owner_table, owner_key,
				    "its entry in the table %s has another value", table);
	}
	return GAZ_OK;
}

/* Behind so many NULs and a time. */
static struct span id_behind(struct span key, unsigned nuls)
{
	for (; nuls > 0 && key.len > 0; key.data++, key.len--)
		nuls -= *key.data == '\0';
	if (key.len < TIME_LEN)
		return (struct span){NULL, 0};
	return (struct span){key.data + TIME_LEN, key.len - TIME_LEN};
}

/* Whose link is this? */
static struct span owner_of(enum schema_table table, struct span key, struct span value)
{
	struct reader r;
	const uint8_t *text;
	size_t len;

	switch (table) {
	case TABLE_NAMESPACE_ORDER:
		return id_behind(key, 2);
	case TABLE_SERVICE_ORDER:
		return id_behind(key, key.data[0] == 'p' ? 2 : 1);
	case TABLE_PENDING:
		return id_behind(key, 0);
	case TABLE_LOCK:
		reader_init(&r, value);
		len = reader_u32(&r);
		text = reader_take(&r, len);
		return (struct span){text, text ? len : 0};
	default:
		return value;
	}
}

static check_list_links *const lists[] = {check_namespace_links, check_service_links,
					  check_operation_links};

static gaz_status find_owner(struct check *c, enum schema_table table, struct span key,
			     const char *id, bool *found_out)
{
	*found_out = false;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct check_link links[CHECK_LINKS_MAX];
		size_t count = 0;
		gaz_status st = lists[i](c, id, links, &count);

		if (st != GAZ_OK)
			return st;
		for (size_t k = 0; k < count; k++) {
			if (links[k].table == table &&
			    equal_spans(key_span(&links[k].key), key))
				*found_out = true;
		}
	}
	return GAZ_OK;
}

static gaz_status report_stray(struct check *c, struct span key, struct span value)
{
	const char *id = check_text(c, owner_of(c->table, key, value));
	bool found;
	gaz_status st;

	if (!id)
		return GAZ_ENOMEM;
	st = find_owner(c, c->table, key, id, &found);
	if (st == GAZ_OK && !found)
		check_fault(c, c->table, key, "nothing belongs to this entry");
	return st;
}

/* Tables of links. Where the resources have found them all, nothing is left over. */
static gaz_status check_strays(struct check *c)
{
	static const enum schema_table tables[] = {
		TABLE_NAMESPACE_ORDER, TABLE_SERVICE_ORDER, TABLE_NAME, TABLE_LOCK,
		TABLE_PENDING,
	};
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < sizeof tables / sizeof *tables; i++) {
		size_t count = 0;

		st = store_count(c->txn, tables[i], &count);
		if (st == GAZ_OK && count != c->found[tables[i]])
			st = check_walk(c, tables[i], report_stray);
		else if (tables[i] != TABLE_PENDING)
			c->result.entries += count;
	}
	return st;
}

/* ---- the whole ---- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first place of a key among the sorted ones, or behind the last of it. */
static size_t find_held(const struct check *c, const char *key, bool behind)
{
	size_t low = 0;
	size_t high = c->held_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(c->held[middle], key);

		if (order < 0 || (behind && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t check_held(const struct check *c, char kind, const char *id)
{
	char key[sizeof(struct key)];

	(void)snprintf(key, sizeof key, "%c%s", kind, id);
	return find_held(c, key, true) - find_held(c, key, false);
}

static gaz_status check_tables(struct check *c)
{
	struct span name = {NULL, 0};
	gaz_status st = store_check_free_pages(c->txn);

	if (st == GAZ_ESTORE) {
		c->result.faults++;
		c->listener->fault(c->listener->arg, "pages", name,
				   "the list of free pages is damaged");
		st = GAZ_OK;
	}
	if (st == GAZ_OK)
		st = store_find_stranger(c->txn, name, &name);
	for (; st == GAZ_OK; st = store_find_stranger(c->txn, name, &name)) {
		char text[WHAT_SIZE];

		c->result.faults++;
		c->listener->fault(c->listener->arg,
				   log_escape(name.data, name.len, text, sizeof text),
				   (struct span){NULL, 0}, "no such table is known");
	}
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static gaz_status check_entries(struct check *c)
{
	static const struct {
		enum schema_table table;
		check_entry *entry;
	} tables[] = {
		{TABLE_OPERATION, check_operation_entry},
		{TABLE_OPERATION_LAST, check_operation_last_entry},
		{TABLE_NAMESPACE, check_namespace_entry},
		{TABLE_SERVICE, check_service_entry},
		{TABLE_INSTANCE, check_instance_entry},
		{TABLE_SERVICE_ATTRIBUTES, check_attributes_entry},
		{TABLE_TAG, check_tag_entry},
		{TABLE_TALLY, check_beside_tally},
		{TABLE_HEALTH_DUE, check_health_entry},
		{TABLE_VPC, check_vpc_entry},
	};
	gaz_status st = check_walk(c, TABLE_PENDING, check_pending_entry);

	if (c->held_count > 1)
		qsort(c->held, c->held_count, sizeof *c->held, compare_texts);
	for (size_t i = 0; st == GAZ_OK && i < sizeof tables / sizeof *tables; i++)
		st = check_walk(c, tables[i].table, tables[i].entry);
	if (st == GAZ_OK)
		check_operation_lists(c);
	return st == GAZ_OK ? check_strays(c) : st;
}

static void drop_notices(void *arg, struct healthcheck_notice *take)
{
	(void)arg;
	healthcheck_free_notices(take);
}

/* The same that a start of the daemon does, so that this will not fail. As if health
 * checks were executed: else their results would be reset, and nothing is written here. */
static gaz_status check_zones(struct check *c, struct store *store)
{
	static const struct registry_config config = {.on_checks = drop_notices};
	struct registry *registry = NULL;
	struct zonedb *db = NULL;
	struct gaz_error err = {.text = ""};
	gaz_status st = zonedb_new(&db);

	if (st == GAZ_OK)
		st = registry_open(&config, store, db, &registry, &err);
	if (st == GAZ_ESTORE) {
		c->result.faults++;
		c->listener->fault(c->listener->arg, "zones", (struct span){NULL, 0},
				   err.text);
		st = GAZ_OK;
	}
	registry_close(&registry);
	zonedb_free(&db);
	return st;
}

gaz_status check_store(struct store *store, const struct check_listener *listener,
		       struct check_result *out)
{
	struct check c = {.listener = listener, .told_ms = clock_monotonic_ms()};
	gaz_status st = store_begin_read(store, &c.txn);

	if (st != GAZ_OK)
		return st;
	arena_init(&c.arena);
	arena_init(&c.held_arena);
	arena_init(&c.place_arena);
	c.call = (struct call){
		.arena = &c.arena, .txn = c.txn, .region = "", .account = ""};
	st = check_tables(&c);
	if (st == GAZ_OK)
		st = check_entries(&c);
	/* What is known to be damaged must not be loaded: who loads it trusts it. */
	if (st == GAZ_OK && c.result.faults == 0)
		st = check_zones(&c, store);
	store_abort(&c.txn);
	free(c.held);
	arena_fini(&c.arena);
	arena_fini(&c.held_arena);
	arena_fini(&c.place_arena);
	*out = c.result;
	return st;
}
