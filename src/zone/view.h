/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/netaddr.h"
#include "base/status.h"

/* Which private zones a source may see. VPC ids become small numbers for the
 * life of the database; the declared prefixes of all VPCs are flattened into
 * sorted ranges, so that a source costs one binary search. A view is immutable
 * and swapped as a whole. */

struct zonedb;
struct view;
struct vpc_decl;

enum {
	VIEW_NO_VPC = -1, /* no number of a VPC */
};

/**
 * The number of a VPC id, a new one for an id never seen. Numbers are never
 * given back: some hundred octets for each id that was ever named. Before other
 * threads run, or on the writer thread. @return GAZ_OK, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status view_intern_vpc(struct zonedb *db, const char *id, int *out);

/* What one source may see: decided once per query, before any zone is read.
 * Valid within the same RCU read section, and not to be copied. */
struct view_tags {
	const struct view *view;
	const int32_t *vpcs; /* it is in these VPCs */
	uint32_t count;
	bool undeclared; /* and in every VPC that is not declared */
	int32_t own;	 /* what `vpcs` points to for a listener's VPC */
};

/** @param listener_vpc  overrides the source unless it is VIEW_NO_VPC */
void view_find(const struct zonedb *db, const struct netaddr *source, int listener_vpc,
	       struct view_tags *out);

/** Of clients somewhere in a subnet: what all of them may see. One that is wider than a
 *  VPC's prefix opens nothing, for the answer may go to those outside it. */
void view_find_subnet(const struct zonedb *db, const struct netprefix *subnet,
		      struct view_tags *out);

/** True when a private zone of that VPC may be seen. */
bool view_may_see(const struct view_tags *tags, int vpc);

/** A view for these declarations, see zonedit_set_vpcs(); one allocation, freed
 *  with free(). The writer's. @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status view_new(struct zonedb *db, const struct vpc_decl *vpcs,
				   size_t count, bool strict, struct view **out);

size_t view_declared_count(const struct view *view);
