/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdatomic.h>

#include "forward/cache.h"
#include "forward/desk.h"
#include "forward/forward.h"
#include "forward/resolver.h"

/* What the workers' side and the resolver's side have in common. */

struct forward {
	struct route *routes; /* the workers read suffixes, which do not change */
	size_t route_count;
	bool has_root;	     /* some route covers every name: */
	int root;	     /* that one */
	struct watch *watch; /* of the file with its upstreams, or NULL */
	struct cache *cache;
	struct forward_desk *desks;
	unsigned desk_count;
	char *(*print_type)(uint16_t type, char out[FORWARD_TYPE_SIZE]);
	_Atomic bool is_closing;
	_Atomic bool has_ended; /* the resolver looks at no wish any more */
	_Atomic(struct forward_wish *) wishes;
	int wake_fd; /* of the resolver */
	struct resolver *resolver;
};

/** Have the resolver look at the desks and the wishes. */
void forward_wake(struct forward *f);

/* ---- the queue of wishes (wish.c) ---- */

/** Those that have come, taken off the queue; NULL: none. */
struct forward_wish *forward_take_wishes(struct forward *f);

/** Tell the owners of a list of wishes. */
void forward_end_wishes(struct forward_wish *wishes, gaz_status st);
