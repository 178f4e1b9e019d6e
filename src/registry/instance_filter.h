/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"

/* Which instances there certainly are none of: a Bloom filter over the keys of
 * TABLE_INSTANCE. Nearly every registration is of a new instance, and to see in the store
 * that it is, among a million others, costs more than to write it. Two octets for each
 * instance. The writer's own.
 *
 * What has been taken out of the store stays in the filter. So a successor is made from
 * the store (instance_filling.h) when as much has been added as there is room for. */

struct instance_filter;

/** It excludes nothing until there is a first successor. @return NULL: out of memory */
struct instance_filter *instance_filter_new(void);

/** Accepts a pointer to NULL. */
void instance_filter_free(struct instance_filter **filter);

/** True: neither in the store nor, by instance_filter_add(), on the way there. */
bool instance_filter_excludes(const struct instance_filter *filter, struct span key);

/** Of every instance that is new. If it does not get into the store nevertheless, nothing
 *  is to be undone. */
void instance_filter_add(struct instance_filter *filter, struct span key);

/* ---- the successor ---- */

/** Is it time for one? */
bool instance_filter_is_full(const struct instance_filter *filter);

/** Begin one, with room for so many instances and as many more. What is added from here
 *  on is in it too. @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status instance_filter_begin(struct instance_filter *filter,
						size_t instances);

/** One that was in the store before the successor was begun. */
void instance_filter_put(struct instance_filter *filter, struct span key);

/** All that were there have been put: it takes over. */
void instance_filter_finish(struct instance_filter *filter);

/** There will be none now: what there is serves on for a while. */
void instance_filter_give_up(struct instance_filter *filter);
