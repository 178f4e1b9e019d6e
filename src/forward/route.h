/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/status.h"
#include "dns/name.h"

/* Which upstreams names are forwarded to: plain values. */

enum {
	ROUTE_ADDRESSES_MAX = 8,
	ROUTES_MAX = 64,
	ROUTE_PORT = 53,
};

struct route {
	uint8_t suffix[DNAME_MAX]; /* in wire form; the root's covers every name */
	struct sockaddr_storage addresses[ROUTE_ADDRESSES_MAX];
	size_t count;
};

/**
 * Read [SUFFIX=]ADDR[:PORT][,ADDR[:PORT]...].
 *
 * @param err  says what is wrong, with --forward in front
 * @return GAZ_OK, GAZ_EFORMAT, GAZ_ELIMIT (too many addresses); then *out is of no use
 */
GAZ_MUST_CHECK gaz_status route_parse(const char *text, struct route *out,
				      struct gaz_error *err);

/** Join `more` to the route of its suffix, or add that. `routes` has room for
 *  ROUTES_MAX. @return GAZ_OK, GAZ_ELIMIT */
GAZ_MUST_CHECK gaz_status route_add(struct route *routes, size_t *count,
				    const struct route *more, struct gaz_error *err);

/** The route with the longest suffix that covers the name; -1: none does. */
int route_find(const struct route *routes, size_t count, const struct dname *name);

/** Add the nameservers of a file in the format of resolv.conf(5) to a route; those that
 *  it has no room for, or that are no plain addresses, are left out.
 *  @return GAZ_OK, GAZ_EIO (cannot be read) */
GAZ_MUST_CHECK gaz_status route_read_resolv_conf(const char *path, struct route *out);

/** True when that is one of the listeners: asking it would be asking ourselves. A
 *  wildcard listener has every address of this machine that is of its family. */
bool route_is_own(const struct sockaddr *address, const struct sockaddr *const *listeners,
		  size_t count);

/** Take our own listeners out. @return how many there were */
size_t route_remove_own(struct route *route, const struct sockaddr *const *listeners,
			size_t count);
