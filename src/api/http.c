/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/util.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/error.h"
#include "api/json.h"
#include "base/id.h"

#define JSON_TYPE "application/x-amz-json-1.1"

enum {
	CONTENT_LENGTH_DIGITS_MAX = 18,
	DATE_SIZE = 50, /* with room to spare: evutil_date_rfc1123() may write 30 bytes */
	/* What comes in with the last octet of a body counts, too. */
	INPUT_ALARM = HTTP_BODY_MAX + 2 * HTTP_HEADERS_MAX,
	PIECE = 32 * 1024, /* of a reply: two of them are allocated together */
};

static bool has_line_end(struct evbuffer *input)
{
	struct evbuffer_ptr end;

	return evbuffer_ptr_set(input, &end, HTTP_HEADERS_MAX, EVBUFFER_PTR_SET) == 0 &&
	       evbuffer_search_range(input, "\n", 1, NULL, &end).pos >= 0;
}

/* evhttp has no limit for the line with the length of a chunk: it would wait for its end
 * until there is no memory left, and look at all of it each time. A body, or a chunk, that
 * is not complete is smaller than this; and what begins with a line is one request after
 * the other, of which evhttp takes the first. Without a read callback it writes a reply:
 * then the high-water mark alone is what counts. */
static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info,
		     void *arg)
{
	struct bufferevent *stream = arg;
	bufferevent_data_cb on_read = NULL;

	if (info->n_added == 0 || evbuffer_get_length(input) <= INPUT_ALARM)
		return;
	bufferevent_getcb(stream, &on_read, NULL, NULL, NULL);
	if (on_read && !has_line_end(input))
		bufferevent_trigger_event(stream, BEV_EVENT_READING | BEV_EVENT_EOF,
					  BEV_TRIG_DEFER_CALLBACKS);
}

struct bufferevent *http_stream_new(struct event_base *base)
{
	/* evhttp closes the descriptor itself. */
	struct bufferevent *stream = bufferevent_socket_new(base, -1, 0);

	if (!stream)
		return NULL;
	bufferevent_setwatermark(stream, EV_READ, 0, HTTP_INPUT_MAX);
	if (evbuffer_add_cb(bufferevent_get_input(stream), on_input, stream))
		return stream;
	bufferevent_free(stream);
	return NULL;
}

static bool is_token(const char *text)
{
	static const char symbols[] =
		"!#$%&'*+-.^_`|~0123456789"
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return *text && text[strspn(text, symbols)] == '\0';
}

static bool is_length(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= CONTENT_LENGTH_DIGITS_MAX &&
	       strspn(text, "0123456789") == len;
}

const char *http_framing_fault(struct evhttp_request *req)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	unsigned lengths = 0;
	unsigned encodings = 0;

	for (const struct evkeyval *h = headers->tqh_first; h; h = h->next.tqe_next) {
		if (!is_token(h->key))
			return "A header name is malformed";
		if (strcasecmp(h->key, "Content-Length") == 0) {
			lengths++;
			if (!is_length(h->value))
				return "Content-Length is not a number";
		} else if (strcasecmp(h->key, "Transfer-Encoding") == 0) {
			encodings++;
			if (strcasecmp(h->value, "chunked") != 0)
				return "The only Transfer-Encoding understood is chunked";
			if (req->minor == 0)
				return "HTTP/1.0 has no Transfer-Encoding";
		}
	}
	if (lengths + encodings > 1)
		return "Content-Length or Transfer-Encoding is there more than once, or "
		       "both are";
	return NULL;
}

bool http_has_json_type(struct evhttp_request *req)
{
	static const char *const types[] = {
		JSON_TYPE,
		"application/x-amz-json-1.0",
		"application/json",
	};
	const char *type =
		evhttp_find_header(evhttp_request_get_input_headers(req), "Content-Type");
	size_t len;

	if (!type)
		return true;
	len = strcspn(type, "; \t");
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (len == strlen(types[i]) && strncasecmp(type, types[i], len) == 0)
			return true;
	}
	return false;
}

/* evhttp adds Content-Length and Date itself, but not for every method and version. */
static bool add_headers(struct evhttp_request *req, const char *type, const char *error,
			size_t len, bool close)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	char id[ID_UUID_SIZE];
	char length[24];
	char date[DATE_SIZE];

	snprintf(length, sizeof length, "%zu", len);
	(void)evutil_date_rfc1123(date, sizeof date, NULL);
	return id_uuid(id) == GAZ_OK &&
	       evhttp_add_header(headers, "Content-Type", type) == 0 &&
	       evhttp_add_header(headers, "Content-Length", length) == 0 &&
	       evhttp_add_header(headers, "Date", date) == 0 &&
	       evhttp_add_header(headers, "x-amzn-RequestId", id) == 0 &&
	       (!error || evhttp_add_header(headers, "x-amzn-ErrorType", error) == 0) &&
	       (!close || evhttp_add_header(headers, "Connection", "close") == 0);
}

/* The version of the reply: where the request had none that is known, ours. */
static void set_version(struct evhttp_request *req)
{
	if (req->major == 1 && (req->minor == 0 || req->minor == 1))
		return;
	req->major = 1;
	req->minor = 1;
}

/* The last resort: a text that needs nothing made first. When there is no memory even
 * for that, the connection is dropped, as evhttp does it. */
