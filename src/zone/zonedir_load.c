/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "zone/zonedir-internal.h"

/* One file of a folder: whether it has changed, and what becomes of it. */

enum {
	WARNINGS_LOGGED = 20, /* of one file; the rest is only counted */
	RACY_MS = 20,	      /* what changed so shortly before it was read may change
				 again without looking different */
};

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

bool zonedir_has_changed(const struct file *file)
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

void zonedir_log_text(enum log_level level, const char *event, const char *key,
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
		zonedir_log_text(LOG_LEVEL_WARN, "zone-file-warning", "warning", text);
}

static void set_error(struct zonedir *dir, struct file *file, const char *text)
{
	pthread_mutex_lock(&dir->mutex);
	file->has_failed = true;
	(void)snprintf(file->error, sizeof file->error, "%s", text);
	pthread_mutex_unlock(&dir->mutex);
}

static void log_failed(const struct file *file)
{
	zonedir_log_text(LOG_LEVEL_ERROR,
			 file->is_served ? "zone-file-not-reloaded"
					 : "zone-file-left-out",
			 "error", file->error);
}

/* For a reason in the file, which stays until that changes. */
static void set_failed(struct zonedir *dir, struct file *file, const char *text)
{
	bool was_told = file->has_failed && strcmp(file->error, text) == 0;

	file->pause = (struct pause){0};
	file->has_slipped = false;
	set_error(dir, file, text);
	if (!was_told)
		log_failed(file);
}

void zonedir_set_slipped(struct zonedir *dir, struct file *file, const char *text)
{
	bool was_told = file->has_slipped || file->pause.ms > 0;
	char whole[sizeof file->error];

	(void)snprintf(whole, sizeof whole, "%.440s; it is tried again by itself", text);
	file->has_slipped = true;
	set_error(dir, file, whole);
	if (!was_told)
		log_failed(file);
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

void zonedir_load_file(struct zonedir *dir, struct file *file)
{
	struct warned warned = {0};
	struct zonefile_report report = {
		.warn = on_warning, .arg = &warned, .halt = &dir->halt};
	struct timespec begin;
	struct gaz_error err = {.text = ""};
	gaz_status st;

	clock_gettime(CLOCK_REALTIME, &begin);
	st = zonefile_build(dir->db, file->path, &report, &file->build, &err);
	if (warned.count > WARNINGS_LOGGED)
		log_warn("zone-file-warnings", "file=%s suppressed=%zu", file->path,
			 warned.count - WARNINGS_LOGGED);
	if (st == GAZ_EBUSY) {
		zonefile_report_fini(&report);
		file->is_due = true;
		return;
	}
	masterlist_fini(&file->stamps);
	file->stamps = report.files;
	file->is_due = is_racy(file, &begin);
	pthread_mutex_lock(&dir->mutex);
	file->tried_ms = clock_now_ms(&dir->clock);
	file->warnings = report.warnings;
	pthread_mutex_unlock(&dir->mutex);
	if (st == GAZ_OK)
		dir->ready_names += zonebuild_names(file->build);
	else if (st == GAZ_EIO || st == GAZ_ENOMEM)
		zonedir_set_slipped(dir, file, err.text);
	else
		set_failed(dir, file, err.text);
}

void zonedir_refuse_twin(struct zonedir *dir, struct file *file)
{
	char text[sizeof file->error];
	char name[DNAME_TEXT_SIZE];

	(void)snprintf(
		text, sizeof text,
		"%.200s: another file has the zone %.200s already; keep one of them",
		file->path, dname_to_text(file->apex, name));
	set_failed(dir, file, text);
}
