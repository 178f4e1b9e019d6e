/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether this machine has a way to any upstream at all. libunbound does not tell why it
 * has failed; the kernel knows at once where nothing can be sent to. */

struct route;

enum {
	REACH_AGAIN_MS = 1000, /* so long a look is good for */
};

struct reach { /* one per route; zeroed: nobody has looked yet */
	int64_t looked_ms;
	bool is_cut_off;
};

/** True when nothing can be sent to any address of the route: no network, or none of
 *  that family. Sends nothing itself. */
bool reach_is_cut_off(struct reach *reach, const struct route *route, int64_t now_ms);
