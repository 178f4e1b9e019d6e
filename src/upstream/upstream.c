/* SPDX-License-Identifier: BSD-2-Clause */
#include "upstream/upstream.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <urcu.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/netaddr.h"
#include "base/rng.h"
#include "base/thread.h"
#include "upstream/lease.h"
#include "zone/host.h"
#include "zone/zonedb.h"

enum {
	TICK_MS = 100, /* how soon a new host is noticed */
};

/* A question under way, or a place for one. */
struct ask {
	struct upstream *upstream;
	bool is_busy;
	enum host_type type;
	uint8_t name[DNAME_MAX];
};

struct upstream {
	const struct zonedb *db;
	struct sockaddr_storage resolver;
	struct event_base *base;
	struct evdns_base *dns;
	struct event *tick;
	struct event *wake;
	int wake_fd;
	pthread_t thread;
	bool running;
	struct rng rng;
	uint64_t generation; /* of the hosts, when last looked at */
	int64_t next_ms;     /* when some host is due */
	size_t attended;     /* hosts that are asked for, each type counted */
	bool is_told;	     /* that questions have no answer of use */
	bool must_renew;     /* evdns may hold a failure against the resolver */
	unsigned asking;
	struct ask asks[UPSTREAM_ASKING_MAX];
};

/* ---- the answers ---- */

/* evdns asks a resolver that fails for a name of its own choice, to see when it is
 * back: a resolver made anew is not asked. Without any, evdns would keep questions
 * for ever. @return false: there is none, to be tried again before anything is asked */
static bool renew_resolver(struct upstream *u)
{
	static struct log_limit limit;
	const struct sockaddr *addr = (const struct sockaddr *)&u->resolver;
	uint32_t suppressed;

	(void)evdns_base_clear_nameservers_and_suspend(u->dns);
	u->must_renew = evdns_base_nameserver_sockaddr_add(
				u->dns, addr, netaddr_sockaddr_len(addr), 0) != 0;
	(void)evdns_base_resume(u->dns);
	if (u->must_renew && log_limit_pass(&limit, &suppressed))
		log_warn("upstream-unusable",
			 "cause=\"no socket to the resolver\" suppressed=%u", suppressed);
	return !u->must_renew;
}

static void note_failure(struct upstream *u, int result)
{
	static struct log_limit limit;
	uint32_t suppressed;

	u->must_renew = true;
	if (u->is_told || !log_limit_pass(&limit, &suppressed))
		return;
	log_warn("upstream-failing", "cause=\"%s\" suppressed=%u",
		 evdns_err_to_string(result), suppressed);
	u->is_told = true;
}

static void note_success(struct upstream *u)
{
	if (u->is_told)
		log_info("upstream-answers", "hosts=%zu", u->attended);
	u->is_told = false;
}

/* What the resolver said of a host that is still there. */
static void take_answer(struct host *host, enum host_type type, int result, int count,
			uint32_t ttl, const uint8_t *addresses)
{
	struct host_lease *lease = host_lease(host, type);
	int64_t now = clock_monotonic_ms();

	lease->is_asking = false;
	if (result == DNS_ERR_NONE && count > 0) {
		/* Without memory for the new ones the old ones stay. */
		if (host_learn(host, type, addresses, (size_t)count,
			       lease_answered(lease, now, ttl)) != GAZ_OK)
			lease->due_ms = now + LEASE_RETRY_MS;
	} else if (result == DNS_ERR_NONE || result == DNS_ERR_NOTEXIST ||
		   result == DNS_ERR_NODATA) {
		lease_denied(lease, now);
		host_forget(host, type);
	} else if (lease_failed(lease, now)) {
		host_forget(host, type);
	}
}

static void end_ask(struct ask *ask, int result, int count, int ttl,
		    const uint8_t *addresses)
{
	struct upstream *u = ask->upstream;
	struct host *host;

	rcu_read_lock();
	host = host_find(u->db, ask->name);
	if (host)
		take_answer(host, ask->type, result, count, ttl > 0 ? (uint32_t)ttl : 0,
			    addresses);
	rcu_read_unlock();
	ask->is_busy = false;
	u->asking--;
	u->next_ms = 0; /* a place is free */
}

static void on_answer(int result, char type, int count, int ttl, void *addresses,
		      void *arg)
{
	struct ask *ask = arg;
	int wanted = ask->type == HOST_A ? DNS_IPv4_A : DNS_IPv6_AAAA;

	if (result == DNS_ERR_NONE || result == DNS_ERR_NOTEXIST ||
	    result == DNS_ERR_NODATA)
		note_success(ask->upstream);
	else
		note_failure(ask->upstream, result);
	end_ask(ask, result, type == wanted ? count : 0, ttl, addresses);
}

