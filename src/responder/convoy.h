/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Which replies of a batch can leave together: those to one client from one address. The
 * kernel takes a message apart into datagrams of one length, the last of which may be
 * shorter (UDP_SEGMENT, udp(7)). No I/O, no memory but the caller's. */

struct mmsghdr;

enum {
	CONVOY_REPLIES = 64,  /* in a batch */
	CONVOY_SEGMENTS = 64, /* in a message: no more in Linux before 6.9 */
	CONVOY_OCTETS =
		60000, /* the same: below an IP packet's 65,535 with its headers */
	CONVOY_REPLY_MAX = 4096 /* the longest of the replies */
};

struct convoy {
	uint8_t order[CONVOY_REPLIES]; /* the replies, those of a message side by side */
	uint8_t sizes[CONVOY_REPLIES]; /* of the messages: how many replies each has */
};

/**
 * Put replies together. Of the replies in a message all but the last have the length of
 * the first; those of one length are in the order in which they came. It takes a time
 * that grows with `count` as a rule; the square of it, which is small, is the limit.
 *
 * @param replies  as they would leave one by one: msg_name, an iovec, and one control
 *                 message at most; borrowed
 * @param count    CONVOY_REPLIES at most
 * @param longest  replies that are longer stay alone; 0: all do
 * @return how many messages there are
 */
unsigned convoy_form(const struct mmsghdr *replies, unsigned count, size_t longest,
		     struct convoy *out);
