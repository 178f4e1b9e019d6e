/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 with 64 bits of output (Aumasson and Bernstein, 2012): a MAC for short
 * messages, the one that interoperable DNS cookies are made with (RFC 9018). */

enum {
	SIPHASH_KEY_LEN = 16,
};

struct siphash_key {
	uint64_t k[2];
};

struct siphash_key siphash_key_read(const uint8_t bytes[SIPHASH_KEY_LEN]);

/** The hash as a number; its octets are the number's, the lowest first. */
uint64_t siphash24(const struct siphash_key *key, const void *bytes, size_t len);
