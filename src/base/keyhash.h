/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A keyed 64-bit hash that can be extended label by label: folded 64x64
 * multiplications under a secret key of the process, so that nobody outside
 * can aim names at one bucket. Not a MAC, and not stable between processes:
 * never store its values. Inline, as every query computes several. */

struct keyhash_key {
	uint64_t k[2];
};

static inline uint64_t keyhash_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Up to eight octets as a number, without a loop: the two reads may overlap. */
static inline uint64_t keyhash_read_tail(const unsigned char *at, size_t len)
{
	uint32_t first;
	uint32_t last;

	if (len >= 4) {
		memcpy(&first, at, 4);
		memcpy(&last, at + len - 4, 4);
		return first | (uint64_t)last << 32;
	}
	if (len == 0)
		return 0;
	return at[0] | (uint64_t)at[len / 2] << 8 | (uint64_t)at[len - 1] << 16;
}

/** Extend `h` (any value to start with) by `len` bytes. */
static inline uint64_t keyhash_extend(const struct keyhash_key *key, uint64_t h,
				      const void *bytes, size_t len)
{
	const unsigned char *at = (const unsigned char *)bytes;
	uint64_t word;

	h ^= key->k[0] + len;
	for (; len > 8; at += 8, len -= 8) {
		memcpy(&word, at, 8);
		h = keyhash_fold(h ^ word, key->k[1] | 1);
	}
	/* Tails of one octet and of two or three equal ones read the same: their lengths
	 * must not be cancelled by what stands before, such as a label's own. */
	return keyhash_fold(h ^ keyhash_read_tail(at, len), (key->k[1] | 1) + 2 * len) ^
	       h;
}
