/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A keyed 64-bit hash that can be extended label by label: folded 64x64
 * multiplications under a secret key of the process, so that nobody outside
 * can aim names at one bucket. Not a MAC, and not stable between processes:
 * never store its values. */

struct keyhash_key {
	uint64_t k[2];
};

/** Extend `h` (any value to start with) by `len` bytes. */
uint64_t keyhash_extend(const struct keyhash_key *key, uint64_t h, const void *bytes,
			size_t len);
