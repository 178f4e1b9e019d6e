/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* An RRset as it goes into replies: every record rendered behind a pointer to
 * the question's name (0xC00C), so that the usual answer is a copy. Immutable
 * once rendered; a plain value of `size` octets without pointers.
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

enum {
	RRSET_OWNER_LEN = 2,		       /* the compression pointer */
	RRSET_RDATA_AT = RRSET_OWNER_LEN + 10, /* rdata within a record */
	RRSET_MULTIVALUE_MAX = 8,
};

struct rrset {
	uint16_t type;
	uint8_t policy; /* enum rrset_policy */
	uint8_t reserved;
	uint16_t rr_len; /* octets of each record; 0: they differ, see rrset_record() */
	uint16_t count;
	uint16_t healthy;	/* the first so many: healthy, no two equal */
	uint16_t distinct;	/* the first so many: no two equal */
	uint16_t healthy_twins; /* the first so many behind the distinct ones */
	uint16_t reserved2;
	uint32_t shown_len; /* octets of the distinct records */
	uint32_t size;	    /* octets of all this, a multiple of four */
	uint32_t body[];    /* the offsets of the records if they differ, the records */
};

struct rrset_input {
	const uint8_t *rdata;
	uint16_t rdata_len;
	bool healthy;
	bool is_known; /* to be equal to no other known one; spares the search */
};

/** The octets that rrset_render() needs for these records (`count` > 0). */
size_t rrset_size(const struct rrset_input *records, size_t count);

/**
 * Render records into `out`, which has room for rrset_size() octets.
 *
 * @param scratch  room for 2 * count + rrset_twin_slots(count) integers
 */
void rrset_render(struct rrset *out, uint16_t type, uint32_t ttl,
		  enum rrset_policy policy, const struct rrset_input *records,
		  size_t count, uint32_t *scratch);

/** The size of the hash table that finds twins: a power of two, over 1.5 * count. */
size_t rrset_twin_slots(size_t count);

/** Record i as rendered. */
static inline const uint8_t *rrset_record(const struct rrset *set, uint32_t i,
					  uint32_t *len_out)
{
	const uint32_t *offsets = set->body;

	if (set->rr_len) {
		*len_out = set->rr_len;
		return (const uint8_t *)set->body + (size_t)i * set->rr_len;
	}
	*len_out = offsets[i + 1] - offsets[i];
	return (const uint8_t *)(offsets + set->count + 1) + offsets[i];
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

/** The RRset behind this one in the same node. */
static inline const struct rrset *rrset_next(const struct rrset *set)
{
	return (const struct rrset *)(const void *)((const uint8_t *)set + set->size);
}
