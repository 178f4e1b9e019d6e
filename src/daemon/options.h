/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "api/server.h"
#include "base/cpus.h"
#include "base/path.h"
#include "base/status.h"
#include "daemon/alias.h"
#include "daemon/apiname.h"
#include "dns/edns.h"
#include "forward/route.h"
#include "registry/registry.h"
#include "responder/responder.h"

/* What the daemon was told: the command line over the configuration file over
 * the defaults. One table of options drives all three, and --help. */

enum {
	OPTIONS_WORKERS_MAX = 256,
};

enum options_task { /* what to do with the store */
	OPTIONS_SERVE = 0,
	OPTIONS_CHECK,	 /* look at it, and end */
	OPTIONS_RESTORE, /* replace it by a copy, and end */
};

struct options {
	enum options_task task;
	const char *copy; /* the file to restore; borrowed from the command line */
	bool force;
	struct responder_endpoint *listen; /* owned, as are the texts in it */
	size_t listen_count;
	bool best_effort;
	struct sockaddr_storage *api;
	size_t api_count;
	int *api_fds; /* NULL, or one for each address; 0: to be opened */
	size_t api_fd_count;
	int socket_fd; /* 0: to be opened */
	char socket[PATH_SIZE];
	char data[PATH_SIZE];
	char zones[PATH_SIZE];	    /* "": none */
	char seed[PATH_SIZE];	    /* "": none */
	struct alias_host *aliases; /* owned, as are the addresses in it */
	size_t alias_count;
	struct sockaddr_storage alias_upstream; /* no family: none */
	struct route *routes;			/* owned: to upstreams, by suffix */
	size_t route_count;
	char forward_file[PATH_SIZE];	   /* like resolv.conf; "": none */
	struct netprefix *allow_recursion; /* owned; none: the default */
	size_t allow_recursion_count;
	bool ephemeral;
	struct registry_vpc *vpcs;
	size_t vpc_count;
	bool strict_vpcs;
	uint32_t workers;
	struct cpus dns_cpus; /* empty: not told */
	uint16_t udp_size;
	uint32_t udp_gather_us;
	uint32_t tcp_idle_ms;
	uint32_t tcp_max;
	char nsid[EDNS_NSID_MAX + 1]; /* these three "": not told */
	char identity[256];
	char version_text[256];
	struct cookie_secrets cookies; /* none: to be made */
	char cookie_file[PATH_SIZE];   /* where they come from; "": no file */
	char region[33];
	char account[13];
	enum api_auth auth;
	struct api_key *keys;
	size_t key_count;
	uint32_t quota_namespaces;
	uint32_t quota_services_per_namespace;
	uint32_t quota_instances_per_service;
	uint32_t quota_instances_per_namespace;
	uint32_t quota_custom_attributes;
	uint32_t quota_service_attributes;
	uint32_t quota_tags;
	struct rate_limit rates[RATE_KIND_COUNT];
	struct apex_values apex; /* its texts are owned */
	struct registry_ec2 *ec2;
	size_t ec2_count;
	enum health_filter discover_health;
	uint32_t operation_delay_ms;
	uint32_t custom_health_delay_ms;
	bool ptr;
	bool health_checks;
	uint32_t health_check_interval_ms;
	uint32_t health_check_max;
	uint32_t operation_hours;
	uint32_t operation_max;
	struct api_names api_names;
	bool denies_unknown;
	bool has_negative_ttl;
	uint32_t negative_ttl_s;
	struct netprefix *subnet_from; /* owned */
	size_t subnet_from_count;
	struct netprefix *proxy_from; /* owned */
	size_t proxy_from_count;
	uint64_t random_seed;
};

enum options_verdict {
	OPTIONS_RUN = 0,
	OPTIONS_EXIT_OK,    /* --help, --version: said what there is to say */
	OPTIONS_EXIT_USAGE, /* err says what is wrong */
};

/** Read everything. `options` is to be given to options_fini() in any case. */
enum options_verdict options_read(struct options *options, int argc, char **argv,
				  struct gaz_error *err);

void options_fini(struct options *options);
