/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "base/status.h"

/* The sockets of one address: for each worker one UDP socket and one TCP
 * listener, all on the same port. The kernel spreads the clients over them
 * (SO_REUSEPORT). All are non-blocking and close-on-exec. */

struct listen_pair {
	int udp;
	int tcp;
};

/**
 * Open `count` pairs.
 *
 * @param addr       its port, when 0, is replaced by the one that was chosen
 * @param exclusive  fail when any other socket has this port; false only
 *                   where an own socket has the same port on another address
 * @param pairs      room for `count`; on error nothing in it is open
 * @param err        names the address and what to do
 * @return GAZ_OK, GAZ_EIO
 */
GAZ_MUST_CHECK gaz_status listen_open(struct sockaddr_storage *addr, bool exclusive,
				      struct listen_pair *pairs, size_t count,
				      struct gaz_error *err);

/**
 * The same for a pair that is bound already (by systemd, say): every worker gets both
 * sockets, and the kernel wakes all of them for each query.
 *
 * @param bound  stays the caller's
 * @return GAZ_OK, GAZ_EIO; on error nothing in `pairs` is open
 */
GAZ_MUST_CHECK gaz_status listen_share(const struct sockaddr *sa,
				       const struct listen_pair *bound,
				       struct listen_pair *pairs, size_t count,
				       struct gaz_error *err);

/** True for 0.0.0.0 and ::. */
bool listen_is_wildcard(const struct sockaddr *sa);
