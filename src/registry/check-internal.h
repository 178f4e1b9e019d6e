/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/arena.h"
#include "registry/call.h"
#include "registry/check.h"
#include "registry/schema.h"
#include "registry/service.h"
#include "store/store.h"

/* What the parts of the check share. Functions that return a status return GAZ_OK
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

/** List the links of a resource; none if it does not exist or cannot be read. */
typedef gaz_status check_list_links(struct check *c, const char *id,
				    struct check_link links[CHECK_LINKS_MAX],
				    size_t *count_out);
check_list_links check_namespace_links;
check_list_links check_service_links;
check_list_links check_operation_links;

/** Load a resource by its id: any status but GAZ_ENOMEM is no fault of the asker.
 *  @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ESTORE, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status check_load_namespace(struct check *c, const char *id,
					       struct namespace_record *out);
GAZ_MUST_CHECK gaz_status check_load_service(struct check *c, const char *id,
					     struct service_record *out);

/** An id of the form "ns-" and 16 characters. */
bool check_is_id(struct span key, const char *prefix);

/** A text of the arena from a span; NULL when out of memory. */
const char *check_text(struct check *c, struct span span);

/** Keys and values are there, and no key twice. */
bool check_pairs(const struct pair_list *pairs);

/** Pending operations that hold a place in a container. @param kind  as in call_load_tally() */
size_t check_held(const struct check *c, char kind, const char *id);

/* The entries of each table. */
check_entry check_pending_entry; /* first: it gathers what is held */
check_entry check_operation_entry;
check_entry check_operation_last_entry;
void check_operation_lists(struct check *c); /* behind the two */
check_entry check_namespace_entry;
check_entry check_service_entry;
check_entry check_instance_entry;
check_entry check_attributes_entry;
check_entry check_tag_entry;
check_entry check_tally_entry;	/* not the beginnings of lists of operations */
check_entry check_beside_tally; /* those, too */
check_entry check_health_entry;
check_entry check_vpc_entry;
