/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/statics.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/halt.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/thread.h"
#include "daemon/notify.h"
#include "daemon/zonewatch.h"
#include "dns/name.h"
#include "registry/registry.h"
#include "registry/zone.h"
#include "zone/zonedb.h"
#include "zone/zonedir.h"
#include "zone/zonedit.h"

enum {
	QUIET_MS = 150,	  /* without a change, until files that have changed are read */
	LATEST_MS = 2000, /* after the first change, however many follow */
	RETRY_MS = 2000,  /* while a folder cannot be watched */
};

struct statics {
	const char *path;
	struct zonedir *dir;
	struct zonedb *db;
	struct registry *registry;
	struct zonewatch *watch; /* NULL: files are not watched */
	bool is_unreadable;	 /* the folder could not be read the last time */
	bool is_unwatched;	 /* some folder could not be watched the last time */
	int event_fd;		 /* something was asked for */
	pthread_t thread;
	bool has_thread;

	pthread_mutex_t mutex;
	pthread_cond_t published;
	struct job *jobs; /* reloads that were asked for */
	struct job **jobs_end;
	bool refresh;
	atomic_bool stopping; /* changed under the mutex */

	/* Of the thread. */
	int64_t changed_ms; /* the first change that was not looked at; 0: none */
	int64_t last_ms;    /* and the last one */
	bool has_published; /* by the update at work */
	bool has_new_watch; /* since it was last cleared */
};

/* ---- publishing ---- */

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

struct publication {
	struct job job; /* first: on_published() casts */
	struct statics *statics;
	struct arena arena;
	bool is_done;
};

static void on_published(struct job *job)
{
	struct publication *p = (struct publication *)job;

	pthread_mutex_lock(&p->statics->mutex);
	p->is_done = true;
	pthread_cond_broadcast(&p->statics->published);
	pthread_mutex_unlock(&p->statics->mutex);
}

static gaz_status commit_by_writer(void *arg, struct zonedir *dir)
{
	struct statics *s = arg;
	struct publication p = {.statics = s};

	arena_init(&p.arena);
	p.job.call = (struct call){.arena = &p.arena, .region = "", .account = ""};
	p.job.run = zone_publish_files;
	p.job.in = dir;
	p.job.done = on_published;
	registry_submit(s->registry, &p.job);
	pthread_mutex_lock(&s->mutex);
	while (!p.is_done)
		pthread_cond_wait(&s->published, &s->mutex);
	pthread_mutex_unlock(&s->mutex);
	arena_fini(&p.arena);
	s->has_published = true;
	return p.job.status;
}

/* ---- the thread ---- */

static bool is_stopping(void *arg)
{
	struct statics *s = arg;

	return atomic_load(&s->stopping);
}

static void watch_folder(void *arg, const char *path)
{
	struct statics *s = arg;

	if (s->watch && zonewatch_add(s->watch, path, &s->has_new_watch) != GAZ_OK)
		s->is_unwatched = true;
}

/* All folders again: one that was replaced by another of its name is a new one. */
static void watch_folders(struct statics *s)
{
	bool was_unwatched = s->is_unwatched;

	s->is_unwatched = false;
	zonedir_each_folder(s->dir, watch_folder, s);
	if (s->is_unwatched && !was_unwatched)
		log_warn("zone-directory-not-watched",
			 "reason=\"a directory of zone files has gone, or there are too "
			 "many watches (fs.inotify.max_user_watches)\"");
}

/* Something has changed, or may have. */
static void note_change(struct statics *s)
{
	s->last_ms = clock_monotonic_ms();
	if (s->changed_ms == 0)
		s->changed_ms = s->last_ms;
}

/* One line when the folder cannot be read, and one when it can again. */
static void note_readable(struct statics *s, gaz_status st, const struct gaz_error *err)
{
	bool was_unreadable = s->is_unreadable;

	if (st == GAZ_EBUSY)
		return;
	s->is_unreadable = st == GAZ_EIO || st == GAZ_ENOMEM;
	if (s->is_unreadable && !was_unreadable)
		log_error("zone-files-not-read",
			  "error=\"%s; it is tried again by itself\"", err->text);
	if (!s->is_unreadable && was_unreadable)
		log_info("zone-files-read", "directory=%s", s->path);
}

