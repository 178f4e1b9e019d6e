/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/status.h"
#include "registry/schema.h"

/* Which operations the lists of the scopes begin with that have had one lately. When an
 * old operation is removed, its three lists must not go on beginning with it; nearly
 * always they have not done so for long, and to see that in the store is most of what
 * the removal costs. The writer's own; of fixed size. */

struct operation_recent;

/** @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO (no randomness) */
GAZ_MUST_CHECK gaz_status operation_recent_new(struct operation_recent **out);

/** Accepts a pointer to NULL. */
void operation_recent_free(struct operation_recent **recent);

/** The list of a scope begins with that operation, once the call at work has been stored.
 *  @param operation  its key; empty: it is not known what the list begins with */
void operation_recent_note(struct operation_recent *recent, const struct key *scope,
			   struct span operation);

/** What was noted may not have been stored. */
void operation_recent_forget(struct operation_recent *recent);

/** True: the list begins with another operation than that one. */
bool operation_recent_is_other(const struct operation_recent *recent,
			       const struct key *scope, struct span operation);
