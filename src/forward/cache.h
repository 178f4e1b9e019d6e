/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Answers of upstreams, to be read by DNS workers under RCU without a lock or a write,
 * and filled by one thread. Bounded in memory: what nobody asks for gives way. */

struct cache;
struct dname;
struct entry;

struct cache_key {
	const struct dname *name;
	uint16_t qtype;
	bool with_dnssec;
};

/** @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO (no random bytes) */
GAZ_MUST_CHECK gaz_status cache_new(size_t max_bytes, struct cache **out);

/** Needs the RCU read lock. @return NULL: none that is still good */
const struct entry *cache_find(const struct cache *cache, const struct cache_key *key,
			       int64_t now_ms);

/** Takes the entry, in the place of the former one of its name; it may be freed after the
 *  next grace period. Only one thread may call this, a registered RCU thread. */
void cache_put(struct cache *cache, const struct cache_key *key, struct entry **take,
	       int64_t now_ms);

/** Forget everything; as cache_put(). */
void cache_flush(struct cache *cache);

/** No reader may be left. Accepts a pointer to NULL. */
void cache_free(struct cache **cache);
