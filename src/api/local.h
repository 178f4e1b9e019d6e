/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

/* The API without HTTP, for the daemon itself: the same operations, checks and errors. */

struct registry;
struct api_local;

/**
 * @param region, account  whose resources the calls are about; borrowed
 * @return GAZ_OK, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status api_local_new(struct registry *registry, const char *region,
					const char *account, struct api_local **out);
/** All calls must have been collected. */
void api_local_free(struct api_local **local);

/**
 * Begin a call: for one thread at a time, while the writer runs. Reads are done at once;
 * mutations go to the writer, which takes all that wait for it into one commit.
 *
 * @param target  as in X-Amz-Target
 * @param trial   only check the input, strictly, and answer {}
 * @param input   decoded at once, not kept
 * @return GAZ_OK: the reply is to be collected, whatever it says; GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status api_local_submit(struct api_local *local, const char *target,
					   bool trial, const json_t *input);

/**
 * Wait for the reply to the oldest call that has not been collected; there must be one.
 *
 * @param out  a new reference: the output; with GAZ_EREFUSED the body of the error. Only
 *             reads and mutations are there: no GetStatus, no files.
 * @return GAZ_OK, GAZ_EREFUSED, GAZ_ENOMEM, and what the registry's functions return
 */
GAZ_MUST_CHECK gaz_status api_local_collect(struct api_local *local, json_t **out);
