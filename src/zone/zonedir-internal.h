/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <pthread.h>

#include "zone/zonebuild.h"
#include "zone/zonedir.h"
#include "zone/zonefile.h"

/* What zonedir.c (loading and publishing) and zonedir_scan.c share. */

struct file {
	char *path;
	uint8_t apex[DNAME_MAX];
	size_t apex_len;	  /* 0: the name is not that of a zone */
	struct masterlist stamps; /* of the last load */
	bool is_due;		  /* to be loaded again, though it may look unchanged */
	bool is_twin;		  /* another file is for the same zone, and counts */
	bool is_gone;
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
	pthread_mutex_t mutex; /* for readers; who updates takes it to change things */
	struct file **files;   /* in the order of their names */
	size_t count;
	size_t ready_names; /* in builds that wait for being published */
};

/**
 * Look which files there are: dir->files becomes those of before and those that are there
 * now, in the order of their names; of each is known whether it has gone, and whether
 * another counts for its zone.
 *
 * @return GAZ_OK, GAZ_EIO, GAZ_ENOMEM; err says what to do about it
 */
GAZ_MUST_CHECK gaz_status zonedir_scan(struct zonedir *dir, struct gaz_error *err);
