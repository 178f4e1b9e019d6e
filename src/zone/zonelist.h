/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "zone/zonedit.h" /* enum zone_kind */

/* The zones that are published, from any thread. It must not be an RCU thread at that
 * time: these functions make it one for as long as they take. */

struct zonedb;

struct zonelist_zone {
	const char *id;
	const uint8_t *apex; /* wire form */
	enum zone_kind kind;
	const char *vpc_id; /* NULL unless private */
	int64_t created_ms;
	size_t names;	/* owner names and empty non-terminals */
	size_t records; /* aliases among them */
	bool has_serial;
	uint32_t serial;
};

/** Visit all zones, in no order. What is visited is valid during the visit only; the
 *  visitor does not wait and does not call back. */
void zonelist_read(struct zonedb *db,
		   void (*visit)(void *arg, const struct zonelist_zone *zone), void *arg);

/**
 * Write a zone as a master file that every server reads: first the SOA, then all names in
 * canonical order (RFC 4034, section 6.1), absolute, one record a line. It is the zone as
 * it is at one moment. Of a set with health only the healthy records, if there are any,
 * and of several CNAMEs of one name only the first are records; the others, and aliases,
 * are comments.
 *
 * Edits can be published meanwhile, but those that remove a zone with names wait for it.
 *
 * @return GAZ_OK, GAZ_ENOTFOUND (no zone has that id), GAZ_EIO (writing), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status zonelist_write(struct zonedb *db, const char *id, int fd);
