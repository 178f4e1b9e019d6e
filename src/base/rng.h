/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Fast random numbers for choosing among records (xoshiro256**). One instance
 * per thread; not for secrets: those come from rng_secret(). */

struct rng {
	uint64_t s[4];
};

/** Seed from a number, the same number giving the same sequence. */
void rng_seed(struct rng *rng, uint64_t seed);

uint64_t rng_next(struct rng *rng);

/** Uniform in [0, bound) without bias (Lemire's method). `bound` > 0. */
uint32_t rng_below(struct rng *rng, uint32_t bound);

/** Fill with bytes that cannot be guessed (getrandom). @return GAZ_OK, GAZ_EIO. */
GAZ_MUST_CHECK gaz_status rng_secret(void *out, size_t len);
