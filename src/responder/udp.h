/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "base/status.h"

/* DNS over UDP: receive a batch, answer it under one RCU read lock, send it. */

struct worker_core;
struct udp;

/**
 * Preallocates everything that the query path needs.
 *
 * @param core       borrowed
 * @param gather_us  how long queries may gather, when that pays; 0: not at all
 * @return GAZ_OK, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status udp_new(struct worker_core *core, uint32_t gather_us,
				  struct udp **out);

/** Serve a bound, non-blocking socket; takes it on success: *take becomes -1.
 *  @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status udp_add(struct udp *udp, int *take, int listener_vpc);

/** Answer what the sockets hold already, and listen no more. */
void udp_drain(struct udp *udp);

/** Accepts a pointer to NULL. */
void udp_free(struct udp **udp);
