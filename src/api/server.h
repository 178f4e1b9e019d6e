/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "api/rate.h"
#include "base/clock.h"
#include "base/status.h"

/* The API side: AWS JSON 1.1 over HTTP/1.1 on TCP and on a unix socket, one
 * thread with its own event loop. */

struct job;
struct registry;
struct api_server;
struct api_status;

enum api_auth { /* how request signatures are treated on TCP; the unix socket needs none */
	API_AUTH_OFF =
		0, /* none needed; the region is read from the scope if there is one */
	API_AUTH_PARSE,	 /* must be well formed and for this service */
	API_AUTH_VERIFY, /* must be right for one of the keys */
};

struct api_key {
	const char *access_key_id;
	const char *secret;
};

struct api_config {
	const struct sockaddr_storage *endpoints; /* TCP; copied */
	size_t endpoint_count;
	const char *socket_path; /* unix socket, mode 0660; NULL: none; copied */
	const int *endpoint_fds; /* NULL, or for each endpoint not 0: it listens already,
		non-blocking */
	int socket_fd;		 /* not 0: the unix socket, which listens already */
	void (*on_skip)(const struct gaz_error *err); /* not NULL: endpoints that cannot
		be bound are told to it and left out */
	enum api_auth auth;
	const struct api_key *keys; /* for API_AUTH_VERIFY; copied */
	size_t key_count;
	const char *default_region;  /* for requests without a scope; copied */
	const char *default_account; /* 12 digits; copied */
	struct clock clock;
	struct rate_limit rates[RATE_KIND_COUNT]; /* of each account in each region */

	/* Reads the zone files again: all of them, or those of the zone that the job's
	 * input (a zone_in) names; then runs the job's function as a read and calls its
	 * `done`, on any thread. NULL: there are no zone files. */
	void (*reload)(void *arg, struct job *job);
	void *reload_arg;

	/* Forgets what upstreams have answered, then calls the job's `done` with its status
	 * set, on any thread. NULL: nothing is forwarded. */
	void (*flush)(void *arg, struct job *job);
	void *flush_arg;

	/* Fills in what Gazetteer.GetStatus reports of all but the API; called on the API
	 * thread. */
	void (*read_status)(void *arg, struct api_status *out);
	void *read_status_arg;
};

/* The answer of Gazetteer.GetStatus. */
struct api_status {
	const char *version;
	int64_t started_ms;
	const char *dns_addresses; /* comma-separated; borrowed */
	const char *api_addresses;
	const char *socket_path;
	const char *data_dir;
	uint32_t workers;
	const char *dns_cpus; /* a list; NULL: any */
	uint64_t zones;
	uint64_t names;
	uint64_t udp_queries;
	uint64_t udp_grouped; /* of all workers: as responder/counters.h says */
	uint64_t udp_rests;
	uint64_t tcp_queries;
	uint64_t answered;
	uint64_t dropped;
	uint64_t truncated;
	uint64_t rcodes[16];
	struct { /* names of others */
		uint64_t queries;
		uint64_t cache_hits;
		uint64_t questions;
		uint64_t failures;
		uint64_t turned_away;
	} forward;
	uint64_t api_given_up; /* connections, see api/places.h; the server's own */
};

/**
 * Bind every listener; no thread runs yet. A stale unix socket (nobody
 * listens) is replaced; a live one is an error. Sockets that listen already are
 * closed by api_server_close(), or when this fails after it has come to them.
 *
 * @return GAZ_OK, GAZ_EIO, GAZ_EBUSY (somebody listens on the socket), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status api_server_open(const struct api_config *config,
					  struct registry *registry,
					  struct api_server **out, struct gaz_error *err);

/** The real address of TCP endpoint i; NULL: left out. Borrowed. */
const struct sockaddr *api_server_address(const struct api_server *s, size_t i);

/** Start the API thread. @return GAZ_OK, GAZ_EIO. */
GAZ_MUST_CHECK gaz_status api_server_start(struct api_server *s);

/** Stop accepting, let the calls under way finish and be answered (bounded:
 *  some seconds), join the thread. */
void api_server_stop(struct api_server *s);

/** Removes the unix socket. Every job that was given to the registry must have
 *  been reported done: stop the API, then the registry, then close this.
 *  Accepts a pointer to NULL. */
void api_server_close(struct api_server **s);
