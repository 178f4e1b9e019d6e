/* SPDX-License-Identifier: BSD-2-Clause */
#include "prober/prober.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "prober/probe.h"
#include "prober/target.h"

enum {
	NOTICES_MAX = 1000, /* taken in at a time, then probes have their turn */
	RETRY_MS = 1000,    /* after there was no memory for a target */
};

/* A status that shall count, on its way through the registry and back. */
struct flip {
	struct job job; /* the first member: the registry gives it back */
	struct flip *next;
	struct prober *prober;
	struct target *target; /* NULL: it has gone, or is another by now */
	struct arena arena;
	struct healthcheck_report_in in;
	struct healthcheck_report_out out;
	char reason[PROBE_REASON_SIZE];
};

struct prober {
	struct prober_config config;
	struct registry *registry;
	pthread_t thread;
	bool has_thread;
	atomic_bool stopping;

	/* What other threads hand over; the mutex guards it, the descriptor wakes. */
	pthread_mutex_t mutex;
	struct healthcheck_notice *notices;
	struct healthcheck_notice **notices_tail;
	struct flip *flips;
	int event_fd;

	/* The thread's own. */
	struct event_base *base;
	struct event *wake;
	struct event *timer; /* the next probe is due */
	struct event *retry;
	struct event *again; /* runs after what is being done now */
	struct probe_tls *tls;
	struct rng rng;
	struct target_table targets;
	struct schedule schedule;
	uint32_t in_flight;
	struct healthcheck_notice *left; /* notices that are not taken in yet */
};

static void wake(struct prober *p)
{
	(void)eventfd_write(p->event_fd, 1);
}

static void run_again(struct prober *p)
{
	event_active(p->again, EV_TIMEOUT, 0);
}

/* ---- flips ---- */

static void free_flip(struct flip *flip)
{
	arena_fini(&flip->arena);
	free(flip);
}

/* On the writer's thread, as a rule. */
static void on_flip_done(struct job *job)
{
	struct flip *flip = (struct flip *)job;
	struct prober *p = flip->prober;

	pthread_mutex_lock(&p->mutex);
	flip->next = p->flips;
	p->flips = flip;
	pthread_mutex_unlock(&p->mutex);
	wake(p);
}

/* Without memory for it the next result asks again. */
static void submit_flip(struct prober *p, struct target *target, bool healthy,
			const char *reason)
{
	const struct healthcheck_notice *what = target->what;
	struct flip *flip = calloc(1, sizeof *flip);

	if (!flip)
		return;
	arena_init(&flip->arena);
	flip->prober = p;
	flip->in = (struct healthcheck_report_in){
		.service_id = arena_strdup(&flip->arena, what->service_id),
		.instance_id = arena_strdup(&flip->arena, what->instance_id),
		.fingerprint = what->fingerprint,
		.healthy = healthy,
	};
	flip->job = (struct job){
		.call = {.arena = &flip->arena,
			 .region = arena_strdup(&flip->arena, what->region),
			 .account = arena_strdup(&flip->arena, what->account)},
		.run = healthcheck_report,
		.in = &flip->in,
		.out = &flip->out,
		.done = on_flip_done,
	};
	if (flip->arena.failed) {
		free_flip(flip);
		return;
	}
	(void)snprintf(flip->reason, sizeof flip->reason, "%s", reason);
	flip->target = target;
	target->flip = flip;
	registry_submit(p->registry, &flip->job);
}

/* The registry took the report of a target that is another one by now. Should the new
 * one be the same in all that the registry can tell (a check that was changed and
 * changed back), it hears once more what counts. */
static void put_right(struct prober *p, const struct flip *flip)
{
	struct target *target =
		target_find(&p->targets, flip->in.service_id, flip->in.instance_id);

	if (target && !target->flip && target->what->fingerprint == flip->in.fingerprint)
		submit_flip(p, target, target->verdict.healthy, flip->reason);
}

/* A report that was not taken is of something that has changed meanwhile: there is a
 * notice of it. One that failed is made again after the next result. */
static void end_flip(struct prober *p, struct flip *flip)
{
	struct target *target = flip->target;
	bool is_taken = flip->job.status == GAZ_OK && flip->out.taken;

	if (is_taken && flip->out.changed)
		log_info("health-changed",
			 "service=%s instance=%s status=%s reason=\"%s\"",
			 flip->in.service_id, flip->in.instance_id,
			 flip->in.healthy ? "HEALTHY" : "UNHEALTHY", flip->reason);
	if (target)
		target->flip = NULL;
	if (target && is_taken)
		target->verdict = (struct verdict){.healthy = flip->in.healthy};
	else if (is_taken)
		put_right(p, flip);
	free_flip(flip);
}

