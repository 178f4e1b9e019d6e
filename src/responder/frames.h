/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* The messages of a DNS stream (RFC 1035, section 4.2.2): each stands behind its
 * length in two octets, and the stream comes in pieces of any size. Knows no
 * sockets: the caller receives into frames_room(). */

enum {
	FRAMES_PREFIX_LEN = 2,
	FRAMES_MESSAGE_MIN = 12, /* a DNS header */
};

struct frames {
	uint8_t *bytes; /* received */
	size_t taken;	/* of these, by frames_next() */
	size_t len;
	size_t cap;
};

enum frames_next {
	FRAMES_PARTIAL = 0, /* the next message is not complete */
	FRAMES_WHOLE,
	FRAMES_BROKEN, /* one too short to be a message: what follows means nothing */
};

/** @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status frames_init(struct frames *frames);

/** Also of zeroed memory. */
void frames_fini(struct frames *frames);

/** Where the next octets go, after frames_init() or frames_settle(), and how many
 *  there is room for: at least one. */
uint8_t *frames_room(const struct frames *frames, size_t *len_out);

/** So many octets were put there. */
void frames_received(struct frames *frames, size_t len);

/** What has been received and not been taken. @return its length */
size_t frames_peek(const struct frames *frames, const uint8_t **out);

/** Take octets that stand before the messages: no more than frames_peek() has. */
void frames_skip(struct frames *frames, size_t len);

/** Take the next message; it stays in place until frames_settle(). */
enum frames_next frames_next(struct frames *frames, const uint8_t **message_out,
			     size_t *len_out);

/** Forget what has been taken and make room for the rest of the message whose
 *  beginning is there, and no more than a single message needs. @return GAZ_OK,
 *  GAZ_ENOMEM (nothing is lost, but there may be no room) */
GAZ_MUST_CHECK gaz_status frames_settle(struct frames *frames);