static gaz_status update(struct statics *s, const uint8_t *zone, bool all,
			 struct gaz_error *err)
{
	gaz_status st;

	/* Watched before they are read: what changes then is seen. Afterwards there may
	 * be other ones, in which files may have changed since they were read. */
	watch_folders(s);
	s->has_published = false;
	s->has_new_watch = false;
	zonedb_enter_thread();
	st = zonedir_update(s->dir, zone, all, commit_by_writer, s, err);
	if (s->has_published && !is_stopping(s))
		zonedb_wait_freed();
	zonedb_leave_thread();
	watch_folders(s);
	if (s->has_new_watch)
		note_change(s);
	heap_trim();
	note_readable(s, st, err);
	return st;
}

static void run_job(struct statics *s, struct job *job)
{
	const struct zone_in *in = job->in;
	struct gaz_error err = {.text = ""};
	uint8_t name[DNAME_MAX];
	size_t len;
	gaz_status st;

	if (in->zone && dname_from_text(in->zone, name, &len) != GAZ_OK)
		st = gaz_error_set(&err, GAZ_ENOTFOUND, "no zone is called that");
	else
		st = update(s, in->zone ? name : NULL, true, &err);
	if (st == GAZ_ENOTFOUND)
		st = fault_set(&job->call.fault, FAULT_RESOURCE_NOT_FOUND, "%s",
			       err.text);
	else if (st == GAZ_EIO)
		st = fault_set(&job->call.fault, FAULT_INVALID_INPUT, "%s", err.text);
	else if (st == GAZ_OK)
		st = registry_read(s->registry, &job->call, job->run, job->in, job->out);
	job->status = st;
	job->done(job);
}

/* Nothing has changed: how long until something is to be tried again; -1: nothing is. */
static int retry_ms(const struct statics *s)
{
	int64_t retry = zonedir_retry_ms(s->dir); /* a minute at most */

	if (s->is_unwatched && s->watch && (retry < 0 || retry > RETRY_MS))
		return RETRY_MS;
	return (int)retry;
}

/* How long to wait for something to happen; -1: until it does. */
static int wait_ms(const struct statics *s)
{
	int64_t now = clock_monotonic_ms();
	int64_t due = s->last_ms + QUIET_MS;

	if (s->changed_ms == 0)
		return retry_ms(s);
	if (due > s->changed_ms + LATEST_MS)
		due = s->changed_ms + LATEST_MS;
	return due > now ? (int)(due - now) : 0;
}

static void wait_for_something(struct statics *s)
{
	struct pollfd fds[2] = {
		{.fd = s->event_fd, .events = POLLIN},
		{.fd = s->watch ? zonewatch_fd(s->watch) : -1, .events = POLLIN},
	};
	eventfd_t value;

	if (poll(fds, 2, wait_ms(s)) < 0)
		return;
	if (fds[0].revents)
		(void)eventfd_read(s->event_fd, &value);
	if (fds[1].revents) {
		zonewatch_clear(s->watch);
		note_change(s);
	}
}

/* @return false: the end */
static bool take_requests(struct statics *s, struct job **jobs_out, bool *refresh_out)
{
	bool stopping;

	pthread_mutex_lock(&s->mutex);
	*jobs_out = s->jobs;
	*refresh_out = s->refresh;
	s->jobs = NULL;
	s->jobs_end = &s->jobs;
	s->refresh = false;
	stopping = atomic_load(&s->stopping);
	pthread_mutex_unlock(&s->mutex);
	return !stopping;
}

static void refuse_jobs(struct job *jobs)
{
	while (jobs) {
		struct job *job = jobs;

		jobs = job->next;
		job->status = GAZ_EBUSY;
		job->done(job);
	}
}

