/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "zone/lookup.h"
#include "zone/zonedb-internal.h"

/* The key of a node, by which the writer finds it, too: its name within its zone. */
struct node_key {
	const struct zone *zone;
	const uint8_t *name;
	size_t len;
};

/** The last `labels` labels of the name, without those of the apex. */
struct node_key node_key_make(const struct zone *zone, const struct dname *name,
			      unsigned labels);

static inline uint64_t node_hash(const struct zone *zone, uint64_t name_hash)
{
	return name_hash ^ zone->salt;
}

/** @param slot_out  for the writer; may be NULL */
struct node *node_find(const struct zonedb *db, const struct node_key *key, uint64_t hash,
		       nametable_slot **slot_out);
