/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "zone/host.h"
#include "zone/node.h"

/* The hosts from the database's side: edits need them, and they go with it. */

/** Count the alias records of a node at the hosts that they name, and make hosts
 *  for it; all or none. @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status host_ref_targets(struct zonedb *db, const struct node *node);
void host_unref_targets(struct zonedb *db, const struct node *node);

/** Free all hosts. No reader is left. */
void host_fini(struct zonedb *db);
