/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/cache.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/keyhash.h"
#include "base/rng.h"
#include "dns/name.h"
#include "dns/wire.h"
#include "forward/entry.h"

enum {
	WAYS = 8, /* places of one bucket, a cache line */
	BUCKETS = 8192,
};

struct bucket {
	_Alignas(64) _Atomic(struct entry *) ways[WAYS];
};

struct cache {
	struct bucket buckets[BUCKETS];
	struct keyhash_key key;
	size_t bytes; /* of all entries */
	size_t max_bytes;
	size_t hand; /* the bucket to look at next for what may go */
};

gaz_status cache_new(size_t max_bytes, struct cache **out)
{
	struct cache *cache = aligned_alloc(_Alignof(struct cache), sizeof *cache);
	gaz_status st;

	if (!cache)
		return GAZ_ENOMEM;
	memset(cache, 0, sizeof *cache);
	cache->max_bytes = max_bytes;
	st = rng_secret(&cache->key, sizeof cache->key);
	if (st != GAZ_OK)
		free(cache);
	else
		*out = cache;
	return st;
}

static uint64_t hash_of(const struct cache *cache, const struct cache_key *key)
{
	uint64_t h = (uint64_t)key->qtype << 1 | key->with_dnssec;

	return keyhash_extend(&cache->key, h, key->name->wire, key->name->len);
}

static bool is_of(const struct entry *entry, const struct cache_key *key, uint64_t hash)
{
	return entry->hash == hash && entry->qtype == key->qtype &&
	       entry->with_dnssec == key->with_dnssec &&
	       entry->records_at == DNS_HEADER_LEN + key->name->len + 4u &&
	       memcmp(entry->wire + DNS_HEADER_LEN, key->name->wire, key->name->len) == 0;
}

const struct entry *cache_find(const struct cache *cache, const struct cache_key *key,
			       int64_t now_ms)
{
	uint64_t hash = hash_of(cache, key);
	const struct bucket *bucket = &cache->buckets[hash % BUCKETS];

	for (int i = 0; i < WAYS; i++) {
		struct entry *entry =
			atomic_load_explicit(&bucket->ways[i], memory_order_acquire);

		if (!entry || !is_of(entry, key, hash))
			continue;
		if (now_ms >= entry->expires_ms)
			return NULL;
		/* Written once, so that the line stays shared by all workers. */
		if (!atomic_load_explicit(&entry->is_used, memory_order_relaxed))
			atomic_store_explicit(&entry->is_used, 1, memory_order_relaxed);
		return entry;
	}
	return NULL;
}

static void on_entry_unused(struct rcu_head *head)
{
	free(caa_container_of(head, struct entry, rcu));
}

static void set_way(struct cache *cache, struct bucket *bucket, int way,
		    struct entry *entry)
{
	struct entry *old =
		atomic_load_explicit(&bucket->ways[way], memory_order_relaxed);

	atomic_store_explicit(&bucket->ways[way], entry, memory_order_release);
	if (entry)
		cache->bytes += entry->size;
	if (old) {
		cache->bytes -= old->size;
		call_rcu(&old->rcu, on_entry_unused);
	}
}

/* The place for a new entry: its former one's, else a free one's, else that of one which
 * has expired or which nobody has used for a while. */
static int choose_way(const struct bucket *bucket, const struct cache_key *key,
		      uint64_t hash, int64_t now_ms)
{
	int way = -1;
	int rank = 0;

	for (int i = 0; i < WAYS; i++) {
		struct entry *entry =
			atomic_load_explicit(&bucket->ways[i], memory_order_relaxed);
		int own = !entry ? 3
			  : now_ms >= entry->expires_ms
				  ? 2
				  : !atomic_load_explicit(&entry->is_used,
							  memory_order_relaxed);

		if (entry && is_of(entry, key, hash))
			return i;
		if (own > rank) {
			rank = own;
			way = i;
		}
	}
	return way;
}

/* All of them are in use: the next time those may go that were not used again. */
static int clear_use(struct bucket *bucket, uint64_t hash)
{
	for (int i = 0; i < WAYS; i++)
		atomic_store_explicit(
			&atomic_load_explicit(&bucket->ways[i], memory_order_relaxed)
				 ->is_used,
			0, memory_order_relaxed);
	return (int)(hash >> 32 & (WAYS - 1));
}

/* One bucket: what has not been used since the last visit goes. */
static void sweep(struct cache *cache)
{
	struct bucket *bucket = &cache->buckets[cache->hand++ % BUCKETS];

	for (int i = 0; i < WAYS; i++) {
		struct entry *entry =
			atomic_load_explicit(&bucket->ways[i], memory_order_relaxed);

		if (entry &&
		    !atomic_exchange_explicit(&entry->is_used, 0, memory_order_relaxed))
			set_way(cache, bucket, i, NULL);
	}
}

void cache_put(struct cache *cache, const struct cache_key *key, struct entry **take,
	       int64_t now_ms)
{
	struct entry *entry = *take;
	uint64_t hash = hash_of(cache, key);
	struct bucket *bucket = &cache->buckets[hash % BUCKETS];
	int way = choose_way(bucket, key, hash, now_ms);

	entry->hash = hash;
	set_way(cache, bucket, way >= 0 ? way : clear_use(bucket, hash), entry);
	*take = NULL;
	/* Two rounds: the first may find all of them used. */
	for (int i = 0; i < 2 * BUCKETS && cache->bytes > cache->max_bytes; i++)
		sweep(cache);
}

void cache_flush(struct cache *cache)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (int way = 0; way < WAYS; way++) {
			if (atomic_load_explicit(&cache->buckets[i].ways[way],
						 memory_order_relaxed))
				set_way(cache, &cache->buckets[i], way, NULL);
		}
	}
}

void cache_free(struct cache **cache)
{
	if (!*cache)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (int way = 0; way < WAYS; way++)
			free(atomic_load_explicit(&(*cache)->buckets[i].ways[way],
						  memory_order_relaxed));
	}
	free(*cache);
	*cache = NULL;
}
