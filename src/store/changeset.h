/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"

/* The puts and deletes of one mutation, gathered in memory before any of them
 * touches the store. This is the only form in which anything is written: see
 * store_apply(). */

struct change;

struct changeset {
	struct change *items;
	size_t count;
	size_t cap;
	struct bytes data; /* keys and values, one after the other */
	bool failed;	   /* out of memory: must not be applied */
};

void changeset_init(struct changeset *set);
void changeset_fini(struct changeset *set);

/** Empty it, keep the memory, forget a failure. */
void changeset_reset(struct changeset *set);

/** Copies key and value. Out of memory is latched in `failed`. */
void changeset_put(struct changeset *set, unsigned table, struct span key,
		   struct span value);
void changeset_delete(struct changeset *set, unsigned table, struct span key);

enum changeset_hit {
	CHANGESET_UNTOUCHED = 0,
	CHANGESET_PUT,
	CHANGESET_DELETED,
};

/** What the set says of a key: the latest change counts. `value_out` is valid
 *  until the set changes. */
enum changeset_hit changeset_find(const struct changeset *set, unsigned table,
				  struct span key, struct span *value_out);

/** The i-th change in order. @return true for a put, false for a delete. */
bool changeset_at(const struct changeset *set, size_t i, unsigned *table_out,
		  struct span *key_out, struct span *value_out);
