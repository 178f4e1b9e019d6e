/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <string.h>

#include "zone/view.h"
#include "zone/zonedb-internal.h"

/* Apexes: made for the zones that start there, and left when there are none. */

/** The hash of an apex, from that of its name. */
static inline uint64_t apex_hash(const struct zonedb *db, uint64_t name_hash, int32_t vpc)
{
	if (vpc == VIEW_NO_VPC)
		return name_hash;
	return keyhash_extend(&db->key, name_hash, &vpc, sizeof vpc);
}

/** The apex of this name and VPC for one zone more; made when there is none.
 *  @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status apex_ref(struct zonedb *db, const struct dname *name,
				   int32_t vpc, struct apex **out);
void apex_unref(struct zonedb *db, struct apex *apex);

/** Of two zones of one name and kind the older answers. */
static inline bool zone_is_older(const struct zone *a, const struct zone *b)
{
	if (a->created_ms != b->created_ms)
		return a->created_ms < b->created_ms;
	return strcmp(a->id, b->id) < 0;
}

/** Show a zone to readers, and hide it from them. */
void apex_link(struct apex *apex, struct zone *zone);
void apex_unlink(struct apex *apex, struct zone *zone);
