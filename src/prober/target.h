/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/keyhash.h"
#include "base/status.h"
#include "prober/schedule.h"
#include "registry/healthcheck.h"

/* What is probed, found by the ids of service and instance; and what the results
 * of an instance add up to. */

struct flip;
struct probe;
struct prober;

/* The status that counts, and how many results in a row have spoken against it. */
struct verdict {
	bool healthy;
	uint8_t against;
};

/** Count a result. @return true: `threshold` results in a row, or more, are against
 *  the status, so it has to turn. */
bool verdict_count(struct verdict *v, bool success, unsigned threshold);

struct target {
	struct schedule_item item; /* the first member: the schedule gives it back */
	struct target *next;	   /* in its bucket */
	uint64_t hash;
	struct healthcheck_notice *what; /* owned */
	struct prober *prober;
	struct verdict verdict;
	struct probe *probe; /* under way */
	struct flip *flip;   /* under way */
};

struct target_table {
	struct keyhash_key key;
	struct target **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
};

/** @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO (no random numbers). */
GAZ_MUST_CHECK gaz_status target_table_init(struct target_table *t);

/** Free all targets too; of their probes and flips nothing may be under way. */
void target_table_fini(struct target_table *t);

/** Call `visit` for every target, which it must not remove. */
void target_table_each(const struct target_table *t, void (*visit)(struct target *));

/** NULL: there is none. */
struct target *target_find(const struct target_table *t, const char *service_id,
			   const char *instance_id);

/** A new target that takes the notice; there must be none of these ids.
 *  @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status target_add(struct target_table *t,
				     struct healthcheck_notice **take,
				     struct target **out);

/** Remove it from the table and free it. */
void target_remove(struct target_table *t, struct target *target);
