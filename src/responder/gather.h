/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* When a worker lets the queries of a socket gather for a moment before it receives them,
 * so that replies to one client leave together. That is of use only where clients have
 * many queries under way, which nobody tells us: rests are tried, and go on as long as
 * they pay. Knows no clock and no socket. */

enum {
	GATHER_WINDOW = 16,	 /* batches, over which is looked at what came */
	GATHER_REPLIES_MIN = 4,	 /* in a batch: with fewer there is no load */
	GATHER_QUERIES_MAX = 32, /* with so many, a batch is large as it is */
	GATHER_ROW = 1024,	 /* batches; then it is looked again how it is without */
	GATHER_PAUSE_MAX = 4096, /* batches from a try that failed to the next */
};

struct gather_window {
	uint64_t since_ns;
	unsigned batches;
	unsigned replies;
	unsigned messages;
	uint64_t lasted_ns; /* once it is whole */
};

struct gather { /* of one socket; zeroed memory is right at first */
	struct gather_window now;
	struct gather_window plain; /* the last one without rests, if it is whole */
	unsigned row;		    /* batches to come with rests; 0: there are none */
	unsigned pause;		    /* batches until rests are tried again */
	unsigned failures;	    /* of tries since the last that paid */
	bool rested;		    /* before the batch that comes now */
};

/**
 * A batch has been answered, or was empty. Rests pay when with them batches are half as
 * large again as without, when three replies leave in two messages or fewer, and when
 * replies do not become fewer by more than a quarter in the same time: clients which wait
 * for replies before they ask again lose by rests.
 *
 * @param now_ns    by a clock that never goes back
 * @param queries   received
 * @param replies   of them those that were sent at once,
 * @param messages  and in how many messages
 * @return whether to rest before the next batch
 */
bool gather_is_due(struct gather *gather, uint64_t now_ns, unsigned queries,
		   unsigned replies, unsigned messages);
