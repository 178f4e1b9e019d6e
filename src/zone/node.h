/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/rrset.h"
#include "zone/nametable.h"

/* One owner name of a zone with all its records, in one piece of memory.
 * (but for the stores of large sets, see dns/rrset). Immutable: a change renders
 * a new node and swaps it in; a store goes over to it if it has the same one. A
 * node without records is an empty non-terminal (or the apex of a zone just made). */

struct zone;

enum node_flag {
	NODE_CUT = 1,	/* NS below the apex: another server's names start here */
	NODE_DNAME = 2, /* everything below is elsewhere */
	NODE_ALIAS = 4, /* has RRSET_ALIAS_A or RRSET_ALIAS_AAAA */
};

struct node {
	struct nametable_entry entry;
	uint32_t children; /* names one label below; only the writer reads it */
	const struct zone *zone;
	uint16_t rrset_count;
	uint8_t flags; /* of enum node_flag */
	uint8_t name_len;
	uint8_t name[]; /* the labels before the apex, lower-case; then the RRsets */
};

enum {
	/* The type under which an apex keeps a copy of its SOA with the TTL
	 * for negative answers (RFC 2308, section 3). No query has it. */
	NODE_NEGATIVE_SOA = 0,
};

/** The octets before the RRsets. */
static inline size_t node_head_size(size_t name_len)
{
	return (offsetof(struct node, name) + name_len + 3) & ~(size_t)3;
}

/** The first RRset, if there is any; rrset_next() leads on. */
static inline const struct rrset *node_first_rrset(const struct node *node)
{
	const uint8_t *at = (const uint8_t *)node + node_head_size(node->name_len);

	return (const struct rrset *)(const void *)at;
}

/** How many records there are, without the copy of the SOA. */
static inline size_t node_record_count(const struct node *node)
{
	const struct rrset *set = node_first_rrset(node);
	size_t count = 0;

	for (unsigned i = 0; i < node->rrset_count; i++, set = rrset_next(set))
		count += set->type == NODE_NEGATIVE_SOA ? 0 : set->count;
	return count;
}

/** The RRset of that type, or NULL. */
static inline const struct rrset *node_find_rrset(const struct node *node, uint16_t type)
{
	const struct rrset *set = node_first_rrset(node);

	for (unsigned i = 0; i < node->rrset_count; i++, set = rrset_next(set)) {
		if (set->type == type)
			return set;
	}
	return NULL;
}

/** The number of sets whose records lie apart. */
size_t node_count_stores(const struct node *node);

/** Pass the stores of a node's sets to `leave`, but for those that `heir` (or NULL) has
 *  too. */
void node_leave_stores(const struct node *node, const struct node *heir,
		       void (*leave)(void *store, void *arg), void *arg);

/** Free a node that nobody reads, and the stores that `heir` (or NULL) has not. Accepts
 *  NULL. */
void node_free(struct node *node, const struct node *heir);
