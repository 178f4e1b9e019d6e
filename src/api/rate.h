/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* How often an account may call in a region: a token bucket for each kind of call.
 * The buckets live in a table of fixed size, whoever calls: where it is too small, a
 * caller may find a full bucket in the place of a used one. For one thread. */

enum rate_kind {
	RATE_OTHER = 0, /* every call that has none of its own */
	RATE_DISCOVER_INSTANCES,
	RATE_DISCOVER_INSTANCES_REVISION,
	RATE_KIND_COUNT
};

struct rate_limit {
	uint32_t per_second; /* 0: no limit */
	uint32_t burst;	     /* what the bucket holds, at least 1 */
};

struct rate_table;

/** @return GAZ_OK (*out is NULL when nothing is limited), GAZ_ENOMEM, GAZ_EIO. */
GAZ_MUST_CHECK gaz_status rate_new(const struct rate_limit limits[RATE_KIND_COUNT],
				   struct rate_table **out);

/** Accepts a pointer to NULL. */
void rate_free(struct rate_table **table);

/** Take a token. @return false: there is none, the call is one too many. Without a
 *  table there always is one. */
bool rate_take(struct rate_table *table, enum rate_kind kind, const char *region,
	       const char *account, int64_t now_ms);
