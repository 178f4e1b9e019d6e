/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/namehash.h"

#include "zone/zonedb-internal.h"

void namehash_make(const struct zonedb *db, const struct dname *name,
		   struct name_hashes *out)
{
	uint64_t h = 0;
	unsigned n = 0;

	out->of[0] = h;
	for (unsigned i = name->labels; i-- > 0;) {
		const uint8_t *label = name->wire + name->offsets[i];

		h = keyhash_extend(&db->key, h, label, 1u + *label);
		out->of[++n] = h;
	}
}
