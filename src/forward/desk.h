/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/status.h"
#include "dns/message.h"
#include "dns/name.h"
#include "dns/reply.h"
#include "forward/forward.h"

/* Where a DNS worker and the resolver thread hand each other the queries of clients, in
 * slots that are there from the start: no allocation, no lock, and no more of them than
 * there are slots. Those that were never in use take no memory. Each ring has one thread
 * that puts and one that takes. */

enum {
	DESK_SLOTS = 2048,
	DESK_HEAD_MAX = 4096, /* octets of a reply begun: question, CNAMEs of ours */
	DESK_CONTROL_MAX = 64,
	DESK_SUBNET_MAX = 32, /* octets of a client subnet option (RFC 7871) */
};

/* A client's query, and the reply to it as far as it goes. */
struct desk_slot {
	struct reply reply; /* its octets are `head`; limit and all else are good */
	struct query query;
	struct edns_reply opt;
	uint8_t subnet[DESK_SUBNET_MAX]; /* what `opt` points to */
	struct dname name;	   /* to forward: the question's, or a CNAME's target */
	size_t name_at;		   /* where the reply holds it */
	struct desk_slot *next;	   /* of those who wait for one answer */
	struct forward_desk *desk; /* that it belongs to */
	/* The client: */
	int fd; /* UDP; -1: TCP */
	socklen_t address_len;
	struct sockaddr_storage address;
	size_t control_len;
	_Alignas(8) uint8_t control[DESK_CONTROL_MAX];
	uint64_t ticket; /* the worker's own name for a TCP client */
	/* The resolver's reply over TCP, malloc'd: */
	uint8_t *done;
	size_t done_len;
	uint8_t head[DESK_HEAD_MAX];
};

struct desk_ring {
	_Alignas(64) _Atomic uint32_t put; /* so many in its life */
	_Alignas(64) _Atomic uint32_t taken;
	uint16_t items[DESK_SLOTS]; /* no more than there are slots: never full */
};

struct forward_desk {
	struct forward *forward;
	struct desk_slot *slots;
	uint16_t free[DESK_SLOTS]; /* the worker's */
	unsigned free_count;
	bool must_wake;		/* something was put since the last flush */
	struct desk_ring asked; /* to the resolver */
	struct desk_ring back;	/* from it: the client has its reply */
	struct desk_ring done;	/* from it: replies over TCP, for the worker to send */
	int wake_fd;		/* there are such */
	/* Written by the worker alone. */
	_Alignas(64) _Atomic uint64_t hits;
	_Atomic uint64_t taken;
	_Atomic uint64_t turned_away;
};

/** @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO (no descriptor) */
GAZ_MUST_CHECK gaz_status desk_init(struct forward_desk *desk, struct forward *forward);

/** Also after a failed or no desk_init() of zeroed memory. */
void desk_fini(struct forward_desk *desk);

/* The worker's side: */

/** A free slot, or NULL. It is the worker's until desk_put_asked(). */
struct desk_slot *desk_get(struct forward_desk *desk);
void desk_put_asked(struct forward_desk *desk, const struct desk_slot *slot);
/** A slot with a reply over TCP, to be given back by desk_release(). NULL: no more. */
struct desk_slot *desk_take_done(struct forward_desk *desk);
void desk_release(struct forward_desk *desk, struct desk_slot *slot);

/* The resolver's side: */

struct desk_slot *desk_take_asked(struct forward_desk *desk);
/** A UDP client has its reply, or a TCP client's worker is to send slot->done. */
void desk_put_back(struct forward_desk *desk, const struct desk_slot *slot);
