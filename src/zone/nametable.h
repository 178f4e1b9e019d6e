/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A hash table that any number of threads read under the RCU read lock while
 * one writer changes it.
 *
 * Why not liburcu's cds_lfht: its chains cost a cache miss for every entry
 * that is passed, and its entries a header of 16 octets. Here a bucket is one
 * cache line of seven words and a link; each word is an entry's address with
 * 15 bits of its hash above it. A name that does not exist costs one cache
 * line, one that exists the line and the entry. One writer is all we have, so
 * nothing more is needed.
 *
 * Addresses have 48 bits, as user space has on every 64-bit Linux unless it
 * asks for more.
 *
 * Entries belong to the caller; each begins with a struct nametable_entry.
 * Room is made and found first (which can fail), entries are stored in it
 * later (which cannot). */

struct nametable_entry {
	uint32_t hash; /* the lower half of the entry's hash */
};

enum {
	NAMETABLE_BUCKET_SLOTS = 7,
};

typedef _Atomic uint64_t nametable_slot;

struct nametable_bucket {
	_Alignas(64) nametable_slot slots[NAMETABLE_BUCKET_SLOTS];
	struct nametable_bucket *_Atomic overflow;
};

struct nametable_array {
	uint64_t mask; /* number of buckets - 1 */
	struct nametable_bucket *buckets;
};

struct nametable {
	struct nametable_array *_Atomic array;
	size_t count; /* slots in use or reserved; the writer's */
};

static const uint64_t NAMETABLE_ADDRESS = ((uint64_t)1 << 48) - 1;

/* Never zero above the address: empty and reserved slots match no hash. */
static inline uint64_t nametable_tag(uint64_t hash)
{
	return (hash | (uint64_t)1 << 48) & ~NAMETABLE_ADDRESS;
}

typedef bool nametable_match(const void *entry, const void *key);

/** The entry that `match` accepts, or NULL. Needs the RCU read lock.
 *  @param slot_out  where it was found, for the writer; may be NULL */
static inline void *nametable_find(const struct nametable *table, uint64_t hash,
				   nametable_match *match, const void *key,
				   nametable_slot **slot_out)
{
	const struct nametable_array *array =
		atomic_load_explicit(&table->array, memory_order_acquire);
	struct nametable_bucket *bucket = &array->buckets[hash & array->mask];
	uint64_t tag = nametable_tag(hash);

	do {
		for (int i = 0; i < NAMETABLE_BUCKET_SLOTS; i++) {
			uint64_t word = atomic_load_explicit(&bucket->slots[i],
							     memory_order_acquire) ^
					tag;

			if (word > NAMETABLE_ADDRESS ||
			    !match((const void *)(uintptr_t)word, key))
				continue;
			if (slot_out)
				*slot_out = &bucket->slots[i];
			return (void *)(uintptr_t)word;
		}
		bucket = atomic_load_explicit(&bucket->overflow, memory_order_acquire);
	} while (bucket);
	return NULL;
}

/** Ask the CPU for the bucket of a hash. Needs the RCU read lock, like the next. */
static inline void nametable_prefetch_bucket(const struct nametable *table, uint64_t hash)
{
	const struct nametable_array *array =
		atomic_load_explicit(&table->array, memory_order_acquire);

	__builtin_prefetch(&array->buckets[hash & array->mask]);
}

/** Ask for the entry of a hash: of those in the bucket itself, the first that may be
 *  it, which it nearly always is. */
static inline void nametable_prefetch_entry(const struct nametable *table, uint64_t hash)
{
	const struct nametable_array *array =
		atomic_load_explicit(&table->array, memory_order_acquire);
	struct nametable_bucket *bucket = &array->buckets[hash & array->mask];
	uint64_t tag = nametable_tag(hash);

	for (int i = 0; i < NAMETABLE_BUCKET_SLOTS; i++) {
		uint64_t word =
			atomic_load_explicit(&bucket->slots[i], memory_order_relaxed) ^
			tag;

		if (word <= NAMETABLE_ADDRESS) {
			const char *entry = (const char *)(uintptr_t)word;

			__builtin_prefetch(entry);
			__builtin_prefetch(entry + 64); /* a name and an address */
			return;
		}
	}
}

/** The entry in a slot in use. */
static inline void *nametable_entry(nametable_slot *slot)
{
	uint64_t word = atomic_load_explicit(slot, memory_order_acquire);

	return (void *)(uintptr_t)(word & NAMETABLE_ADDRESS);
}

/** Call `visit` for every entry, but perhaps those that are added or removed
 *  meanwhile. Needs the RCU read lock. */
void nametable_read(const struct nametable *table, void (*visit)(void *entry, void *arg),
		    void *arg);

/* The rest is the writer's. */

/** @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status nametable_init(struct nametable *table);

/** Frees the table, not the entries. No reader is left. */
void nametable_fini(struct nametable *table);

/** Make the table large enough for `more` entries, and anew when it is worn or far
 *  too large: a constant cost per change, on average. Readers see no difference;
 *  slots found or reserved before are void. @return GAZ_OK, GAZ_ENOMEM (there is no
 *  room; that a new table could not be had matters only then) */
GAZ_MUST_CHECK gaz_status nametable_grow(struct nametable *table, size_t more);

/** Set a slot apart for an entry of this hash, to be filled or cleared. Slots
 *  stay where they are until nametable_grow(). @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status nametable_reserve(struct nametable *table, uint64_t hash,
					    nametable_slot **out);

/** Publish an entry in a slot, reserved or in use. `hash` is the entry's. */
void nametable_fill(nametable_slot *slot, uint64_t hash, const void *entry);

/** Give up a slot, reserved or in use. */
void nametable_clear(struct nametable *table, nametable_slot *slot);

/** Grow, reserve and fill. @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status nametable_insert(struct nametable *table, uint64_t hash,
					   const void *entry);

/** Call `visit` for every slot in use. */
void nametable_walk(struct nametable *table,
		    void (*visit)(nametable_slot *slot, void *arg), void *arg);
