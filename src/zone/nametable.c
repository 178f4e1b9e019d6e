/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/nametable.h"

#include <stdlib.h>
#include <string.h>
#include <urcu.h>

enum {
	START_BUCKETS = 16,
	FULL = 4, /* entries per bucket on average before the table doubles */
};

/* A reserved slot: no entry's word, for its tag is zero. */
static const uint64_t RESERVED = 1;

/* What the readers see comes first; the rest is for getting rid of it. */
struct array {
	struct nametable_array shown;
	size_t overflows;	/* buckets behind others */
	size_t first_overflows; /* of these, when the array was made */
	struct rcu_head rcu;
};

static void free_array(struct array *array)
{
	if (!array)
		return;
	for (uint64_t i = 0; i <= array->shown.mask; i++) {
		struct nametable_bucket *bucket =
			atomic_load(&array->shown.buckets[i].overflow);

		while (bucket) {
			struct nametable_bucket *next = atomic_load(&bucket->overflow);

			free(bucket);
			bucket = next;
		}
	}
	free(array->shown.buckets);
	free(array);
}

static void on_array_unused(struct rcu_head *head)
{
	free_array(caa_container_of(head, struct array, rcu));
}

static struct nametable_bucket *new_buckets(size_t count)
{
	struct nametable_bucket *buckets = aligned_alloc(64, count * sizeof *buckets);

	if (buckets)
		memset((void *)buckets, 0, count * sizeof *buckets);
	return buckets;
}

static struct array *new_array(size_t buckets)
{
	struct array *array = calloc(1, sizeof *array);

	if (!array)
		return NULL;
	array->shown.mask = buckets - 1;
	array->shown.buckets = new_buckets(buckets);
	if (!array->shown.buckets) {
		free(array);
		return NULL;
	}
	return array;
}

static nametable_slot *find_free_slot(struct nametable_array *shown, uint64_t hash)
{
	struct array *array = caa_container_of(shown, struct array, shown);
	struct nametable_bucket *bucket = &shown->buckets[hash & shown->mask];

	for (;;) {
		struct nametable_bucket *next;

		for (int i = 0; i < NAMETABLE_BUCKET_SLOTS; i++) {
			if (atomic_load_explicit(&bucket->slots[i],
						 memory_order_relaxed) == 0)
				return &bucket->slots[i];
		}
		next = atomic_load_explicit(&bucket->overflow, memory_order_relaxed);
		if (!next) {
			next = new_buckets(1);
			if (!next)
				return NULL;
			atomic_store_explicit(&bucket->overflow, next,
					      memory_order_release);
			array->overflows++;
		}
		bucket = next;
	}
}

/* Who visits an entry looks into it: it is asked for one bucket ahead. */
static void prefetch_entries(const struct nametable_bucket *bucket)
{
	for (int s = 0; s < NAMETABLE_BUCKET_SLOTS; s++) {
		uint64_t word =
			atomic_load_explicit(&bucket->slots[s], memory_order_relaxed);

		__builtin_prefetch((const void *)(uintptr_t)(word & NAMETABLE_ADDRESS));
	}
}

static void walk_array(struct nametable_array *array,
		       void (*visit)(nametable_slot *slot, void *arg), void *arg)
{
	for (uint64_t i = 0; i <= array->mask; i++) {
		struct nametable_bucket *bucket = &array->buckets[i];

		if (i < array->mask)
			prefetch_entries(bucket + 1);
		for (; bucket; bucket = atomic_load(&bucket->overflow)) {
			for (int s = 0; s < NAMETABLE_BUCKET_SLOTS; s++) {
				if (atomic_load(&bucket->slots[s]) > RESERVED)
					visit(&bucket->slots[s], arg);
			}
		}
	}
}

struct move {
	struct nametable_array *to;
	bool failed;
};

static void move_entry(nametable_slot *slot, void *arg)
{
	struct move *move = arg;
	uint64_t word = atomic_load_explicit(slot, memory_order_relaxed);
	const struct nametable_entry *entry = nametable_entry(slot);
	nametable_slot *to = find_free_slot(move->to, entry->hash);

	if (to)
		atomic_store_explicit(to, word, memory_order_relaxed);
	else
		move->failed = true;
}

