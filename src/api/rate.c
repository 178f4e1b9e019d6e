/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/rate.h"

#include <stdlib.h>
#include <string.h>

#include "base/keyhash.h"
#include "base/rng.h"

enum {
	SETS = 1024, /* a power of two */
	WAYS = 4,
	TOKEN = 1000, /* a token in thousandths: what a rate of 1/s gives in 1 ms is one */
};

struct bucket {
	uint64_t hash; /* whose it is; 0: nobody's */
	int64_t level; /* in thousandths of a token */
	int64_t at_ms; /* when that was so */
	enum rate_kind kind;
};

struct rate_table {
	struct keyhash_key key; /* nobody outside can aim at one set */
	struct rate_limit limits[RATE_KIND_COUNT];
	struct bucket sets[SETS][WAYS];
};

gaz_status rate_new(const struct rate_limit limits[RATE_KIND_COUNT],
		    struct rate_table **out)
{
	struct rate_table *table = NULL;
	bool is_limited = false;

	for (size_t i = 0; i < RATE_KIND_COUNT; i++)
		is_limited = is_limited || limits[i].per_second > 0;
	if (is_limited) {
		table = calloc(1, sizeof *table);
		if (!table)
			return GAZ_ENOMEM;
		memcpy(table->limits, limits, sizeof table->limits);
		if (rng_secret(&table->key, sizeof table->key) != GAZ_OK) {
			free(table);
			return GAZ_EIO;
		}
	}
	*out = table;
	return GAZ_OK;
}

void rate_free(struct rate_table **table)
{
	free(*table);
	*table = NULL;
}

static int64_t capacity(const struct rate_limit *limit)
{
	return (int64_t)limit->burst * TOKEN;
}

/* Let the bucket fill up to now. A clock that was set back gives nothing. */
static void refill(const struct rate_table *table, struct bucket *b, int64_t now_ms)
{
	const struct rate_limit *limit = &table->limits[b->kind];
	int64_t missing = capacity(limit) - b->level;
	int64_t elapsed_ms = now_ms - b->at_ms;

	b->at_ms = now_ms;
	if (elapsed_ms <= 0)
		return;
	/* Divided, not multiplied: no number of milliseconds overflows. */
	if (elapsed_ms >= missing / limit->per_second + 1)
		b->level = capacity(limit);
	else
		b->level += elapsed_ms * limit->per_second;
}

/* A full bucket is as good as none, so the fullest one makes room. */
static struct bucket *choose_victim(const struct rate_table *table, struct bucket *set,
				    int64_t now_ms)
{
	struct bucket *victim = &set[0];
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < WAYS; i++) {
		int64_t missing;

		if (set[i].hash == 0)
			return &set[i];
		refill(table, &set[i], now_ms);
		missing = capacity(&table->limits[set[i].kind]) - set[i].level;
		if (missing < least) {
			least = missing;
			victim = &set[i];
		}
	}
	return victim;
}

static struct bucket *find_bucket(struct rate_table *table, uint64_t hash,
				  enum rate_kind kind, int64_t now_ms)
{
	struct bucket *set = table->sets[hash & (SETS - 1)];
	struct bucket *b;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].hash == hash) {
			refill(table, &set[i], now_ms);
			return &set[i];
		}
	}
	b = choose_victim(table, set, now_ms);
	*b = (struct bucket){hash, capacity(&table->limits[kind]), now_ms, kind};
	return b;
}

bool rate_take(struct rate_table *table, enum rate_kind kind, const char *region,
	       const char *account, int64_t now_ms)
{
	struct bucket *b;
	uint64_t hash;

	if (!table || table->limits[kind].per_second == 0)
		return true;
	hash = keyhash_extend(&table->key, kind, region, strlen(region) + 1);
	hash = keyhash_extend(&table->key, hash, account, strlen(account) + 1);
	b = find_bucket(table, hash ? hash : 1, kind, now_ms);
	if (b->level < TOKEN)
		return false;
	b->level -= TOKEN;
	return true;
}
