/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <urcu.h>

#include "base/keyhash.h"
#include "dns/name.h"
#include "zone/nametable.h"
#include "zone/node.h"
#include "zone/zonedb.h"
#include "zone/zonedit.h"

/* The database's own structures, for src/zone alone. */

enum zone_flag { /* set once and kept: they only tell readers where to look harder */
	ZONE_HAS_WILDCARDS = 1,
	ZONE_HAS_CUTS = 2, /* delegations or DNAMEs */
};

struct zone {
	struct nametable_entry entry; /* in zonedb.zones, by id */
	const struct vpc *vpc;	      /* NULL unless private */
	enum zone_kind kind;
	uint8_t apex_labels;
	bool removed; /* by the edit at work; the writer's */
	_Atomic uint8_t flags;
	uint64_t salt; /* tells its names from equal names in other zones */
	struct node *_Atomic apex_node; /* never NULL in a published zone */
	struct zone *_Atomic next;	/* of the same apex */
	struct apex *apex;		/* the rest is the writer's */
	_Atomic size_t nodes;		/* without the apex */
	_Atomic size_t records;		/* aliases among them, copies of the SOA not */
	int64_t created_ms;
	struct zone *next_in_edit;
	char id[];
};

/* A name at which zones start, for those that one VPC sees, or, without a VPC, for the
 * public ones. The latter exists wherever one of the former does, and leads to them.
 * An apex may be empty: then it means nothing. */
struct apex {
	struct nametable_entry entry;
	int32_t vpc; /* VIEW_NO_VPC: public */
	uint8_t labels;
	uint8_t len;
	struct zone *_Atomic zones; /* by age, public before static ones */
	struct apex *_Atomic next; /* of this name, another VPC's; first the public one */
	struct apex *public_apex;  /* of a VPC's; from here on the writer's */
	uint64_t hash;
	size_t refs; /* zones and apexes that need it, published or not */
	struct rcu_head rcu;
	uint8_t wire[];
};

struct vpc { /* stays as long as the database */
	struct nametable_entry entry;
	int32_t number;
	char id[];
};

struct zonedb {
	struct keyhash_key key;
	pthread_mutex_t publishing; /* held while an edit becomes visible */
	struct nametable nodes;	    /* by zone and name, without the apexes */
	struct nametable apexes;    /* by name and VPC */
	struct nametable hosts;	    /* of aliases, by name */
	struct view *_Atomic view;
	_Atomic uint64_t levels[2]; /* bit n: some apex has n labels */
	_Atomic size_t zone_count;
	_Atomic size_t name_count;
	_Atomic size_t declared_count;
	_Atomic uint64_t host_generation;
	struct nametable zones; /* by id; from here on the writer's */
	struct nametable vpcs;	/* by id */
	uint32_t level_counts[DNAME_MAX_LABELS + 1];
	int32_t vpc_count;
	_Atomic uint64_t zones_made;
};

/** The VPC of an id, a new one for an id never seen; as view_intern_vpc().
 *  @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status view_enter_vpc(struct zonedb *db, const char *id,
					 const struct vpc **out);
