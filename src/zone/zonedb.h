/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "base/status.h"

/* The zone database: what DNS can see. Any number of reader threads find
 * zones and nodes under an RCU read lock (zone/lookup.h); one writer thread
 * at a time changes it by edits (zone/zonedit.h). */

struct zonedb;

struct zonedb_stats {
	size_t zones;
	size_t names; /* owner names and empty non-terminals */
	size_t vpcs;  /* declared VPCs */
};

/** An empty database, its hash keyed by fresh secret bytes.
 *  @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO (no random bytes). */
GAZ_MUST_CHECK gaz_status zonedb_new(struct zonedb **out);

/** No reader and no edit may be left. */
void zonedb_free(struct zonedb **db);

/** Counts as of the last published edit; callable from any thread. */
void zonedb_stats(const struct zonedb *db, struct zonedb_stats *out);

/** Wait until all that edits have replaced so far has been freed. By an RCU thread that
 *  reads nothing at that time. */
void zonedb_wait_freed(void);

/* Readers and the writer are RCU threads: each thread that looks into the
 * database or edits it says so first, and at its end. A thread does it once. */
void zonedb_enter_thread(void);
void zonedb_leave_thread(void);
