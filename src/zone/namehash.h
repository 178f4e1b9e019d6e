/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "dns/name.h"

/* The hashes by which the database knows names: keyed, and extended label by label from
 * the right, so that one pass over a name gives those of all names above it. */

struct zonedb;

struct name_hashes {
	uint64_t of[DNAME_MAX_LABELS + 1]; /* of[n] is that of the last n labels */
};

void namehash_make(const struct zonedb *db, const struct dname *name,
		   struct name_hashes *out);
