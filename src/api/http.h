/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <event2/http.h>
#include <stdbool.h>

struct bufferevent;
struct event_base;
struct json_out;

/* What evhttp leaves open: strict framing, and the reply headers of AWS. Its function
 * evhttp_send_error() is replaced here: what evhttp refuses itself (a request that cannot
 * be parsed, a header section or a body over the limit) is answered in the form of AWS
 * as well, and the connection is closed. */

enum {
	HTTP_HEADERS_MAX = 16 * 1024,
	HTTP_BODY_MAX = 1024 * 1024,
	/* Of what has come in and is not understood yet: a whole body, and some. */
	HTTP_INPUT_MAX = HTTP_BODY_MAX + 4 * HTTP_HEADERS_MAX,
	HTTP_IDLE_S = 65,
	HTTP_IDLE_BUSY_S = 5, /* while there are many connections */
};

/**
 * The stream of a new connection: one that holds no more than HTTP_INPUT_MAX of what the
 * client sends ahead, and ends when that is a line without an end.
 *
 * @return NULL: out of memory
 */
struct bufferevent *http_stream_new(struct event_base *base);

/**
 * Check what evhttp is lenient about: header names, Content-Length and
 * Transfer-Encoding. After a fault nobody knows where the next request
 * starts: the connection must be closed.
 *
 * @return NULL, or what is wrong
 */
const char *http_framing_fault(struct evhttp_request *req);

/** True when the Content-Type is one that AWS JSON clients send, or absent. */
bool http_has_json_type(struct evhttp_request *req);

/**
 * Reply and give the request back to evhttp; also when its connection is gone.
 *
 * @param error  the name for x-amzn-ErrorType, or NULL
 * @param body   maybe empty; after an error in it the reply is InternalFailure
 * @param close  close the connection afterwards
 */
void http_reply(struct evhttp_request *req, int status, const char *error,
		const struct json_out *body, bool close);

/**
 * Reply with a file, sent as the client takes it, and give the request back to evhttp;
 * also when its connection is gone.
 *
 * @param take_fd  closed in any case, and -1 afterwards
 */
void http_reply_file(struct evhttp_request *req, int *take_fd);

/** Reply InternalFailure and close: for want of the memory to look at the request. */
void http_reply_failure(struct evhttp_request *req);
