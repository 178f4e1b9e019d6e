/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/arena.h"
#include "registry/call.h"
#include "registry/check.h"
#include "registry/schema.h"
#include "registry/service.h"
#include "store/store.h"

/* What the parts of the check work with. Functions that return a status return GAZ_OK
 * also where they report a fault; any other status ends the check. */

struct check {
	struct store_txn *txn;
	const struct check_listener *listener;
	struct check_result result;
	struct arena arena; /* of the entry at work */
	struct call call;   /* for the functions that make keys: reads, and no more */
	enum schema_table table; /* that is being walked */
	int64_t told_ms;	 /* when progress was last told */

	/* Of every table that resources point into: how many of its entries they do. */
	size_t found[TABLE_COUNT];

	/* Of operations, sums of hashes: of each for each list that it is in, and of
	 * what each link leads to. How many links lead to what has been swept, and how
	 * many operations are in a list that has no beginning; the first of them. */
	uint64_t listed;
	uint64_t reached;
	size_t swept;
	size_t unlisted;
	struct key first_unlisted;

	/* Tally keys, one for each place that a pending operation holds; sorted. */
	struct arena held_arena;
	const char **held;
	size_t held_count;
	size_t held_cap;

	/* The service of the last instance: instances follow each other. */
	struct arena place_arena;
	struct service_record place; /* id NULL: none; region NULL: there is no such */
};

void check_fault(struct check *c, enum schema_table table, struct span key,
		 const char *fmt, ...) GAZ_PRINTF(4, 5);

typedef gaz_status check_entry(struct check *c, struct span key, struct span value);

/** Each entry of a table in its order; c->arena is emptied after each. */
GAZ_MUST_CHECK gaz_status check_walk(struct check *c, enum schema_table table,
				     check_entry *entry);

/** The number of entries whose key begins with the prefix. */
GAZ_MUST_CHECK gaz_status check_count_below(struct check *c, enum schema_table table,
					    const struct key *prefix, size_t *out);

/** @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ESTORE */
GAZ_MUST_CHECK gaz_status check_find(struct check *c, enum schema_table table,
				     const char *id, struct span *out);

/* An entry that a resource has elsewhere. */
struct check_link {
	enum schema_table table;
	struct key key;
	struct span value;
	bool any_value; /* another part of the check looks at it */
};

enum {
	CHECK_LINKS_MAX = 8, /* of one resource */
};

/** All the links of a resource, each of which must be there. */
GAZ_MUST_CHECK gaz_status check_links(struct check *c, enum schema_table owner_table,
				      struct span owner_key,
				      const struct check_link *links, size_t count);

/** An id of the form "ns-" and 16 characters. */
bool check_is_id(struct span key, const char *prefix);

/** A text of the arena from a span; NULL when out of memory. */
const char *check_text(struct check *c, struct span span);

/** Keys and values are there, and no key twice. */
bool check_pairs(const struct pair_list *pairs);

/** The same octets. */
bool check_is_same(struct span a, struct span b);

/* ---- places that pending operations hold (check_held.c) ---- */

/** One place in a container. @param kind  as in call_load_tally()
 *  @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status check_hold(struct check *c, char kind, const char *id);

/** Once all are there. */
void check_sort_held(struct check *c);

/** How many operations hold a place in the container. */
size_t check_held(const struct check *c, char kind, const char *id);
