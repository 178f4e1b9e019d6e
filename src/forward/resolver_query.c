/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <unbound-event.h>
#include <urcu.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/netaddr.h"
#include "dns/wire.h"
#include "forward/deliver.h"
#include "forward/resolver-internal.h"

/* What becomes of a query: a question that is asked once, an answer, replies. */

enum {
	TYPE_HINFO = 13,
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

void resolver_fail(struct resolver *r, struct desk_slot *slot, enum edns_error error)
{
	give_up(r, slot, error, &r->failures);
}

void resolver_fail_waiting(struct resolver *r, struct question *question,
			   enum edns_error error)
{
	struct desk_slot *slot = questions_take_waiting(&r->questions, question);

	while (slot) {
		struct desk_slot *next = slot->next;

		resolver_fail(r, slot, error);
		slot = next;
	}
}

/* ---- loops ---- */

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
	resolver_ask(r, question);
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
			resolver_fail_waiting(r, q, EDNS_ERROR_NO_REACHABLE_AUTHORITY);
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
				resolver_fail(r, waiting,
					      EDNS_ERROR_NO_REACHABLE_AUTHORITY);
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

void resolver_take_failure(struct resolver *r, struct question *question)
{
	static struct log_limit limit;
	uint32_t suppressed;
	char name[DNAME_TEXT_SIZE];
	char type[FORWARD_TYPE_SIZE];
	int64_t now_ms = clock_monotonic_ms();
	int route = question->route;
	bool is_cut_off =
		reach_is_cut_off(&r->reaches[route], &r->forward->routes[route], now_ms);

	if (log_limit_pass(&limit, &suppressed))
		log_warn("forward-failed", "name=%s type=%s cause=\"%s\" suppressed=%u",
			 dname_to_text(question->name.wire, name),
			 r->forward->print_type(question->qtype, type),
			 is_cut_off ? "no network leads to an upstream"
				    : "no upstream has answered",
			 suppressed);
	resolver_fail_waiting(r, question,
			      is_cut_off ? EDNS_ERROR_NETWORK
					 : EDNS_ERROR_NO_REACHABLE_AUTHORITY);
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
		resolver_take_failure(r, question);
	questions_remove(&r->questions, question);
}

void resolver_ask(struct resolver *r, struct question *question)
{
	char name[DNAME_TEXT_SIZE];

	count_one(&r->asked);
	question->generation = r->generation;
	if (ub_resolve_event(r->ctx, dname_to_text(question->name.wire, name),
			     question->qtype, DNS_CLASS_IN, question, on_answer,
			     NULL) == 0)
		return;
	resolver_fail_waiting(r, question, EDNS_ERROR_NETWORK);
	questions_remove(&r->questions, question);
}

/* ---- queries ---- */

void resolver_take_query(struct resolver *r, struct desk_slot *slot)
{
	const struct forward *f = r->forward;
	int64_t now_ms = clock_monotonic_ms();
	int probe = find_probe(r, &slot->name);
	int route = route_find(f->routes, f->route_count, &slot->name);
	struct question *question;

	if (probe >= 0)
		close_loop(r, probe, now_ms);
	if (probe >= 0 || route < 0 || loop_is_closed(&r->loops[route], now_ms)) {
		resolver_fail(r, slot, EDNS_ERROR_NO_REACHABLE_AUTHORITY);
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
	resolver_ask(r, question);
}
