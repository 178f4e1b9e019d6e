/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/call.h"

/* Instances in the store. A commit pays for every page that it changes, and in a table of
 * a million instances a new one changes four that no other registration does. So a new
 * instance is young at first: it lies behind the tally of its service, which is written
 * anyway. When a service has INSTANCE_YOUNG_MAX of them, they go to the table of instances
 * together. An instance is in one of the two places; nobody else knows in which. Statuses
 * as in call.h. */

enum {
	INSTANCE_YOUNG_MAX = 8, /* of a service */
};

GAZ_MUST_CHECK gaz_status instance_load(struct call *call, const char *service_id,
					const char *id, struct instance_record *out);

/** One that is not there; at most one of a service in a call. */
GAZ_MUST_CHECK gaz_status instance_add(struct call *call, const char *service_id,
				       const struct instance_record *inst);

/** One that the store has, changed. */
GAZ_MUST_CHECK gaz_status instance_replace(struct call *call, const char *service_id,
					   const struct instance_record *inst);

/** One that is there. */
GAZ_MUST_CHECK gaz_status instance_remove(struct call *call, const char *service_id,
					  const char *id);

/** All instances of a service as the store has them (not the call's own changes),
 *  in the arena. */
GAZ_MUST_CHECK gaz_status instance_load_all(struct call *call, const char *service_id,
					    struct instance_record **items_out,
					    size_t *count_out);

/** @return GAZ_OK: go on; any other status ends the walk */
typedef gaz_status instance_visit(void *arg, struct span id, struct span value);

/**
 * Each instance of a service as the store has them, in the order of their ids.
 *
 * @param from  the first id, or what would be before it; empty: all
 * @return GAZ_OK, also when visit() returned GAZ_ENOTFOUND; GAZ_ENOMEM, GAZ_ESTORE,
 *         what visit() returned
 */
GAZ_MUST_CHECK gaz_status instance_walk(struct store_txn *txn, const char *service_id,
					struct span from, instance_visit *visit,
					void *arg);

/** Is that key of TABLE_TALLY one of a young instance? Then what follows its first octet
 *  is what the instance would have for a key in TABLE_INSTANCE. */
bool instance_is_young(struct span key, struct span *instance_key_out);
