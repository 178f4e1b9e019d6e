/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/status.h"

/* Master files (RFC 1035, section 5; RFC 2308, section 4; RFC 3597, section 5) as a
 * sequence of records in wire form, whatever zone they are for.
 *
 * $INCLUDE takes a path relative to the file that it stands in. What it names must lie
 * in the folder of the main file, or below it, after symbolic links were followed: a
 * zone file gives nothing away that was not laid beside it. The file that includes has
 * its own origin and last owner again afterwards; the TTL that is in force goes on. */

enum {
	MASTERFILE_DEPTH_MAX = 16, /* files that include each other */
};

struct halt;

struct masterrecord {
	const uint8_t *owner; /* wire form, lower-case */
	size_t owner_len;
	const uint8_t *rdata; /* names in it uncompressed, of the case that was written */
	uint32_t ttl;
	uint32_t line;
	uint16_t file; /* its number in the list of files */
	uint16_t type;
	uint16_t rdata_len;
};

/* What a file was when it was read. */
struct masterstamp {
	char *path;
	uint64_t device;
	uint64_t inode;
	int64_t size;
	struct timespec modified;
	struct timespec changed;
};

/* The main file, then those that it includes, each once; also those that could not be
 * opened, with zeroes. */
struct masterlist {
	struct masterstamp *items; /* owned, as are the paths */
	size_t count;
	size_t cap;
};

void masterlist_fini(struct masterlist *list);

/** Fill a stamp but for its path; zeroes where there is no such file. */
void masterstamp_take(const char *path, struct masterstamp *out);

struct masterreader {
	const char *path;
	const uint8_t *origin; /* wire form */
	size_t origin_len;

	/** Called for each record; what is in it is the reader's. Anything but GAZ_OK
	 *  ends the reading. */
	gaz_status (*take)(void *arg, const struct masterrecord *record);
	void *arg;
	const struct halt *halt; /* NULL: none */
};

/**
 * @param list  empty; filled as far as the reading got
 * @param err   on error: path, line and what is wrong; untouched by what `take` returns
 * @return GAZ_OK, GAZ_EFORMAT, GAZ_ELIMIT, GAZ_ENOTFOUND (a file, or a way to it),
 *         GAZ_EIO, GAZ_ENOMEM (both may pass), GAZ_EBUSY (halted), or what `take` returned
 */
GAZ_MUST_CHECK gaz_status masterfile_read(const struct masterreader *reader,
					  struct masterlist *list, struct gaz_error *err);
