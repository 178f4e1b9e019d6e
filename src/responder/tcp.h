/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "base/status.h"

/* DNS over TCP (RFC 7766): a two-byte length before each message, any number
 * of queries on one connection. They are answered in the order in which
 * they came, but for those that wait for an upstream (section 6.2.1.1). */

struct worker_core;
struct tcp;

enum {
	TCP_IDLE_MS = 30000, /* these where tcp_new() is told 0 */
	TCP_MAX = 512,
};

/**
 * @param core     borrowed
 * @param idle_ms  how long a connection may ask nothing; a sixth of it while more than
 *                 half of all there can be are open (RFC 7766, section 6.2.3)
 * @param max      how many there can be: one more replaces the one idle longest
 * @return GAZ_OK, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status tcp_new(struct worker_core *core, uint32_t idle_ms,
				  uint32_t max, struct tcp **out);

/** Accept connections from a bound, non-blocking listener; takes it on
 *  success: *take becomes -1. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status tcp_add(struct tcp *tcp, int *take, int listener_vpc);

/** Send the replies that the resolver has for its connections. */
void tcp_collect(struct tcp *tcp);

/** Answer what has arrived, wait a short time for peers that are slow to take
 *  their replies, close everything. Runs the event loop, which must hold no
 *  other event any more. */
void tcp_drain(struct tcp *tcp);

/** Accepts a pointer to NULL. */
void tcp_free(struct tcp **tcp);
