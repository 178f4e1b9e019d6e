/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/conns.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <urcu.h>

#include "base/clock.h"
#include "base/proxyv2.h"
#include "forward/forward.h"
#include "responder/answer.h"
#include "responder/core.h"
#include "responder/frames.h"

enum {
	IDLE_DIVISOR_MANY = 6,
	DRAIN_PERIOD_S = 1,
	DRAIN_READS = 16,
	PREFIX_LEN = FRAMES_PREFIX_LEN,
	OUTPUT_CAP = 128 << 10, /* replies gathered before one send */
	UNSENT_CAP = 512 << 10, /* replies that wait for one client to take them */
	REPLY_ROOM = PREFIX_LEN + ANSWER_TCP_CAP,
};

struct conn {
	struct conn *older; /* in the list of idleness */
	struct conn *newer;
	struct conns *conns;
	struct event *readable;
	struct event *writable;
	int fd;
	int listener_vpc;
	struct sockaddr_storage peer;
	struct netaddr source;
	bool awaits_proxy;   /* the header of a proxy comes first */
	uint64_t number;     /* no other connection of this worker ever has it */
	unsigned waiting;    /* queries that the resolver has */
	int64_t active_ms;   /* accepted, or last asked a complete query */
	bool eof;	     /* the peer sends no more, but still reads */
	struct frames input; /* received, not yet answered */
	uint8_t *unsent;     /* replies the kernel would not take yet, or NULL; */
	size_t unsent_at;    /* while there are any, nothing is received */
	size_t unsent_len;
	size_t untaken; /* octets that its peer had not taken at the last look, */
			/* SIZE_MAX: nobody has looked */
};

struct conns {
	struct worker_core *core;
	struct conn *oldest;
	struct conn *newest;
	uint32_t idle_ms;
	uint32_t max;
	unsigned count;
	uint64_t last_number;
	bool draining;
	size_t output_len;
	uint8_t output[OUTPUT_CAP]; /* of the connection being served */
};

/* ---- the order of idleness ---- */

/* How long a connection may be idle at this moment. */
static uint32_t idle_limit_ms(const struct conns *conns)
{
	return conns->count > conns->max / 2 ? conns->idle_ms / IDLE_DIVISOR_MANY
					     : conns->idle_ms;
}

static void unlink_conn(struct conn *conn)
{
	struct conns *conns = conn->conns;

	*(conn->older ? &conn->older->newer : &conns->oldest) = conn->newer;
	*(conn->newer ? &conn->newer->older : &conns->newest) = conn->older;
}

static void link_newest(struct conn *conn)
{
	struct conns *conns = conn->conns;

	conn->active_ms = clock_monotonic_ms();
	conn->newer = NULL;
	conn->older = conns->newest;
	*(conns->newest ? &conns->newest->newer : &conns->oldest) = conn;
	conns->newest = conn;
}

/* It is not idle. */
static void touch(struct conn *conn)
{
	unlink_conn(conn);
	link_newest(conn);
}

static void conn_close(struct conn *conn)
{
	struct conns *conns = conn->conns;

	unlink_conn(conn);
	if (conn->readable)
		event_free(conn->readable);
	if (conn->writable)
		event_free(conn->writable);
	close(conn->fd);
	frames_fini(&conn->input);
	free(conn->unsent);
	free(conn);
	if (--conns->count == 0 && conns->draining)
		event_base_loopbreak(conns->core->base);
}

/* ---- queries and replies ---- */

static size_t hand_over(struct conn *conn, struct answer_job *job)
{
	const struct sockaddr *peer = (const struct sockaddr *)&conn->peer;
	const struct forward_client client = {
		.fd = -1,
		.address = peer,
		.address_len = netaddr_sockaddr_len(peer),
		.ticket = conn->number,
	};
	size_t len = answer_hand_over(job, &client);

	conn->waiting += len == 0;
	return len;
}

static size_t answer(struct conn *conn, const struct answer_request *req, uint8_t *reply)
{
	struct answer_context *ctx = &conn->conns->core->ctx;
	struct answer_job job;
	size_t len;

	job.req = *req;
	answer_begin(ctx, &job);
	len = answer_finish(&job, reply, ANSWER_TCP_CAP);
	return len == ANSWER_LATER ? hand_over(conn, &job) : len;
}

