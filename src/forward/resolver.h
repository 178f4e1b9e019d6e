/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/status.h"
#include "forward/forward.h"

/* The resolver thread: takes queries from the desks, has libunbound ask the upstreams,
 * replies to the clients. */

struct resolver;
struct watch;

/** @param watch          of the file with the upstreams of a route; NULL: none. Borrowed
 *                        until resolver_close()
 *  @param watched_route  that route
 *  @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO (no descriptor, or libunbound failed) */
GAZ_MUST_CHECK gaz_status resolver_open(struct forward *forward, struct watch *watch,
					int watched_route, struct resolver **out);

/** @return GAZ_OK, GAZ_EIO (no thread) */
GAZ_MUST_CHECK gaz_status resolver_start(struct resolver *r);

/** Answer all who wait, SERVFAIL, and end the thread, if it runs. */
void resolver_stop(struct resolver *r);

/** Answer what lies in the desks, SERVFAIL. The thread must not run. */
void resolver_give_up(struct resolver *r);

/** Accepts a pointer to NULL. */
void resolver_close(struct resolver **r);

/** Its part of the counters, added. Callable from any thread. */
void resolver_read_counters(const struct resolver *r, struct forward_counters *out);
