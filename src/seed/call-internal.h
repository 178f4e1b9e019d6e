/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "seed/work-internal.h"

/* Calls of the API. As many as the API lets us are under way at a time, so that one commit
 * takes many; what depends on a call is sent when its reply has come. */

/**
 * What follows a call: called exactly once for each that was sent.
 *
 * It may send more calls, which go before those that wait, so that items are done about
 * in the order of the document, and memory is bounded by what lies below a few of them.
 * It must not wait: neither seed_call() nor what uses it.
 *
 * @param st     GAZ_OK; GAZ_EREFUSED: a fault has been told; else what ended the work
 * @param reply  the output, borrowed; NULL after an error
 * @return what is neither GAZ_OK nor GAZ_EREFUSED ends the work
 */
typedef gaz_status seed_on_reply(struct seed *s, void *arg, gaz_status st,
				 const json_t *reply);

/**
 * Send a call; wait only for others, until this one is under way.
 *
 * @param take  the input, freed in any case; NULL is GAZ_ENOMEM
 * @param then  NULL: nothing follows
 * @return what ended the work, GAZ_OK if nothing
 */
gaz_status seed_send(struct seed *s, const char *path, const char *operation,
		     json_t *take, seed_on_reply *then, void *arg);

/** Have the API check an input; tells of each violation with the path of its member. As
 *  seed_send(). */
gaz_status seed_send_trial(struct seed *s, const char *path, const char *operation,
			   json_t *take);

/** Wait until nothing is under way. @return as seed_send() */
GAZ_MUST_CHECK gaz_status seed_drain(struct seed *s);

/**
 * Call an operation and wait for its reply.
 *
 * @param take  freed in any case; NULL is GAZ_ENOMEM
 * @param out   a new reference, NULL after an error
 */
GAZ_MUST_CHECK gaz_status seed_call(struct seed *s, const char *path,
				    const char *operation, json_t *take, json_t **out);

/** Call a List operation until its last page. @param out  the whole list */
GAZ_MUST_CHECK gaz_status seed_list(struct seed *s, const char *path,
				    const char *operation, json_t *take, const char *list,
				    json_t **out);