static void send_failure(struct evhttp_request *req)
{
	static const char body[] = "{\"__type\":\"InternalFailure\","
				   "\"message\":\"The request could not be processed.\"}";
	struct evbuffer *buffer = evhttp_request_get_output_buffer(req);

	evhttp_clear_headers(evhttp_request_get_output_headers(req));
	evbuffer_drain(buffer, evbuffer_get_length(buffer));
	if (add_headers(req, JSON_TYPE, error_name(ERROR_INTERNAL_FAILURE),
			sizeof body - 1, true) &&
	    evbuffer_add(buffer, body, sizeof body - 1) == 0)
		evhttp_send_reply(req, HTTP_INTERNAL, NULL, NULL);
	else
		evhttp_connection_free(evhttp_request_get_connection(req));
}

/* While a reply goes out nothing is to be read, however long that takes: neither is the
 * client's silence of any meaning then, nor that it has nothing more to send, which evhttp
 * would take for the end of the connection. That it has gone shows when writing. */
static void stop_reading(struct evhttp_request *req)
{
	struct evhttp_connection *conn = evhttp_request_get_connection(req);

	bufferevent_disable(evhttp_connection_get_bufferevent(conn), EV_READ);
}

/* A buffer frees what has been taken of it in the pieces in which it was allocated: as a
 * whole, a large reply would stay in memory until its last octet has been taken. */
static bool add_body(struct evbuffer *buffer, const struct json_out *body)
{
	const char *data = (const char *)body->text.data;
	size_t left = body->text.len;

	while (left > 0) {
		size_t len = left < PIECE ? left : PIECE;

		if (evbuffer_add(buffer, data, len) != 0)
			return false;
		data += len;
		left -= len;
	}
	return true;
}

void http_reply(struct evhttp_request *req, int status, const char *error,
		const struct json_out *body, bool close)
{
	const bool has_body = evhttp_request_get_command(req) != EVHTTP_REQ_HEAD;
	struct evbuffer *buffer = evhttp_request_get_output_buffer(req);

	if (!evhttp_request_get_connection(req)) {
		evhttp_request_free(req); /* the client went away meanwhile */
		return;
	}
	set_version(req);
	if (json_status(body) == GAZ_OK &&
	    add_headers(req, JSON_TYPE, error, body->text.len, close) &&
	    (!has_body || add_body(buffer, body))) {
		evhttp_send_reply(req, status, NULL, NULL);
		/* Behind a fault more may come in, which must be read: a connection that
		 * is closed with something unread takes its last reply with it. */
		if (!close)
			stop_reading(req);
	} else {
		send_failure(req);
	}
}

/* Who takes a file may have to wait for a disk: many other connections do not make the time
 * for that any shorter. It is the connection's last reply. */
static void give_time(struct evhttp_request *req)
{
	const struct timeval limit = {.tv_sec = HTTP_IDLE_S};
	struct evhttp_connection *conn = evhttp_request_get_connection(req);

	bufferevent_set_timeouts(evhttp_connection_get_bufferevent(conn), NULL, &limit);
}

void http_reply_file(struct evhttp_request *req, int *take_fd)
{
	struct evbuffer *buffer = NULL;
	struct stat file;
	bool is_ready;

	if (!evhttp_request_get_connection(req)) {
		evhttp_request_free(req); /* the client went away meanwhile */
		close(*take_fd);
		*take_fd = -1;
		return;
	}
	set_version(req);
	is_ready = fstat(*take_fd, &file) == 0 && (buffer = evbuffer_new()) != NULL &&
		   add_headers(req, "application/octet-stream", NULL,
			       (size_t)file.st_size, true);
	/* From here on the file is the buffer's. */
	if (is_ready && evbuffer_add_file(buffer, *take_fd, 0, file.st_size) == 0)
		*take_fd = -1;
	if (is_ready && *take_fd < 0) {
		evhttp_send_reply(req, HTTP_OK, NULL, buffer);
		stop_reading(req);
		give_time(req);
	} else {
		send_failure(req);
	}
	if (buffer)
		evbuffer_free(buffer);
	if (*take_fd >= 0)
		close(*take_fd);
	*take_fd = -1;
}

void http_reply_failure(struct evhttp_request *req)
{
	set_version(req);
	send_failure(req);
}

/* What evhttp itself refuses, by the status that it has chosen. */
static int refusal(int status, const struct evhttp_request *req, const char **message_out)
{
	if (status == HTTP_ENTITYTOOLARGE) {
		*message_out = req->chunked ? "The request body is larger than 1 MiB, or "
					      "its chunks are malformed."
					    : "The request body is larger than 1 MiB.";
		return ERROR_ENTITY_TOO_LARGE;
	}
	*message_out = status == HTTP_EXPECTATIONFAILED
			       ? "The only Expect understood is 100-continue."
			       : "This is not an HTTP/1.1 request, or its header section "
				 "is malformed or larger than 16 KiB.";
	return ERROR_MALFORMED_HTTP;
}

/* This is libevent's function, replaced: evhttp calls it for what it refuses before any
 * callback of ours sees the request, and gives no other way to say what the reply is
 * (evhttp_set_errorcb() came after 2.1). A symbol of the program goes before that of a
 * shared library, as with malloc(). */
void evhttp_send_error(struct evhttp_request *req, int error, const char *reason)
{
	struct json_out body;
	const char *message;
	int code = refusal(error, req, &message);

	(void)reason;
	json_init(&body);
	error_body(code, message, NULL, &body);
	http_reply(req, error_http_status(code), error_name(code), &body, true);
	json_fini(&body);
}
