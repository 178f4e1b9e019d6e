/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "base/netaddr.h"

/* Who may ask for names that are not ours: a plain list, the same for all workers. */

struct view_tags;
struct zonedb;

struct recursion {
	/* None: loopback, and the declared prefixes of all VPCs. */
	struct netprefix_list allowed;
};

/**
 * A listener's VPC gives nobody the right to recurse: whoever reaches it belongs to that
 * VPC, and it may be reached from anywhere. Needs the RCU read lock.
 *
 * @param tags          what view_find() has found for the source and the listener
 * @param listener_vpc  VIEW_NO_VPC: `tags` are those of the source alone
 */
bool recursion_is_allowed(const struct recursion *recursion, const struct zonedb *db,
			  const struct netaddr *source, const struct view_tags *tags,
			  int listener_vpc);
