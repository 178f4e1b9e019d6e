/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "base/status.h"
#include "dns/name.h"
#include "zone/masterfile.h"

/* Static zones from master files: zone/masterfile.h reads, zone/zonebuild.h checks and
 * renders. */

struct halt;
struct zonebuild;
struct zonedb;

enum {
	ZONEFILE_ID_SIZE = sizeof "static:" + DNAME_TEXT_SIZE,
};

/* What is to be told of a file that was read, or not. */
struct zonefile_report {
	struct masterlist files; /* as far as the reading got; owned */
	size_t warnings;

	/** Hears of each warning: path, line and what is odd. */
	void (*warn)(void *arg, const char *text);
	void *arg;
	const struct halt *halt; /* NULL: none */
};

/** The zone that a file is for is in its name: "example.org.zone"; "root.zone" is the
 *  root. Its folder may stand before it. @return GAZ_OK, GAZ_EFORMAT */
GAZ_MUST_CHECK gaz_status zonefile_origin(const char *path, uint8_t out[DNAME_MAX],
					  size_t *len_out);

/** The id of the static zone of that name: one zone for one origin. @return out */
char *zonefile_id(const uint8_t *apex, char out[ZONEFILE_ID_SIZE]);

/**
 * Make the zone of one file, for zonedit_add_built(). Any RCU thread.
 *
 * @param err  on error: path, line and what is wrong
 * @return GAZ_OK, GAZ_EFORMAT, GAZ_ELIMIT, GAZ_ENOTFOUND (a file, or a way to it): a
 *         fault in the file; GAZ_EIO, GAZ_ENOMEM: one that may pass;
 *         GAZ_EBUSY (halted)
 */
GAZ_MUST_CHECK gaz_status zonefile_build(struct zonedb *db, const char *path,
					 struct zonefile_report *report,
					 struct zonebuild **out, struct gaz_error *err);

void zonefile_report_fini(struct zonefile_report *report);
