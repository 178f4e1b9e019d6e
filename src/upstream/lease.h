/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "zone/host.h"

/* When to ask the upstream resolver again for the addresses of a host, and how
 * long to live on what it said. Times are monotonic milliseconds. */

enum {
	LEASE_TTL_MAX = 60,		/* what AWS gives the names of load balancers */
	LEASE_STALE_MS = 5 * 60 * 1000, /* beyond the TTL, while nobody answers */
	LEASE_RETRY_MS = 1000,		/* doubles with each failure, */
	LEASE_RETRY_MAX_MS = 60 * 1000, /* up to this */
};

/** Addresses came: ask again before they expire. @return the TTL to answer with */
uint32_t lease_answered(struct host_lease *lease, int64_t now_ms, uint32_t ttl);

/** There are no such addresses: they are to be forgotten. */
void lease_denied(struct host_lease *lease, int64_t now_ms);

/** No answer, or no use of it. @return true when the last good one is too old */
bool lease_failed(struct host_lease *lease, int64_t now_ms);
