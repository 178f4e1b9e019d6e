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
	WARNINGS_LOGGED = 20, /* of one file; the rest is only counted */
	RACY_MS = 20,	      /* what changed so shortly before it was read may change
				 again without looking different */
};

static void free_file(struct file *file)
{
	if (!file)
		return;
	zonebuild_free(&file->build);
	masterlist_fini(&file->stamps);
	free(file->path);
	free(file);
}

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

void zonedir_free(struct zonedir **dir)
{
	struct zonedir *d = *dir;

	if (!d)
		return;
	for (size_t i = 0; i < d->count; i++)
		free_file(d->files[i]);
	free(d->files);
	free(d->path);
	pthread_mutex_destroy(&d->mutex);
	free(d);
	*dir = NULL;
}

/* ---- loading ---- */

static bool is_later(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

static bool is_same_stamp(const struct masterstamp *a, const struct masterstamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       !is_later(a->modified, b->modified) &&
	       !is_later(b->modified, a->modified) && !is_later(a->changed, b->changed) &&
	       !is_later(b->changed, a->changed);
}

static bool has_changed(const struct file *file)
{
	if (file->stamps.count == 0 || file->is_due)
		return true;
	for (size_t i = 0; i < file->stamps.count; i++) {
		struct masterstamp now;

		masterstamp_take(file->stamps.items[i].path, &now);
		if (!is_same_stamp(&file->stamps.items[i], &now))
			return true;
	}
	return false;
}

static void log_text(enum log_level level, const char *event, const char *key,
		     const char *text)
{
	char escaped[1024];

	log_line(level, event, "%s=\"%s\"", key,
		 log_escape(text, strlen(text), escaped, sizeof escaped));
}

struct warned {
	size_t count;
};

static void on_warning(void *arg, const char *text)
{
	struct warned *warned = arg;

	if (warned->count++ < WARNINGS_LOGGED)
		log_text(LOG_LEVEL_WARN, "zone-file-warning", "warning", text);
}

static void set_failed(struct zonedir *dir, struct file *file, const char *text)
{
	bool was_told = file->has_failed && strcmp(file->error, text) == 0;

	pthread_mutex_lock(&dir->mutex);
	file->has_failed = true;
	(void)snprintf(file->error, sizeof file->error, "%s", text);
	pthread_mutex_unlock(&dir->mutex);
	if (!was_told)
		log_text(LOG_LEVEL_ERROR,
			 file->is_served ? "zone-file-not-reloaded"
					 : "zone-file-left-out",
			 "error", text);
}

/* When the file was read, something in it was so young that it may have changed since. */
static bool is_racy(const struct file *file, const struct timespec *begin)
{
	struct timespec young = *begin;

	young.tv_nsec -= RACY_MS * 1000000L;
	if (young.tv_nsec < 0) {
		young.tv_nsec += 1000000000L;
		young.tv_sec--;
	}
	for (size_t i = 0; i < file->stamps.count; i++) {
		if (is_later(file->stamps.items[i].changed, young))
			return true;
	}
	return false;
}

static void load_file(struct zonedir *dir, struct file *file)
{
	struct warned warned = {0};
	struct zonefile_report report = {.warn = on_warning, .arg = &warned};
	struct timespec begin;
	struct gaz_error err = {.text = ""};
	gaz_status st;

	clock_gettime(CLOCK_REALTIME, &begin);
	st = zonefile_build(dir->db, file->path, &report, &file->build, &err);
	if (warned.count > WARNINGS_LOGGED)
		log_warn("zone-file-warnings", "file=%s suppressed=%zu", file->path,
			 warned.count - WARNINGS_LOGGED);
	masterlist_fini(&file->stamps);
	file->stamps = report.files;
	/* The next time there may be more memory. */
	file->is_due = is_racy(file, &begin) || st == GAZ_ENOMEM;
	pthread_mutex_lock(&dir->mutex);
	file->tried_ms = clock_now_ms(&dir->clock);
	file->warnings = report.warnings;
	pthread_mutex_unlock(&dir->mutex);
	if (st == GAZ_OK)
		dir->ready_names += zonebuild_names(file->build);
	else
		set_failed(dir, file, err.text);
}

static void refuse_twin(struct zonedir *dir, struct file *file)
{
	char text[sizeof file->error];
	char name[DNAME_TEXT_SIZE];

	(void)snprintf(
		text, sizeof text,
		"%.200s: another file has the zone %.200s already; keep one of them",
		file->path, dname_to_text(file->apex, name));
	set_failed(dir, file, text);
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
		log_text(LOG_LEVEL_INFO, "zone-removed", "file", file->path);
		file->is_served = false;
	}
	if (!file->build)
		return;
	file->is_served = true;
	file->has_failed = false;
	file->error[0] = '\0';
	file->loaded_ms = clock_now_ms(&dir->clock);
	log_info("zone-loaded", "file=%s names=%zu warnings=%zu", file->path,
		 zonebuild_names(file->build), file->warnings);
}

/* The next update tries again. */
static void set_unpublished(struct zonedir *dir, struct file *file, gaz_status st)
{
	char text[sizeof file->error];

	(void)snprintf(text, sizeof text, "%.400s: cannot be %s: %s; reload it later",
		       file->path, file->build ? "published" : "removed",
		       gaz_status_text(st));
	set_failed(dir, file, text);
	file->is_due = true;
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
			free_file(file);
		else
			dir->files[kept++] = file;
	}
	dir->count = kept;
	pthread_mutex_unlock(&dir->mutex);
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

	if (st != GAZ_OK)
		return st;
	for (size_t i = 0; i < dir->count; i++) {
		struct file *file = dir->files[i];

		if (!is_wanted(file, zone) || file->is_gone)
			continue;
		is_found = true;
		if (file->is_twin)
			refuse_twin(dir, file);
		else if (all || has_changed(file) ||
			 (!file->is_served && !file->has_failed))
			load_file(dir, file);
		if (dir->ready_names >= BATCH_NAMES)
			flush(dir, commit, commit_arg);
	}
	flush(dir, commit, commit_arg);
	drop_gone(dir);
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
