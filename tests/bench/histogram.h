/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Latencies in buckets that are at most 1/64 wide of what they hold: cheap to
 * add to, exact enough for percentiles. */

#include <stdint.h>
#include <stdio.h>

enum {
	HISTOGRAM_STEPS = 64, /* buckets for each power of two; a power of two */
	HISTOGRAM_BUCKETS = 64 * HISTOGRAM_STEPS,
};

struct histogram {
	uint64_t count;
	uint64_t max_ns;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);

/** The latency in ns that a share of them, 0 to 1, does not exceed; 0: none is there. */
uint64_t histogram_at(const struct histogram *h, double share);

/** Write "p50_us": ..., "p90_us", "p99_us" and "max_us" as members of a JSON object. */
void histogram_print(const struct histogram *h, FILE *to);

/** Nanoseconds of the monotonic clock. */
uint64_t monotonic_ns(void);

/** Microseconds that this process was on a CPU. */
uint64_t cpu_us(void);
