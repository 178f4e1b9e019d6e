/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/tcp.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <urcu.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/proxyv2.h"
#include "forward/forward.h"
#include "responder/frames.h"
#include "responder/worker.h"

enum {
	IDLE_DIVISOR_MANY = 6,
	SWEEP_PERIOD_MS = 1000,
	DRAIN_PERIOD_S = 1,
	DRAIN_READS = 16,
	ACCEPTS_PER_WAKEUP = 32,
	PREFIX_LEN = FRAMES_PREFIX_LEN,
	OUTPUT_CAP = 128 << 10, /* replies gathered before one send */
	UNSENT_CAP = 512 << 10, /* replies that wait for one client to take them */
	REPLY_ROOM = PREFIX_LEN + ANSWER_TCP_CAP,
};

struct listener {
	struct listener *next;
	struct tcp *tcp;
	struct event *event;
	int fd;
	int listener_vpc;
};

struct conn {
	struct conn *older; /* in the list of idleness */
	struct conn *newer;
	struct tcp *tcp;
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
};

struct tcp {
	struct worker_core *core;
	struct listener *listeners;
	struct event *sweep;
	struct conn *oldest;
	struct conn *newest;
	uint32_t idle_ms;
	uint32_t max;
	unsigned conn_count;
	uint64_t last_number;
	bool paused; /* no descriptors left: accepting waits for the next sweep */
	bool draining;
	size_t output_len;
	uint8_t output[OUTPUT_CAP]; /* of the connection being served */
};

static void arm_sweep(struct tcp *tcp)
{
	uint32_t half = tcp->idle_ms / 2;
	uint32_t ms = half < SWEEP_PERIOD_MS ? half : SWEEP_PERIOD_MS;
	const struct timeval period = {ms / 1000, ms % 1000 * 1000};

	if (!evtimer_pending(tcp->sweep, NULL))
		(void)evtimer_add(tcp->sweep, &period);
}

/* How long a connection may be idle at this moment. */
static uint32_t idle_limit_ms(const struct tcp *tcp)
{
	return tcp->conn_count > tcp->max / 2 ? tcp->idle_ms / IDLE_DIVISOR_MANY
					      : tcp->idle_ms;
}

static void unlink_conn(struct conn *conn)
{
	struct tcp *tcp = conn->tcp;

	*(conn->older ? &conn->older->newer : &tcp->oldest) = conn->newer;
	*(conn->newer ? &conn->newer->older : &tcp->newest) = conn->older;
}

static void link_newest(struct conn *conn)
{
	struct tcp *tcp = conn->tcp;

	conn->active_ms = clock_monotonic_ms();
	conn->newer = NULL;
	conn->older = tcp->newest;
	*(tcp->newest ? &tcp->newest->newer : &tcp->oldest) = conn;
	tcp->newest = conn;
}

/* It is not idle. */
static void touch(struct conn *conn)
{
	unlink_conn(conn);
	link_newest(conn);
}

static void conn_close(struct conn *conn)
{
	struct tcp *tcp = conn->tcp;

	unlink_conn(conn);
	if (conn->readable)
		event_free(conn->readable);
	if (conn->writable)
		event_free(conn->writable);
	close(conn->fd);
	frames_fini(&conn->input);
	free(conn->unsent);
	free(conn);
	if (--tcp->conn_count == 0 && tcp->draining)
		event_base_loopbreak(tcp->core->base);
}

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
	struct answer_context *ctx = &conn->tcp->core->ctx;
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
	struct tcp *tcp = conn->tcp;
	uint8_t *at = tcp->output + tcp->output_len;
	struct answer_request req = {
		.query = message,
		.len = len,
		.source = conn->source,
		.listener_vpc = conn->listener_vpc,
		.tcp = true,
		.idle_ms = idle_limit_ms(tcp),
	};
	unsigned waiting = conn->waiting;
	size_t reply_len = answer(conn, &req, at + PREFIX_LEN);

	tcp->core->tally.tcp_queries++;
	if (reply_len == 0) {
		tcp->core->tally.dropped += conn->waiting == waiting;
		return;
	}
	at[0] = (uint8_t)(reply_len >> 8);
	at[1] = (uint8_t)reply_len;
	tcp->output_len += PREFIX_LEN + reply_len;
	tcp->core->tally.answered++;
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
	struct tcp *tcp = conn->tcp;
	enum frames_next next = FRAMES_WHOLE;
	const uint8_t *message;
	bool has_answered = false;
	size_t len;

	if (conn->awaits_proxy) {
		enum progress progress = take_proxy_header(conn);

		if (progress != PROGRESS_MORE)
			return progress;
	}
	worker_set_time(tcp->core);
	rcu_read_lock();
	while (OUTPUT_CAP - tcp->output_len >= REPLY_ROOM &&
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
	struct tcp *tcp = conn->tcp;
	size_t len = tcp->output_len;
	ssize_t sent = len > 0 ? send_some(conn, tcp->output, len) : 0;

	tcp->output_len = 0;
	if (sent < 0)
		return false;
	if ((size_t)sent == len)
		return true;
	conn->unsent_at = 0;
	conn->unsent_len = len - (size_t)sent;
	conn->unsent = malloc(conn->unsent_len);
	if (!conn->unsent)
		return false;
	memcpy(conn->unsent, tcp->output + sent, conn->unsent_len);
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
	worker_publish_counters(conn->tcp->core);
	if (conn->tcp->core->ctx.desk)
		forward_flush(conn->tcp->core->ctx.desk);
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
	return serve_input(conn) && !(conn->tcp->draining && !conn->unsent);
}

