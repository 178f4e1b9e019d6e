/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/responder.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <urcu.h>

#include "base/cpus.h"
#include "base/netaddr.h"
#include "forward/forward.h"
#include "responder/answer.h"
#include "responder/listen.h"
#include "responder/worker.h"
#include "zone/view.h"

struct responder {
	const struct zonedb *db;
	struct sockaddr_storage *addrs; /* one per endpoint; no family: left out */
	int *vpcs;			/* their numbers, or ANSWER_NO_VPC */
	size_t endpoint_count;
	struct worker **workers;
	struct answer_config answers;
	struct cookie_secrets cookies[2]; /* in turns, so that a change cannot fail */
	const struct cookie_secrets *_Atomic cookies_in_force;
	unsigned worker_count;
	struct cpus cpus; /* empty: any */
	bool running;
	struct forward_desk *desk; /* of responder_answer(), or NULL */
	struct recursion recursion;
};

static uint16_t port_of(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET
		       ? ((const struct sockaddr_in *)addr)->sin_port
		       : ((const struct sockaddr_in6 *)addr)->sin6_port;
}

/* True when endpoint i lies inside an earlier one or the other way round:
 * 0.0.0.0:53 beside 10.0.0.2:53. The kernel prefers the exact address, so this
 * works, but the later socket cannot have the port for itself. */
static bool overlaps_earlier(const struct responder *r, size_t i)
{
	const struct sockaddr_storage *addr = &r->addrs[i];
	bool wildcard = listen_is_wildcard((const struct sockaddr *)addr);

	for (size_t k = 0; k < i && port_of(addr) != 0; k++) {
		const struct sockaddr_storage *other = &r->addrs[k];

		if (other->ss_family == addr->ss_family &&
		    port_of(other) == port_of(addr) &&
		    listen_is_wildcard((const struct sockaddr *)other) != wildcard)
			return true;
	}
	return false;
}

static bool is_listed_twice(const struct responder *r, size_t i)
{
	for (size_t k = 0; k < i && port_of(&r->addrs[i]) != 0; k++) {
		if (memcmp(&r->addrs[k], &r->addrs[i], sizeof r->addrs[i]) == 0)
			return true;
	}
	return false;
}

/* A clean copy: unused bytes zero, so that addresses compare as memory. */
static void copy_address(const struct sockaddr_storage *from, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof *to);
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)from;
		struct sockaddr_in *copy = (struct sockaddr_in *)to;

		copy->sin_family = AF_INET;
		copy->sin_port = in->sin_port;
		copy->sin_addr = in->sin_addr;
	} else {
		memcpy(to, from, sizeof(struct sockaddr_in6));
	}
}

static void close_pairs(struct listen_pair *pairs, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (pairs[i].udp >= 0)
			close(pairs[i].udp);
		if (pairs[i].tcp >= 0)
			close(pairs[i].tcp);
	}
}

/* Bind endpoint i and give each worker its pair of sockets. `pairs` is room
 * for one pair per worker. */
static gaz_status open_endpoint(struct responder *r, size_t i,
				const struct responder_endpoint *endpoint,
				struct listen_pair *pairs, struct gaz_error *err)
{
	const struct listen_pair bound = {endpoint->udp, endpoint->tcp};
	const struct sockaddr *sa = (const struct sockaddr *)&r->addrs[i];
	char text[NETADDR_TEXT_SIZE];
	gaz_status st;

	if (is_listed_twice(r, i))
		return gaz_error_set(err, GAZ_EIO,
				     "--listen names %s twice; remove one of them",
				     netaddr_print_endpoint(sa, text));
	if (endpoint->udp > 0)
		st = listen_share(sa, &bound, pairs, r->worker_count, err);
	else
		st = listen_open(&r->addrs[i], !overlaps_earlier(r, i), pairs,
				 r->worker_count, err);
	if (st != GAZ_OK)
		return st;
	for (unsigned w = 0; w < r->worker_count && st == GAZ_OK; w++)
		st = worker_add(r->workers[w], &pairs[w], r->vpcs[i]);
	close_pairs(pairs, r->worker_count); /* what the workers did not take */
	return st;
}