/* ---- the questions ---- */

/* Names as evdns takes them have no escapes. @return false: not such a name */
static bool print_plain(const uint8_t *name, char out[DNAME_MAX])
{
	char *at = out;

	for (const uint8_t *label = name; *label; label += 1 + *label) {
		for (unsigned i = 1; i <= *label; i++) {
			uint8_t c = label[i];

			if (c <= ' ' || c >= 0x7f || c == '.' || c == '\\')
				return false;
			*at++ = (char)c;
		}
		*at++ = '.';
	}
	if (at == out)
		return false;
	at[-1] = '\0'; /* in the place of the final dot */
	return true;
}

static struct evdns_request *send_question(struct ask *ask)
{
	char text[DNAME_MAX];

	if (!print_plain(ask->name, text))
		return NULL;
	return ask->type == HOST_A
		       ? evdns_base_resolve_ipv4(ask->upstream->dns, text,
						 DNS_QUERY_NO_SEARCH, on_answer, ask)
		       : evdns_base_resolve_ipv6(ask->upstream->dns, text,
						 DNS_QUERY_NO_SEARCH, on_answer, ask);
}

static void start_ask(struct upstream *u, const uint8_t *name, enum host_type type)
{
	struct ask *ask = u->asks;

	while (ask->is_busy)
		ask++;
	ask->upstream = u;
	ask->type = type;
	memcpy(ask->name, name, dname_len(name));
	ask->is_busy = true;
	u->asking++;
	if (!send_question(ask))
		end_ask(ask, DNS_ERR_UNKNOWN, 0, 0, NULL);
}

/* A look at all hosts: which are due, and which of these to ask for now. */
struct look {
	struct upstream *upstream;
	int64_t now_ms;
	int64_t next_ms;
	size_t attended;
	size_t due;
	size_t room; /* for questions */
	struct {
		struct host *host;
		enum host_type type;
	} chosen[UPSTREAM_ASKING_MAX];
};

/* With more hosts due than places, each has the same chance: dead ones, which take
 * their places longest, do not keep the others out. */
static void choose(struct look *look, struct host *host, enum host_type type)
{
	size_t place = look->due++;

	if (place >= look->room)
		place = rng_below(&look->upstream->rng, (uint32_t)look->due);
	if (place < look->room) {
		look->chosen[place].host = host;
		look->chosen[place].type = type;
	}
}

/* Addresses that nobody asks for any more are kept as long as the others are. */
static void let_go(struct host *host, enum host_type type, int64_t now_ms)
{
	struct host_lease *lease = host_lease(host, type);

	lease->is_attended = false;
	if (lease->keep_until_ms != 0 && now_ms >= lease->keep_until_ms) {
		host_forget(host, type);
		lease->keep_until_ms = 0;
	}
}

static void look_at(struct look *look, struct host *host, enum host_type type)
{
	struct upstream *u = look->upstream;
	struct host_lease *lease = host_lease(host, type);

	if (!host_is_wanted(u->db, host, type) ||
	    (!lease->is_attended && u->attended >= UPSTREAM_HOSTS_MAX)) {
		let_go(host, type, look->now_ms);
		return;
	}
	if (!lease->is_attended)
		u->attended++;
	lease->is_attended = true;
	look->attended++;
	if (lease->is_asking)
		return;
	if (lease->due_ms <= look->now_ms)
		choose(look, host, type);
	else if (lease->due_ms < look->next_ms)
		look->next_ms = lease->due_ms;
}

static void look_at_host(struct host *host, void *arg)
{
	for (int type = 0; type < HOST_TYPES; type++)
		look_at(arg, host, (enum host_type)type);
}

static void look_at_all(struct upstream *u, int64_t now_ms)
{
	struct look look = {.upstream = u, .now_ms = now_ms};

	/* A query that misses a host, and one that nobody wants, say nothing. */
	look.next_ms = now_ms + 1000;
	look.room = UPSTREAM_ASKING_MAX - u->asking;
	rcu_read_lock();
	host_walk(u->db, look_at_host, &look);
	for (size_t i = 0; i < look.due && i < look.room; i++) {
		host_lease(look.chosen[i].host, look.chosen[i].type)->is_asking = true;
		start_ask(u, host_name(look.chosen[i].host), look.chosen[i].type);
	}
	rcu_read_unlock();
	u->attended = look.attended;
	u->next_ms = look.next_ms;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct upstream *u = arg;
	int64_t now = clock_monotonic_ms();
	uint64_t generation = host_generation(u->db);

	(void)fd;
	(void)what;
	if (u->asking == 0 && u->must_renew && !renew_resolver(u))
		return;
	if ((generation == u->generation && now < u->next_ms) ||
	    u->asking == UPSTREAM_ASKING_MAX)
		return;
	u->generation = generation;
	look_at_all(u, now);
}

