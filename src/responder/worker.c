/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <urcu.h>

#include "base/log.h"
#include "base/thread.h"
#include "forward/forward.h"
#include "responder/core.h"
#include "responder/tcp.h"
#include "responder/udp.h"

struct worker {
	struct worker_core core;
	struct udp *udp;
	struct tcp *tcp;
	struct event *wake;
	int wake_fd;
	struct event *forwarded; /* replies over TCP have come, or NULL */
	pthread_t thread;
	bool running;
};

void worker_read_counters(const struct worker *w, struct responder_counters *sum)
{
	core_read_counters(&w->core, sum);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(w->core.base);
}

static void on_forwarded(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	tcp_collect(w->tcp);
}

/* A base without locks: only its own thread touches it while it runs. */
static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

static gaz_status open_wake(struct worker *w)
{
	w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->wake_fd < 0)
		return GAZ_EIO;
	w->wake = event_new(w->core.base, w->wake_fd, EV_READ, on_wake, w);
	return w->wake && event_add(w->wake, NULL) == 0 ? GAZ_OK : GAZ_ENOMEM;
}

static gaz_status seed_rng(struct rng *rng, uint64_t seed)
{
	if (seed == 0)
		return rng_secret(rng->s, sizeof rng->s);
	rng_seed(rng, seed);
	return GAZ_OK;
}

gaz_status worker_new(const struct worker_config *config, uint64_t seed,
		      struct worker **out)
{
	struct worker *w = aligned_alloc(_Alignof(struct worker), sizeof *w);
	gaz_status st;

	if (!w)
		return GAZ_ENOMEM;
	memset(w, 0, sizeof *w);
	w->wake_fd = -1;
	w->core.ctx.db = config->db;
	w->core.ctx.config = config->answers;
	w->core.cookies = config->cookies;
	w->core.base = new_base();
	if (!w->core.base)
		st = GAZ_ENOMEM;
	else if ((st = seed_rng(&w->core.ctx.rng, seed)) == GAZ_OK &&
		 (st = open_wake(w)) == GAZ_OK &&
		 (st = udp_new(&w->core, config->udp_gather_us, &w->udp)) == GAZ_OK)
		st = tcp_new(&w->core, config->tcp_idle_ms, config->tcp_max, &w->tcp);
	if (st != GAZ_OK)
		worker_free(&w);
	else
		*out = w;
	return st;
}

gaz_status worker_add(struct worker *w, struct listen_pair *take, int listener_vpc)
{
	gaz_status st = udp_add(w->udp, &take->udp, listener_vpc);

	return st != GAZ_OK ? st : tcp_add(w->tcp, &take->tcp, listener_vpc);
}

gaz_status worker_forward(struct worker *w, struct forward_desk *desk,
			  const struct recursion *recursion)
{
	w->forwarded = event_new(w->core.base, forward_desk_fd(desk),
				 EV_READ | EV_PERSIST, on_forwarded, w);
	if (!w->forwarded || event_add(w->forwarded, NULL) != 0)
		return GAZ_ENOMEM;
	w->core.ctx.desk = desk;
	w->core.ctx.recursion = *recursion;
	return GAZ_OK;
}

static void *run(void *arg)
{
	struct worker *w = arg;

	rcu_register_thread();
	if (event_base_dispatch(w->core.base) < 0)
		log_error("worker-failed", "cause=\"%s\"", strerror(errno));
	if (w->forwarded)
		event_del(w->forwarded);
	udp_drain(w->udp);
	tcp_drain(w->tcp);
	core_publish_counters(&w->core);
	rcu_unregister_thread();
	return NULL;
}

gaz_status worker_start(struct worker *w, int cpu)
{
	gaz_status st =
		thread_start_on(cpu, &w->thread, "dns-worker", THREAD_FOREMOST, run, w);

	w->running = st == GAZ_OK;
	return st;
}

void worker_stop(struct worker *w)
{
	const uint64_t one = 1;

	/* Cannot fail: the counter is far from its end. */
	if (w->running && write(w->wake_fd, &one, sizeof one) < 0)
		log_error("worker-stop-failed", "cause=\"%s\"", strerror(errno));
}

void worker_join(struct worker *w)
{
	if (!w->running)
		return;
	pthread_join(w->thread, NULL);
	w->running = false;
}

void worker_free(struct worker **w)
{
	if (!*w)
		return;
	tcp_free(&(*w)->tcp);
	udp_free(&(*w)->udp);
	if ((*w)->wake)
		event_free((*w)->wake);
	if ((*w)->forwarded)
		event_free((*w)->forwarded);
	if ((*w)->wake_fd >= 0)
		close((*w)->wake_fd);
	if ((*w)->core.base)
		event_base_free((*w)->core.base);
	free(*w);
	*w = NULL;
}
