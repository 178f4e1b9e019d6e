/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "dns/name.h"

/* Upstreams that ask us again, by whatever way: found out by a question for a name that
 * nobody can guess. It is sent only when something looks like a loop; if it comes back
 * as a query, nothing is asked by that route for a while. */

enum {
	LOOP_LABEL_LEN = 32,
	LOOP_PROBE_EVERY_MS = 10000,
	LOOP_PAUSE_MS = 30000,
};

struct loop {		   /* one per route; zeroed: no loop is known */
	int64_t probed_ms; /* 0: never */
	int64_t over_ms;   /* asked again from then on */
	uint8_t label[1 + LOOP_LABEL_LEN];
};

/** True when it is time for a probe; then `out` is the name to ask for.
 *  @param suffix  that the route covers */
bool loop_begin_probe(struct loop *loop, const uint8_t *suffix, int64_t now_ms,
		      struct dname *out);

/** True when that name is the probe's: the upstream asks us. */
bool loop_is_probe(const struct loop *loop, const struct dname *name);

/** True while the route is not to be used. */
bool loop_is_closed(const struct loop *loop, int64_t now_ms);