static void end_flips(struct prober *p)
{
	struct flip *list;

	pthread_mutex_lock(&p->mutex);
	list = p->flips;
	p->flips = NULL;
	pthread_mutex_unlock(&p->mutex);
	while (list) {
		struct flip *next = list->next;

		end_flip(p, list);
		list = next;
	}
}

/* ---- probes ---- */

static void plan_next(struct prober *p, struct target *target)
{
	schedule_add(&p->schedule, &target->item,
		     schedule_next_ms(&p->rng, target->item.due_ms, clock_monotonic_ms(),
				      p->config.interval_ms));
}

static void on_probe_done(void *arg, enum probe_result result, const char *reason)
{
	struct target *target = arg;
	struct prober *p = target->prober;

	target->probe = NULL;
	p->in_flight--;
	/* While a report is under way, the status is not known. */
	if (result != PROBE_NONE && !target->flip &&
	    verdict_count(&target->verdict, result == PROBE_SUCCESS,
			  target->what->threshold))
		submit_flip(p, target, !target->verdict.healthy, reason);
	plan_next(p, target);
	run_again(p);
}

static void begin_probe(struct prober *p, struct target *target)
{
	static struct log_limit limit;
	uint32_t suppressed;
	gaz_status st;

	schedule_remove(&p->schedule, &target->item);
	st = probe_start(p->base, p->tls, target->what, on_probe_done, target,
			 &target->probe);
	if (st == GAZ_OK) {
		p->in_flight++;
		return;
	}
	if (log_limit_pass(&limit, &suppressed))
		log_warn("probe-not-started",
			 "reason=\"out of memory, file descriptors or ports\" "
			 "suppressed=%u",
			 suppressed);
	/* Not at once, however late it is. */
	target->item.due_ms = clock_monotonic_ms();
	plan_next(p, target);
}

/* Begin what is due, as far as the limit allows, and sleep until the next. */
static void begin_probes(struct prober *p)
{
	const int64_t now_ms = clock_monotonic_ms();
	struct schedule_item *item = schedule_first(&p->schedule);
	struct timeval wait;
	int64_t wait_ms;

	for (uint32_t n = 0;
	     item && item->due_ms <= now_ms && n < p->config.in_flight_max &&
	     p->in_flight < p->config.in_flight_max;
	     n++) {
		begin_probe(p, (struct target *)item);
		item = schedule_first(&p->schedule);
	}
	if (!item || p->in_flight >= p->config.in_flight_max) {
		event_del(p->timer);
		return;
	}
	wait_ms = item->due_ms > now_ms ? item->due_ms - now_ms : 0;
	wait = (struct timeval){.tv_sec = wait_ms / 1000,
				.tv_usec = wait_ms % 1000 * 1000};
	event_add(p->timer, &wait);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	begin_probes(arg);
}

/* ---- notices ---- */

/* What is under way for the target is no longer of interest. */
static void abandon(struct target *target)
{
	struct prober *p = target->prober;

	if (target->probe) {
		probe_free(&target->probe);
		p->in_flight--;
	}
	if (target->flip)
		target->flip->target = NULL;
	target->flip = NULL;
}

static void drop_target(struct prober *p, struct target *target)
{
	abandon(target);
	schedule_remove(&p->schedule, &target->item);
	target_remove(&p->targets, target);
}

static gaz_status add_target(struct prober *p, struct healthcheck_notice **take)
{
	struct target *target;
	gaz_status st = schedule_reserve(&p->schedule, p->targets.count + 1);

	if (st == GAZ_OK)
		st = target_add(&p->targets, take, &target);
	if (st != GAZ_OK)
		return st;
	target->prober = p;
	target->verdict = (struct verdict){.healthy = target->what->healthy};
	schedule_add(
		&p->schedule, &target->item,
		schedule_begin_ms(&p->rng, clock_monotonic_ms(), p->config.interval_ms));
	return GAZ_OK;
}

/* A registration or a check that has changed is looked at as a new one. */
static gaz_status take_notice(struct prober *p, struct healthcheck_notice **take)
{
	struct target *target =
		target_find(&p->targets, (*take)->service_id, (*take)->instance_id);

	if (target)
		drop_target(p, target);
	if (!(*take)->is_gone)
		return add_target(p, take);
	healthcheck_free_notices(*take);
	*take = NULL;
	return GAZ_OK;
}

static void fetch_notices(struct prober *p)
{
	if (p->left)
		return;
	pthread_mutex_lock(&p->mutex);
	p->left = p->notices;
	p->notices = NULL;
	p->notices_tail = &p->notices;
	pthread_mutex_unlock(&p->mutex);
}

