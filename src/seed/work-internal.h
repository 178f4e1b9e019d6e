/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "seed/seed.h"

/* One run over a document, and what is told of it. A function of this folder that returns
 * GAZ_EREFUSED has told of a fault of its item, and the next item's turn comes; any other
 * error ends the work. */

enum {
	SEED_PATH_SIZE = 192, /* three indexes of 20 digits, and the names of members */
};

struct seed_request; /* call.c's */
struct seed_pending; /* operation.c's */

struct seed_requests {
	struct seed_request *head;
	struct seed_request **tail; /* NULL: the list is new, and empty */
};

struct seed {
	const struct seed_api *api;
	const struct seed_observer *observer;
	struct seed_options options;
	size_t number;
	size_t total;
	size_t faults;
	json_t *vpcs;	    /* as Gazetteer.ListVpcs has them */
	json_t *namespaces; /* as Gazetteer.ListNamespaces has them */

	gaz_status status; /* what ended the work; GAZ_OK: nothing */

	/* call.c's */
	struct seed_requests waiting;
	struct seed_requests under_way; /* the oldest first */
	struct seed_requests following; /* sent by the reply that is being handled */
	size_t under_way_count;
	size_t creation_count; /* of those under way, while their order matters */
	bool is_in_reply;
	bool is_throttled; /* the API wants fewer calls a second */
	int64_t passed_ms; /* when it last took one */

	struct seed_pending *pending; /* operation.c's: the oldest first */
	struct seed_pending *last_pending;
};

/** A run that has only begun. The arguments are borrowed but for the options. */
struct seed seed_begin(const struct seed_api *api, const struct seed_observer *observer,
		       const struct seed_options *options);

/** Is it a status after which the next item's turn comes? */
bool seed_may_go_on(gaz_status st);

/** Shall the work be given up? */
bool seed_is_over(const struct seed *s);

void seed_fault(struct seed *s, const char *path, const char *fmt, ...) GAZ_PRINTF(3, 4);

/** Tell of an item that is as it shall be. @return GAZ_OK; GAZ_EBUSY: give up */
GAZ_MUST_CHECK gaz_status seed_tell(struct seed *s, enum seed_action action,
				    const char *kind, const char *name, const char *path);
