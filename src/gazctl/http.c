/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/http.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"

enum {
	REPLY_CAP = 64 << 20,
	READ_SIZE = 16 << 10,
	IDLE_MAX_MS = 1000,
};

static const char unreachable_hint[] = "is gazetteerd running? see --socket and --api";

static void set_timeouts(int fd, unsigned timeout_s)
{
	struct timeval tv = {.tv_sec = (time_t)timeout_s};

	/* On Linux the send timeout bounds connect() as well. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static gaz_status connect_unix(const char *path, unsigned timeout_s, int *out,
			       struct gaz_error *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return gaz_error_set(err, GAZ_ELIMIT, "the socket path is too long: %s",
				     path);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return gaz_error_set(err, GAZ_EIO, "socket: %s", strerror(errno));
	set_timeouts(fd, timeout_s);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		int why = errno;

		close(fd);
		return gaz_error_set(
			err, GAZ_EIO, "cannot reach %s: %s; %s", path, strerror(why),
			why == EACCES ? "run as a user who may open the socket"
				      : unreachable_hint);
	}
	*out = fd;
	return GAZ_OK;
}

static gaz_status connect_tcp(const char *host, const char *port, unsigned timeout_s,
			      int *out, struct gaz_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int fd = -1, why = ENOENT, rc;

	rc = getaddrinfo(host, port, &hints, &list);
	if (rc != 0)
		return gaz_error_set(err, GAZ_EIO, "cannot look up %s: %s; see --api",
				     host, gai_strerror(rc));
	for (struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next) {
		fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		set_timeouts(fd, timeout_s);
		if (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0) {
			why = errno;
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	if (fd < 0)
		return gaz_error_set(err, GAZ_EIO, "cannot reach %s port %s: %s; %s",
				     host, port, strerror(why), unreachable_hint);
	*out = fd;
	return GAZ_OK;
}

static gaz_status send_all(int fd, const struct bytes *request, struct gaz_error *err)
{
	for (size_t sent = 0; sent < request->len;) {
		ssize_t n =
			send(fd, request->data + sent, request->len - sent, MSG_NOSIGNAL);

		/* A server that refuses a request early still sends a reply. */
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			break;
		if (n < 0 && errno != EINTR)
			return gaz_error_set(err, GAZ_EIO, "cannot send the request: %s",
					     strerror(errno));
		sent += n > 0 ? (size_t)n : 0;
	}
	return GAZ_OK;
}

static gaz_status send_request(int fd, const struct http_peer *peer, bool keep,
			       const char *headers, const char *body,
			       struct gaz_error *err)
{
	struct bytes request;
	char head[512];
	gaz_status st;

	snprintf(head, sizeof(head),
		 "POST / HTTP/1.1\r\nHost: %s\r\n%s"
		 "Content-Type: application/x-amz-json-1.1\r\nContent-Length: %zu\r\n",
		 peer->socket_path ? "localhost" : peer->host,
		 keep ? "" : "Connection: close\r\n", strlen(body));
	bytes_init(&request);
	bytes_put(&request, head, strlen(head));
	bytes_put(&request, headers, strlen(headers));
	bytes_put(&request, "\r\n", 2);
	bytes_put(&request, body, strlen(body));
	if (request.failed)
		st = gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	else
		st = send_all(fd, &request, err);
	bytes_fini(&request);
	return st;
}

/* Where the parts of a reply are, as far as it has come. */
struct layout {
	size_t body_at; /* 0: the head is not complete */
	bool has_length;
	size_t length; /* of the body */
	bool is_kept;  /* the connection, by what the head says */
};

static struct layout find_layout(const struct bytes *in)
{
	static const char name[] = "\r\nContent-Length:";
	static const char close_it[] = "\r\nConnection: close";
	static const char version[] = "HTTP/1.1 ";
	struct layout layout = {0};
	const char *text = (const char *)in->data;
	const char *end = text ? strstr(text, "\r\n\r\n") : NULL;

	if (!end)
		return layout;
	layout.body_at = (size_t)(end - text) + 4;
	layout.is_kept = strncmp(text, version, sizeof(version) - 1) == 0;
	for (const char *at = text; at < end; at++) {
		if (strncasecmp(at, close_it, sizeof(close_it) - 1) == 0)
			layout.is_kept = false;
		if (strncasecmp(at, name, sizeof(name) - 1) != 0)
			continue;
		layout.has_length = true;
		layout.length = strtoull(at + sizeof(name) - 1, NULL, 10);
	}
	return layout;
}

