/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The replies of one batch on their way out. Nearly all that a reply costs is its way
 * through the kernel, so replies to one client from one address leave in one message,
 * which the kernel takes apart at the end of that way. One outbox for each worker. */

struct outbox;
struct reply;

/* What became of a batch. */
struct outbox_tally {
	unsigned sent;	    /* replies that went out, */
	unsigned grouped;   /* those of them that did in a message with others, */
	unsigned messages;  /* and in how many messages all of them did */
	unsigned truncated; /* replies that were cut to fit the network */
};

/** @return NULL: no memory */
struct outbox *outbox_new(void);

/** Accepts a pointer to NULL. */
void outbox_free(struct outbox **box);

/** Whether the kernel can take messages to this socket apart. */
bool outbox_may_group(int fd);

/**
 * One reply more, CONVOY_REPLIES at most until outbox_send(). All but `in` is borrowed
 * until then.
 *
 * @param in     the query, as it was received: its control data, if there are any, must
 *               be one message that says where to send the reply from
 * @param wire   the reply's octets
 * @param reply  what it was made of, to be cut where it is too large for the network
 */
void outbox_add(struct outbox *box, const struct msghdr *in, uint8_t *wire, size_t len,
		struct reply *reply);

/**
 * Send all replies, and have none any more. A reply that the kernel refuses (its
 * destination may be nonsense) is skipped; when the send buffer is full the rest is given
 * up: clients ask again, waiting would stop everybody else.
 *
 * @param may_group  what outbox_may_group() said
 */
struct outbox_tally outbox_send(struct outbox *box, int fd, bool may_group);