static void *run_thread(void *arg)
{
	struct statics *s = arg;
	struct gaz_error err;
	struct job *jobs;
	bool refresh;

	zonedir_heed(s->dir, &(struct halt){is_stopping, s});
	while (take_requests(s, &jobs, &refresh)) {
		bool is_due = wait_ms(s) == 0;

		/* Only looking for the folder that has gone costs next to nothing. */
		is_due |= s->changed_ms == 0 && s->is_unwatched;
		if (is_due || refresh)
			s->changed_ms = 0;
		if (refresh || is_due)
			(void)update(s, NULL, refresh, &err);
		if (refresh && !is_stopping(s))
			notify_send("READY=1"); /* the end of SIGHUP's reload */
		while (jobs) {
			struct job *job = jobs;

			jobs = job->next;
			run_job(s, job);
		}
		wait_for_something(s);
	}
	refuse_jobs(jobs);
	return NULL;
}

/* ---- from other threads ---- */

static void wake(struct statics *s)
{
	(void)eventfd_write(s->event_fd, 1);
}

void statics_refresh(struct statics *statics)
{
	pthread_mutex_lock(&statics->mutex);
	statics->refresh = true;
	pthread_mutex_unlock(&statics->mutex);
	wake(statics);
}

void statics_reload(void *arg, struct job *job)
{
	struct statics *s = arg;
	bool refused;

	job->next = NULL;
	pthread_mutex_lock(&s->mutex);
	refused = atomic_load(&s->stopping);
	if (!refused) {
		*s->jobs_end = job;
		s->jobs_end = &job->next;
	}
	pthread_mutex_unlock(&s->mutex);
	if (refused)
		refuse_jobs(job);
	else
		wake(s);
}

gaz_status statics_start(struct statics *statics, struct registry *registry)
{
	gaz_status st;

	statics->registry = registry;
	if (zonewatch_open(&statics->watch) != GAZ_OK)
		log_warn("zone-directory-not-watched",
			 "reason=\"no inotify instance is left "
			 "(fs.inotify.max_user_instances)\"");
	watch_folders(statics);
	/* What changed between the load and the watch is looked for. */
	note_change(statics);
	st = thread_start(&statics->thread, "zones", THREAD_BEHIND, run_thread, statics);
	statics->has_thread = st == GAZ_OK;
	return st;
}

void statics_stop(struct statics *statics)
{
	if (!statics->has_thread)
		return;
	pthread_mutex_lock(&statics->mutex);
	atomic_store(&statics->stopping, true);
	pthread_mutex_unlock(&statics->mutex);
	wake(statics);
	pthread_join(statics->thread, NULL);
	statics->has_thread = false;
}

/* ---- opening and closing ---- */

gaz_status statics_new(const char *path, struct zonedb *db, struct statics **out,
		       struct gaz_error *err)
{
	struct statics *s = calloc(1, sizeof *s);

	if (!s)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	s->path = path;
	s->db = db;
	s->jobs_end = &s->jobs;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->published, NULL);
	s->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->event_fd < 0 ||
	    zonedir_new(path, db, &(struct clock){0}, &s->dir) != GAZ_OK) {
		statics_close(&s);
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	}
	*out = s;
	return GAZ_OK;
}

struct zonedir *statics_dir(struct statics *statics)
{
	return statics->dir;
}

static void count_served(void *arg, const struct zonedir_zone *zone)
{
	*(size_t *)arg += zone->is_served;
}

gaz_status statics_load(struct statics *statics, const struct halt *halt,
			struct gaz_error *err)
{
	size_t served = 0;
	gaz_status st;

	zonedir_heed(statics->dir, halt);
	st = zonedir_update(statics->dir, NULL, true, commit_alone, statics, err);
	if (st != GAZ_OK)
		return st;
	heap_trim();
	zonedir_read(statics->dir, count_served, &served);
	log_info("zone-files-loaded", "directory=%s zones=%zu", statics->path, served);
	return GAZ_OK;
}

void statics_close(struct statics **statics)
{
	struct statics *s = *statics;

	if (!s)
		return;
	statics_stop(s);
	zonewatch_close(&s->watch);
	zonedir_free(&s->dir);
	if (s->event_fd >= 0)
		close(s->event_fd);
	pthread_cond_destroy(&s->published);
	pthread_mutex_destroy(&s->mutex);
	free(s);
	*statics = NULL;
}
