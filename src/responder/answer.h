/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "responder/answerjob.h"

/* The answer to one query: bytes and a source address in, bytes out. No
 * socket, no clock, no log, no allocation, no lock. */

struct forward_client;

/* No reply yet: the query is for answer_hand_over(). */
#define ANSWER_LATER SIZE_MAX

/*
 * Answer a query (RFC 1034 section 4.3.2, RFC 2308, RFC 6891) in three steps, all
 * within one RCU read section of a registered RCU thread. With many queries at hand
 * each step is done for all of them before the next: it asks the CPU for the memory
 * that the next one reads, so that they wait for it together and not one by one.
 */

/** Parse job->req, and find the zone. What the request points to stays until the end. */
void answer_begin(struct answer_context *ctx, struct answer_job *job);

/** Ask for the name's node. Does nothing else, and may be left out. */
void answer_locate(const struct answer_job *job);

/**
 * Write the reply.
 *
 * @param reply  room for it; may not overlap the query
 * @param cap    its size: at least ANSWER_UDP_CAP for UDP, ANSWER_TCP_CAP for TCP
 * @return the reply's length; 0: send nothing (not a query, or too short to answer);
 *         ANSWER_LATER, never without ctx->desk
 */
size_t answer_finish(struct answer_job *job, uint8_t *reply, size_t cap);

/** After ANSWER_LATER: give the query to the resolver, which replies to the client. Too
 *  many are under way: it is SERVFAIL, written to where answer_finish() was to write.
 *  @return the reply's length; 0: the resolver has it */
size_t answer_hand_over(struct answer_job *job, const struct forward_client *client);

/** One query alone. @return as answer_finish(). */
size_t answer_query(struct answer_context *ctx, const struct answer_request *req,
		    uint8_t *reply, size_t cap);
