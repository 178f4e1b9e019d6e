/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A blocking HTTP/1.1 client, one request at a time on a connection: all that a
 * command-line tool needs to speak to the daemon on this machine. */

struct http_peer {
	const char *socket_path; /* a unix socket; NULL: host and port count */
	const char *host;
	const char *port;
};

struct http_reply {
	int status;
	char *body; /* owned, with a NUL behind its last byte */
	size_t len;
};

/**
 * Send one POST to "/" and read the whole reply.
 *
 * @param timeout_s  how long to wait for each step of the exchange
 * @param headers    further header lines, each with its CRLF
 * @param err        on error: what to tell the user
 * @return GAZ_OK, GAZ_EIO (not reachable, timeout), GAZ_EFORMAT (not a reply
 *         that we can read), GAZ_ELIMIT (it is too large), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status http_post(const struct http_peer *peer, unsigned timeout_s,
				    const char *headers, const char *body,
				    struct http_reply *out, struct gaz_error *err);

/* A connection that is kept for further requests as long as the server keeps it. */
struct http_conn {
	const struct http_peer *peer; /* borrowed */
	unsigned timeout_s;
	int fd;		 /* -1: none */
	int64_t used_ms; /* when the last reply came */
};

/** Connects nowhere yet. @param timeout_s  as in http_post() */
void http_init(struct http_conn *conn, const struct http_peer *peer, unsigned timeout_s);
void http_close(struct http_conn *conn);

/**
 * Send a POST to "/", over a new connection if there is none that is still good. The
 * reply to the one before must have been received.
 *
 * @return GAZ_OK, GAZ_EIO, GAZ_ELIMIT, GAZ_ENOMEM; the connection is closed then
 */
GAZ_MUST_CHECK gaz_status http_send(struct http_conn *conn, const char *headers,
				    const char *body, struct gaz_error *err);

/** Wait for the whole reply to what was sent. @return as http_post(); on error the
 *  connection is closed */
GAZ_MUST_CHECK gaz_status http_receive(struct http_conn *conn, struct http_reply *out,
				       struct gaz_error *err);

/** Wait no longer for the reply: http_receive() takes what has come, or fails at once. */
void http_stop_waiting(struct http_conn *conn);

/** How much of a file has come; total 0: nothing yet. */
typedef void http_progress(size_t done, size_t total);

/**
 * The same, but the body of a reply of status 200 goes to a file, whatever its size.
 *
 * @param progress  may be NULL
 * @param out       its body is empty then
 * @return as http_post(); GAZ_EFORMAT also when the body ends too early
 */
GAZ_MUST_CHECK gaz_status http_download(const struct http_peer *peer, unsigned timeout_s,
					const char *headers, const char *body, int fd,
					http_progress *progress, struct http_reply *out,
					struct gaz_error *err);

void http_reply_fini(struct http_reply *reply);
