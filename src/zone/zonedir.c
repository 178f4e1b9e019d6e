/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/zonedir.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "zone/zonedb.h"
#include "zone/zonedir-internal.h"
#include "zone/zonedit.h"

enum {
	BATCH_NAMES = 200000, /* published together at most, but for a larger zone */
	PAUSE_MIN_MS = 1000,
	PAUSE_MAX_MS = 60000,
};

gaz_status zonedir_new(const char *path, struct zonedb *db, const struct clock *clock,
		       struct zonedir **out)
{
	struct zonedir *dir = calloc(1, sizeof *dir);

	if (!dir || !(dir->path = strdup(path))) {
		free(dir);
		return GAZ_ENOMEM;
	}
	dir->db = db;
	dir->clock = *clock;
	pthread_mutex_init(&dir->mutex, NULL);
	*out = dir;
	return GAZ_OK;
}

void zonedir_heed(struct zonedir *dir, const struct halt *halt)
{
	dir->halt = *halt;
}

void zonedir_free(struct zonedir **dir)
{
	struct zonedir *d = *dir;

	if (!d)
		return;
	for (size_t i = 0; i < d->count; i++)
		zonedir_free_file(d->files[i]);
	free(d->files);
	free(d->path);
	pthread_mutex_destroy(&d->mutex);
	free(d);
	*dir = NULL;
}

/* ---- what is tried again ---- */

static void begin_pause(struct pause *pause, int64_t now_ms)
{
	pause->ms *= 2;
	if (pause->ms < PAUSE_MIN_MS)
		pause->ms = PAUSE_MIN_MS;
	if (pause->ms > PAUSE_MAX_MS)
		pause->ms = PAUSE_MAX_MS;
	pause->until_ms = now_ms + pause->ms;
}

/* How much is left of it; -1: there is none. Nobody waits longer because the clock was
 * set back. */
static int64_t rest_of(const struct pause *pause, int64_t now_ms)
{
	int64_t rest = pause->until_ms - now_ms;

	if (pause->ms == 0)
		return -1;
	return rest < 0 || rest > pause->ms ? 0 : rest;
}

/* What has failed in one update is due together. */
static void begin_pauses(struct zonedir *dir)
{
	int64_t now = clock_now_ms(&dir->clock);

	for (size_t i = 0; i < dir->count; i++) {
		struct file *file = dir->files[i];

		if (file->has_slipped)
			begin_pause(&file->pause, now);
		file->has_slipped = false;
	}
}

int64_t zonedir_retry_ms(const struct zonedir *dir)
{
	int64_t now = clock_now_ms(&dir->clock);
	int64_t least = rest_of(&dir->pause, now);

	for (size_t i = 0; dir->pause.ms == 0 && i < dir->count; i++) {
		int64_t rest = rest_of(&dir->files[i]->pause, now);

		if (rest >= 0 && (least < 0 || rest < least))
			least = rest;
	}
	return least;
}

/* ---- publishing ---- */

static bool is_waiting(const struct file *file)
{
	return file->build || (file->is_gone && file->is_served);
}

gaz_status zonedir_stage(struct zonedir *dir, struct zonedit *edit)
{
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < dir->count; i++) {
		struct file *file = dir->files[i];
		char id[ZONEFILE_ID_SIZE];
		struct zone *old;

		if (!is_waiting(file))
			continue;
		old = zonedit_find_zone(edit, zonefile_id(file->apex, id));
		if (old)
			st = zonedit_remove_zone(edit, old);
	}
	for (size_t i = 0; st == GAZ_OK && i < dir->count; i++) {
		if (dir->files[i]->build)
			st = zonedit_add_built(edit, dir->files[i]->build);
	}
	return st;
}

/* A file's zone is what the database has now. */
static void settle_file(struct zonedir *dir, struct file *file)
{
	if (file->is_gone && file->is_served) {
		zonedir_log_text(LOG_LEVEL_INFO, "zone-removed", "file", file->path);
		file->is_served = false;
	}
	if (!file->build)
		return;
	file->pause = (struct pause){0};
	file->has_slipped = false;
	file->is_served = true;
	file->has_failed = false;
	file->error[0] = '\0';
	file->loaded_ms = clock_now_ms(&dir->clock);
	log_info("zone-loaded", "file=%s names=%zu warnings=%zu", file->path,
		 zonebuild_names(file->build), file->warnings);
}

static void set_unpublished(struct zonedir *dir, struct file *file, gaz_status st)
{
	char text[sizeof file->error];

	(void)snprintf(text, sizeof text, "%.300s: cannot be %s: %s", file->path,
		       file->build ? "published" : "removed", gaz_status_text(st));
	zonedir_set_slipped(dir, file, text);
}

