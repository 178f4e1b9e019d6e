/* SPDX-License-Identifier: BSD-2-Clause */
#include "upstream/lease.h"

static void ask_later(struct host_lease *lease, int64_t now_ms)
{
	int64_t wait = LEASE_RETRY_MAX_MS;

	if (lease->failures < 6) /* 64 s would be too long */
		wait = (int64_t)LEASE_RETRY_MS << lease->failures;
	lease->failures++;
	lease->due_ms = now_ms + wait;
}

uint32_t lease_answered(struct host_lease *lease, int64_t now_ms, uint32_t ttl)
{
	uint32_t shown = ttl < LEASE_TTL_MAX ? ttl : LEASE_TTL_MAX;
	int64_t ttl_ms = (int64_t)shown * 1000;
	int64_t wait = ttl_ms * 4 / 5;

	lease->failures = 0;
	lease->due_ms = now_ms + (wait > LEASE_RETRY_MS ? wait : LEASE_RETRY_MS);
	lease->keep_until_ms = now_ms + ttl_ms + LEASE_STALE_MS;
	return shown;
}

void lease_denied(struct host_lease *lease, int64_t now_ms)
{
	lease->keep_until_ms = now_ms;
	ask_later(lease, now_ms);
}

bool lease_failed(struct host_lease *lease, int64_t now_ms)
{
	ask_later(lease, now_ms);
	return now_ms >= lease->keep_until_ms;
}
