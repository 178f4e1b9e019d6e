/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/resolver.h"

#include <event2/event.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unbound-event.h>
#include <unbound.h>
#include <unistd.h>
#include <urcu.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/netaddr.h"
#include "base/thread.h"
#include "dns/wire.h"
#include "forward/context.h"
#include "forward/deliver.h"
#include "forward/entry.h"
#include "forward/forward-internal.h"
#include "forward/loop.h"
#include "forward/question.h"
#include "forward/reach.h"
#include "forward/watch.h"

enum {
	TICK_MS = 100,	 /* how exactly deadlines are kept */
	WATCH_MS = 1000, /* how soon a change of resolv.conf is noticed */
	TYPE_HINFO = 13,
};

struct resolver {
	struct forward *forward;
	struct watch *watch; /* of resolv.conf, or NULL */
	int watched_route;
	struct event_base *base;
	struct event *wake;
	struct event *tick;
	struct event *look;
	pthread_t thread;
	bool running;
	struct ub_ctx *ctx;
	bool is_deleting;    /* the context; it calls back for all that it was asked */
	uint64_t generation; /* how often it was renewed */
	struct questions questions;
	struct loop loops[ROUTES_MAX];
	struct reach reaches[ROUTES_MAX];
	_Atomic uint64_t asked;
	_Atomic uint64_t failures;
	_Atomic uint64_t turned_away;
	_Atomic uint64_t rcodes[16];
	uint8_t scratch[ENTRY_SCRATCH_SIZE];
	uint8_t out[REPLY_TCP_MAX];
};

