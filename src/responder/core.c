/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/core.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"

void core_begin_batch(struct worker_core *core)
{
	core->ctx.cookies.secrets =
		atomic_load_explicit(core->cookies, memory_order_acquire);
	cookie_set_time(&core->ctx.cookies, clock_seconds());
}

/* All fields of a struct responder_counters are handled alike, as an array. */
void core_publish_counters(struct worker_core *core)
{
	const struct responder_counters now = {
		.udp_queries = core->tally.udp_queries,
		.udp_grouped = core->tally.udp_grouped,
		.udp_rests = core->tally.udp_rests,
		.tcp_queries = core->tally.tcp_queries,
		.answered = core->tally.answered,
		.dropped = core->tally.dropped,
		.truncated = core->ctx.counters.truncated,
		.tcp_connections = core->tally.tcp_connections,
	};
	uint64_t values[CORE_COUNTERS];

	_Static_assert(sizeof now.rcodes == sizeof core->ctx.counters.rcodes,
		       "copied below");
	memcpy(values, &now, sizeof values);
	memcpy(values + offsetof(struct responder_counters, rcodes) / sizeof *values,
	       core->ctx.counters.rcodes, sizeof core->ctx.counters.rcodes);
	for (int i = 0; i < CORE_COUNTERS; i++)
		atomic_store_explicit(&core->published[i], values[i],
				      memory_order_relaxed);
}

void core_read_counters(const struct worker_core *core, struct responder_counters *sum)
{
	uint64_t values[CORE_COUNTERS];

	memcpy(values, sum, sizeof values);
	for (int i = 0; i < CORE_COUNTERS; i++)
		values[i] +=
			atomic_load_explicit(&core->published[i], memory_order_relaxed);
	memcpy(sum, values, sizeof values);
}
