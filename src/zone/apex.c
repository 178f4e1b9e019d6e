/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/apex-internal.h"

#include <stdlib.h>
#include <string.h>

#include "zone/namehash.h"

struct apex_key {
	const struct dname *name;
	int32_t vpc;
};

static bool is_apex_named(const void *entry, const void *key)
{
	const struct apex *apex = entry;
	const struct apex_key *k = key;

	return apex->vpc == k->vpc && apex->len == k->name->len &&
	       memcmp(apex->wire, k->name->wire, apex->len) == 0;
}

static void set_level(struct zonedb *db, unsigned labels, bool on)
{
	uint64_t bit = (uint64_t)1 << (labels % 64);

	if (on)
		atomic_fetch_or(&db->levels[labels / 64], bit);
	else
		atomic_fetch_and(&db->levels[labels / 64], ~bit);
}

static gaz_status new_apex(struct zonedb *db, const struct apex_key *key, uint64_t hash,
			   struct apex **out)
{
	struct apex *apex = calloc(1, sizeof *apex + key->name->len);

	if (!apex)
		return GAZ_ENOMEM;
	apex->entry.hash = (uint32_t)hash;
	apex->hash = hash;
	apex->vpc = key->vpc;
	apex->labels = key->name->labels;
	apex->len = key->name->len;
	memcpy(apex->wire, key->name->wire, key->name->len);
	if (nametable_insert(&db->apexes, hash, apex) != GAZ_OK) {
		free(apex);
		return GAZ_ENOMEM;
	}
	if (db->level_counts[apex->labels]++ == 0)
		set_level(db, apex->labels, true);
	*out = apex;
	return GAZ_OK;
}

static void chain_apex(struct apex *public_apex, struct apex *apex)
{
	apex->public_apex = public_apex;
	atomic_store_explicit(&apex->next, atomic_load(&public_apex->next),
			      memory_order_relaxed);
	atomic_store_explicit(&public_apex->next, apex, memory_order_release);
}

/* An apex that leaves keeps its own link: readers may be standing on it. */
static void unchain_apex(const struct apex *apex)
{
	struct apex *_Atomic *at = &apex->public_apex->next;

	while (*at != apex)
		at = &(*at)->next;
	atomic_store_explicit(at, atomic_load(&apex->next), memory_order_release);
}

gaz_status apex_ref(struct zonedb *db, const struct dname *name, int32_t vpc,
		    struct apex **out)
{
	const struct apex_key key = {name, vpc};
	struct name_hashes hashes;
	struct apex *public_apex = NULL;
	struct apex *apex;
	uint64_t hash;

	namehash_make(db, name, &hashes);
	hash = apex_hash(db, hashes.of[name->labels], vpc);
	apex = nametable_find(&db->apexes, hash, is_apex_named, &key, NULL);
	if (!apex) {
		if (vpc != VIEW_NO_VPC &&
		    apex_ref(db, name, VIEW_NO_VPC, &public_apex) != GAZ_OK)
			return GAZ_ENOMEM;
		if (new_apex(db, &key, hash, &apex) != GAZ_OK) {
			if (public_apex)
				apex_unref(db, public_apex);
			return GAZ_ENOMEM;
		}
		if (public_apex)
			chain_apex(public_apex, apex);
	}
	apex->refs++;
	*out = apex;
	return GAZ_OK;
}

static void on_apex_unused(struct rcu_head *head)
{
	free(caa_container_of(head, struct apex, rcu));
}

static bool is_same(const void *entry, const void *key)
{
	return entry == key;
}

void apex_unref(struct zonedb *db, struct apex *apex)
{
	nametable_slot *slot = NULL;

	if (--apex->refs > 0)
		return;
	if (--db->level_counts[apex->labels] == 0)
		set_level(db, apex->labels, false);
	if (nametable_find(&db->apexes, apex->hash, is_same, apex, &slot))
		nametable_clear(&db->apexes, slot);
	if (apex->public_apex) {
		unchain_apex(apex);
		apex_unref(db, apex->public_apex);
	}
	call_rcu(&apex->rcu, on_apex_unused);
}

/* Public zones before static ones; of one kind by age. */
static bool is_before(const struct zone *a, const struct zone *b)
{
	return a->kind != b->kind ? a->kind < b->kind : zone_is_older(a, b);
}

void apex_link(struct apex *apex, struct zone *zone)
{
	struct zone *_Atomic *at = &apex->zones;

	while (*at && is_before(*at, zone))
		at = &(*at)->next;
	atomic_store_explicit(&zone->next, *at, memory_order_relaxed);
	atomic_store_explicit(at, zone, memory_order_release);
}

/* The zone keeps its own link: readers may be standing on it. */
void apex_unlink(struct apex *apex, struct zone *zone)
{
	struct zone *_Atomic *at = &apex->zones;

	while (*at != zone)
		at = &(*at)->next;
	atomic_store_explicit(at, atomic_load(&zone->next), memory_order_release);
}
