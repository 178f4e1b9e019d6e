/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/resolver.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unistd.h>
#include <urcu.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "forward/context.h"
#include "forward/resolver-internal.h"
#include "forward/watch.h"

enum {
	TICK_MS = 100,	 /* how exactly deadlines are kept */
	WATCH_MS = 1000, /* how soon a change of resolv.conf is noticed */
};

static void take_queries(struct resolver *r)
{
	struct forward *f = r->forward;
	struct desk_slot *slot;

	for (unsigned i = 0; i < f->desk_count; i++) {
		for (unsigned n = 0;
		     n < DESK_SLOTS && (slot = desk_take_asked(&f->desks[i])); n++)
			resolver_take_query(r, slot);
	}
}

/* Who has waited long enough is told so; the answer may still come, for the cache. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;
	int64_t now_ms = clock_monotonic_ms();

	(void)fd;
	(void)what;
	while (r->questions.oldest && r->questions.oldest->deadline_ms <= now_ms)
		resolver_take_failure(r, r->questions.oldest);
}

/* ---- other upstreams, or the same anew ---- */

static void delete_context(struct resolver *r)
{
	r->is_deleting = true;
	ub_ctx_delete(r->ctx);
	r->ctx = NULL;
	r->is_deleting = false;
}

/* What the old one had not answered yet. */
static void ask_again(struct resolver *r)
{
	for (size_t i = 0; i < FORWARD_QUESTIONS_MAX; i++) {
		struct question *question = &r->questions.places[i];

		if (!question->is_used || question->generation == r->generation)
			continue;
		if (question->waiting)
			resolver_ask(r, question);
		else
			questions_remove(&r->questions, question);
	}
}

static gaz_status renew_context(struct resolver *r)
{
	const struct forward *f = r->forward;
	struct ub_ctx *ctx = NULL;
	gaz_status st = context_new(r->base, f->routes, f->route_count, &ctx);

	if (st != GAZ_OK)
		return st;
	delete_context(r);
	r->ctx = ctx;
	r->generation++;
	cache_flush(f->cache);
	memset(r->loops, 0, sizeof r->loops);
	memset(r->reaches, 0, sizeof r->reaches);
	ask_again(r);
	return GAZ_OK;
}

/* libunbound cannot be told to forget, but a context that is new knows nothing. */
static void grant_wishes(struct resolver *r)
{
	struct forward_wish *wishes = forward_take_wishes(r->forward);
	gaz_status st;

	if (!wishes)
		return;
	st = renew_context(r);
	if (st == GAZ_OK)
		log_info("forward-cache-flushed", "generation=%" PRIu64, r->generation);
	forward_end_wishes(wishes, st);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof count) < 0)
		return;
	grant_wishes(r);
	take_queries(r);
	if (atomic_load_explicit(&r->forward->is_closing, memory_order_acquire))
		event_base_loopbreak(r->base);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;
	struct route *route = &r->forward->routes[r->watched_route];
	struct route before = *route;
	gaz_status st;

	(void)fd;
	(void)what;
	if (!watch_look(r->watch, route))
		return;
	st = renew_context(r);
	if (st != GAZ_OK) {
		*route = before;
		if (watch_again(r->watch))
			log_error("forward-upstreams-kept",
				  "cause=\"%s; it is tried again by itself\"",
				  gaz_status_text(st));
		return;
	}
	log_info("forward-upstreams-changed", "file=%s upstreams=%zu",
		 watch_path(r->watch), route->count);
}

/* ---- opening and closing ---- */

/* Nobody but its own thread touches the base while it runs. */
static gaz_status open_base(struct resolver *r)
{
	struct event_config *config = event_config_new();

	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
		r->base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return r->base ? GAZ_OK : GAZ_ENOMEM;
}

static gaz_status open_events(struct resolver *r)
{
	const struct timeval tick = {0, TICK_MS * 1000L};
	const struct timeval look = {WATCH_MS / 1000, 0};

	r->wake =
		event_new(r->base, r->forward->wake_fd, EV_READ | EV_PERSIST, on_wake, r);
	r->tick = event_new(r->base, -1, EV_PERSIST, on_tick, r);
	r->look = event_new(r->base, -1, EV_PERSIST, on_look, r);
	if (!r->wake || !r->tick || !r->look || event_add(r->wake, NULL) != 0 ||
	    event_add(r->tick, &tick) != 0 ||
	    (r->watch && event_add(r->look, &look) != 0))
		return GAZ_ENOMEM;
	return GAZ_OK;
}

gaz_status resolver_open(struct forward *forward, struct watch *watch, int watched_route,
			 struct resolver **out)
{
	struct resolver *r = calloc(1, sizeof *r);
	gaz_status st;

	if (!r)
		return GAZ_ENOMEM;
	r->forward = forward;
	r->watch = watch;
	r->watched_route = watched_route;
	if ((st = questions_init(&r->questions, r, FORWARD_QUESTIONS_MAX)) != GAZ_OK ||
	    (st = open_base(r)) != GAZ_OK ||
	    (st = context_new(r->base, forward->routes, forward->route_count, &r->ctx)) !=
		    GAZ_OK ||
	    (st = open_events(r)) != GAZ_OK)
		resolver_close(&r);
	else
		*out = r;
	return st;
}

static void fail_all(struct resolver *r)
{
	while (r->questions.oldest)
		resolver_fail_waiting(r, r->questions.oldest, EDNS_ERROR_OTHER);
}

static void *run(void *arg)
{
	struct resolver *r = arg;

	rcu_register_thread();
	(void)event_base_dispatch(r->base);
	atomic_store(&r->forward->has_ended, true);
	forward_end_wishes(forward_take_wishes(r->forward), GAZ_EBUSY);
	fail_all(r);
	rcu_unregister_thread();
	return NULL;
}

gaz_status resolver_start(struct resolver *r)
{
	gaz_status st = thread_start(&r->thread, "resolver", THREAD_BEHIND, run, r);

	r->running = st == GAZ_OK;
	return st;
}

void resolver_stop(struct resolver *r)
{
	if (!r->running)
		return;
	forward_wake(r->forward);
	pthread_join(r->thread, NULL);
	r->running = false;
}

void resolver_give_up(struct resolver *r)
{
	struct desk_slot *slot;

	for (unsigned i = 0; i < r->forward->desk_count; i++) {
		while ((slot = desk_take_asked(&r->forward->desks[i])))
			resolver_fail(r, slot, EDNS_ERROR_OTHER);
	}
}

void resolver_close(struct resolver **r)
{
	struct resolver *old = *r;

	if (!old)
		return;
	if (old->ctx)
		delete_context(old);
	if (old->wake)
		event_free(old->wake);
	if (old->tick)
		event_free(old->tick);
	if (old->look)
		event_free(old->look);
	if (old->base)
		event_base_free(old->base);
	questions_fini(&old->questions);
	free(old);
	*r = NULL;
}

void resolver_read_counters(const struct resolver *r, struct forward_counters *out)
{
	out->questions += atomic_load_explicit(&r->asked, memory_order_relaxed);
	out->failures += atomic_load_explicit(&r->failures, memory_order_relaxed);
	out->turned_away += atomic_load_explicit(&r->turned_away, memory_order_relaxed);
	for (int i = 0; i < 16; i++)
		out->rcodes[i] +=
			atomic_load_explicit(&r->rcodes[i], memory_order_relaxed);
}