static gaz_status open_endpoints(struct responder *r,
				 const struct responder_config *config, struct zonedb *db,
				 struct gaz_error *err)
{
	struct listen_pair *pairs = calloc(config->workers, sizeof *pairs);
	gaz_status st = pairs ? GAZ_OK : GAZ_ENOMEM;
	size_t skipped = 0;

	for (size_t i = 0; i < config->endpoint_count && st == GAZ_OK; i++) {
		r->vpcs[i] = ANSWER_NO_VPC;
		if (config->endpoints[i].vpc_id)
			st = view_intern_vpc(db, config->endpoints[i].vpc_id,
					     &r->vpcs[i]);
		copy_address(&config->endpoints[i].addr, &r->addrs[i]);
		if (st == GAZ_OK)
			st = open_endpoint(r, i, &config->endpoints[i], pairs, err);
		if (st == GAZ_EIO && config->on_skip) {
			config->on_skip(err);
			memset(&r->addrs[i], 0, sizeof r->addrs[i]);
			skipped++;
			st = GAZ_OK;
		}
	}
	free(pairs);
	if (st == GAZ_OK && skipped > 0 && skipped == config->endpoint_count)
		return gaz_error_set(err, GAZ_EIO,
				     "none of the addresses for DNS can be used; choose "
				     "another --listen");
	return st;
}

static struct answer_text text_of(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	return (struct answer_text){(const uint8_t *)text, (uint8_t)len};
}

/* What all workers read. */
static gaz_status share_config(struct responder *r, const struct responder_config *config)
{
	r->answers.nsid = text_of(config->nsid);
	r->answers.identity = text_of(config->identity);
	r->answers.version = text_of(config->version);
	r->answers.subnet_from = config->subnet_from;
	r->answers.proxy_from = config->proxy_from;
	r->answers.udp_size = config->udp_size;
	r->answers.denies_unknown = config->denies_unknown;
	r->answers.has_negative_ttl = config->has_negative_ttl;
	r->answers.negative_ttl_s = config->negative_ttl_s;
	atomic_init(&r->cookies_in_force, &r->cookies[0]);
	if (!config->cookies)
		return cookie_secrets_random(&r->cookies[0]);
	r->cookies[0] = *config->cookies;
	return GAZ_OK;
}

static gaz_status new_workers(struct responder *r, const struct responder_config *config,
			      struct zonedb *db)
{
	const struct worker_config shared = {
		.db = db,
		.answers = &r->answers,
		.cookies = &r->cookies_in_force,
		.udp_gather_us = config->udp_gather_us,
		.tcp_idle_ms = config->tcp_idle_ms,
		.tcp_max = config->tcp_max,
	};

	r->workers = calloc(config->workers, sizeof *r->workers);
	if (!r->workers)
		return GAZ_ENOMEM;
	for (; r->worker_count < config->workers; r->worker_count++) {
		uint64_t seed = config->seed ? config->seed + r->worker_count : 0;
		gaz_status st = worker_new(&shared, seed, &r->workers[r->worker_count]);

		if (st != GAZ_OK)
			return st;
	}
	return GAZ_OK;
}

gaz_status responder_open(const struct responder_config *config, struct zonedb *db,
			  struct responder **out, struct gaz_error *err)
{
	struct responder *r = calloc(1, sizeof *r);
	gaz_status st = GAZ_ENOMEM;

	if (!r)
		goto out;
	gaz_error_set(err, GAZ_OK, "%s", "");
	r->db = db;
	r->endpoint_count = config->endpoint_count;
	if (config->cpus)
		r->cpus = *config->cpus;
	r->addrs = calloc(config->endpoint_count + 1, sizeof *r->addrs);
	r->vpcs = calloc(config->endpoint_count + 1, sizeof *r->vpcs);
	if (!r->addrs || !r->vpcs || (st = share_config(r, config)) != GAZ_OK ||
	    (st = new_workers(r, config, db)) != GAZ_OK ||
	    (st = open_endpoints(r, config, db, err)) != GAZ_OK)
		goto out;
	*out = r;
	return GAZ_OK;
out:
	if (!err || err->status != st)
		gaz_error_set(err, st, "cannot start the DNS workers: %s",
			      gaz_status_text(st));
	responder_close(&r);
	return st;
}

const struct sockaddr *responder_address(const struct responder *r, size_t i)
{
	const struct sockaddr *sa = (const struct sockaddr *)&r->addrs[i];

	return sa->sa_family == AF_UNSPEC ? NULL : sa;
}

