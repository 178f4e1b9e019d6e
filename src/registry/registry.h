/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/netaddr.h"
#include "base/status.h"
#include "registry/apex.h"
#include "registry/fault.h"

/* Cloud Map's resources and rules. Reads run on the caller's thread in a read
 * transaction; mutations are queued to the one writer thread, which takes the
 * whole queue into one store transaction, commits once, publishes to the zone
 * database, and only then reports each job done. */

struct changeset;
struct healthcheck_notice;
struct registry;
struct store;
struct store_txn;
struct zonedb;
struct zonedir;
struct zonedit;

struct registry_vpc {
	const char *id;
	const struct netprefix *prefixes;
	size_t prefix_count;
};

enum health_filter { /* HealthStatusFilter, what DiscoverInstances keeps */
	HEALTH_FILTER_UNSET = 0,
	HEALTH_FILTER_HEALTHY,
	HEALTH_FILTER_UNHEALTHY,
	HEALTH_FILTER_ALL,
	HEALTH_FILTER_HEALTHY_OR_ELSE_ALL,
};

/* What AWS_EC2_INSTANCE_ID stands for: an EC2 instance's primary private address. */
struct registry_ec2 {
	const char *id;
	const char *ipv4;
};
/** Takes a list of notices (healthcheck.h), oldest first. On the writer thread, when
 *  what they tell of is durable and visible; or within registry_open(). */
typedef void healthcheck_listener(void *arg, struct healthcheck_notice *take);

/* How the DNS side answers, for Gazetteer.ExplainAnswer. Called on the thread that
 * runs the call. */
struct registry_dns {
	/** The number of the listener at an address, -1: there is none; and its VPC, NULL:
	 *  none of its own. Borrowed. */
	int (*find_listener)(void *arg, const struct sockaddr *addr,
			     const char **vpc_id_out);

	/** What a worker would reply over TCP. @param listener  a number; -1: one without
	 *  a VPC. @return its length; 0: an upstream would be asked first */
	size_t (*answer)(void *arg, const uint8_t *query, size_t len,
			 const struct netaddr *source, int listener, uint8_t *reply,
			 size_t cap);

	/** Whether a name, in wire form, that no zone holds is answered without
	 *  any upstream, as special. */
	bool (*stays_here)(void *arg, const uint8_t *name);
	void *arg;
};

struct registry_config {
	struct clock clock;
	const struct registry_vpc *vpcs; /* declared by configuration; copied */
	size_t vpc_count;
	bool ptr;		 /* PTR records for the addresses of instances */
	bool strict_vpcs;	 /* a namespace may name only declared VPCs */
	uint32_t max_namespaces; /* quotas per account and region; 0: none */
	uint32_t max_services_per_namespace;
	uint32_t max_instances_per_service;
	uint32_t max_instances_per_namespace;
	uint32_t max_custom_attributes;	 /* of an instance */
	uint32_t max_service_attributes; /* of a service */
	uint32_t max_tags;		 /* of a resource */
	uint32_t operation_delay_ms;	 /* how long an operation is pending */
	uint32_t custom_health_delay_ms; /* until a custom status takes effect */
	int64_t operation_keep_ms;	 /* ended operations are kept so long */
	uint32_t operation_max;		 /* and at most so many of them */

	/* Borrowed for the registry's life. */
	const struct apex_values *apex; /* NULL: Route 53's */
	const struct registry_ec2 *ec2; /* other ids have an address made from them */
	size_t ec2_count;

	enum health_filter discover_health; /* of requests without; unset: HEALTHY */
	struct zonedir *zonedir;	    /* the folder of static zones; NULL: none */
	uint64_t seed; /* not 0: DiscoverInstances shuffles reproducibly, for tests */
	const struct registry_dns *dns; /* NULL: none. Borrowed. */
	healthcheck_listener
		*on_checks;  /* who executes health checks; NULL: nobody, and */
	void *on_checks_arg; /* what they had found before is forgotten */
};

/* One API call at work. The submitter fills the first part. */
struct call {
	struct arena *arena; /* inputs and results live here until the reply is sent */
	const char *region;
	const char *account; /* 12 digits */

	/* Set by the registry while the call runs. */
	struct registry *registry;
	struct store_txn *txn;
	struct changeset *changes; /* NULL in a read, as is edit */
	struct zonedit *edit;
	int64_t now_ms;

	bool is_edited; /* by the call: the edit has changes that the store has not */

	struct fault fault; /* why, when the status is GAZ_EREFUSED */
};

/**
 * What one API operation does. `in` is the operation's decoded input, `out`
 * its zeroed output structure; both belong to the call.
 *
 * @return GAZ_OK, GAZ_EREFUSED (call->fault says why), GAZ_ENOMEM, GAZ_ESTORE.
 *         On error nothing was changed.
 */
typedef gaz_status registry_run(struct call *call, const void *in, void *out);

/* A mutation on its way through the writer; embed it or allocate it, it stays
 * the submitter's and must live until `done`. */
struct job {
	struct job *next; /* the queue's */
	struct call call;
	registry_run *run;
	const void *in;
	void *out;
	gaz_status status; /* valid in `done` */
	void (*done)(
		struct job *job); /* on the writer thread, after commit and publish */
};

/**
 * Open the registry on a store: check its format, resume or finish pending
 * operations' records, and rebuild the zone database from it. No thread runs
 * until registry_start().
 *
 * @return GAZ_OK, GAZ_ESTORE, GAZ_ENOMEM, GAZ_EIO
 */
GAZ_MUST_CHECK gaz_status registry_open(const struct registry_config *config,
					struct store *store, struct zonedb *db,
					struct registry **out, struct gaz_error *err);

/** Start the writer thread. @return GAZ_OK, GAZ_EIO. */
GAZ_MUST_CHECK gaz_status registry_start(struct registry *r);

/** Finish every queued job, then stop the writer. Later submissions are
 *  reported done with GAZ_EBUSY at once. */
void registry_stop(struct registry *r);

void registry_close(struct registry **r);

/** A file without a name on the store's disk, for registry_write_file().
 *  @return GAZ_OK, GAZ_EIO */
GAZ_MUST_CHECK gaz_status registry_open_spool(struct registry *r, int *fd_out);

/** Nothing -> a file, as registry_write_file() has it: all that there is at this moment.
 *  Takes its time, but nobody else's. @return as store_copy() */
registry_run registry_copy;

/** Run on this thread what writes a file (an int, its descriptor) and needs no
 *  transaction, such as zone_export(). @return what it returns */
GAZ_MUST_CHECK gaz_status registry_write_file(struct registry *r, struct call *call,
					      registry_run *run, const void *in, int fd);

/** Queue a mutation; any thread. */
void registry_submit(struct registry *r, struct job *job);

/** Run a read on this thread, against the last committed state. Only
 *  functions that change nothing may be given. */
GAZ_MUST_CHECK gaz_status registry_read(struct registry *r, struct call *call,
					registry_run *run, const void *in, void *out);
