/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/tcp.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "responder/conns.h"
#include "responder/core.h"

enum {
	SWEEP_PERIOD_MS = 1000,
	ACCEPTS_PER_WAKEUP = 32,
};

struct listener {
	struct listener *next;
	struct tcp *tcp;
	struct event *event;
	int fd;
	int listener_vpc;
};

struct tcp {
	struct worker_core *core;
	struct conns *conns;
	struct listener *listeners;
	struct event *sweep;
	uint32_t sweep_ms;
	bool paused; /* no descriptors left: accepting waits for the next sweep */
	bool draining;
};

static void arm_sweep(struct tcp *tcp)
{
	const struct timeval period = {tcp->sweep_ms / 1000, tcp->sweep_ms % 1000 * 1000};

	if (!evtimer_pending(tcp->sweep, NULL))
		(void)evtimer_add(tcp->sweep, &period);
}

/* No descriptor or memory for one more connection: give up the one that has
 * been idle longest, or, when there is none, accept nothing for a while. */
static void relieve(struct tcp *tcp, int cause)
{
	static struct log_limit limit;
	uint32_t suppressed;

	if (log_limit_pass(&limit, &suppressed))
		log_warn("tcp-accept-failed", "cause=\"%s\" connections=%u suppressed=%u",
			 strerror(cause), conns_count(tcp->conns), suppressed);
	if (conns_close_idlest(tcp->conns))
		return;
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
		conns_open(tcp->conns, conn_fd, (struct sockaddr *)&peer,
			   listener->listener_vpc);
		arm_sweep(tcp);
	}
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct tcp *tcp = arg;

	(void)fd;
	(void)what;
	conns_close_idle(tcp->conns);
	if (tcp->paused && !tcp->draining) {
		tcp->paused = false;
		for (struct listener *l = tcp->listeners; l; l = l->next)
			(void)event_add(l->event, NULL);
	}
	if (conns_count(tcp->conns) > 0)
		arm_sweep(tcp);
}

gaz_status tcp_new(struct worker_core *core, uint32_t idle_ms, uint32_t max,
		   struct tcp **out)
{
	struct tcp *tcp = calloc(1, sizeof *tcp);
	uint32_t limit_ms = idle_ms ? idle_ms : TCP_IDLE_MS;
	gaz_status st;

	if (!tcp)
		return GAZ_ENOMEM;
	tcp->core = core;
	tcp->sweep_ms = limit_ms / 2 < SWEEP_PERIOD_MS ? limit_ms / 2 : SWEEP_PERIOD_MS;
	tcp->sweep = evtimer_new(core->base, on_sweep, tcp);
	st = tcp->sweep ? conns_new(core, limit_ms, max ? max : TCP_MAX, &tcp->conns)
			: GAZ_ENOMEM;
	if (st != GAZ_OK)
		tcp_free(&tcp);
	else
		*out = tcp;
	return st;
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

void tcp_collect(struct tcp *tcp)
{
	conns_collect(tcp->conns);
}

void tcp_drain(struct tcp *tcp)
{
	if (tcp->core->ctx.desk)
		tcp_collect(tcp);
	for (struct listener *l = tcp->listeners; l; l = l->next) {
		on_acceptable(l->fd, EV_READ, l);
		event_del(l->event);
	}
	tcp->draining = true;
	conns_drain(tcp->conns);
}

void tcp_free(struct tcp **tcp)
{
	if (!*tcp)
		return;
	conns_free(&(*tcp)->conns);
	for (struct listener *l = (*tcp)->listeners, *next; l; l = next) {
		next = l->next;
		event_free(l->event);
		close(l->fd);
		free(l);
	}
	if ((*tcp)->sweep)
		event_free((*tcp)->sweep);
	free(*tcp);
	*tcp = NULL;
}
