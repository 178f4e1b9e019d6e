/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "base/netaddr.h"

/* The zones that fuzz_query asks: of every kind, and with whatever the answer
 * algorithm has a case for. Who sees what is said here a second time, on its own:
 * a reply must be the same as if the private zones that its client does not see did
 * not exist. */

struct zonedb;

enum fixture_vpc { /* bits */
	FIXTURE_VPC_1 = 1,
	FIXTURE_VPC_2 = 2,
	FIXTURE_UNDECLARED = 4, /* a VPC that is not declared: loopback's */
	FIXTURE_VPCS = 8,
};

/** A database with the private zones of these VPCs alone; freed at exit. */
struct zonedb *fixture_build(unsigned vpcs);

/** The number of that VPC, the same in all of them. */
int fixture_vpc_number(enum fixture_vpc vpc);

/** The VPCs of a source that asks at a listener without one. */
unsigned fixture_vpcs_of(const struct netaddr *source);

/** Those of a client subnet: of its addresses if all are in the same, else none. */
unsigned fixture_vpcs_of_subnet(const struct netprefix *subnet);
