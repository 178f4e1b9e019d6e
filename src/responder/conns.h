/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* The connections of one worker over TCP: what each has asked, is answered, and has not
 * taken yet. They are kept in the order of their idleness, so that it is always the one
 * idle longest that gives way. */

struct conns;
struct sockaddr;
struct worker_core;

/**
 * @param core     borrowed
 * @param idle_ms  how long one may ask nothing; a sixth of it while more than half of
 *                 all there can be are open (RFC 7766, section 6.2.3)
 * @param max      how many there can be: one more replaces the one idle longest
 * @return GAZ_OK, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status conns_new(struct worker_core *core, uint32_t idle_ms,
				    uint32_t max, struct conns **out);

/** Serve an accepted connection, non-blocking. Takes the descriptor in any case, and
 *  closes it at once if there is no memory. */
void conns_open(struct conns *conns, int fd, const struct sockaddr *peer,
		int listener_vpc);

unsigned conns_count(const struct conns *conns);

/** Close the one idle longest. @return false: there is none */
bool conns_close_idlest(struct conns *conns);

/** Close those that have been idle for too long. */
void conns_close_idle(struct conns *conns);

/** Send the replies that the resolver has for them. The core has a desk. */
void conns_collect(struct conns *conns);

/** Answer what they have sent, wait a short time for peers that are slow to take their
 *  replies, close all. Runs the event loop. */
void conns_drain(struct conns *conns);

/** Closes all. Accepts a pointer to NULL. */
void conns_free(struct conns **conns);
