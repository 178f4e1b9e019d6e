/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <sys/socket.h>

#include "base/status.h"

/* Asks a resolver for the hosts of aliases that lie in none of our zones, in a
 * thread of its own, and keeps the zone database's table of hosts (zone/host.h) up
 * to date. Queries never wait for it. Its work is bounded: so many hosts, so many
 * questions under way; what a failing resolver said last is kept for a while. */

struct zonedb;
struct upstream;

enum {
	UPSTREAM_HOSTS_MAX = 10000,
	UPSTREAM_ASKING_MAX = 64,
};

/** @param db  borrowed until upstream_close()
 *  @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO (no descriptor, no socket) */
GAZ_MUST_CHECK gaz_status upstream_open(const struct sockaddr *resolver,
					const struct zonedb *db, struct upstream **out);

/** @return GAZ_OK, GAZ_EIO (no thread) */
GAZ_MUST_CHECK gaz_status upstream_start(struct upstream *u);

/** Stops its thread first. Accepts a pointer to NULL. */
void upstream_close(struct upstream **u);