gaz_status nametable_init(struct nametable *table)
{
	struct array *array = new_array(START_BUCKETS);

	if (!array)
		return GAZ_ENOMEM;
	atomic_init(&table->array, &array->shown);
	table->count = 0;
	return GAZ_OK;
}

void nametable_fini(struct nametable *table)
{
	struct nametable_array *shown = atomic_load(&table->array);

	if (shown)
		free_array(caa_container_of(shown, struct array, shown));
	atomic_store(&table->array, NULL);
}

/* Buckets that overflowed once stay: after many changes, or when most entries
 * have gone, the table is made anew. */
static bool is_worn(const struct array *array, size_t count)
{
	size_t buckets = (size_t)array->shown.mask + 1;

	return array->overflows > 2 * array->first_overflows + buckets / 4 ||
	       (buckets > START_BUCKETS && count < buckets * FULL / 16);
}

/* An array of the right size with the entries of another; NULL: out of memory. */
static struct array *remake(struct nametable_array *old, size_t count)
{
	size_t buckets = START_BUCKETS;
	struct move move = {NULL, false};
	struct array *made;

	while (count > buckets * FULL)
		buckets *= 2;
	made = new_array(buckets);
	if (!made)
		return NULL;
	move.to = &made->shown;
	walk_array(old, move_entry, &move);
	if (move.failed) {
		free_array(made);
		return NULL;
	}
	made->first_overflows = made->overflows;
	return made;
}

gaz_status nametable_grow(struct nametable *table, size_t more)
{
	struct nametable_array *old = atomic_load(&table->array);
	struct array *old_array = caa_container_of(old, struct array, shown);
	size_t count = table->count + more;
	bool has_room = count <= ((size_t)old->mask + 1) * FULL;
	struct array *made;

	if (has_room && !is_worn(old_array, count))
		return GAZ_OK;
	made = remake(old, count);
	if (!made) /* the old one still does, if only less well */
		return has_room ? GAZ_OK : GAZ_ENOMEM;
	atomic_store_explicit(&table->array, &made->shown, memory_order_release);
	call_rcu(&old_array->rcu, on_array_unused);
	return GAZ_OK;
}

gaz_status nametable_reserve(struct nametable *table, uint64_t hash, nametable_slot **out)
{
	nametable_slot *slot = find_free_slot(atomic_load(&table->array), hash);

	if (!slot)
		return GAZ_ENOMEM;
	atomic_store_explicit(slot, RESERVED, memory_order_relaxed);
	table->count++;
	*out = slot;
	return GAZ_OK;
}

void nametable_fill(nametable_slot *slot, uint64_t hash, const void *entry)
{
	atomic_store_explicit(slot, nametable_tag(hash) | (uintptr_t)entry,
			      memory_order_release);
}

void nametable_clear(struct nametable *table, nametable_slot *slot)
{
	atomic_store_explicit(slot, 0, memory_order_release);
	table->count--;
}

gaz_status nametable_insert(struct nametable *table, uint64_t hash, const void *entry)
{
	nametable_slot *slot;
	gaz_status st;

	if ((st = nametable_grow(table, 1)) != GAZ_OK ||
	    (st = nametable_reserve(table, hash, &slot)) != GAZ_OK)
		return st;
	nametable_fill(slot, hash, entry);
	return GAZ_OK;
}

void nametable_read(const struct nametable *table, void (*visit)(void *entry, void *arg),
		    void *arg)
{
	const struct nametable_array *array =
		atomic_load_explicit(&table->array, memory_order_acquire);

	for (uint64_t i = 0; i < (array->mask + 1) * NAMETABLE_BUCKET_SLOTS; i++) {
		struct nametable_bucket *bucket =
			&array->buckets[i / NAMETABLE_BUCKET_SLOTS];

		for (; bucket; bucket = atomic_load_explicit(&bucket->overflow,
							     memory_order_acquire)) {
			uint64_t word = atomic_load_explicit(
				&bucket->slots[i % NAMETABLE_BUCKET_SLOTS],
				memory_order_acquire);

			if (word > RESERVED)
				visit((void *)(uintptr_t)(word & NAMETABLE_ADDRESS), arg);
		}
	}
}

void nametable_walk(struct nametable *table,
		    void (*visit)(nametable_slot *slot, void *arg), void *arg)
{
	walk_array(atomic_load(&table->array), visit, arg);
}
