/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* PTR records of the addresses that DNS shows. A reverse name that has any is a zone of
 * its own, which is seen by whoever sees the namespace: so nobody needs the authority
 * over a network, and a private address of one VPC stays unknown to the others. Around
 * them lie the empty zones of RFC 6303: what is not there in a private network is
 * NXDOMAIN, and not asked of the internet.
 *
 * The empty zones are there or not: that alone says whether PTR records are made. */

struct namespace_record;
struct zone_record;
struct zonedit;

/** Add the empty zones. From then on there are PTR records. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status reverse_open(struct zonedit *edit);

/**
 * Add the PTR record for an A or AAAA record; nothing for other types. One that does not
 * fit (65,535 at one address) is left out.
 *
 * @param owner  of the record: what the PTR record points to
 * @return GAZ_OK, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status reverse_add(struct zonedit *edit,
				      const struct namespace_record *ns,
				      const struct zone_record *record,
				      const uint8_t *owner);

/** Take it away again, if it is there. @return as reverse_add() */
GAZ_MUST_CHECK gaz_status reverse_remove(struct zonedit *edit,
					 const struct namespace_record *ns,
					 const struct zone_record *record,
					 const uint8_t *owner);

/** Is this the id of a zone that is made here? */
bool reverse_is_zone(const char *id);
