/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/recursion.h"

#include "zone/view.h"

static bool is_in_some_vpc(const struct zonedb *db, const struct netaddr *source,
			   const struct view_tags *tags, int listener_vpc)
{
	struct view_tags own;

	if (listener_vpc == VIEW_NO_VPC)
		return tags->count > 0;
	view_find(db, source, VIEW_NO_VPC, &own);
	return own.count > 0;
}

bool recursion_is_allowed(const struct recursion *recursion, const struct zonedb *db,
			  const struct netaddr *source, const struct view_tags *tags,
			  int listener_vpc)
{
	if (recursion->allowed.count > 0)
		return netprefix_list_holds(&recursion->allowed, source);
	return netaddr_is_loopback(source) ||
	       is_in_some_vpc(db, source, tags, listener_vpc);
}
