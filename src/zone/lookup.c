/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/lookup.h"

#include <string.h>

#include "dns/wire.h"
#include "zone/apex-internal.h"
#include "zone/lookup-internal.h"
#include "zone/zonedb-internal.h"

void lookup_prefetch_bucket(const struct zonedb *db, const struct zone *zone,
			    const struct dname *name, const struct name_hashes *hashes)
{
	nametable_prefetch_bucket(&db->nodes, node_hash(zone, hashes->of[name->labels]));
}

void lookup_prefetch_node(const struct zonedb *db, const struct zone *zone,
			  const struct dname *name, const struct name_hashes *hashes)
{
	nametable_prefetch_entry(&db->nodes, node_hash(zone, hashes->of[name->labels]));
}

struct apex_key {
	const uint8_t *wire;
	size_t len;
	int32_t vpc;
};

static bool is_apex_of(const void *entry, const void *key)
{
	const struct apex *apex = entry;
	const struct apex_key *k = key;

	return apex->vpc == k->vpc && apex->len == k->len &&
	       memcmp(apex->wire, k->wire, k->len) == 0;
}

static const struct apex *find_apex(const struct zonedb *db, const struct dname *name,
				    const struct name_hashes *hashes, unsigned labels,
				    int32_t vpc)
{
	unsigned at = name->offsets[name->labels - labels];
	struct apex_key key = {name->wire + at, name->len - at, vpc};

	return nametable_find(&db->apexes, apex_hash(db, hashes->of[labels], vpc),
			      is_apex_of, &key, NULL);
}

static const struct zone *first_zone(const struct apex *apex)
{
	return apex ? atomic_load_explicit(&apex->zones, memory_order_acquire) : NULL;
}

static const struct apex *next_apex(const struct apex *apex)
{
	return atomic_load_explicit(&apex->next, memory_order_acquire);
}

static const struct zone *older(const struct zone *a, const struct zone *b)
{
	if (!a || !b)
		return a ? a : b;
	return zone_is_older(b, a) ? b : a;
}

/* The private zone of this name that the source sees, of several the oldest. */
static const struct zone *find_private(const struct zonedb *db,
				       const struct view_tags *tags,
				       const struct apex *public_apex,
				       const struct dname *name,
				       const struct name_hashes *hashes)
{
	unsigned labels = public_apex->labels;
	const struct zone *found = NULL;

	for (uint32_t i = 0; i < tags->count; i++)
		found = older(found, first_zone(find_apex(db, name, hashes, labels,
							  tags->vpcs[i])));
	if (!tags->undeclared)
		return found;
	for (const struct apex *apex = next_apex(public_apex); apex;
	     apex = next_apex(apex)) {
		if (view_may_see(tags, apex->vpc))
			found = older(found, first_zone(apex));
	}
	return found;
}

/* The largest number of labels up to `labels` that some apex has, or -1. */
static int next_level(const struct zonedb *db, int labels)
{
	for (int word = labels >> 6; word >= 0; word--) {
		uint64_t bits =
			atomic_load_explicit(&db->levels[word], memory_order_relaxed);

		if (word == labels >> 6)
			bits &= ~(uint64_t)0 >> (63 - (labels & 63));
		if (bits)
			return word * 64 + 63 - __builtin_clzll(bits);
	}
	return -1;
}

const struct zone *lookup_zone(const struct zonedb *db, const struct view_tags *tags,
			       const struct dname *name, const struct name_hashes *hashes)
{
	const struct zone *public_zone = NULL;

	for (int n = next_level(db, name->labels); n >= 0;
	     n = n > 0 ? next_level(db, n - 1) : -1) {
		const struct apex *apex =
			find_apex(db, name, hashes, (unsigned)n, VIEW_NO_VPC);

		if (!apex)
			continue;
		if (next_apex(apex)) {
			const struct zone *zone =
				find_private(db, tags, apex, name, hashes);

			if (zone)
				return zone;
		}
		if (!public_zone)
			public_zone = first_zone(apex);
	}
	return public_zone;
}

static bool has_zones(const struct apex *apex)
{
	for (; apex; apex = next_apex(apex)) {
		if (first_zone(apex))
			return true;
	}
	return false;
}

bool lookup_is_below_zone(const struct zonedb *db, const struct dname *name,
			  const struct name_hashes *hashes)
{
	for (int n = next_level(db, name->labels); n >= 0;
	     n = n > 0 ? next_level(db, n - 1) : -1) {
		if (has_zones(find_apex(db, name, hashes, (unsigned)n, VIEW_NO_VPC)))
			return true;
	}
	return false;
}