static void on_conn_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *conn = arg;

	(void)fd;
	(void)what;
	if (!resume(conn))
		conn_close(conn);
}

/* Takes the descriptor in any case. */
static void conn_open(struct listener *listener, int fd, const struct sockaddr *peer)
{
	struct tcp *tcp = listener->tcp;
	const struct answer_config *config = tcp->core->ctx.config;
	struct conn *conn = calloc(1, sizeof *conn);
	const int on = 1;

	if (!conn || netaddr_from_sockaddr(peer, &conn->source) != GAZ_OK) {
		free(conn);
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	memcpy(&conn->peer, peer, netaddr_sockaddr_len(peer));
	conn->number = ++tcp->last_number;
	conn->tcp = tcp;
	conn->fd = fd;
	conn->listener_vpc = listener->listener_vpc;
	conn->awaits_proxy =
		config && netprefix_list_holds(&config->proxy_from, &conn->source);
	conn->readable = event_new(tcp->core->base, fd, EV_READ | EV_PERSIST,
				   on_conn_readable, conn);
	conn->writable = event_new(tcp->core->base, fd, EV_WRITE, on_conn_writable, conn);
	link_newest(conn);
	tcp->conn_count++;
	tcp->core->tally.tcp_connections++;
	if (frames_init(&conn->input) != GAZ_OK || !conn->readable || !conn->writable ||
	    event_add(conn->readable, NULL) != 0)
		conn_close(conn);
	else
		arm_sweep(tcp);
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
	return true;
}

/* A reply of the resolver. False: close the connection. */
static bool send_late(struct conn *conn, const uint8_t *reply, size_t len)
{
	struct tcp *tcp = conn->tcp;
	uint8_t *at = tcp->output;
	bool sent;

	if (len == 0) /* there was no memory for it */
		return false;
	at[0] = (uint8_t)(len >> 8);
	at[1] = (uint8_t)len;
	memcpy(at + PREFIX_LEN, reply, len);
	tcp->output_len = PREFIX_LEN + len;
	if (conn->unsent) {
		sent = append_unsent(conn, at, tcp->output_len);
		tcp->output_len = 0;
		return sent;
	}
	sent = send_output(conn);
	return sent && (!conn->eof || conn->waiting > 0 || conn->unsent);
}

static void on_late_reply(void *arg, uint64_t ticket, const uint8_t *reply, size_t len)
{
	struct tcp *tcp = arg;
	struct conn *conn = tcp->newest;

	while (conn && conn->number != ticket)
		conn = conn->older;
	if (!conn) /* the client has gone */
		return;
	conn->waiting--;
	touch(conn);
	if (!send_late(conn, reply, len))
		conn_close(conn);
}

void tcp_collect(struct tcp *tcp)
{
	forward_collect(tcp->core->ctx.desk, on_late_reply, tcp);
}

/* No descriptor or memory for one more connection: give up the one that has
 * been idle longest, or, when there is none, accept nothing for a while. */
static void relieve(struct tcp *tcp, int cause)
{
	static struct log_limit limit;
	uint32_t suppressed;

	if (log_limit_pass(&limit, &suppressed))
		log_warn("tcp-accept-failed", "cause=\"%s\" connections=%u suppressed=%u",
			 strerror(cause), tcp->conn_count, suppressed);
	if (tcp->oldest) {
		conn_close(tcp->oldest);
		return;
	}
	for (struct listener *l = tcp->listeners; l; l = l->next)
		event_del(l->event);
	tcp->paused = true;
	arm_sweep(tcp);
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;
	struct tcp *tcp = listener->tcp;

	(void)what;
	for (int i = 0; i < ACCEPTS_PER_WAKEUP; i++) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof peer;
		int conn_fd = accept4(fd, (struct sockaddr *)&peer, &len,
				      SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn_fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS)
				relieve(tcp, errno);
			return;
		}
		if (tcp->conn_count >= tcp->max)
			conn_close(tcp->oldest);
		conn_open(listener, conn_fd, (struct sockaddr *)&peer);
	}
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct tcp *tcp = arg;
	int64_t now_ms = clock_monotonic_ms();

	(void)fd;
	(void)what;
	while (tcp->oldest && now_ms - tcp->oldest->active_ms >= idle_limit_ms(tcp)) {
		/* Who waits for a reply is not idle (RFC 7766, section 3). */
		if (tcp->oldest->waiting > 0)
			touch(tcp->oldest);
		else
			conn_close(tcp->oldest);
	}
	if (tcp->paused && !tcp->draining) {
		tcp->paused = false;
		for (struct listener *l = tcp->listeners; l; l = l->next)
			(void)event_add(l->event, NULL);
	}
	if (tcp->oldest)
		arm_sweep(tcp);
}

