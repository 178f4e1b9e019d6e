/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "gazctl/client.h"

/* Several calls of the API at a time, each on a connection of its own, since the daemon
 * executes what comes over one connection one after the other. Connections are kept for
 * later calls. Nothing is told to the user here. */

struct calls;

/** @param client  borrowed  @param max  calls under way  @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status calls_new(const struct client *client, size_t max,
				    struct calls **out);
/** Calls that are under way are no longer waited for. */
void calls_free(struct calls **calls);

/**
 * Begin a call; fewer than `max` must be under way.
 *
 * @param trial  X-Gazetteer-Trial: only check the input
 * @param err    what went wrong
 * @return GAZ_OK, or what http_send() and client_encode() return
 */
GAZ_MUST_CHECK gaz_status calls_submit(struct calls *calls, const char *operation,
				       bool trial, const json_t *input,
				       struct gaz_error *err);

/**
 * Wait for the reply to the oldest call that is under way; there must be one. If none
 * comes, those to the others have had as much time: of them only what has come is taken.
 *
 * @param out  a new reference; with GAZ_EREFUSED the body of the error
 * @param err  what went wrong, but not with GAZ_EREFUSED
 * @return GAZ_OK, GAZ_EREFUSED, or what http_receive() and client_decode() return
 */
GAZ_MUST_CHECK gaz_status calls_collect(struct calls *calls, json_t **out,
					struct gaz_error *err);
