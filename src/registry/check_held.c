/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/check_walk.h"

/* The places that pending operations hold: gathered, sorted, then asked for. */

gaz_status check_hold(struct check *c, char kind, const char *id)
{
	const char *key = arena_printf(&c->held_arena, "%c%s", kind, id);

	if (c->held_count == c->held_cap) {
		size_t cap = c->held_cap ? c->held_cap * 2 : 64;
		const char **more = realloc(c->held, cap * sizeof *more);

		if (!more)
			return GAZ_ENOMEM;
		c->held = more;
		c->held_cap = cap;
	}
	if (!key)
		return GAZ_ENOMEM;
	c->held[c->held_count++] = key;
	return GAZ_OK;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void check_sort_held(struct check *c)
{
	if (c->held_count > 1)
		qsort(c->held, c->held_count, sizeof *c->held, compare_texts);
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
