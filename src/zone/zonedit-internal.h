/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/arena.h"
#include "zone/draft-internal.h"
#include "zone/zonebuild-internal.h"
#include "zone/zonedit.h"

/* An edit: zonedit.c gathers the changes, publish.c carries them out. */

/* What an edit replaced: pieces of memory that readers may still hold. */
struct garbage {
	struct rcu_head rcu;
	size_t count;
	void *pieces[];
};

struct zonedit {
	struct zonedb *db;
	struct arena arena;	/* the drafts and all that is in them */
	struct draft *drafts;	/* all of them */
	struct draft **buckets; /* the same by hash */
	size_t bucket_count;	/* a power of two */
	size_t draft_count;
	struct zone *added;
	struct zonebuild *builds; /* zones made apart, borrowed until published */
	struct zone **removed;	  /* zones that were published */
	size_t removed_count;
	size_t removed_cap;
	struct view *view; /* NULL: unchanged */

	/* From zonedit_prepare() on: */
	nametable_slot **orphans; /* nodes of removed zones */
	size_t orphan_count;
	struct garbage *garbage;
};

/** Free the edit's own memory, but nothing that was published. */
void zonedit_destroy(struct zonedit *edit);

/** A zone that no table has yet, without VPC and apex; NULL: out of memory. Any thread. */
struct zone *zone_alloc(struct zonedb *db, const struct zone_spec *spec, unsigned labels);

/** Take the zones made apart out of the tables again. Nobody holds their names then. */
void zonedit_drop_builds(struct zonedit *edit);

/** Take a zone that readers do not see out of the writer's tables. */
void zonedit_forget_zone(struct zonedb *db, struct zone *zone);
