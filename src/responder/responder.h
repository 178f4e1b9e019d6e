/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/netaddr.h"
#include "base/status.h"
#include "responder/counters.h"

/* The DNS side: worker threads, each with its own event loop, its own
 * SO_REUSEPORT UDP socket and TCP listener per address. */

struct cookie_secrets;
struct cpus;
struct forward;
struct recursion;
struct responder;
struct zonedb;

struct responder_endpoint {
	struct sockaddr_storage
		addr; /* port 0: the kernel chooses, the same for UDP and TCP */
	const char *
		vpc_id; /* not NULL: every query that arrives here belongs to it; copied */
	int udp; /* not 0: it and tcp are bound already, non-blocking. They stay the caller's, who */
	int tcp; /* may close them when the responder is open */
};

struct responder_config {
	const struct responder_endpoint *endpoints; /* copied */
	size_t endpoint_count;
	unsigned workers;	 /* > 0 */
	const struct cpus *cpus; /* copied; each worker keeps to one of them, by turns.
		NULL or empty: they run anywhere */
	uint64_t seed; /* not 0: worker i picks records with seed + i, for tests */
	uint32_t udp_gather_us; /* as udp.h says */
	uint32_t tcp_idle_ms;	/* these two 0: as tcp.h says */
	uint32_t tcp_max;	/* connections per worker */
	/* What the server says about itself: EDNS_NSID_MAX octets at most, 255 the
	 * others; NULL or "": nothing. Borrowed until responder_close(). */
	const char *nsid;
	const char *identity;
	const char *version;
	const struct cookie_secrets *cookies; /* copied; NULL: a random one */
	uint16_t udp_size;   /* of the largest UDP reply, 512 to 4096; 0: 1232 */
	bool denies_unknown; /* NXDOMAIN, not REFUSED, for names in none of our zones */
	bool has_negative_ttl;
	uint32_t negative_ttl_s; /* the TTL of negative answers, whatever the zones say */
	struct netprefix_list subnet_from; /* whose EDNS client subnets choose the view */
	struct netprefix_list proxy_from;  /* who sends PROXY headers, version 2; both are
		borrowed until responder_close() */

	/* Not NULL: endpoints that cannot be bound are told to it and left out. Fails all
	 * the same when none is left. It needs an `err` below. */
	void (*on_skip)(const struct gaz_error *err);
};

/**
 * Bind every socket; no thread runs yet.
 *
 * @param db   borrowed until responder_close()
 * @param err  names the address that failed and what to do about it
 * @return GAZ_OK, GAZ_EIO (cannot bind), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status responder_open(const struct responder_config *config,
					 struct zonedb *db, struct responder **out,
					 struct gaz_error *err);

/** The real address of endpoint i, its port filled in; NULL: left out. Borrowed. */
const struct sockaddr *responder_address(const struct responder *r, size_t i);

/** The listener at an address, which may be of a wildcard's port; -1: there is none. */
int responder_find(const struct responder *r, const struct sockaddr *addr);

/**
 * Reply to one query as a worker would over TCP, for people who ask why. On a thread that
 * is in the zone database (zonedb_enter_thread).
 *
 * @param endpoint  from responder_find(), or -1 for one without a VPC
 * @param cap  at least 65,535
 * @return the reply's length; 0: none, or none before an upstream has answered
 */
size_t responder_answer(const struct responder *r, const uint8_t *query, size_t len,
			const struct netaddr *source, int endpoint, uint8_t *reply,
			size_t cap);

/** Names that lie in none of our zones go to a resolver, with one desk for each worker and
 *  one for responder_answer(): before responder_start(). Both are borrowed until
 *  responder_close(). @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status responder_forward(struct responder *r, struct forward *forward,
					    const struct recursion *recursion);

/**
 * Make and check cookies with other secrets from now on. Queries go on meanwhile; each
 * batch of them is answered with the old secrets or with the new ones. When it returns,
 * none is answered with the old ones any more. From one thread at a time, outside of any
 * RCU read section, which it waits for.
 *
 * @param secrets  copied; they must not rotate
 */
void responder_replace_cookies(struct responder *r, const struct cookie_secrets *secrets);

/** Start the workers. @return GAZ_OK, GAZ_EIO; then none runs. */
GAZ_MUST_CHECK gaz_status responder_start(struct responder *r);

/** Stop taking queries, answer those already received, join the workers. */
void responder_stop(struct responder *r);

/** Stops first when still running. Accepts a pointer to NULL. */
void responder_close(struct responder **r);

/** The sum over all workers; callable from any thread. */
void responder_read_counters(const struct responder *r, struct responder_counters *out);
