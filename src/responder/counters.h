/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/* What is counted, of one worker or of all together, since the start. Nothing but
 * numbers of one kind: core.c handles them as an array. */

struct responder_counters {
	uint64_t udp_queries;
	uint64_t udp_grouped; /* replies that left in a message with others */
	uint64_t udp_rests;   /* times that a worker let queries gather */
	uint64_t tcp_queries;
	uint64_t answered; /* replies sent */
	uint64_t dropped;  /* not answered: no query, or the reply could not be sent */
	uint64_t truncated;
	uint64_t rcodes[16];	  /* by the low four bits of the rcode */
	uint64_t tcp_connections; /* accepted */
};