/* Append the reply to one message, if it gets one now, to the output. */
static void answer_message(struct conn *conn, const uint8_t *message, size_t len)
{
	struct conns *conns = conn->conns;
	uint8_t *at = conns->output + conns->output_len;
	struct answer_request req = {
		.query = message,
		.len = len,
		.source = conn->source,
		.listener_vpc = conn->listener_vpc,
		.tcp = true,
		.idle_ms = idle_limit_ms(conns),
	};
	unsigned waiting = conn->waiting;
	size_t reply_len = answer(conn, &req, at + PREFIX_LEN);

	conns->core->tally.tcp_queries++;
	if (reply_len == 0) {
		conns->core->tally.dropped += conn->waiting == waiting;
		return;
	}
	at[0] = (uint8_t)(reply_len >> 8);
	at[1] = (uint8_t)reply_len;
	conns->output_len += PREFIX_LEN + reply_len;
	conns->core->tally.answered++;
}

enum progress {
	PROGRESS_BROKEN, /* close the connection */
	PROGRESS_WAIT,	 /* nothing more to do before the next event */
	PROGRESS_MORE,	 /* there may be more to do at once */
};

/* As over UDP, but once for the connection. */
static enum progress take_proxy_header(struct conn *conn)
{
	const uint8_t *bytes;
	size_t len = frames_peek(&conn->input, &bytes);
	size_t header;

	switch (proxyv2_parse(bytes, len, &header, &conn->source)) {
	case PROXYV2_PARTIAL:
		return PROGRESS_WAIT;
	case PROXYV2_SOURCE:
		conn->listener_vpc = ANSWER_NO_VPC;
		break;
	case PROXYV2_LOCAL:
		break;
	default:
		return PROGRESS_BROKEN;
	}
	frames_skip(&conn->input, header);
	conn->awaits_proxy = false;
	return PROGRESS_MORE;
}

/* Answer the complete messages of the input as long as the output has room
 * for the largest reply. */
static enum progress answer_input(struct conn *conn)
{
	struct conns *conns = conn->conns;
	enum frames_next next = FRAMES_WHOLE;
	const uint8_t *message;
	bool has_answered = false;
	size_t len;

	if (conn->awaits_proxy) {
		enum progress progress = take_proxy_header(conn);

		if (progress != PROGRESS_MORE)
			return progress;
	}
	rcu_read_lock();
	core_begin_batch(conns->core);
	while (OUTPUT_CAP - conns->output_len >= REPLY_ROOM &&
	       (next = frames_next(&conn->input, &message, &len)) == FRAMES_WHOLE) {
		answer_message(conn, message, len);
		has_answered = true;
	}
	rcu_read_unlock();
	if (has_answered) {
		touch(conn);
	}
	switch (next) {
	case FRAMES_WHOLE:
		return PROGRESS_MORE;
	case FRAMES_PARTIAL:
		return PROGRESS_WAIT;
	default:
		return PROGRESS_BROKEN;
	}
}