/* Appends, keeping a NUL behind the last byte. */
static bool append_text(struct bytes *in, const char *data, size_t len)
{
	bytes_put(in, data, len);
	bytes_put_u8(in, '\0');
	if (!in->failed)
		in->len--;
	return !in->failed;
}

/* Reads to the end of the body, or of the connection. */
static gaz_status receive_reply(int fd, struct bytes *in, struct gaz_error *err)
{
	for (;;) {
		char buffer[READ_SIZE];
		struct layout layout = find_layout(in);
		ssize_t n;

		if (layout.has_length && in->len - layout.body_at >= layout.length)
			return GAZ_OK;
		if (in->len > REPLY_CAP)
			return gaz_error_set(err, GAZ_ELIMIT, "the reply is too large");
		n = recv(fd, buffer, sizeof(buffer), 0);
		if (n == 0)
			return GAZ_OK;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return gaz_error_set(err, GAZ_EIO,
					     "no reply in time; see --timeout");
		if (n < 0)
			return gaz_error_set(err, GAZ_EIO, "cannot read the reply: %s",
					     strerror(errno));
		if (!append_text(in, buffer, (size_t)n))
			return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	}
}

static gaz_status parse_reply(const struct bytes *in, struct http_reply *out,
			      struct gaz_error *err)
{
	struct layout layout = find_layout(in);
	const char *text = (const char *)in->data;
	int status = 0;
	char *body;

	if (layout.body_at == 0 || sscanf(text, "HTTP/1.%*1d %3d", &status) != 1 ||
	    (layout.has_length && in->len - layout.body_at < layout.length))
		return gaz_error_set(err, GAZ_EFORMAT,
				     "that is no complete HTTP reply: does gazetteerd "
				     "listen there? see --socket and --api");
	if (!layout.has_length)
		layout.length = in->len - layout.body_at;
	body = strndup(text + layout.body_at, layout.length);
	if (!body)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	*out = (struct http_reply){.status = status, .body = body, .len = strlen(body)};
	return GAZ_OK;
}

static gaz_status connect_to(const struct http_peer *peer, unsigned timeout_s,
			     int *fd_out, struct gaz_error *err)
{
	return peer->socket_path
		       ? connect_unix(peer->socket_path, timeout_s, fd_out, err)
		       : connect_tcp(peer->host, peer->port, timeout_s, fd_out, err);
}

static gaz_status send_post(const struct http_peer *peer, unsigned timeout_s,
			    const char *headers, const char *body, int *fd_out,
			    struct gaz_error *err)
{
	gaz_status st = connect_to(peer, timeout_s, fd_out, err);

	return st == GAZ_OK ? send_request(*fd_out, peer, false, headers, body, err) : st;
}

gaz_status http_post(const struct http_peer *peer, unsigned timeout_s,
		     const char *headers, const char *body, struct http_reply *out,
		     struct gaz_error *err)
{
	struct bytes in;
	int fd = -1;
	gaz_status st;

	bytes_init(&in);
	st = send_post(peer, timeout_s, headers, body, &fd, err);
	if (st == GAZ_OK)
		st = receive_reply(fd, &in, err);
	if (st == GAZ_OK)
		st = parse_reply(&in, out, err);
	if (fd >= 0)
		close(fd);
	bytes_fini(&in);
	return st;
}

/* ---- several requests on one connection ---- */

void http_init(struct http_conn *conn, const struct http_peer *peer, unsigned timeout_s)
{
	*conn = (struct http_conn){.peer = peer, .timeout_s = timeout_s, .fd = -1};
}

void http_close(struct http_conn *conn)
{
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
}

/* A server ends a connection that is idle for long. One that it may be about to end just
 * now is not used: nobody could tell whether it has seen the request. */
