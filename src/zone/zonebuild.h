/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A whole zone made apart from the database: on any thread, beside edits and readers.
 * Records are gathered, checked as a zone, and rendered; an edit then adds all of it at
 * once (zonedit_add_built()). Against adding records to an edit one by one this takes
 * a third of the memory and of the time, and the writer only enters the names into its
 * table.
 *
 * The thread is a registered RCU thread (zonedb_enter_thread()) from zonebuild_new() on. */

struct halt;
struct zonebuild;
struct zonedb;
struct zone_spec;

struct zonebuild_record {
	const uint8_t *owner; /* wire form, lower-case */
	size_t owner_len;
	const uint8_t *rdata; /* wire form, names in it uncompressed */
	uint32_t ttl;
	uint32_t line; /* where it comes from, for what is said of it */
	uint16_t file;
	uint16_t type;
	uint16_t rdata_len;
};

/* What is wrong with a zone, and where. */
struct zonebuild_flaw {
	uint16_t file;
	uint32_t line; /* 0: not of a single record */
	char text[320];
};

/** @param spec  not private. @return GAZ_OK, GAZ_EFORMAT (apex), GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status zonebuild_new(struct zonedb *db, const struct zone_spec *spec,
					struct zonebuild **out);

/** Free what no edit has published; of a published zone only what made it. Accepts a
 *  pointer to NULL. */
void zonebuild_free(struct zonebuild **build);

/** @return GAZ_OK, GAZ_EFORMAT (owner outside the zone, or no name), GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status zonebuild_add(struct zonebuild *build,
					const struct zonebuild_record *record);

/** Hears of flaws that do not keep a zone from being served. */
typedef void zonebuild_warn(void *arg, const struct zonebuild_flaw *flaw);

/**
 * Check the zone as named-checkzone does: it has one SOA and NS at its apex, nothing is
 * beside a CNAME, what servers its NS records name in the zone have addresses. What is
 * odd but can be served is told to `warn`: names below a delegation or a DNAME, which
 * are never answered, and MX, SRV and NS that name a CNAME or a name without addresses.
 *
 * @param flaw_out  on GAZ_EFORMAT: the first error
 * @return GAZ_OK, GAZ_EFORMAT
 */
GAZ_MUST_CHECK gaz_status zonebuild_check(const struct zonebuild *build,
					  zonebuild_warn *warn, void *arg,
					  struct zonebuild_flaw *flaw_out);

/**
 * Render all names, and forget the records. Equal records become one, and all records
 * of a set get the TTL of the first.
 *
 * @param halt  may be NULL
 * @return GAZ_OK, GAZ_ELIMIT, GAZ_EFORMAT (flaw_out tells), GAZ_ENOMEM, GAZ_EBUSY (halted)
 */
GAZ_MUST_CHECK gaz_status zonebuild_render(struct zonebuild *build,
					   const struct halt *halt,
					   struct zonebuild_flaw *flaw_out);

/** Owner names and empty non-terminals. */
size_t zonebuild_names(const struct zonebuild *build);