static bool is_reached_by(const struct sockaddr_storage *endpoint,
			  const struct sockaddr_storage *addr)
{
	return memcmp(endpoint, addr, sizeof *addr) == 0 ||
	       (endpoint->ss_family == addr->ss_family &&
		port_of(endpoint) == port_of(addr) &&
		listen_is_wildcard((const struct sockaddr *)endpoint));
}

int responder_find(const struct responder *r, const struct sockaddr *addr)
{
	struct sockaddr_storage clean;
	int found = -1;

	copy_address((const struct sockaddr_storage *)(const void *)addr, &clean);
	for (size_t i = 0; i < r->endpoint_count; i++) {
		/* The kernel prefers the exact address, too. */
		if (r->addrs[i].ss_family != AF_UNSPEC &&
		    is_reached_by(&r->addrs[i], &clean) &&
		    (found < 0 || memcmp(&r->addrs[i], &clean, sizeof clean) == 0))
			found = (int)i;
	}
	return found;
}

size_t responder_answer(const struct responder *r, const uint8_t *query, size_t len,
			const struct netaddr *source, int endpoint, uint8_t *reply,
			size_t cap)
{
	struct answer_context ctx = {.db = r->db,
				     .config = &r->answers,
				     .desk = r->desk,
				     .recursion = r->recursion};
	const struct answer_request req = {
		.query = query,
		.len = len,
		.source = *source,
		.listener_vpc = endpoint < 0 ? ANSWER_NO_VPC : r->vpcs[endpoint],
		.tcp = true,
	};
	size_t reply_len;

	if (rng_secret(ctx.rng.s, sizeof ctx.rng.s) != GAZ_OK)
		return 0;
	rcu_read_lock();
	reply_len = answer_query(&ctx, &req, reply, cap);
	rcu_read_unlock();
	return reply_len == ANSWER_LATER ? 0 : reply_len;
}

gaz_status responder_forward(struct responder *r, struct forward *forward,
			     const struct recursion *recursion)
{
	gaz_status st = GAZ_OK;

	for (unsigned i = 0; st == GAZ_OK && i < r->worker_count; i++)
		st = worker_forward(r->workers[i], forward_desk(forward, i), recursion);
	r->desk = forward_desk(forward, r->worker_count);
	r->recursion = *recursion;
	return st;
}

void responder_replace_cookies(struct responder *r, const struct cookie_secrets *secrets)
{
	/* The second has no reader: the last change has waited for them. */
	bool is_first = atomic_load_explicit(&r->cookies_in_force,
					     memory_order_relaxed) == &r->cookies[0];
	struct cookie_secrets *old = &r->cookies[is_first ? 0 : 1];
	struct cookie_secrets *next = &r->cookies[is_first ? 1 : 0];

	*next = *secrets;
	atomic_store_explicit(&r->cookies_in_force, next, memory_order_release);
	synchronize_rcu();
	explicit_bzero(old, sizeof *old);
}

gaz_status responder_start(struct responder *r)
{
	r->running = true;
	for (unsigned i = 0; i < r->worker_count; i++) {
		gaz_status st = worker_start(r->workers[i], cpus_in_turn(&r->cpus, i));

		if (st != GAZ_OK) {
			responder_stop(r);
			return st;
		}
	}
	return GAZ_OK;
}

void responder_stop(struct responder *r)
{
	if (!r->running)
		return;
	for (unsigned i = 0; i < r->worker_count; i++)
		worker_stop(r->workers[i]);
	for (unsigned i = 0; i < r->worker_count; i++)
		worker_join(r->workers[i]);
	r->running = false;
}

void responder_close(struct responder **r)
{
	if (!*r)
		return;
	responder_stop(*r);
	for (unsigned i = 0; i < (*r)->worker_count; i++)
		worker_free(&(*r)->workers[i]);
	free((*r)->workers);
	free((*r)->addrs);
	free((*r)->vpcs);
	free(*r);
	*r = NULL;
}

void responder_read_counters(const struct responder *r, struct responder_counters *out)
{
	memset(out, 0, sizeof *out);
	for (unsigned i = 0; i < r->worker_count; i++)
		worker_read_counters(r->workers[i], out);
}
