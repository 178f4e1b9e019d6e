/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <pthread.h>

#include "base/halt.h"
#include "base/log.h"
#include "zone/zonebuild.h"
#include "zone/zonedir.h"
#include "zone/zonefile.h"

/* What zonedir.c, zonedir_scan.c and zonedir_load.c share. */

/* Before something that has failed is tried again: each is twice as long as the one
 * before, within bounds. */
struct pause {
	int64_t ms;	  /* 0: none */
	int64_t until_ms; /* by the folder's clock */
};

struct file {
	char *path;
	uint8_t apex[DNAME_MAX];
	size_t apex_len;	  /* 0: the name is not that of a zone */
	struct masterlist stamps; /* of the last load */
	bool is_due;		  /* to be loaded again, though it may look unchanged */
	bool has_slipped;	  /* in this update, for a reason that passes */
	struct pause pause;	  /* after such a failure */
	bool is_twin;		  /* another file is for the same zone, and counts */
	bool is_gone;
	bool is_listed;		 /* not new */
	struct zonebuild *build; /* loaded, not published */

	/* Guarded by the mutex. */
	bool is_served;
	bool has_failed;
	char error[sizeof((struct gaz_error *)0)->text];
	size_t warnings;
	int64_t loaded_ms;
	int64_t tried_ms;
};

struct zonedir {
	char *path;
	struct zonedb *db;
	struct clock clock;
	struct halt halt;
	pthread_mutex_t mutex; /* for readers; who updates takes it to change things */
	struct file **files;   /* in the order of their names */
	size_t count;
	struct pause pause; /* the files could not be listed */
	size_t ready_names; /* in builds that wait for being published */
};

/** Accepts NULL. */
void zonedir_free_file(struct file *file);

/**
 * Look which files there are: dir->files becomes those of before and those that are there
 * now, in the order of their names; of each is known whether it has gone, and whether
 * another counts for its zone.
 *
 * @return GAZ_OK, GAZ_EIO, GAZ_ENOMEM: the files are those of before; err says what to do
 *         about it
 */
GAZ_MUST_CHECK gaz_status zonedir_scan(struct zonedir *dir, struct gaz_error *err);

/** One line about something whose text is not ours. */
void zonedir_log_text(enum log_level level, const char *event, const char *key,
		      const char *text);

/** Since it was loaded, by its looks and by those of all that it includes. */
bool zonedir_has_changed(const struct file *file);

/** Load it: file->build is there afterwards, or what has failed is known and told, or it
 *  is due as it was (halted). */
void zonedir_load_file(struct zonedir *dir, struct file *file);

/** Something has failed for a reason that passes. That is told once, however often it is
 *  tried in vain. */
void zonedir_set_slipped(struct zonedir *dir, struct file *file, const char *text);

/** Another file has its zone. */
void zonedir_refuse_twin(struct zonedir *dir, struct file *file);
