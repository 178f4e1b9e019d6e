/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "dns/edns.h"
#include "dns/reply.h"
#include "forward/entry.h"
#include "forward/forward-internal.h"
#include "forward/loop.h"
#include "forward/question.h"
#include "forward/reach.h"

/* The resolver thread: resolver.c runs it and keeps its upstreams, resolver_query.c
 * has what becomes of a query. */

struct event;
struct event_base;
struct ub_ctx;

struct resolver {
	struct forward *forward;
	struct watch *watch; /* of resolv.conf, or NULL */
	int watched_route;
	struct event_base *base;
	struct event *wake;
	struct event *tick;
	struct event *look;
	pthread_t thread;
	bool running;
	struct ub_ctx *ctx;
	bool is_deleting;    /* the context; it calls back for all that it was asked */
	uint64_t generation; /* how often it was renewed */
	struct questions questions;
	struct loop loops[ROUTES_MAX];
	struct reach reaches[ROUTES_MAX];
	_Atomic uint64_t asked;
	_Atomic uint64_t failures;
	_Atomic uint64_t turned_away;
	_Atomic uint64_t rcodes[16];
	uint8_t scratch[ENTRY_SCRATCH_SIZE];
	uint8_t out[REPLY_TCP_MAX];
};

/** A client's query has come: it gets its reply sooner or later. */
void resolver_take_query(struct resolver *r, struct desk_slot *slot);

/** Ask the upstreams. The answer may come before this returns: `question` may be gone
 *  then. */
void resolver_ask(struct resolver *r, struct question *question);

/** No upstream has answered, or not in time: all who wait get SERVFAIL. */
void resolver_take_failure(struct resolver *r, struct question *question);

/** SERVFAIL to one client, and to all who wait for an answer. */
void resolver_fail(struct resolver *r, struct desk_slot *slot, enum edns_error error);
void resolver_fail_waiting(struct resolver *r, struct question *question,
			   enum edns_error error);
