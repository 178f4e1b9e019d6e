/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/halt.h"
#include "base/status.h"

/* The folder of static zones: every "ORIGIN.zone" in it is a zone. A file that is bad
 * keeps nothing else from being served; once it was good, that version stays.
 *
 * One thread at a time updates; any thread reads. */

struct zonedb;
struct zonedir;
struct zonedit;

/** @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status zonedir_new(const char *path, struct zonedb *db,
				      const struct clock *clock, struct zonedir **out);

/** Updates look at it, from file to file and within them. Its `arg` is borrowed. The
 *  thread that updates. */
void zonedir_heed(struct zonedir *dir, const struct halt *halt);

/** What is in the database stays there. Accepts a pointer to NULL. */
void zonedir_free(struct zonedir **dir);

/**
 * Publish what an update has made ready: make an edit or take one, give it to
 * zonedir_stage(), and publish it. @return GAZ_OK, or anything else: nothing was published.
 */
typedef gaz_status zonedir_commit(void *arg, struct zonedir *dir);

/** Put what is ready into an edit. May be repeated with another edit.
 *  @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status zonedir_stage(struct zonedir *dir, struct zonedit *edit);

/**
 * Bring the database to what the folder holds: new files are loaded, files that have
 * changed too (also by what they include), zones whose files have gone vanish. Each zone
 * changes at once: an answer is from its old version or from its new one. Errors and
 * warnings of files are logged, and kept for zonedir_read().
 *
 * A file that has failed for a reason in it waits until it changes. One for which there
 * was no memory, no file descriptor, or no publication, is tried again by the first
 * update after a pause of a second, and each time in vain doubles that, up to a minute.
 *
 * @param all   load those too that look unchanged
 * @param zone  NULL, or the only one to load, a wire name; others stay as they are
 * @return GAZ_OK, GAZ_EIO (the folder cannot be read: nothing has changed),
 *         GAZ_ENOTFOUND (no file is for that zone), GAZ_ENOMEM, GAZ_EBUSY (halted: what
 *         was not published stays as it is)
 */
GAZ_MUST_CHECK gaz_status zonedir_update(struct zonedir *dir, const uint8_t *zone,
					 bool all, zonedir_commit *commit,
					 void *commit_arg, struct gaz_error *err);

/** How long until such a pause is over, or that after an update that failed: then another
 *  is to be made. @return milliseconds; -1: nothing is to be tried again. The thread that
 *  updates. */
int64_t zonedir_retry_ms(const struct zonedir *dir);

/* What is known of one file. */
struct zonedir_zone {
	const char *path;
	const uint8_t *apex; /* wire form; NULL: the file's name is not that of a zone */
	bool is_served;	     /* some version of it */
	bool has_failed;     /* to load the last time */
	const char *error;   /* why, "" if it has not */
	size_t warnings;     /* of the last load */
	int64_t loaded_ms;   /* when what is served was published */
	int64_t tried_ms;    /* when it was loaded the last time */
};

/** Visit all files in the order of their names; what is visited is valid during the
 *  visit only, and the visitor must not call back. Any thread. */
void zonedir_read(struct zonedir *dir,
		  void (*visit)(void *arg, const struct zonedir_zone *zone), void *arg);

/** Visit the folders whose changes matter: that of the zones, and those of all files
 *  that they include. The thread that updates. */
void zonedir_each_folder(struct zonedir *dir, void (*visit)(void *arg, const char *path),
			 void *arg);
