/* SPDX-License-Identifier: BSD-2-Clause */
#include "prober/target.h"

#include <stdlib.h>
#include <string.h>

enum {
	BUCKETS_MIN = 256,
};

bool verdict_count(struct verdict *v, bool success, unsigned threshold)
{
	if (success == v->healthy)
		v->against = 0;
	else if (v->against < UINT8_MAX)
		v->against++;
	return v->against > 0 && v->against >= threshold;
}

gaz_status target_table_init(struct target_table *t)
{
	*t = (struct target_table){.bucket_count = BUCKETS_MIN};
	t->buckets = calloc(t->bucket_count, sizeof *t->buckets);
	if (!t->buckets)
		return GAZ_ENOMEM;
	return rng_secret(&t->key, sizeof t->key);
}

static void free_target(struct target *target)
{
	if (target->what)
		target->what->next = NULL;
	healthcheck_free_notices(target->what);
	free(target);
}

void target_table_each(const struct target_table *t, void (*visit)(struct target *))
{
	for (size_t i = 0; t->buckets && i < t->bucket_count; i++) {
		for (struct target *it = t->buckets[i]; it; it = it->next)
			visit(it);
	}
}

void target_table_fini(struct target_table *t)
{
	for (size_t i = 0; t->buckets && i < t->bucket_count; i++) {
		while (t->buckets[i]) {
			struct target *next = t->buckets[i]->next;

			free_target(t->buckets[i]);
			t->buckets[i] = next;
		}
	}
	free(t->buckets);
	*t = (struct target_table){0};
}

static uint64_t hash_ids(const struct target_table *t, const char *service_id,
			 const char *instance_id)
{
	uint64_t h = keyhash_extend(&t->key, 0, service_id, strlen(service_id));

	return keyhash_extend(&t->key, h, instance_id, strlen(instance_id));
}

static struct target **bucket_of(const struct target_table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->bucket_count - 1)];
}

struct target *target_find(const struct target_table *t, const char *service_id,
			   const char *instance_id)
{
	uint64_t hash = hash_ids(t, service_id, instance_id);
	struct target *it = *bucket_of(t, hash);

	while (it &&
	       (it->hash != hash || strcmp(it->what->instance_id, instance_id) != 0 ||
		strcmp(it->what->service_id, service_id) != 0))
		it = it->next;
	return it;
}

/* Without memory for more buckets the chains get longer, and that is all. */
static void grow(struct target_table *t)
{
	struct target_table bigger = *t;

	bigger.bucket_count *= 2;
	bigger.buckets = calloc(bigger.bucket_count, sizeof *bigger.buckets);
	if (!bigger.buckets)
		return;
	for (size_t i = 0; i < t->bucket_count; i++) {
		while (t->buckets[i]) {
			struct target *it = t->buckets[i];
			struct target **bucket = bucket_of(&bigger, it->hash);

			t->buckets[i] = it->next;
			it->next = *bucket;
			*bucket = it;
		}
	}
	free(t->buckets);
	*t = bigger;
}

gaz_status target_add(struct target_table *t, struct healthcheck_notice **take,
		      struct target **out)
{
	struct target *target = calloc(1, sizeof *target);
	struct target **bucket;

	if (!target)
		return GAZ_ENOMEM;
	if (t->count >= t->bucket_count)
		grow(t);
	target->what = *take;
	*take = NULL;
	target->hash = hash_ids(t, target->what->service_id, target->what->instance_id);
	bucket = bucket_of(t, target->hash);
	target->next = *bucket;
	*bucket = target;
	t->count++;
	*out = target;
	return GAZ_OK;
}

void target_remove(struct target_table *t, struct target *target)
{
	struct target **at = bucket_of(t, target->hash);

	while (*at != target)
		at = &(*at)->next;
	*at = target->next;
	t->count--;
	free_target(target);
}