/* ---- opening and closing ---- */

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct upstream *u = arg;

	(void)fd;
	(void)what;
	/* Not at once if possible: answers on their way to on_answer() would be lost, and
	 * evdns's memory of them with them. */
	if (event_base_loopexit(u->base, NULL) != 0)
		event_base_loopbreak(u->base);
}

static void on_evdns_log(int is_warning, const char *text)
{
	char escaped[512];

	(void)is_warning;
	log_debug("upstream-resolver", "text=\"%s\"",
		  log_escape(text, strlen(text), escaped, sizeof escaped));
}

/* No threads but the upstream's own touch its base while it runs. */
static gaz_status open_base(struct upstream *u)
{
	struct event_config *config = event_config_new();

	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
		u->base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return u->base ? GAZ_OK : GAZ_ENOMEM;
}

static gaz_status open_resolver(struct upstream *u)
{
	const struct sockaddr *addr = (const struct sockaddr *)&u->resolver;

	evdns_set_log_fn(on_evdns_log);
	u->dns = evdns_base_new(u->base, 0); /* not what the system resolves with */
	if (!u->dns)
		return GAZ_ENOMEM;
	/* The last two keep it from giving the resolver up. */
	if (evdns_base_set_option(u->dns, "timeout:", "2") != 0 ||
	    evdns_base_set_option(u->dns, "attempts:", "2") != 0 ||
	    evdns_base_set_option(u->dns, "max-inflight:", "64") != 0 ||
	    evdns_base_set_option(u->dns, "max-timeouts:", "255") != 0 ||
	    evdns_base_set_option(u->dns, "initial-probe-timeout:", "3600") != 0)
		return GAZ_ENOMEM;
	return evdns_base_nameserver_sockaddr_add(u->dns, addr,
						  netaddr_sockaddr_len(addr), 0) == 0
		       ? GAZ_OK
		       : GAZ_EIO;
}

static gaz_status open_events(struct upstream *u)
{
	const struct timeval every = {0, TICK_MS * 1000L};

	u->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (u->wake_fd < 0)
		return GAZ_EIO;
	u->wake = event_new(u->base, u->wake_fd, EV_READ, on_wake, u);
	u->tick = event_new(u->base, -1, EV_PERSIST, on_tick, u);
	return u->wake && u->tick && event_add(u->wake, NULL) == 0 &&
			       event_add(u->tick, &every) == 0
		       ? GAZ_OK
		       : GAZ_ENOMEM;
}

gaz_status upstream_open(const struct sockaddr *resolver, const struct zonedb *db,
			 struct upstream **out)
{
	struct upstream *u = calloc(1, sizeof *u);
	gaz_status st;

	if (!u)
		return GAZ_ENOMEM;
	u->db = db;
	u->wake_fd = -1;
	memcpy(&u->resolver, resolver, netaddr_sockaddr_len(resolver));
	if ((st = rng_secret(u->rng.s, sizeof u->rng.s)) != GAZ_OK ||
	    (st = open_base(u)) != GAZ_OK || (st = open_resolver(u)) != GAZ_OK ||
	    (st = open_events(u)) != GAZ_OK)
		upstream_close(&u);
	else
		*out = u;
	return st;
}

static void *run(void *arg)
{
	struct upstream *u = arg;

	zonedb_enter_thread();
	(void)event_base_dispatch(u->base);
	zonedb_leave_thread();
	return NULL;
}

gaz_status upstream_start(struct upstream *u)
{
	gaz_status st = thread_start(&u->thread, "upstream", THREAD_BEHIND, run, u);

	u->running = st == GAZ_OK;
	return st;
}

static void stop(struct upstream *u)
{
	const uint64_t one = 1;

	if (!u->running)
		return;
	/* Cannot fail: the counter is far from its end. */
	if (write(u->wake_fd, &one, sizeof one) < 0)
		log_error("upstream-stop-failed", "cause=\"eventfd\"");
	pthread_join(u->thread, NULL);
	u->running = false;
}

void upstream_close(struct upstream **u)
{
	struct upstream *up = *u;

	if (!up)
		return;
	stop(up);
	if (up->dns)
		evdns_base_free(up->dns, 0); /* without calling on_answer() */
	if (up->tick)
		event_free(up->tick);
	if (up->wake)
		event_free(up->wake);
	if (up->wake_fd >= 0)
		close(up->wake_fd);
	if (up->base)
		event_base_free(up->base);
	free(up);
	*u = NULL;
}
