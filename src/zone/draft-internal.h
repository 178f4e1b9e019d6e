/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "zone/lookup-internal.h"

/* A node as an edit sees it: the records of one owner name taken apart, so
 * that they can be changed, then rendered once. All its memory is the edit's
 * arena, but records may still be those of the published node. */

struct draft_set {
	struct draft_set *next;
	/* A large set that is not taken apart: `records` are those behind its own. */
	const struct rrset *base;
	struct rrset *longer; /* rendering: a head of the base's store with `records` */
	uint16_t type;
	enum rrset_policy policy;
	uint32_t ttl;
	size_t rdata_len; /* of all `records` */
	size_t count;
	size_t cap;
	struct rrset_input *records;
};

struct draft {
	struct draft *next_in_bucket;
	struct draft *next; /* of the edit */
	struct zone *zone;
	uint64_t hash;
	struct node *old;	/* the published node, or NULL */
	struct node *fresh;	/* rendered, not published; owned */
	nametable_slot *slot;	/* for either, unless it is the apex */
	struct draft_set *sets; /* empty ones may stand here */
	uint32_t children;
	bool is_loaded; /* `sets` holds what `old` holds, and what was done since */
	bool is_changed;
	bool exists;
	bool is_apex;
	uint8_t name_len;
	uint8_t name[]; /* relative to the zone */
};

/** @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status draft_new(struct arena *arena, const struct node_key *key,
				    uint64_t hash, struct node *old, struct draft **out);

bool draft_has_records(const struct draft *draft);

/** What zonedit_add_record() says of the record, its owner being in the zone. */
GAZ_MUST_CHECK gaz_status draft_check(struct draft *draft, struct arena *arena,
				      const struct zone_record *record);

/** Add a record that draft_check() approved. @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status draft_add(struct draft *draft, struct arena *arena,
				    const struct zone_record *record);

/** The number of records of a type. @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status draft_count(struct draft *draft, struct arena *arena,
				      uint16_t type, size_t *out);

/** @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status draft_remove(struct draft *draft, struct arena *arena,
				       const struct zone_record *record);

/** @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status draft_remove_set(struct draft *draft, struct arena *arena,
					   uint16_t type);
GAZ_MUST_CHECK gaz_status draft_set_ttl(struct draft *draft, struct arena *arena,
					uint16_t type, uint32_t ttl);

/** Render into draft->fresh. @param apex  the zone's name @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status draft_render(struct draft *draft, const uint8_t *apex,
				       struct arena *arena);

/** Free draft->fresh, which nobody has seen, but not what it shares with draft->old. */
void draft_drop_fresh(struct draft *draft);
