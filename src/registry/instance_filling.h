/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/instance_filter.h"
#include "registry/schema.h"

/* Makes successors of the writer's filter from the store, some entries at a time, between
 * its groups. */

struct store;

struct instance_filling {
	bool is_under_way;
	size_t place;  /* which of the tables with instances is being read, */
	struct key at; /* and from which key on; empty: from the first */
};

/** Go on, or begin if the filter is full. Reads so many entries at most. While no
 *  transaction of this thread is open.
 *  @return there is more to do */
bool instance_filling_step(struct instance_filling *filling,
			   struct instance_filter *filter, struct store *store,
			   size_t entries);
