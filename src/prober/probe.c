/* SPDX-License-Identifier: BSD-2-Clause */
#include "prober/probe.h"

#include <ctype.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prober/statusline.h"

enum {
	READ_MAX = 4096, /* the status must be in the first so many bytes */
	/* 255 characters of four octets each, encoded; and a slash. */
	PATH_MAX_ENCODED = 255 * 4 * 3 + 1,
	SUCCESS_MIN = 200,
	SUCCESS_MAX = 399,
};

struct probe_tls {
	SSL_CTX *context;
};

struct probe {
	struct event_base *base;
	struct probe_tls *tls;
	const struct healthcheck_notice *what;
	probe_done *done;
	void *arg;
	int fd;		     /* -1: the bufferevent has it */
	int error;	     /* of connect(), where it was known at once */
	struct event *event; /* waits for the connection, then for the time to be up */
	struct bufferevent *stream;
	bool is_open; /* TLS, if any, is up */
};

gaz_status probe_tls_new(struct probe_tls **out)
{
	struct probe_tls *tls = calloc(1, sizeof *tls);

	if (!tls)
		return GAZ_ENOMEM;
	tls->context = SSL_CTX_new(TLS_client_method());
	if (!tls->context) {
		free(tls);
		return GAZ_ENOMEM;
	}
	/* The question is whether it answers, not how well it is protected. */
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_security_level(tls->context, 0);
	SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
	*out = tls;
	return GAZ_OK;
}

void probe_tls_free(struct probe_tls **tls)
{
	if (!*tls)
		return;
	SSL_CTX_free((*tls)->context);
	free(*tls);
	*tls = NULL;
}

void probe_free(struct probe **probe)
{
	struct probe *p = *probe;

	if (!p)
		return;
	if (p->event)
		event_free(p->event);
	if (p->stream) {
		/* The descriptor is closed from the loop, a little later: the other
		 * side shall know now, so that it never sees more probes than allowed. */
		(void)shutdown(bufferevent_getfd(p->stream), SHUT_RDWR);
		bufferevent_free(p->stream);
	}
	if (p->fd >= 0)
		close(p->fd);
	free(p);
	*probe = NULL;
}

static void finish(struct probe *p, enum probe_result result, const char *fmt, ...)
	GAZ_PRINTF(3, 4);

static void finish(struct probe *p, enum probe_result result, const char *fmt, ...)
{
	char reason[PROBE_REASON_SIZE];
	probe_done *done = p->done;
	void *arg = p->arg;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(reason, sizeof reason, fmt, args);
	va_end(args);
	/* What strerror() says begins with a capital; "TLS" stays as it is. */
	if (islower((unsigned char)reason[1]))
		reason[0] = (char)tolower((unsigned char)reason[0]);
	probe_free(&p);
	done(arg, result, reason);
}

/* ---- the request ---- */

static void put_path(const char *path, char out[PATH_MAX_ENCODED + 4])
{
	size_t len = 0;

	if (*path != '/')
		out[len++] = '/';
	for (; *path && len < PATH_MAX_ENCODED; path++) {
		unsigned char c = (unsigned char)*path;

		if (c > ' ' && c < 0x7f)
			out[len++] = (char)c;
		else
			len += (size_t)sprintf(out + len, "%%%02X", c);
	}
	out[len] = '\0';
}

static void make_sockaddr(const struct healthcheck_notice *what,
			  struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (what->addr.family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_family = AF_INET;
		in->sin_port = htons(what->port);
		memcpy(&in->sin_addr, what->addr.bytes, sizeof in->sin_addr);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(what->port);
		memcpy(&in6->sin6_addr, what->addr.bytes, sizeof in6->sin6_addr);
	}
}

/* The Host is the address, without the port where that is the usual one. */
static void print_host(const struct healthcheck_notice *what, char out[NETADDR_TEXT_SIZE])
{
	bool is_usual = what->port == (what->type == HEALTH_CHECK_HTTPS ? 443 : 80);
	struct sockaddr_storage addr;

	make_sockaddr(what, &addr);
	netaddr_print_endpoint((struct sockaddr *)&addr, out);
	if (is_usual)
		*strrchr(out, ':') = '\0';
}

char *probe_print_request(const struct healthcheck_notice *what,
			  char out[PROBE_REQUEST_SIZE])
{
	char path[PATH_MAX_ENCODED + 4];
	char host[NETADDR_TEXT_SIZE];

	put_path(what->path, path);
	print_host(what, host);
	(void)snprintf(out, PROBE_REQUEST_SIZE,
		       "GET %s HTTP/1.1\r\nHost: %s\r\n"
		       "User-Agent: Gazetteer-Health-Check\r\nAccept: */*\r\n"
		       "Connection: close\r\n\r\n",
		       path, host);
	return out;
}

/* ---- the answer ---- */

static void on_readable(struct bufferevent *stream, void *arg)
{
	struct probe *p = arg;
	struct evbuffer *input = bufferevent_get_input(stream);
	uint8_t data[READ_MAX];
	ev_ssize_t len = evbuffer_copyout(input, data, sizeof data);
	unsigned code = 0;

	switch (statusline_parse(data, len > 0 ? (size_t)len : 0, &code)) {
	case STATUSLINE_FOUND:
		finish(p,
		       code >= SUCCESS_MIN && code <= SUCCESS_MAX ? PROBE_SUCCESS
								  : PROBE_FAILURE,
		       "status %u", code);
		break;
	case STATUSLINE_BAD:
		finish(p, PROBE_FAILURE, "the answer is not HTTP");
		break;
	case STATUSLINE_MORE:
		if (len >= READ_MAX)
			finish(p, PROBE_FAILURE, "no status in the first %d octets",
			       READ_MAX);
		break;
	}
}