/* @return true: there may be more */
static bool take_notices(struct prober *p)
{
	const struct timeval wait = {.tv_sec = RETRY_MS / 1000};

	fetch_notices(p);
	for (int n = 0; p->left && n < NOTICES_MAX; n++) {
		struct healthcheck_notice *notice = p->left;

		p->left = notice->next;
		notice->next = NULL;
		if (take_notice(p, &notice) != GAZ_OK) {
			notice->next = p->left;
			p->left = notice;
			event_add(p->retry, &wait);
			return false;
		}
	}
	fetch_notices(p);
	return p->left != NULL;
}

void prober_take_notices(void *prober, struct healthcheck_notice *take)
{
	struct prober *p = prober;

	pthread_mutex_lock(&p->mutex);
	*p->notices_tail = take;
	while (*p->notices_tail)
		p->notices_tail = &(*p->notices_tail)->next;
	pthread_mutex_unlock(&p->mutex);
	wake(p);
}

/* ---- the thread ---- */

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct prober *p = arg;

	(void)fd;
	(void)what;
	if (take_notices(p))
		run_again(p);
	begin_probes(p);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct prober *p = arg;
	eventfd_t value;

	(void)what;
	(void)eventfd_read(fd, &value);
	if (atomic_load(&p->stopping)) {
		event_base_loopbreak(p->base);
		return;
	}
	end_flips(p);
	run_again(p);
}

static void *run_thread(void *arg)
{
	struct prober *p = arg;

	event_base_dispatch(p->base);
	return NULL;
}

gaz_status prober_start(struct prober *p, struct registry *registry)
{
	gaz_status st;

	p->registry = registry;
	st = thread_start(&p->thread, "prober", THREAD_BEHIND, run_thread, p);
	p->has_thread = st == GAZ_OK;
	return st;
}

void prober_stop(struct prober *p)
{
	if (!p->has_thread)
		return;
	atomic_store(&p->stopping, true);
	wake(p);
	pthread_join(p->thread, NULL);
	p->has_thread = false;
}

/* ---- opening and closing ---- */

static gaz_status open_events(struct prober *p)
{
	p->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (p->event_fd < 0)
		return GAZ_EIO;
	p->base = event_base_new();
	if (!p->base)
		return GAZ_ENOMEM;
	p->wake = event_new(p->base, p->event_fd, EV_READ | EV_PERSIST, on_wake, p);
	p->timer = evtimer_new(p->base, on_timer, p);
	p->retry = evtimer_new(p->base, on_again, p);
	p->again = evtimer_new(p->base, on_again, p);
	if (!p->wake || !p->timer || !p->retry || !p->again ||
	    event_add(p->wake, NULL) != 0)
		return GAZ_ENOMEM;
	return GAZ_OK;
}

gaz_status prober_open(const struct prober_config *config, struct prober **out)
{
	struct prober *p = calloc(1, sizeof *p);
	uint64_t seed;
	gaz_status st;

	if (!p)
		return GAZ_ENOMEM;
	p->config = *config;
	p->event_fd = -1;
	p->notices_tail = &p->notices;
	pthread_mutex_init(&p->mutex, NULL);
	schedule_init(&p->schedule);
	if ((st = open_events(p)) != GAZ_OK || (st = probe_tls_new(&p->tls)) != GAZ_OK ||
	    (st = target_table_init(&p->targets)) != GAZ_OK ||
	    (st = rng_secret(&seed, sizeof seed)) != GAZ_OK) {
		prober_close(&p);
		return st;
	}
	rng_seed(&p->rng, seed);
	*out = p;
	return GAZ_OK;
}

static void free_flips(struct prober *p)
{
	while (p->flips) {
		struct flip *next = p->flips->next;

		free_flip(p->flips);
		p->flips = next;
	}
}

static void free_events(struct prober *p)
{
	struct event *events[] = {p->wake, p->timer, p->retry, p->again};

	for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
		if (events[i])
			event_free(events[i]);
	}
	if (p->base)
		event_base_free(p->base);
	if (p->event_fd >= 0)
		close(p->event_fd);
}

void prober_close(struct prober **prober)
{
	struct prober *p = *prober;

	if (!p)
		return;
	prober_stop(p);
	target_table_each(&p->targets, abandon); /* lets go of the flips, too */
	free_flips(p);
	target_table_fini(&p->targets);
	schedule_fini(&p->schedule);
	healthcheck_free_notices(p->left);
	healthcheck_free_notices(p->notices);
	probe_tls_free(&p->tls);
	free_events(p);
	pthread_mutex_destroy(&p->mutex);
	free(p);
	*prober = NULL;
}
