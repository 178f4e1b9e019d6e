/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/siphash.h"

#include <endian.h>
#include <string.h>

enum {
	ROUNDS_PER_WORD = 2,
	ROUNDS_AT_END = 4,
};

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

/* Up to eight octets as a number, the first one lowest. */
static uint64_t read_word(const uint8_t *at, size_t len)
{
	uint64_t word = 0;

	memcpy(&word, at, len);
	return le64toh(word);
}

static void mix(uint64_t v[4], int rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] = rotl(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] = rotl(v[2], 32);
	}
}

static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v, ROUNDS_PER_WORD);
	v[0] ^= word;
}

struct siphash_key siphash_key_read(const uint8_t bytes[SIPHASH_KEY_LEN])
{
	return (struct siphash_key){{read_word(bytes, 8), read_word(bytes + 8, 8)}};
}

uint64_t siphash24(const struct siphash_key *key, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t v[4] = {
		key->k[0] ^ 0x736f6d6570736575,
		key->k[1] ^ 0x646f72616e646f6d,
		key->k[0] ^ 0x6c7967656e657261,
		key->k[1] ^ 0x7465646279746573,
	};
	uint64_t last = (uint64_t)len << 56;

	for (; len >= 8; at += 8, len -= 8)
		absorb(v, read_word(at, 8));
	absorb(v, last | read_word(at, len));
	v[2] ^= 0xff;
	mix(v, ROUNDS_AT_END);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
