/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/changeset.h"

#include <stdlib.h>
#include <string.h>

struct change {
	unsigned table;
	bool is_put;
	size_t key_at; /* offsets into data, which moves as it grows */
	size_t key_len;
	size_t value_len; /* the value follows the key */
};

void changeset_init(struct changeset *set)
{
	memset(set, 0, sizeof *set);
}

void changeset_fini(struct changeset *set)
{
	bytes_fini(&set->data);
	free(set->items);
	changeset_init(set);
}

void changeset_reset(struct changeset *set)
{
	set->count = 0;
	set->failed = false;
	bytes_reset(&set->data);
}

static void add_change(struct changeset *set, unsigned table, bool is_put,
		       struct span key, struct span value)
{
	struct change change = {table, is_put, set->data.len, key.len, value.len};

	if (set->count == set->cap) {
		size_t cap = set->cap ? set->cap * 2 : 16;
		struct change *items = realloc(set->items, cap * sizeof *items);

		if (!items) {
			set->failed = true;
			return;
		}
		set->items = items;
		set->cap = cap;
	}
	bytes_put(&set->data, key.data, key.len);
	bytes_put(&set->data, value.data, value.len);
	if (set->data.failed)
		set->failed = true;
	else
		set->items[set->count++] = change;
}

void changeset_put(struct changeset *set, unsigned table, struct span key,
		   struct span value)
{
	add_change(set, table, true, key, value);
}

void changeset_delete(struct changeset *set, unsigned table, struct span key)
{
	add_change(set, table, false, key, (struct span){NULL, 0});
}

bool changeset_at(const struct changeset *set, size_t i, unsigned *table_out,
		  struct span *key_out, struct span *value_out)
{
	const struct change *change = &set->items[i];
	const uint8_t *key = set->data.data + change->key_at;

	*table_out = change->table;
	*key_out = (struct span){key, change->key_len};
	*value_out = (struct span){key + change->key_len, change->value_len};
	return change->is_put;
}

enum changeset_hit changeset_find(const struct changeset *set, unsigned table,
				  struct span key, struct span *value_out)
{
	for (size_t i = set->count; i-- > 0;) {
		unsigned t;
		struct span k;
		struct span v;
		bool is_put = changeset_at(set, i, &t, &k, &v);

		if (t != table || k.len != key.len ||
		    memcmp(k.data, key.data, key.len) != 0)
			continue;
		*value_out = v;
		return is_put ? CHANGESET_PUT : CHANGESET_DELETED;
	}
	return CHANGESET_UNTOUCHED;
}
