/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "responder/answerjob.h"
#include "responder/counters.h"

/* What the sockets of one worker share: its event loop, what answering needs, and the
 * counters. */

struct event_base;

enum {
	CORE_COUNTERS = sizeof(struct responder_counters) / sizeof(uint64_t)
};

struct worker_core {
	struct event_base *base;
	struct answer_context ctx;
	const struct cookie_secrets *_Atomic *cookies; /* those in force, under RCU */
	struct {
		uint64_t udp_queries;
		uint64_t udp_grouped;
		uint64_t udp_rests;
		uint64_t tcp_queries;
		uint64_t answered;
		uint64_t dropped;
		uint64_t tcp_connections;
		uint64_t handed_over; /* to the resolver, which replies */
	} tally;
	/* Written by this worker only, read by any thread: a struct responder_counters. */
	_Alignas(64) _Atomic uint64_t published[CORE_COUNTERS];
};

/** Look at the clock, and take the cookie secrets that are in force, for the answers that
 *  follow: once per batch, at the start of the RCU read section that it is answered in. */
void core_begin_batch(struct worker_core *core);

/** Let other threads see the counters; once per batch, after it. */
void core_publish_counters(struct worker_core *core);

/** Add the counters to `sum`; callable from any thread. */
void core_read_counters(const struct worker_core *core, struct responder_counters *sum);