static bool is_good(const struct http_conn *conn)
{
	char octet;

	return conn->fd >= 0 && clock_monotonic_ms() - conn->used_ms < IDLE_MAX_MS &&
	       recv(conn->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

gaz_status http_send(struct http_conn *conn, const char *headers, const char *body,
		     struct gaz_error *err)
{
	gaz_status st = GAZ_OK;

	if (!is_good(conn)) {
		http_close(conn);
		st = connect_to(conn->peer, conn->timeout_s, &conn->fd, err);
	}
	if (st == GAZ_OK)
		st = send_request(conn->fd, conn->peer, true, headers, body, err);
	if (st != GAZ_OK)
		http_close(conn);
	return st;
}

gaz_status http_receive(struct http_conn *conn, struct http_reply *out,
			struct gaz_error *err)
{
	struct layout layout;
	struct bytes in;
	gaz_status st;

	bytes_init(&in);
	st = receive_reply(conn->fd, &in, err);
	if (st == GAZ_OK && in.len == 0)
		st = gaz_error_set(err, GAZ_EIO,
				   "the connection ended before the reply; did "
				   "gazetteerd stop?");
	if (st == GAZ_OK)
		st = parse_reply(&in, out, err);
	layout = find_layout(&in);
	if (st != GAZ_OK || !layout.is_kept || !layout.has_length)
		http_close(conn);
	conn->used_ms = clock_monotonic_ms();
	bytes_fini(&in);
	return st;
}

void http_stop_waiting(struct http_conn *conn)
{
	(void)shutdown(conn->fd, SHUT_RD);
}

/* ---- a reply that is a file ---- */

static gaz_status write_all(int fd, const uint8_t *data, size_t len,
			    struct gaz_error *err)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return gaz_error_set(err, GAZ_EIO, "cannot write the file: %s",
					     strerror(errno));
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return GAZ_OK;
}

/* The next bytes of the reply; none: it has ended. */
static gaz_status receive_some(int fd, uint8_t *buffer, size_t *len_out,
			       struct gaz_error *err)
{
	ssize_t n;

	do {
		n = recv(fd, buffer, READ_SIZE, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return gaz_error_set(err, GAZ_EIO, "cannot read the reply: %s",
				     errno == EAGAIN ? "none in time; see --timeout"
						     : strerror(errno));
	*len_out = (size_t)n;
	return GAZ_OK;
}

/* Up to the end of the head; what came with it of the body is in `in` as well. */
static gaz_status receive_head(int fd, struct bytes *in, struct gaz_error *err)
{
	uint8_t buffer[READ_SIZE];
	size_t len = 1;
	gaz_status st = GAZ_OK;

	while (st == GAZ_OK && len > 0 && find_layout(in).body_at == 0 &&
	       in->len < REPLY_CAP) {
		st = receive_some(fd, buffer, &len, err);
		if (st == GAZ_OK && !append_text(in, (const char *)buffer, len))
			st = gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	}
	return st;
}

static gaz_status receive_file(int from, const struct bytes *in, int to,
			       http_progress *progress, struct gaz_error *err)
{
	struct layout layout = find_layout(in);
	uint8_t buffer[READ_SIZE];
	size_t done = in->len - layout.body_at;
	size_t len = 1;
	gaz_status st = write_all(to, in->data + layout.body_at, done, err);

	while (st == GAZ_OK && len > 0 && done < layout.length) {
		st = receive_some(from, buffer, &len, err);
		if (st == GAZ_OK)
			st = write_all(to, buffer, len, err);
		done += len;
		if (progress)
			progress(done, layout.length);
	}
	if (st == GAZ_OK && (!layout.has_length || done != layout.length))
		return gaz_error_set(err, GAZ_EFORMAT,
				     "the reply ended too early: %zu of %zu octets; did "
				     "gazetteerd stop?",
				     done, layout.length);
	return st;
}

gaz_status http_download(const struct http_peer *peer, unsigned timeout_s,
			 const char *headers, const char *body, int fd,
			 http_progress *progress, struct http_reply *out,
			 struct gaz_error *err)
{
	static const char ok[] = "HTTP/1.1 200 ";
	struct bytes in;
	int conn = -1;
	bool is_file;
	gaz_status st;

	bytes_init(&in);
	st = send_post(peer, timeout_s, headers, body, &conn, err);
	if (st == GAZ_OK)
		st = receive_head(conn, &in, err);
	is_file = st == GAZ_OK && find_layout(&in).body_at > 0 &&
		  strncmp((const char *)in.data, ok, sizeof(ok) - 1) == 0;
	if (is_file) {
		st = receive_file(conn, &in, fd, progress, err);
		*out = (struct http_reply){.status = 200};
	} else if (st == GAZ_OK) {
		st = receive_reply(conn, &in, err);
		if (st == GAZ_OK)
			st = parse_reply(&in, out, err);
	}
	if (conn >= 0)
		close(conn);
	bytes_fini(&in);
	return st;
}

void http_reply_fini(struct http_reply *reply)
{
	free(reply->body);
	reply->body = NULL;
}