static bool is_node_of(const void *entry, const void *key)
{
	const struct node *node = entry;
	const struct node_key *k = key;

	return node->zone == k->zone && node->name_len == k->len &&
	       memcmp(node->name, k->name, k->len) == 0;
}

struct node_key node_key_make(const struct zone *zone, const struct dname *name,
			      unsigned labels)
{
	unsigned at = name->offsets[name->labels - labels];
	unsigned end = name->offsets[name->labels - zone->apex_labels];

	return (struct node_key){zone, name->wire + at, end - at};
}

struct node *node_find(const struct zonedb *db, const struct node_key *key, uint64_t hash,
		       nametable_slot **slot_out)
{
	return nametable_find(&db->nodes, hash, is_node_of, key, slot_out);
}

static const struct node *find_exact(const struct zonedb *db, const struct zone *zone,
				     const struct dname *name,
				     const struct name_hashes *hashes, unsigned labels)
{
	struct node_key key;

	if (labels == zone->apex_labels)
		return atomic_load_explicit(&zone->apex_node, memory_order_acquire);
	key = node_key_make(zone, name, labels);
	return node_find(db, &key, node_hash(zone, hashes->of[labels]), NULL);
}

/* "*" below the closest encloser, which has `labels` labels. */
static const struct node *find_wildcard(const struct zonedb *db, const struct zone *zone,
					const struct dname *name,
					const struct name_hashes *hashes, unsigned labels)
{
	uint8_t wire[DNAME_MAX + 2] = {1, '*'};
	struct node_key key = node_key_make(zone, name, labels);
	uint64_t hash = keyhash_extend(&db->key, hashes->of[labels], wire, 2);

	memcpy(wire + 2, key.name, key.len);
	key.name = wire;
	key.len += 2;
	return node_find(db, &key, node_hash(zone, hash), NULL);
}

/* A zone with delegations, DNAMEs or wildcards: walk down from the apex, as
 * what lies above decides whether names below mean anything. */
static struct lookup_found
find_downwards(const struct zonedb *db, const struct zone *zone, const struct dname *name,
	       const struct name_hashes *hashes, uint16_t qtype)
{
	for (unsigned n = zone->apex_labels;; n++) {
		const struct node *node = find_exact(db, zone, name, hashes, n);
		bool is_last = n == name->labels;

		if (!node) {
			node = find_wildcard(db, zone, name, hashes, n - 1);
			return (struct lookup_found){node ? LOOKUP_NODE : LOOKUP_MISSING,
						     node, name->labels};
		}
		/* The DS record of a child zone is its parent's (RFC 4035, 3.1.4.1). */
		if (node->flags & NODE_CUT && !(is_last && qtype == DNS_TYPE_DS))
			return (struct lookup_found){LOOKUP_CUT, node, n};
		if (is_last)
			return (struct lookup_found){LOOKUP_NODE, node, n};
		if (node->flags & NODE_DNAME)
			return (struct lookup_found){LOOKUP_DNAME, node, n};
	}
}

struct lookup_found lookup_node(const struct zonedb *db, const struct zone *zone,
				const struct dname *name,
				const struct name_hashes *hashes, uint16_t qtype)
{
	struct lookup_found found = {LOOKUP_MISSING, NULL, name->labels};

	if (atomic_load_explicit(&zone->flags, memory_order_relaxed) != 0)
		return find_downwards(db, zone, name, hashes, qtype);
	found.node = find_exact(db, zone, name, hashes, name->labels);
	if (found.node)
		found.kind = LOOKUP_NODE;
	return found;
}

const struct node *lookup_glue(const struct zonedb *db, const struct zone *zone,
			       const struct dname *name, const struct name_hashes *hashes)
{
	const struct apex *apex = zone->apex;
	unsigned at;

	if (name->labels < apex->labels)
		return NULL;
	at = name->offsets[name->labels - apex->labels];
	if (name->len - at != apex->len ||
	    memcmp(name->wire + at, apex->wire, apex->len) != 0)
		return NULL;
	return find_exact(db, zone, name, hashes, name->labels);
}

const struct zone *lookup_hold_version(const struct zone *held, const struct zone *found)
{
	bool is_other = held && found && held != found && held->apex == found->apex &&
			strcmp(held->id, found->id) == 0;

	return is_other ? held : found;
}

unsigned lookup_apex_labels(const struct zone *zone)
{
	return zone->apex_labels;
}

const struct rrset *lookup_negative_soa(const struct zone *zone)
{
	const struct node *apex =
		atomic_load_explicit(&zone->apex_node, memory_order_acquire);

	return node_find_rrset(apex, NODE_NEGATIVE_SOA);
}
