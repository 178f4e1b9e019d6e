/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dns/name.h"
#include "zone/namehash.h"
#include "zone/node.h"
#include "zone/view.h"

/* How readers find zones and nodes. Everything here needs the RCU read lock
 * and a registered RCU thread, and what it returns is valid until unlock. */

struct zonedb;
struct zone;

/* Ask the CPU for memory that finding the name's own node will read: first for where
 * the table knows it from, then, when that has had time to arrive, for the node. */
void lookup_prefetch_bucket(const struct zonedb *db, const struct zone *zone,
			    const struct dname *name, const struct name_hashes *hashes);
void lookup_prefetch_node(const struct zonedb *db, const struct zone *zone,
			  const struct dname *name, const struct name_hashes *hashes);

/**
 * The zone that answers a name: the longest private one that the source may
 * see (the older of two of one name), even if a public one matches more
 * labels; else the longest public one. NULL: none, and a private zone that
 * the source may not see is none.
 */
const struct zone *lookup_zone(const struct zonedb *db, const struct view_tags *tags,
			       const struct dname *name,
			       const struct name_hashes *hashes);

/** True when the name lies in some zone, whoever may see it. */
bool lookup_is_below_zone(const struct zonedb *db, const struct dname *name,
			  const struct name_hashes *hashes);

enum lookup_kind {
	LOOKUP_MISSING = 0, /* NXDOMAIN */
	LOOKUP_NODE,	    /* the name's own node, or the wildcard that stands for it */
	LOOKUP_CUT,	    /* a delegation at or above the name */
	LOOKUP_DNAME,	    /* a DNAME above the name */
};

struct lookup_found {
	enum lookup_kind kind;
	const struct node *node;
	unsigned labels; /* of the node's name; of the name itself for a wildcard */
};

/** Find a name within its zone (RFC 1034 section 4.3.2, RFC 4592, RFC 6672). */
struct lookup_found lookup_node(const struct zonedb *db, const struct zone *zone,
				const struct dname *name,
				const struct name_hashes *hashes, uint16_t qtype);

/** The node of exactly this name, even below a cut: for glue. NULL: none,
 *  or the name is not in the zone. */
const struct node *lookup_glue(const struct zonedb *db, const struct zone *zone,
			       const struct dname *name,
			       const struct name_hashes *hashes);

/** `found`; or `held`, which was found before, if that is another version of the same
 *  zone: an answer stays with the one that it began with. Each may be NULL. */
const struct zone *lookup_hold_version(const struct zone *held, const struct zone *found);

unsigned lookup_apex_labels(const struct zone *zone);

/** The SOA for negative answers; NULL when the zone has none. */
const struct rrset *lookup_negative_soa(const struct zone *zone);
