/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <sys/socket.h>

#include "base/netaddr.h"
#include "base/status.h"

/* The names under which programs reach the API: our DNS answers them with its addresses,
 * and, for each, its twin with "data-" before it, which the SDKs make of any endpoint for
 * DiscoverInstances and DiscoverInstancesRevision (the host prefix of the API model). */

struct zonedb;

struct api_name {
	char *name;		   /* owned */
	struct netaddr *addresses; /* owned; none: those where the API listens */
	size_t address_count;
};

struct api_names {
	struct api_name *items; /* owned */
	size_t count;
};

/** Add NAME or NAME=ADDR[,ADDR...]. @return GAZ_OK, GAZ_EFORMAT (err says what is
 *  wrong), GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status apiname_add(struct api_names *names, const char *text,
				      struct gaz_error *err);

/** Add the names of AWS's endpoint in a region, such as "eu-west-1". @return as above */
GAZ_MUST_CHECK gaz_status apiname_add_region(struct api_names *names, const char *region,
					     struct gaz_error *err);

void apiname_free(struct api_names *names);

/**
 * Give each name and its twin a zone of its own. Before the registry's writer runs, on a
 * thread that is in the zone database (zonedb_enter_thread()).
 *
 * @param listeners  where the API listens: for names without addresses
 * @return GAZ_OK, GAZ_EFORMAT (no address is left for a name), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status apiname_publish(const struct api_names *names,
					  const struct sockaddr_storage *listeners,
					  size_t listener_count, struct zonedb *db,
					  struct gaz_error *err);
