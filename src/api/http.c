/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/http.h"

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/json.h"
#include "base/id.h"

#define JSON_TYPE "application/x-amz-json-1.1"

enum {
	CONTENT_LENGTH_DIGITS_MAX = 18
};

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

static bool add_headers(struct evkeyvalq *headers, const char *type, const char *error,
			bool close)
{
	char id[ID_UUID_SIZE];

	return id_uuid(id) == GAZ_OK &&
	       evhttp_add_header(headers, "Content-Type", type) == 0 &&
	       evhttp_add_header(headers, "x-amzn-RequestId", id) == 0 &&
	       (!error || evhttp_add_header(headers, "x-amzn-ErrorType", error) == 0) &&
	       (!close || evhttp_add_header(headers, "Connection", "close") == 0);
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
	if (json_status(body) == GAZ_OK &&
	    add_headers(evhttp_request_get_output_headers(req), JSON_TYPE, error,
			close) &&
	    (!has_body || body->text.len == 0 ||
	     evbuffer_add(buffer, body->text.data, body->text.len) == 0))
		evhttp_send_reply(req, status, NULL, NULL);
	else
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
}

void http_reply_file(struct evhttp_request *req, int *take_fd)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct evbuffer *buffer = NULL;
	struct stat file;
	bool is_ready;

	if (!evhttp_request_get_connection(req)) {
		evhttp_request_free(req); /* the client went away meanwhile */
		close(*take_fd);
		*take_fd = -1;
		return;
	}
	is_ready = fstat(*take_fd, &file) == 0 && (buffer = evbuffer_new()) != NULL &&
		   add_headers(headers, "application/octet-stream", NULL, true);
	/* From here on the file is the buffer's. */
	if (is_ready && evbuffer_add_file(buffer, *take_fd, 0, file.st_size) == 0)
		*take_fd = -1;
	if (is_ready && *take_fd < 0)
		evhttp_send_reply(req, HTTP_OK, NULL, buffer);
	else
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
	if (buffer)
		evbuffer_free(buffer);
	if (*take_fd >= 0)
		close(*take_fd);
	*take_fd = -1;
}
