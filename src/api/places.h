/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* The places for connections of the API, and who gives up one when it is too much. evhttp
 * knows no other limit than for the silence of one client; so that nobody is kept out by
 * clients that trickle, or that take no replies:
 *
 * - When all places are taken, a new connection gets that of the one which has gone
 *   longest without a sign of progress: a whole request, or a piece of a reply taken.
 * - A request has its time as a whole, the more of it the longer it is, and a limit for
 *   the memory that its many small parts need before it is complete.
 * - What all connections hold has a common limit. Beyond it, of those that hold something
 *   the one which has gone longest without progress is closed.
 *
 * A connection whose request is being carried out, or whose reply is a file, is never
 * closed for any of these. */

struct bufferevent;
struct event_base;
struct evhttp_connection;
struct places;

enum {
	/* Over TCP, and as many over unix sockets. */
	PLACES_MAX = 1024,
	PLACES_GRACE_MS = 100, /* so long each has its place */
	/* Requests that are not complete, and replies that have not been taken. */
	PLACES_HELD_MAX = 128 << 20,
	PLACES_REQUEST_HELD_MAX = 16 << 20, /* that of one alone */
	/* For a request, from its first octet to its last, and more for each so many
	 * octets that have come: even a slow line is faster. */
	PLACES_REQUEST_MS = 20000,
	PLACES_OCTETS_PER_S = 4096,
};

enum place_kind {
	PLACE_TCP = 0,
	PLACE_UNIX,
	PLACE_KIND_COUNT
};

/**
 * @param full  called when a connection had to be taken in beyond the limit, since all
 *              others are being served, or have just come: no more shall be accepted until
 *              places_have_room()
 * @return GAZ_OK, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status places_new(struct event_base *base,
				     void (*full)(void *arg, enum place_kind kind),
				     void *arg, struct places **out);

/** After the evhttp has been freed, and with it all connections. */
void places_free(struct places **places);

/**
 * For evhttp, which asks for the stream of each new connection.
 *
 * @return NULL: out of memory; evhttp then tries to make one itself
 */
struct bufferevent *places_take(struct places *places);

/** How many connections there are. */
size_t places_count(const struct places *places);

/** How many were closed for the sake of the others, since the start. */
uint64_t places_given_up(const struct places *places);

/** True when one more connection of the kind may come. */
bool places_have_room(const struct places *places, enum place_kind kind);

/** What goes out over this connection is a file: it has its own pace, and no memory. */
void places_note_file(struct places *places, const struct evhttp_connection *conn);