static void count_one(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* ---- replies ---- */

static void reply_to(struct resolver *r, struct desk_slot *slot,
		     const struct entry *entry, int64_t now_ms)
{
	deliver(slot, entry, EDNS_ERROR_NONE, now_ms, r->out, r->rcodes);
	desk_put_back(slot->desk, slot);
}

static void give_up(struct resolver *r, struct desk_slot *slot, enum edns_error error,
		    _Atomic uint64_t *counter)
{
	count_one(counter);
	deliver(slot, NULL, error, 0, r->out, r->rcodes);
	desk_put_back(slot->desk, slot);
}

static void fail(struct resolver *r, struct desk_slot *slot, enum edns_error error)
{
	give_up(r, slot, error, &r->failures);
}

static void fail_waiting(struct resolver *r, struct question *question,
			 enum edns_error error)
{
	struct desk_slot *slot = questions_take_waiting(&r->questions, question);

	while (slot) {
		struct desk_slot *next = slot->next;

		fail(r, slot, error);
		slot = next;
	}
}

/* ---- loops ---- */

static void ask(struct resolver *r, struct question *question);

/* Something looks like a loop: see whether it is one. */
static void suspect_loop(struct resolver *r, int route, int64_t now_ms)
{
	struct question *question;
	struct dname name;

	if (!loop_begin_probe(&r->loops[route], r->forward->routes[route].suffix, now_ms,
			      &name))
		return;
	question = questions_add(&r->questions, &name, TYPE_HINFO, route);
	if (!question)
		return;
	question->is_probe = true;
	ask(r, question);
}

static int find_probe(const struct resolver *r, const struct dname *name)
{
	for (size_t i = 0; i < r->forward->route_count; i++) {
		if (loop_is_probe(&r->loops[i], name))
			return (int)i;
	}
	return -1;
}

/* A probe has come back: nobody who waits for that route will get an answer. */
static void close_loop(struct resolver *r, int route, int64_t now_ms)
{
	char suffix[DNAME_TEXT_SIZE];

	if (!loop_is_closed(&r->loops[route], now_ms))
		log_error("forward-loop",
			  "suffix=%s seconds=%d advice=\"an upstream of --forward sends "
			  "its queries here: name another one\"",
			  dname_to_text(r->forward->routes[route].suffix, suffix),
			  LOOP_PAUSE_MS / 1000);
	r->loops[route].over_ms = now_ms + LOOP_PAUSE_MS;
	for (struct question *q = r->questions.oldest, *newer; q; q = newer) {
		newer = q->newer;
		if (q->route == route)
			fail_waiting(r, q, EDNS_ERROR_NO_REACHABLE_AUTHORITY);
	}
}

static bool is_upstream(const struct resolver *r, int route, const struct desk_slot *slot)
{
	const struct route *of = &r->forward->routes[route];
	struct netaddr client;
	struct netaddr upstream;

	if (netaddr_from_sockaddr((const struct sockaddr *)&slot->address, &client) !=
	    GAZ_OK)
		return false;
	for (size_t i = 0; i < of->count; i++) {
		if (netaddr_from_sockaddr((const struct sockaddr *)&of->addresses[i],
					  &upstream) == GAZ_OK &&
		    upstream.family == client.family &&
		    memcmp(upstream.bytes, client.bytes,
			   client.family == AF_INET ? 4 : 16) == 0)
			return true;
	}
	return false;
}

/* ---- answers ---- */

static struct entry *make_entry(struct resolver *r, const struct question *question,
				const void *packet, size_t len, bool with_dnssec,
				int64_t now_ms)
{
	const struct entry_source source = {
		.packet = packet,
		.len = len,
		.name = &question->name,
		.qtype = question->qtype,
		.with_dnssec = with_dnssec,
		.now_ms = now_ms,
	};
	struct entry *entry = NULL;

	return entry_new(&source, r->scratch, &entry) == GAZ_OK ? entry : NULL;
}

/* Those who wait and want DNSSEC records, or those who do not. */
static struct desk_slot *answer_waiting(struct resolver *r, struct desk_slot *waiting,
					bool with_dnssec, const struct entry *entry,
					int64_t now_ms)
{
	struct desk_slot *others = NULL;

	while (waiting) {
		struct desk_slot *next = waiting->next;

		if (waiting->query.dnssec_ok == with_dnssec) {
			if (entry)
				reply_to(r, waiting, entry, now_ms);
			else
				fail(r, waiting, EDNS_ERROR_NO_REACHABLE_AUTHORITY);
		} else {
			waiting->next = others;
			others = waiting;
		}
		waiting = next;
	}
	return others;
}

/* Into the cache first: whoever has got a reply finds it there when asking again.
 * @return what is to be freed: NULL, or an entry that is not to be kept */
static struct entry *keep(struct resolver *r, const struct question *question,
			  struct entry *entry, int64_t now_ms)
{
	const struct cache_key key = {&question->name, question->qtype,
				      entry->with_dnssec};

	if (entry->expires_ms > now_ms)
		cache_put(r->forward->cache, &key, &entry, now_ms);
	return entry;
}

static void take_answer(struct resolver *r, struct question *question, const void *packet,
			size_t len)
{
	int64_t now_ms = clock_monotonic_ms();
	struct desk_slot *waiting = questions_take_waiting(&r->questions, question);
	bool with_dnssec = waiting && waiting->query.dnssec_ok;

	/* The answer is rendered for those who wait; if nobody does any more, for those
	 * who ask again. */
	do {
		struct entry *entry =
			make_entry(r, question, packet, len, with_dnssec, now_ms);
		struct entry *ours = NULL;

		rcu_read_lock(); /* a kept one may be gone from the cache at once */
		if (entry)
			ours = keep(r, question, entry, now_ms);
		waiting = answer_waiting(r, waiting, with_dnssec, entry, now_ms);
		rcu_read_unlock();
		free(ours);
		with_dnssec = !with_dnssec;
	} while (waiting);
}

static void take_failure(struct resolver *r, struct question *question)
{
	static struct log_limit limit;
	uint32_t suppressed;
	char name[DNAME_TEXT_SIZE];
	int64_t now_ms = clock_monotonic_ms();
	int route = question->route;
	bool is_cut_off =
		reach_is_cut_off(&r->reaches[route], &r->forward->routes[route], now_ms);

	if (log_limit_pass(&limit, &suppressed))
		log_warn("forward-failed", "name=%s type=%u cause=\"%s\" suppressed=%u",
			 dname_to_text(question->name.wire, name), question->qtype,
			 is_cut_off ? "no network leads to an upstream"
				    : "no upstream has answered",
			 suppressed);
	fail_waiting(r, question,
		     is_cut_off ? EDNS_ERROR_NETWORK : EDNS_ERROR_NO_REACHABLE_AUTHORITY);
	if (!is_cut_off)
		suspect_loop(r, route, now_ms);
}

static void on_answer(void *arg, int rcode, void *packet, int len, int sec,
		      char *why_bogus, int was_ratelimited)
{
	struct question *question = arg;
	struct resolver *r = question->resolver;

	(void)sec;
	(void)why_bogus;
	(void)was_ratelimited;
	if (r->is_deleting)
		return; /* no failure, and nothing to ask that context: see ask_again() */
	if (question->is_probe)
		;
	else if (rcode == DNS_NOERROR && packet && len > 0)
		take_answer(r, question, packet, (size_t)len);
	else
		take_failure(r, question);
	questions_remove(&r->questions, question);
}

/* The answer may come before this returns: `question` may be gone then. */
static void ask(struct resolver *r, struct question *question)
{
	char name[DNAME_TEXT_SIZE];

	count_one(&r->asked);
	question->generation = r->generation;
	if (ub_resolve_event(r->ctx, dname_to_text(question->name.wire, name),
			     question->qtype, DNS_CLASS_IN, question, on_answer,
			     NULL) == 0)
		return;
	fail_waiting(r, question, EDNS_ERROR_NETWORK);
	questions_remove(&r->questions, question);
}

/* ---- queries ---- */

static void take_query(struct resolver *r, struct desk_slot *slot)
{
	const struct forward *f = r->forward;
	int64_t now_ms = clock_monotonic_ms();
	int probe = find_probe(r, &slot->name);
	int route = route_find(f->routes, f->route_count, &slot->name);
	struct question *question;

	if (probe >= 0)
		close_loop(r, probe, now_ms);
	if (probe >= 0 || route < 0 || loop_is_closed(&r->loops[route], now_ms)) {
		fail(r, slot, EDNS_ERROR_NO_REACHABLE_AUTHORITY);
		return;
	}
	question = questions_find(&r->questions, &slot->name, slot->query.qtype);
	if (question) {
		questions_wait(&r->questions, question, slot, now_ms + FORWARD_BUDGET_MS);
		if (is_upstream(r, route, slot))
			suspect_loop(r, route, now_ms);
		return;
	}
	question = questions_add(&r->questions, &slot->name, slot->query.qtype, route);
	if (!question) {
		give_up(r, slot, EDNS_ERROR_OTHER, &r->turned_away);
		return;
	}
	questions_wait(&r->questions, question, slot, now_ms + FORWARD_BUDGET_MS);
	ask(r, question);
}

static void take_queries(struct resolver *r)
{
	struct forward *f = r->forward;
	struct desk_slot *slot;

	for (unsigned i = 0; i < f->desk_count; i++) {
		for (unsigned n = 0;
		     n < DESK_SLOTS && (slot = desk_take_asked(&f->desks[i])); n++)
			take_query(r, slot);
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
		take_failure(r, r->questions.oldest);
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
			ask(r, question);
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
		fail_waiting(r, r->questions.oldest, EDNS_ERROR_OTHER);
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
			fail(r, slot, EDNS_ERROR_OTHER);
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