/* Returns how much the kernel took, or -1 when the connection is broken. */
static ssize_t send_some(const struct conn *conn, const uint8_t *bytes, size_t len)
{
	ssize_t sent = send(conn->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return sent;
}

/* Send the gathered output; what the kernel does not take is kept, and the
 * connection is not read until it has gone. False: broken. */
static bool send_output(struct conn *conn)
{
	struct conns *conns = conn->conns;
	size_t len = conns->output_len;
	ssize_t sent = len > 0 ? send_some(conn, conns->output, len) : 0;

	conns->output_len = 0;
	if (sent < 0)
		return false;
	if ((size_t)sent == len)
		return true;
	conn->unsent_at = 0;
	conn->unsent_len = len - (size_t)sent;
	conn->untaken = SIZE_MAX;
	conn->unsent = malloc(conn->unsent_len);
	if (!conn->unsent)
		return false;
	memcpy(conn->unsent, conns->output + sent, conn->unsent_len);
	event_del(conn->readable);
	return event_add(conn->writable, NULL) == 0;
}

/* Answer what has been received. False: close the connection. */
static bool serve_input(struct conn *conn)
{
	enum progress progress;

	do {
		progress = answer_input(conn);
		if (!send_output(conn))
			return false;
	} while (progress == PROGRESS_MORE && !conn->unsent);
	core_publish_counters(conn->conns->core);
	if (conn->conns->core->ctx.desk)
		forward_flush(conn->conns->core->ctx.desk);
	if (conn->unsent)
		return progress != PROGRESS_BROKEN;
	return progress != PROGRESS_BROKEN && (!conn->eof || conn->waiting > 0) &&
	       frames_settle(&conn->input) == GAZ_OK;
}

/* Receive once and answer. There is always room: serve_input() made it. */
static enum progress receive(struct conn *conn)
{
	size_t room;
	uint8_t *at = frames_room(&conn->input, &room);
	ssize_t got = recv(conn->fd, at, room, MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? PROGRESS_WAIT
							 : PROGRESS_BROKEN;
	if (got == 0) {
		conn->eof = true;
		event_del(conn->readable);
	}
	frames_received(&conn->input, (size_t)got);
	return serve_input(conn) ? PROGRESS_MORE : PROGRESS_BROKEN;
}

static void on_conn_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *conn = arg;

	(void)fd;
	(void)what;
	if (receive(conn) == PROGRESS_BROKEN)
		conn_close(conn);
}

/* Send more of what was left over; once it has gone, go on with the input
 * that waited meanwhile. False: close the connection. */
static bool resume(struct conn *conn)
{
	ssize_t sent = send_some(conn, conn->unsent + conn->unsent_at,
				 conn->unsent_len - conn->unsent_at);

	if (sent < 0)
		return false;
	conn->unsent_at += (size_t)sent;
	if (conn->unsent_at < conn->unsent_len)
		return event_add(conn->writable, NULL) == 0;
	free(conn->unsent);
	conn->unsent = NULL;
	if (!conn->eof && event_add(conn->readable, NULL) != 0)
		return false;
	return serve_input(conn) && !(conn->conns->draining && !conn->unsent);
}

static void on_conn_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *conn = arg;

	(void)fd;
	(void)what;
	if (!resume(conn))
		conn_close(conn);
}

/* One more reply behind those that wait to be sent. False: close the connection. */
static bool append_unsent(struct conn *conn, const uint8_t *bytes, size_t len)
{
	uint8_t *grown;

	if (conn->unsent_len + len > UNSENT_CAP)
		return false;
	grown = realloc(conn->unsent, conn->unsent_len + len);
	if (!grown)
		return false;
	memcpy(grown + conn->unsent_len, bytes, len);
	conn->unsent = grown;
	conn->unsent_len += len;
	conn->untaken = SIZE_MAX;
	return true;
}

/* A reply of the resolver. False: close the connection. */
static bool send_late(struct conn *conn, const uint8_t *reply, size_t len)
{
	struct conns *conns = conn->conns;
	uint8_t *at = conns->output;
	bool sent;

	if (len == 0) /* there was no memory for it */
		return false;
	at[0] = (uint8_t)(len >> 8);
	at[1] = (uint8_t)len;
	memcpy(at + PREFIX_LEN, reply, len);
	conns->output_len = PREFIX_LEN + len;
	if (conn->unsent) {
		sent = append_unsent(conn, at, conns->output_len);
		conns->output_len = 0;
		return sent;
	}
	sent = send_output(conn);
	return sent && (!conn->eof || conn->waiting > 0 || conn->unsent);
}

static void on_late_reply(void *arg, uint64_t ticket, const uint8_t *reply, size_t len)
{
	struct conns *conns = arg;
	struct conn *conn = conns->newest;

	while (conn && conn->number != ticket)
		conn = conn->older;
	if (!conn) /* the client has gone */
		return;
	conn->waiting--;
	touch(conn);
	if (!send_late(conn, reply, len))
		conn_close(conn);
}