/* Publish what is ready. */
static void flush(struct zonedir *dir, zonedir_commit *commit, void *arg)
{
	bool is_needed = false;
	gaz_status st = GAZ_OK;

	for (size_t i = 0; i < dir->count; i++)
		is_needed |= is_waiting(dir->files[i]);
	if (is_needed)
		st = commit(arg, dir);
	for (size_t i = 0; is_needed && i < dir->count; i++) {
		struct file *file = dir->files[i];

		if (st == GAZ_OK) {
			pthread_mutex_lock(&dir->mutex);
			settle_file(dir, file);
			pthread_mutex_unlock(&dir->mutex);
		} else if (is_waiting(file)) {
			set_unpublished(dir, file, st);
		}
		zonebuild_free(&file->build);
	}
	dir->ready_names = 0;
}

/* Forget files that have gone, once nothing of them is served. */
static void drop_gone(struct zonedir *dir)
{
	size_t kept = 0;

	pthread_mutex_lock(&dir->mutex);
	for (size_t i = 0; i < dir->count; i++) {
		struct file *file = dir->files[i];

		if (file->is_gone && !file->is_served)
			zonedir_free_file(file);
		else
			dir->files[kept++] = file;
	}
	dir->count = kept;
	pthread_mutex_unlock(&dir->mutex);
}

/* Something may have changed, or is tried again. */
static bool is_to_be_loaded(const struct zonedir *dir, const struct file *file)
{
	return zonedir_has_changed(file) || (!file->is_served && !file->has_failed) ||
	       rest_of(&file->pause, clock_now_ms(&dir->clock)) == 0;
}

/* Nothing of what is ready is published. */
static gaz_status give_up(struct zonedir *dir, struct gaz_error *err)
{
	for (size_t i = 0; i < dir->count; i++) {
		struct file *file = dir->files[i];

		file->is_due |= file->build != NULL;
		zonebuild_free(&file->build);
	}
	dir->ready_names = 0;
	begin_pauses(dir);
	return gaz_error_set(err, GAZ_EBUSY, "%s: not read to its end", dir->path);
}

static bool is_wanted(const struct file *file, const uint8_t *zone)
{
	return !zone || (file->apex_len > 0 && dname_equal(file->apex, zone));
}

gaz_status zonedir_update(struct zonedir *dir, const uint8_t *zone, bool all,
			  zonedir_commit *commit, void *commit_arg, struct gaz_error *err)
{
	gaz_status st = zonedir_scan(dir, err);
	bool is_found = !zone;

	if (st != GAZ_OK) {
		begin_pause(&dir->pause, clock_now_ms(&dir->clock));
		return st;
	}
	dir->pause = (struct pause){0};
	for (size_t i = 0; i < dir->count; i++) {
		struct file *file = dir->files[i];

		if (!is_wanted(file, zone) || file->is_gone)
			continue;
		is_found = true;
		if (file->is_twin)
			zonedir_refuse_twin(dir, file);
		else if (all || is_to_be_loaded(dir, file))
			zonedir_load_file(dir, file);
		if (halt_is_wanted(&dir->halt))
			return give_up(dir, err);
		if (dir->ready_names >= BATCH_NAMES)
			flush(dir, commit, commit_arg);
	}
	flush(dir, commit, commit_arg);
	drop_gone(dir);
	begin_pauses(dir);
	if (is_found)
		return GAZ_OK;
	return gaz_error_set(err, GAZ_ENOTFOUND, "no file in %s is for that zone",
			     dir->path);
}

/* ---- reading ---- */

void zonedir_read(struct zonedir *dir,
		  void (*visit)(void *arg, const struct zonedir_zone *zone), void *arg)
{
	pthread_mutex_lock(&dir->mutex);
	for (size_t i = 0; i < dir->count; i++) {
		const struct file *file = dir->files[i];
		const struct zonedir_zone zone = {
			.path = file->path,
			.apex = file->apex_len > 0 ? file->apex : NULL,
			.is_served = file->is_served,
			.has_failed = file->has_failed,
			.error = file->error,
			.warnings = file->warnings,
			.loaded_ms = file->loaded_ms,
			.tried_ms = file->tried_ms,
		};

		visit(arg, &zone);
	}
	pthread_mutex_unlock(&dir->mutex);
}

static void visit_folder(const char *path, void (*visit)(void *arg, const char *path),
			 void *arg)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (!slash || (size_t)(slash - path) >= sizeof folder)
		return;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	visit(arg, slash == path ? "/" : folder);
}

void zonedir_each_folder(struct zonedir *dir, void (*visit)(void *arg, const char *path),
			 void *arg)
{
	char real[PATH_MAX];

	visit(arg, dir->path);
	for (size_t i = 0; i < dir->count; i++) {
		const struct masterlist *stamps = &dir->files[i]->stamps;

		for (size_t k = 0; k < stamps->count; k++) {
			const char *path = stamps->items[k].path;

			if (k > 0)
				visit_folder(path, visit, arg);
			if (realpath(path, real))
				visit_folder(real, visit, arg);
		}
	}
}
