/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/statics.h"

#include <stdlib.h>

#include "base/heap.h"
#include "base/log.h"
#include "zone/zonedb.h"
#include "zone/zonedir.h"
#include "zone/zonedit.h"

struct statics {
	struct zonedir *dir;
	struct zonedb *db;
};

/* Before there is a writer. */
static gaz_status commit_alone(void *arg, struct zonedir *dir)
{
	struct statics *s = arg;
	struct zonedit *edit = NULL;
	gaz_status st = zonedit_new(s->db, &edit);

	if (st == GAZ_OK)
		st = zonedir_stage(dir, edit);
	if (st == GAZ_OK)
		st = zonedit_prepare(edit);
	if (st == GAZ_OK)
		zonedit_publish(&edit);
	zonedit_free(&edit);
	return st;
}

static void count_served(void *arg, const struct zonedir_zone *zone)
{
	*(size_t *)arg += zone->is_served;
}

gaz_status statics_open(const char *path, struct zonedb *db, struct statics **out,
			struct gaz_error *err)
{
	struct statics *s = calloc(1, sizeof *s);
	size_t served = 0;
	gaz_status st;

	if (!s)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	s->db = db;
	if (zonedir_new(path, db, &(struct clock){0}, &s->dir) != GAZ_OK) {
		statics_close(&s);
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	}
	st = zonedir_update(s->dir, NULL, false, commit_alone, s, err);
	if (st != GAZ_OK) {
		statics_close(&s);
		return st;
	}
	heap_trim();
	zonedir_read(s->dir, count_served, &served);
	log_info("zone-files-loaded", "directory=%s zones=%zu", path, served);
	*out = s;
	return GAZ_OK;
}

void statics_close(struct statics **statics)
{
	if (!*statics)
		return;
	zonedir_free(&(*statics)->dir);
	free(*statics);
	*statics = NULL;
}
