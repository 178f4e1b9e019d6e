/* SPDX-License-Identifier: BSD-2-Clause */
#include "histogram.h"

#include <sys/resource.h>
#include <time.h>

static unsigned bucket_of(uint64_t ns)
{
	unsigned shift = 0;

	while (ns >> shift >= 2 * HISTOGRAM_STEPS)
		shift++;
	return shift * HISTOGRAM_STEPS + (unsigned)(ns >> shift);
}

static uint64_t largest_in(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * HISTOGRAM_STEPS)
		return bucket;
	shift = bucket / HISTOGRAM_STEPS - 1;
	return (((uint64_t)bucket - shift * HISTOGRAM_STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->buckets[bucket_of(ns)]++;
	h->count++;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

uint64_t histogram_at(const struct histogram *h, double share)
{
	double left = share * (double)h->count;

	for (unsigned i = 0; h->count > 0 && i < HISTOGRAM_BUCKETS; i++) {
		left -= (double)h->buckets[i];
		if (left <= 0 && h->buckets[i] > 0)
			return largest_in(i) < h->max_ns ? largest_in(i) : h->max_ns;
	}
	return h->max_ns;
}

void histogram_print(const struct histogram *h, FILE *to)
{
	(void)fprintf(to,
		      "\"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, "
		      "\"max_us\": %.1f",
		      (double)histogram_at(h, 0.5) / 1e3,
		      (double)histogram_at(h, 0.9) / 1e3,
		      (double)histogram_at(h, 0.99) / 1e3, (double)h->max_ns / 1e3);
}

uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t cpu_us(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}
