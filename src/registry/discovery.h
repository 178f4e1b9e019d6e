/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/input.h"
#include "registry/registry.h"

/* The data calls: DiscoverInstances, DiscoverInstancesRevision. */

enum health_status { /* HealthStatus */
	HEALTH_HEALTHY = 1,
	HEALTH_UNHEALTHY,
	HEALTH_UNKNOWN,
};

/* Both calls; the revision call has the names and the account alone. */
struct discover_in {
	const char *namespace_name; /* the HttpName, exact */
	const char *service_name;
	struct opt_int max_results;
	struct pair_list query_parameters;
	struct pair_list optional_parameters;
	enum health_filter health_status; /* unset: as configured */
	const char *owner_account;
};

struct discovered_instance {
	const char *id;
	enum health_status health;
	struct pair_list attributes;
};

struct discover_out {
	const char *namespace_name;
	const char *service_name;
	struct discovered_instance *items; /* in random order */
	size_t count;
	uint64_t revision;
};

registry_run discovery_find_instances; /* discover_in -> discover_out; a read */
registry_run discovery_get_revision;   /* discover_in -> discover_out; a read */
