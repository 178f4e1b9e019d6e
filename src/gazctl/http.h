/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "base/status.h"

/* A blocking HTTP/1.1 client for one POST per connection: all that a
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
