/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/keyhash.h"

#include <string.h>

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t read_u32(const unsigned char *at)
{
	uint32_t word;

	memcpy(&word, at, 4);
	return word;
}

/* One to eight octets as a number, without a loop: the two reads may overlap. */
static uint64_t read_tail(const unsigned char *at, size_t len)
{
	if (len >= 4)
		return read_u32(at) | read_u32(at + len - 4) << 32;
	if (len == 0)
		return 0;
	return at[0] | (uint64_t)at[len / 2] << 8 | (uint64_t)at[len - 1] << 16;
}

uint64_t keyhash_extend(const struct keyhash_key *key, uint64_t h, const void *bytes,
			size_t len)
{
	const unsigned char *at = bytes;
	uint64_t word;

	h ^= key->k[0] + len;
	for (; len > 8; at += 8, len -= 8) {
		memcpy(&word, at, 8);
		h = fold(h ^ word, key->k[1] | 1);
	}
	return fold(h ^ read_tail(at, len), key->k[1] | 1) ^ h;
}