/* ---- all of them ---- */

gaz_status conns_new(struct worker_core *core, uint32_t idle_ms, uint32_t max,
		     struct conns **out)
{
	struct conns *conns = calloc(1, sizeof *conns);

	if (!conns)
		return GAZ_ENOMEM;
	conns->core = core;
	conns->idle_ms = idle_ms;
	conns->max = max;
	*out = conns;
	return GAZ_OK;
}

void conns_open(struct conns *conns, int fd, const struct sockaddr *peer,
		int listener_vpc)
{
	const struct answer_config *config = conns->core->ctx.config;
	struct event_base *base = conns->core->base;
	struct conn *conn = calloc(1, sizeof *conn);
	const int on = 1;

	if (!conn || netaddr_from_sockaddr(peer, &conn->source) != GAZ_OK) {
		free(conn);
		close(fd);
		return;
	}
	if (conns->count >= conns->max)
		conn_close(conns->oldest);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	memcpy(&conn->peer, peer, netaddr_sockaddr_len(peer));
	conn->number = ++conns->last_number;
	conn->conns = conns;
	conn->fd = fd;
	conn->listener_vpc = listener_vpc;
	conn->awaits_proxy =
		config && netprefix_list_holds(&config->proxy_from, &conn->source);
	conn->readable =
		event_new(base, fd, EV_READ | EV_PERSIST, on_conn_readable, conn);
	conn->writable = event_new(base, fd, EV_WRITE, on_conn_writable, conn);
	link_newest(conn);
	conns->count++;
	conns->core->tally.tcp_connections++;
	if (frames_init(&conn->input) != GAZ_OK || !conn->readable || !conn->writable ||
	    event_add(conn->readable, NULL) != 0)
		conn_close(conn);
}

unsigned conns_count(const struct conns *conns)
{
	return conns->count;
}

bool conns_close_idlest(struct conns *conns)
{
	if (!conns->oldest)
		return false;
	conn_close(conns->oldest);
	return true;
}

/* Who waits for a reply is not idle (RFC 7766, section 3), nor is who takes one, be it so
 * slowly that what the kernel holds lasts long. */
static bool is_idle(struct conn *conn)
{
	size_t before = conn->untaken;
	int queued;

	if (conn->waiting > 0)
		return false;
	if (!conn->unsent || ioctl(conn->fd, SIOCOUTQ, &queued) != 0)
		return true;
	conn->untaken = (size_t)queued + conn->unsent_len - conn->unsent_at;
	return conn->untaken >= before;
}

void conns_close_idle(struct conns *conns)
{
	int64_t now_ms = clock_monotonic_ms();

	while (conns->oldest &&
	       now_ms - conns->oldest->active_ms >= idle_limit_ms(conns)) {
		if (is_idle(conns->oldest))
			conn_close(conns->oldest);
		else
			touch(conns->oldest);
	}
}

void conns_collect(struct conns *conns)
{
	forward_collect(conns->core->ctx.desk, on_late_reply, conns);
}

/* Answer what one connection has sent. It stays open only while its peer has
 * replies to take. */
static void drain_conn(struct conn *conn)
{
	enum progress progress = PROGRESS_MORE;

	for (int i = 0; i < DRAIN_READS && progress == PROGRESS_MORE && !conn->unsent;
	     i++)
		progress = receive(conn);
	if (progress == PROGRESS_BROKEN || !conn->unsent)
		conn_close(conn);
}

void conns_drain(struct conns *conns)
{
	const struct timeval period = {.tv_sec = DRAIN_PERIOD_S};

	for (struct conn *conn = conns->oldest, *newer; conn; conn = newer) {
		newer = conn->newer;
		drain_conn(conn);
	}
	conns->draining = true;
	if (conns->count > 0 && event_base_loopexit(conns->core->base, &period) == 0)
		(void)event_base_dispatch(conns->core->base);
	while (conns_close_idlest(conns))
		;
}

void conns_free(struct conns **conns)
{
	if (!*conns)
		return;
	while (conns_close_idlest(*conns))
		;
	free(*conns);
	*conns = NULL;
}
