/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/netaddr.h"
#include "base/rng.h"

/* The answer to one query: bytes and a source address in, bytes out. No
 * socket, no clock, no log, no allocation, no lock. */

struct zonedb;

enum {
	ANSWER_UDP_CAP = 1232,	/* the largest UDP reply, whatever EDNS allows */
	ANSWER_TCP_CAP = 65535, /* the largest TCP reply, without its length field */
	ANSWER_NO_VPC = -1,
};

struct answer_counters { /* one per worker, written by it alone */
	uint64_t answered;
	uint64_t dropped;
	uint64_t truncated;
	uint64_t rcodes[16];
};

struct answer_context { /* one per worker */
	const struct zonedb *db;
	struct rng rng;
	struct answer_counters counters;
};

struct answer_request {
	const uint8_t *query;
	size_t len;
	struct netaddr source;
	int listener_vpc; /* from view_intern_vpc(), or ANSWER_NO_VPC */
	bool tcp;
};

/**
 * Answer one query (RFC 1034 section 4.3.2, RFC 2308, RFC 6891). The caller
 * holds the RCU read lock and is a registered RCU thread.
 *
 * @param reply  room for the reply; may not overlap the query
 * @param cap    its size: at least ANSWER_UDP_CAP for UDP, ANSWER_TCP_CAP for TCP
 * @return the reply's length; 0: send nothing (not a query, or too short to answer)
 */
size_t answer_query(struct answer_context *ctx, const struct answer_request *req,
		    uint8_t *reply, size_t cap);
