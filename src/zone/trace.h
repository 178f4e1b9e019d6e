/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/netaddr.h"
#include "base/status.h"
#include "zone/zonedit.h" /* enum zone_kind */

/* The way of a query through views and zones, told step by step, for people who ask
 * why they got their answer. Texts live in the caller's arena. */

struct arena;
struct zonedb;

struct trace_zone {
	const char *id; /* as in struct zone_spec */
	const char *name;
	enum zone_kind kind;
	const char *vpc_id; /* NULL unless private */
};

enum trace_match { /* what the zone has for the name */
	TRACE_NO_ZONE = 0,
	TRACE_MISSING,
	TRACE_EXACT,
	TRACE_NO_RECORDS, /* an empty non-terminal */
	TRACE_WILDCARD,
	TRACE_DELEGATION,
	TRACE_DNAME,
};

struct trace {
	const char **vpc_ids; /* the source is in these */
	size_t vpc_count;
	bool undeclared;	   /* and in every VPC that is not declared */
	struct trace_zone zone;	   /* the one that answers, unless TRACE_NO_ZONE */
	struct trace_zone *others; /* that the name lies in, but that do not answer */
	size_t other_count;
	enum trace_match match;
	const char *owner; /* the name of the node that was found; else the name's own */
	const char *cname; /* NULL, or where a CNAME there leads */
};

/**
 * Follow one name.
 *
 * @param listener_vpc  the VPC of the listener that is asked; NULL: it has none
 * @param name          wire form, valid
 * @return GAZ_OK, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status trace_name(const struct zonedb *db,
				     const struct netaddr *source,
				     const char *listener_vpc, const uint8_t *name,
				     uint16_t qtype, struct arena *arena,
				     struct trace *out);
