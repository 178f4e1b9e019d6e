/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* The records at the apex of a namespace's zone: SOA and NS. */

struct namespace_record;
struct zone;
struct zonedit;

/* What they say. Names are in presentation form and valid (apex_is_name). */
struct apex_values {
	const char *mname; /* NULL: the first name server */
	const char *rname; /* a mailbox, its @ written as a dot */
	uint32_t refresh;
	uint32_t retry;
	uint32_t expire;
	uint32_t minimum;
	uint32_t ttl; /* of the SOA of a namespace that is created without one */
	const char *const *servers; /* the NS records */
	size_t server_count;	    /* 0: those that Route 53 would give the zone */
	bool counting; /* the serial goes up with every change, else it is 1 */
};

enum {
	APEX_SERVERS_MAX = 16,
};

/** What Route 53 gives to the zones of Cloud Map. */
extern const struct apex_values apex_route53;

/** A text is the name of a host or a mailbox: a domain name, not the root. */
bool apex_is_name(const char *text);

/** The serial after that many changes: it goes round as RFC 1982 has it, past 0,
 *  which some take for "none". */
uint32_t apex_serial(const struct apex_values *values, uint64_t changes);

/** Add SOA and NS to a zone. @return GAZ_OK, GAZ_ENOMEM, GAZ_EFORMAT (a name). */
GAZ_MUST_CHECK gaz_status apex_add(struct zonedit *edit, struct zone *zone,
				   const uint8_t *owner, const struct apex_values *values,
				   const struct namespace_record *ns);

/** The SOA anew, after the zone's TTL or its number of changes is another. */
GAZ_MUST_CHECK gaz_status apex_replace_soa(struct zonedit *edit, struct zone *zone,
					   const uint8_t *owner,
					   const struct apex_values *values,
					   const struct namespace_record *ns);
