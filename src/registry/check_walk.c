/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/check_walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum {
	PROGRESS_MS = 500,
	PROGRESS_ENTRIES = 4096, /* looked at before the clock is */
	WHAT_SIZE = 512,
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

bool check_is_same(struct span a, struct span b)
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
		if (!links[i].any_value && !check_is_same(value, links[i].value))
			check_fault(c, owner_table, owner_key,
				    "its entry in the table %s has another value", table);
	}
	return GAZ_OK;
}
