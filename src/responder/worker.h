/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "base/status.h"
#include "responder/listen.h"

/* One DNS worker: a thread with its own event loop, sockets, buffers and
 * counters. It shares nothing with the other workers but the zone database,
 * which it reads under RCU. */

struct answer_config;
struct cookie_secrets;
struct forward_desk;
struct recursion;
struct responder_counters;
struct worker;
struct zonedb;

struct worker_config { /* all borrowed for the worker's life */
	const struct zonedb *db;
	const struct answer_config *answers;
	const struct cookie_secrets *_Atomic *cookies; /* those in force, under RCU */
	uint32_t udp_gather_us;			       /* as udp.h says */
	uint32_t tcp_idle_ms;			       /* of these two 0: as tcp.h says */
	uint32_t tcp_max;
};

/**
 * @param seed  0: choose one that cannot be guessed
 * @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO (no random bytes, no descriptor)
 */
GAZ_MUST_CHECK gaz_status worker_new(const struct worker_config *config, uint64_t seed,
				     struct worker **out);

/** Serve a pair of sockets; before worker_start(). Takes both descriptors on
 *  success: they become -1. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status worker_add(struct worker *w, struct listen_pair *take,
				     int listener_vpc);

/** Have names of others looked up: before worker_start(). Both are borrowed.
 *  @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status worker_forward(struct worker *w, struct forward_desk *desk,
					 const struct recursion *recursion);

/** @param cpu  that it keeps to; -1: none. @return GAZ_OK, GAZ_EIO (no thread) */
GAZ_MUST_CHECK gaz_status worker_start(struct worker *w, int cpu);

/** Ask a started worker to answer what has arrived and to end. */
void worker_stop(struct worker *w);

/** Wait until it has ended; nothing when it is not running. */
void worker_join(struct worker *w);

/** Closes its sockets. It must not run. Accepts a pointer to NULL. */
void worker_free(struct worker **w);

/** Add its counters to `sum`; callable from any thread. */
void worker_read_counters(const struct worker *w, struct responder_counters *sum);
