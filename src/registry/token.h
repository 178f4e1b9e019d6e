/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/call.h"

/* Which request started which operation (CreatorRequestId, UpdaterRequestId). The
 * digest of a request is kept with its operation. This index over them is in memory,
 * 16 octets for each: in the store it would be one more page at a random place for
 * every mutation to write. The writer's own. */

struct token_index;

/** Read the operations' digests, unless that has been done.
 *  @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO (no randomness), GAZ_ESTORE */
GAZ_MUST_CHECK gaz_status token_load(struct call *call);

/** The operation that the request has started, in the call's arena.
 *  @return GAZ_OK, GAZ_ENOTFOUND, or as token_load() */
GAZ_MUST_CHECK gaz_status token_find(struct call *call,
				     const uint8_t token[OPERATION_TOKEN_LEN],
				     const char **operation_id_out);

/** Remember what an operation holds that the call puts into the store. If the call
 *  fails nevertheless, nothing is to be undone. @return GAZ_OK, or as token_load() */
GAZ_MUST_CHECK gaz_status token_add(struct call *call,
				    const uint8_t token[OPERATION_TOKEN_LEN],
				    int64_t submit_ms);

/** Accepts a pointer to NULL. */
void token_index_free(struct token_index **index);
