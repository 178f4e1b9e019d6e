/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"

/* An RRset as it goes into replies: every record rendered behind a pointer to
 * the question's name (0xC00C), so that the usual answer is a copy. Immutable
 * once rendered; a value of `size` octets. Of a large set these are only the
 * head: its records lie apart, in a store that has room for more, so that one
 * record more costs no copy of the others. Heads that were made one from the
 * other share a store; a head knows nothing of what is behind its own records.
 *
 * Order of the records: the healthy ones, then the others, then those equal
 * to one before them ("twins": two instances with one address). An answer
 * takes only from the first `distinct` ones; the twins stay for the writer,
 * and for weighted sets, where each has its own chance. */

/* How a query picks from an RRset (Cloud Map's RoutingPolicy). */
enum rrset_policy {
	RRSET_ALL = 0,	  /* every record, in the order given */
	RRSET_MULTIVALUE, /* up to eight of the healthy ones at random, in random order */
	RRSET_WEIGHTED,	  /* one of the healthy ones at random */
};
/* With no healthy record in a set all of them count as healthy. */

/* Types of our own, for sets that never go out as they are. Their numbers are
 * those of query types, which no record can have (RFC 6895, section 3.1). */
enum rrset_alias {
	RRSET_ALIAS_A = 129,	/* names whose A records answer for this name, */
	RRSET_ALIAS_AAAA = 130, /* and names whose AAAA records do */
};

enum rrset_flag {
	RRSET_IS_APART = 1,	 /* the records are in a store */
	RRSET_HAS_HOSTS = 2,	 /* they name hosts whose addresses are wanted too */
	RRSET_IS_COMPRESSED = 4, /* names in the data may point into the question's */
};

enum {
	RRSET_OWNER_LEN = 2,		       /* the compression pointer */
	RRSET_RDATA_AT = RRSET_OWNER_LEN + 10, /* rdata within a record */
	RRSET_MULTIVALUE_MAX = 8,
	RRSET_APART_MIN = 64, /* records of a set whose records lie apart */
};

struct rrset {
	uint16_t type;
	uint8_t policy;	 /* enum rrset_policy */
	uint8_t flags;	 /* of enum rrset_flag */
	uint16_t rr_len; /* octets of each record; 0: they differ, see rrset_record() */
	uint16_t count;
	uint16_t healthy;	/* the first so many: healthy, no two equal */
	uint16_t distinct;	/* the first so many: no two equal */
	uint16_t healthy_twins; /* the first so many behind the distinct ones */
	uint16_t slots;		/* records that the table of offsets has room for */
	uint32_t shown_len;	/* octets of the distinct records */
	uint32_t size;		/* octets of all this, a multiple of four */
	uint32_t body[]; /* the table of offsets if the records differ in length, */
			 /* the records; or the address of a store */
};

/* The records of one large set; the caller's memory. */
struct rrset_store {
	uint32_t room;	 /* octets for records */
	uint32_t ttl;	 /* of all of them */
	uint32_t body[]; /* as above, then tags, by which twins are found */
};

struct rrset_input {
	const uint8_t *rdata;
	uint16_t rdata_len;
	bool healthy;
	bool is_known; /* to be equal to no other known one; spares the search */
};

/** The octets that rrset_render() needs for these records (`count` > 0) in one piece. */
size_t rrset_size(const struct rrset_input *records, size_t count);

/** The octets of a head. */
size_t rrset_head_size(void);

/** The octets of a store for these records and some more. */
size_t rrset_store_size(const struct rrset_input *records, size_t count);

/**
 * Render records into `out`, which has room for rrset_size() octets, or into a
 * store of rrset_store_size(), with a head alone in `out`.
 *
 * @param store    NULL: all in one piece. Borrowed as long as there are heads.
 * @param scratch  room for 2 * count + rrset_twin_slots(count) integers
 */
void rrset_render(struct rrset *out, uint16_t type, uint32_t ttl,
		  enum rrset_policy policy, const struct rrset_input *records,
		  size_t count, struct rrset_store *store, uint32_t *scratch);

/**
 * Add a record to a copy of a head whose records lie apart, behind those that readers
 * of the original know of. Of all heads of a store only that with the most records, or
 * a copy of it, may be used.
 *
 * @return false: not without others moving (no room, or their order); nothing was done
 */
bool rrset_append(struct rrset *head, const struct rrset_input *record);

/** The size of the hash table that finds twins: a power of two, over 1.5 * count. */
size_t rrset_twin_slots(size_t count);

/** Where the records lie; NULL: in the set itself. */
static inline struct rrset_store *rrset_store_of(const struct rrset *set)
{
	struct rrset_store *store = NULL;

	if (set->flags & RRSET_IS_APART)
		memcpy(&store, set->body, sizeof store);
	return store;
}

/** Record i as rendered. */
static inline const uint8_t *rrset_record(const struct rrset *set, uint32_t i,
					  uint32_t *len_out)
{
	const struct rrset_store *store = rrset_store_of(set);
	const uint32_t *body = store ? store->body : set->body;

	if (set->rr_len) {
		*len_out = set->rr_len;
		return (const uint8_t *)body + (size_t)i * set->rr_len;
	}
	*len_out = body[i + 1] - body[i];
	return (const uint8_t *)(body + set->slots + 1) + body[i];
}

/** True when record i was given as healthy. */
static inline bool rrset_is_healthy(const struct rrset *set, uint32_t i)
{
	return i < set->healthy ||
	       (i >= set->distinct && i < (uint32_t)set->distinct + set->healthy_twins);
}

/** How many records a weighted choice is made from. */
static inline uint32_t rrset_weight(const struct rrset *set)
{
	return set->healthy ? (uint32_t)set->healthy + set->healthy_twins : set->count;
}

/** The record that a draw below rrset_weight() means. */
static inline uint32_t rrset_weighted(const struct rrset *set, uint32_t draw)
{
	if (set->healthy && draw >= set->healthy)
		draw += (uint32_t)set->distinct - set->healthy;
	return draw;
}

uint32_t rrset_ttl(const struct rrset *set);

/** Mark a set in which compression pays: a type whose names may be compressed (RFC 3597,
 *  section 4), and a name in it that lies in the zone; not multivalue sets, which are
 *  none of these. */
void rrset_mark_compressed(struct rrset *set, const uint8_t *apex);

/** The RRset behind this one in the same node. */
static inline const struct rrset *rrset_next(const struct rrset *set)
{
	return (const struct rrset *)(const void *)((const uint8_t *)set + set->size);
}
