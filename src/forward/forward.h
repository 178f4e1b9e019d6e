/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/status.h"
#include "dns/edns.h"
#include "forward/route.h"

/* Names that lie in none of our zones: upstream resolvers are asked for them, by
 * libunbound in a thread of its own. A DNS worker never waits: it answers from what is
 * known already, or hands the query over through its desk. Every query that was handed
 * over gets a reply, within FORWARD_BUDGET_MS. */

struct dname;
struct forward;
struct forward_desk;
struct query;
struct reply;

enum {
	FORWARD_BUDGET_MS = 3500, /* clients give up after 5 s */
	FORWARD_CACHE_BYTES = 32 << 20,
	FORWARD_QUESTIONS_MAX = 1000, /* different ones under way */
	FORWARD_TYPE_SIZE = 24,	      /* a type's mnemonic */
};

struct forward_config {
	const struct route *routes; /* copied; no two with one suffix */
	size_t route_count;
	/* Where the upstreams of all other names stand, and to be watched for changes:
	 * a file in the format of resolv.conf(5), copied; NULL: none. */
	const char *resolv_conf;
	const struct sockaddr *const *listeners; /* our own, which are no upstreams */
	size_t listener_count;
	unsigned desks; /* one per thread that looks names up */
	/* For the log: a type's mnemonic, or TYPE123. @return out */
	char *(*print_type)(uint16_t type, char out[FORWARD_TYPE_SIZE]);
};

struct forward_counters {
	uint64_t queries;     /* handed over */
	uint64_t hits;	      /* answered from what was known already */
	uint64_t questions;   /* that upstreams were asked for them */
	uint64_t failures;    /* queries answered SERVFAIL: no upstream answered, */
	uint64_t turned_away; /* or too many were under way */
	uint64_t rcodes[16];  /* of the replies to those handed over */
};

/**
 * @param err  what is wrong and what to do about it: an upstream that is one of our
 *             listeners, a file without any other upstream
 * @return GAZ_OK, GAZ_EREFUSED (as above), GAZ_EIO, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status forward_open(const struct forward_config *config,
				       struct forward **out, struct gaz_error *err);

/** @return GAZ_OK, GAZ_EIO (no thread) */
GAZ_MUST_CHECK gaz_status forward_start(struct forward *f);

/** Answer SERVFAIL to all who wait, and stop; from now on nothing is taken over. */
void forward_stop(struct forward *f);

/** Stops first. No worker may run any more, but their sockets must still be open: who
 *  was handed over too late gets a reply. Accepts a pointer to NULL. */
void forward_close(struct forward **f);

/** True when no upstream is ever asked for the name: it is answered here, as special (RFC
 *  6303, RFC 6761). Callable from any thread. */
bool forward_stays_here(const struct forward *f, const struct dname *name);

/* A wish that all that upstreams have answered be forgotten. */
struct forward_wish {
	struct forward_wish *next; /* the queue's */
	/* Called once, on another thread or on the caller's: GAZ_OK, and what is asked from
	 * now on is asked of upstreams; GAZ_EIO, GAZ_ENOMEM: all is as before; GAZ_EBUSY:
	 * forwarding has ended. The wish is its owner's again. */
	void (*done)(struct forward_wish *wish, gaz_status st);
};

/** Forget every answer, and libunbound's own: what upstreams are being asked meanwhile is
 *  asked again. Takes the wish until it is done. Callable from any thread, until
 *  forward_close(). */
void forward_forget(struct forward *f, struct forward_wish *wish);

/** Callable from any thread. */
void forward_read_counters(const struct forward *f, struct forward_counters *out);

/* ---- for DNS workers; each has one desk, and uses no other ---- */

struct forward_desk *forward_desk(struct forward *f, unsigned number);

struct forward_question {
	struct reply *reply;	   /* with CNAMEs of ours, or no records yet */
	const struct query *query; /* that it answers */
	const struct dname *name;  /* to be looked for */
	size_t name_at;		   /* where the reply holds it */
};

enum forward_verdict {
	FORWARD_NOWHERE = 0, /* no upstream is there for such names */
	FORWARD_ANSWERED,    /* the reply has its records */
	FORWARD_LATER,	     /* to be handed over */
};

/** Answer from what is known. Needs the RCU read lock.
 *  @param rcode_out  with FORWARD_ANSWERED: the reply's */
enum forward_verdict forward_look(struct forward_desk *desk,
				  const struct forward_question *question,
				  unsigned *rcode_out);

struct forward_client { /* who asked; what it points to is copied */
	int fd;		/* the UDP socket to reply from; -1: TCP */
	const struct sockaddr *address;
	socklen_t address_len;
	const void *control; /* the control message to reply with, NULL: none */
	size_t control_len;
	uint64_t ticket; /* with TCP: the worker's own name for the connection */
};

/** Hand a query over. @return false: too many are under way, to be answered by
 *  forward_fail() at once */
bool forward_hand_over(struct forward_desk *desk, const struct forward_question *question,
		       const struct forward_client *client);

/** Finish a reply without records, SERVFAIL with an extended error if the client knows
 *  these. @return its length */
size_t forward_fail(struct reply *reply, const struct query *query,
		    enum edns_error error);

/** Wake the resolver for what was handed over, if anything was. */
void forward_flush(struct forward_desk *desk);

/** Readable when there are replies for forward_collect(). */
int forward_desk_fd(const struct forward_desk *desk);

/** Call `send` for each reply over TCP that has come. */
void forward_collect(struct forward_desk *desk,
		     void (*send)(void *arg, uint64_t ticket, const uint8_t *reply,
				  size_t len),
		     void *arg);