gaz_status tcp_new(struct worker_core *core, uint32_t idle_ms, uint32_t max,
		   struct tcp **out)
{
	struct tcp *tcp = calloc(1, sizeof *tcp);

	if (!tcp)
		return GAZ_ENOMEM;
	tcp->core = core;
	tcp->idle_ms = idle_ms ? idle_ms : TCP_IDLE_MS;
	tcp->max = max ? max : TCP_MAX;
	tcp->sweep = evtimer_new(core->base, on_sweep, tcp);
	if (!tcp->sweep) {
		free(tcp);
		return GAZ_ENOMEM;
	}
	*out = tcp;
	return GAZ_OK;
}

gaz_status tcp_add(struct tcp *tcp, int *take, int listener_vpc)
{
	struct listener *listener = calloc(1, sizeof *listener);

	if (!listener)
		return GAZ_ENOMEM;
	listener->tcp = tcp;
	listener->fd = *take;
	listener->listener_vpc = listener_vpc;
	listener->event = event_new(tcp->core->base, *take, EV_READ | EV_PERSIST,
				    on_acceptable, listener);
	if (!listener->event || event_add(listener->event, NULL) != 0) {
		if (listener->event)
			event_free(listener->event);
		free(listener);
		return GAZ_ENOMEM;
	}
	listener->next = tcp->listeners;
	tcp->listeners = listener;
	*take = -1;
	return GAZ_OK;
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

void tcp_drain(struct tcp *tcp)
{
	const struct timeval period = {.tv_sec = DRAIN_PERIOD_S};

	if (tcp->core->ctx.desk)
		tcp_collect(tcp);
	for (struct listener *l = tcp->listeners; l; l = l->next) {
		on_acceptable(l->fd, EV_READ, l);
		event_del(l->event);
	}
	for (struct conn *conn = tcp->oldest, *newer; conn; conn = newer) {
		newer = conn->newer;
		drain_conn(conn);
	}
	tcp->draining = true;
	if (tcp->conn_count > 0 && event_base_loopexit(tcp->core->base, &period) == 0)
		(void)event_base_dispatch(tcp->core->base);
	while (tcp->oldest)
		conn_close(tcp->oldest);
}

void tcp_free(struct tcp **tcp)
{
	if (!*tcp)
		return;
	while ((*tcp)->oldest)
		conn_close((*tcp)->oldest);
	for (struct listener *l = (*tcp)->listeners, *next; l; l = next) {
		next = l->next;
		event_free(l->event);
		close(l->fd);
		free(l);
	}
	event_free((*tcp)->sweep);
	free(*tcp);
	*tcp = NULL;
}