static void on_stream_event(struct bufferevent *stream, short what, void *arg)
{
	struct probe *p = arg;
	int error = EVUTIL_SOCKET_ERROR();
	unsigned long tls_error;

	if (what & BEV_EVENT_CONNECTED) {
		p->is_open = true;
		return;
	}
	tls_error = p->what->type == HEALTH_CHECK_HTTPS
			    ? bufferevent_get_openssl_error(stream)
			    : 0;
	if (tls_error != 0 && ERR_reason_error_string(tls_error))
		finish(p, PROBE_FAILURE, "TLS: %.100s",
		       ERR_reason_error_string(tls_error));
	else if ((what & BEV_EVENT_ERROR) && error != 0)
		finish(p, PROBE_FAILURE, "%.100s", strerror(error));
	else
		finish(p, PROBE_FAILURE, "connection closed %s",
		       p->is_open ? "without an answer" : "in the TLS handshake");
}

static void on_time_up(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;

	(void)fd;
	(void)what;
	finish(p, PROBE_FAILURE, "timed out waiting for %s",
	       p->is_open ? "an answer" : "the TLS handshake");
}

static struct timeval to_timeval(int ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static struct bufferevent *open_stream(struct probe *p)
{
	struct bufferevent *stream;
	SSL *ssl;

	if (p->what->type != HEALTH_CHECK_HTTPS)
		return bufferevent_socket_new(p->base, p->fd, BEV_OPT_CLOSE_ON_FREE);
	ssl = SSL_new(p->tls->context);
	if (!ssl)
		return NULL;
	/* Frees the SSL if it fails, too. */
	stream = bufferevent_openssl_socket_new(
		p->base, p->fd, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	if (stream)
		bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
	return stream;
}

/* The answer has its time as a whole: one that trickles in is too late. */
static bool ask(struct probe *p)
{
	const struct timeval limit = to_timeval(PROBE_ANSWER_MS);
	char request[PROBE_REQUEST_SIZE];

	event_free(p->event);
	p->event = evtimer_new(p->base, on_time_up, p);
	if (!p->event || evtimer_add(p->event, &limit) != 0)
		return false;
	p->is_open = p->what->type == HEALTH_CHECK_HTTP;
	p->stream = open_stream(p);
	if (!p->stream)
		return false;
	p->fd = -1;
	bufferevent_setcb(p->stream, on_readable, NULL, on_stream_event, p);
	bufferevent_setwatermark(p->stream, EV_READ, 0, READ_MAX);
	probe_print_request(p->what, request);
	return bufferevent_write(p->stream, request, strlen(request)) == 0 &&
	       bufferevent_enable(p->stream, EV_READ | EV_WRITE) == 0;
}

/* ---- the connection ---- */

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;
	socklen_t len = sizeof p->error;

	if (p->error == 0 && (what & EV_TIMEOUT))
		p->error = ETIMEDOUT;
	if (p->error == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &p->error, &len) != 0)
		p->error = errno;
	if (p->error == ETIMEDOUT)
		finish(p, PROBE_FAILURE, "timed out connecting");
	else if (p->error != 0)
		finish(p, PROBE_FAILURE, "%.100s", strerror(p->error));
	else if (p->what->type == HEALTH_CHECK_TCP)
		finish(p, PROBE_SUCCESS, "connected");
	else if (!ask(p))
		finish(p, PROBE_NONE, "out of memory");
}

/* What is wrong with us, and not with the endpoint. Where there is no IPv6 at all
 * EADDRNOTAVAIL says that it cannot be reached; else that the ports are used up. */
static bool is_ours(int error, sa_family_t family)
{
	return (error == EADDRNOTAVAIL && family == AF_INET) || error == ENOBUFS ||
	       error == ENOMEM || error == EAGAIN;
}

static gaz_status connect_to(struct probe *p)
{
	const struct timeval limit = to_timeval(PROBE_CONNECT_MS);
	struct sockaddr_storage addr;

	make_sockaddr(p->what, &addr);
	p->fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return GAZ_EIO;
	if (connect(p->fd, (struct sockaddr *)&addr,
		    netaddr_sockaddr_len((struct sockaddr *)&addr)) != 0 &&
	    errno != EINPROGRESS) {
		if (is_ours(errno, addr.ss_family))
			return GAZ_EIO;
		p->error = errno;
	}
	p->event = event_new(p->base, p->fd, EV_WRITE, on_connected, p);
	if (!p->event || event_add(p->event, &limit) != 0)
		return GAZ_ENOMEM;
	/* Not from here: the caller expects the end of it later. */
	if (p->error != 0)
		event_active(p->event, EV_WRITE, 0);
	return GAZ_OK;
}

gaz_status probe_start(struct event_base *base, struct probe_tls *tls,
		       const struct healthcheck_notice *what, probe_done *done, void *arg,
		       struct probe **out)
{
	struct probe *p = malloc(sizeof *p);
	gaz_status st;

	if (!p)
		return GAZ_ENOMEM;
	*p = (struct probe){.base = base,
			    .tls = tls,
			    .what = what,
			    .done = done,
			    .arg = arg,
			    .fd = -1};
	st = connect_to(p);
	if (st != GAZ_OK) {
		probe_free(&p);
		return st;
	}
	*out = p;
	return GAZ_OK;
}
