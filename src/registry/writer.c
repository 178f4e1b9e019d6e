/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "registry/due.h"
#include "registry/health.h"
#include "registry/healthcheck-internal.h"
#include "registry/operation-internal.h"
#include "registry/registry-internal.h"
#include "registry/token.h"
#include "store/store.h"
#include "zone/zonedb.h"
#include "zone/zonedit.h"

/* The one writer: drain the queue into one transaction, commit once, publish,
 * report. While it commits, the next group gathers. */

enum {
	FINISH_RETRY_MS = 1000, /* after due operations could not be finished */
	SWEEP_MAX = 256,	/* operations removed in one group */
	SWEEP_PAUSE_MS = 20,	/* from one group of nothing else to the next */
	SWEEP_RETRY_MS = 60000, /* after such a group has failed */
	FILL_BUSY = 64,		/* entries read for the filter behind a group of calls, */
	FILL_IDLE = 4096,	/* and while there are none, */
	FILL_PAUSE_MS = 5,	/* with such a pause from one time to the next */
};

/* A group at work. */
struct group {
	struct registry *r;
	struct store_txn *txn;
	struct zonedit *edit;
	int64_t now_ms;
	bool changed; /* there is something to commit */
};

static gaz_status begin_group(struct registry *r, struct group *g, int64_t now_ms)
{
	gaz_status st;

	*g = (struct group){.r = r, .now_ms = now_ms};
	r->vpcs_changed = false;
	st = store_begin_write(r->store, &g->txn);
	if (st == GAZ_OK)
		st = zonedit_new(r->db, &g->edit);
	return st;
}

/* The list of VPCs goes to the zone database whole: once, however many of the
 * group's calls changed it. */
static gaz_status project_vpcs(struct group *g)
{
	struct arena arena;
	struct call call = {.arena = &arena, .region = "", .account = ""};
	gaz_status st;

	if (!g->r->vpcs_changed)
		return GAZ_OK;
	arena_init(&arena);
	registry_prepare_call(g->r, &call, g->txn, g->now_ms);
	call.edit = g->edit;
	st = vpc_project(&call);
	arena_fini(&arena);
	return st;
}

/* @param done  what the group did has come true */
static void leave_group(struct group *g, bool done)
{
	if (done)
		healthcheck_deliver(g->r); /* cannot fail */
	else
		operation_recent_forget(g->r->recent);
	healthcheck_drop(g->r);
	store_abort(&g->txn);
	zonedit_free(&g->edit);
}

/* All or nothing: prepare what can fail, commit, and only then publish. */
static gaz_status end_group(struct group *g)
{
	gaz_status st = project_vpcs(g);

	if (st == GAZ_OK && g->changed)
		st = zonedit_prepare(g->edit);
	if (st == GAZ_OK && g->changed)
		st = store_commit(&g->txn);
	if (st == GAZ_OK && g->changed)
		zonedit_publish(&g->edit); /* cannot fail */
	leave_group(g, st == GAZ_OK);
	return st;
}

/* Run one call in the group. Anything but success and refusal spoils the
 * group: the edit may hold half of the call's changes. */
static gaz_status run_call(struct group *g, struct call *call, registry_run *run,
			   const void *in, void *out)
{
	gaz_status st;

	registry_prepare_call(g->r, call, g->txn, g->now_ms);
	call->changes = &g->r->changes;
	call->edit = g->edit;
	call->is_edited = false;
	changeset_reset(call->changes);
	st = run(call, in, out);
	g->changed = g->changed || (st == GAZ_OK && call->is_edited);
	if (st == GAZ_OK && call->changes->count > 0) {
		st = store_apply(g->txn, call->changes);
		g->changed = g->changed || st == GAZ_OK;
	}
	if (st == GAZ_OK && call->changes->failed)
		st = GAZ_ENOMEM;
	if (st != GAZ_OK && call->changes->count > 0)
		operation_recent_forget(g->r->recent);
	return st;
}

static gaz_status run_finish(struct call *call, const void *in, void *out)
{
	(void)in;
	(void)out;
	return operation_finish_next(call);
}

static gaz_status run_abandon(struct call *call, const void *in, void *out)
{
	(void)in;
	(void)out;
	return operation_abandon_next(call);
}

static gaz_status run_health(struct call *call, const void *in, void *out)
{
	(void)in;
	(void)out;
	return health_finish_next(call);
}

static gaz_status run_token_load(struct call *call, const void *in, void *out)
{
	(void)in;
	(void)out;
	return token_load(call);
}

static gaz_status run_sweep(struct call *call, const void *in, void *out)
{
	(void)in;
	(void)out;
	return operation_sweep(call);
}

/* Do something of our own until there is nothing left to do, or often enough. */
static gaz_status repeat(struct group *g, registry_run *run, unsigned times)
{
	gaz_status st = GAZ_OK;

	for (unsigned i = 0; st == GAZ_OK && i < times; i++) {
		struct arena arena;
		struct call call = {.arena = &arena, .region = "", .account = ""};

		arena_init(&arena);
		st = run_call(g, &call, run, NULL, NULL);
		arena_fini(&arena);
	}
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static void log_failure(const char *event, gaz_status st)
{
	static struct log_limit limit;
	uint32_t suppressed;

	if (log_limit_pass(&limit, &suppressed))
		log_error(event, "reason=\"%s\" suppressed=%u", gaz_status_text(st),
			  suppressed);
}

/* The machine's fault, which may pass, and not the operation's. */
static bool may_pass(gaz_status st)
{
	return st == GAZ_ENOMEM || st == GAZ_ESTORE || st == GAZ_EIO;
}

/* One group of our own work. */
static gaz_status run_group(struct registry *r, registry_run *run, unsigned times,
			    int64_t now_ms)
{
	struct group g;
	gaz_status st = begin_group(r, &g, now_ms);

	if (st == GAZ_OK)
		st = repeat(&g, run, times);
	if (st == GAZ_OK)
		return end_group(&g);
	leave_group(&g, false);
	return st;
}

/* What is due has groups of its own: if it cannot be done now (the disk is full),
 * the calls that wait are not held up by it. */
static void finish_due(struct registry *r)
{
	/* At one moment, so that what is given up is what could not be done. */
	const int64_t now_ms = clock_now_ms(&r->config.clock);
	gaz_status st = run_group(r, run_finish, UINT_MAX, now_ms);

	/* One of them cannot be done: one by one it is seen which. */
	if (st != GAZ_OK && !may_pass(st))
		st = run_group(r, run_finish, 1, now_ms);
	if (st != GAZ_OK && !may_pass(st)) {
		log_failure("operation-abandoned", st);
		st = run_group(r, run_abandon, 1, now_ms);
	}
	if (st == GAZ_OK)
		st = run_group(r, run_health, UINT_MAX, now_ms);
	r->finish_failed = st != GAZ_OK;
	if (st != GAZ_OK)
		log_failure("due-work-not-done", st);
}

/* Operations grow old also while there are no calls, whose groups would sweep. */
static void sweep_idly(struct registry *r)
{
	int64_t now_ms = clock_now_ms(&r->config.clock);
	gaz_status st;

	if (!r->sweeping && now_ms < r->sweep_due_ms)
		return;
	st = run_group(r, run_sweep, SWEEP_MAX, now_ms);
	if (st == GAZ_OK)
		return;
	log_failure("sweep-failed", st);
	r->sweeping = false;
	r->sweep_due_ms = now_ms + SWEEP_RETRY_MS;
}

static int64_t time_to_work(const struct registry *r)
{
	int64_t wait_ms = r->sweep_due_ms - clock_now_ms(&r->config.clock);

	if (r->filling.is_under_way)
		return FILL_PAUSE_MS;
	if (r->sweeping)
		return SWEEP_PAUSE_MS;
	return wait_ms > 0 ? wait_ms : 0;
}

static bool spoils_group(gaz_status st)
{
	return st != GAZ_OK && st != GAZ_EREFUSED;
}

/* One transaction for all jobs of the list. @return not GAZ_OK: nothing was done. */
static gaz_status try_group(struct registry *r, struct job *jobs)
{
	struct group g;
	gaz_status st = begin_group(r, &g, clock_now_ms(&r->config.clock));

	for (struct job *job = jobs; st == GAZ_OK && job; job = job->next) {
		job->status = run_call(&g, &job->call, job->run, job->in, job->out);
		if (spoils_group(job->status))
			st = job->status;
	}
	/* Old operations go a few at a time, so that nobody waits for it. */
	if (st == GAZ_OK && g.changed)
		st = repeat(&g, run_sweep, SWEEP_MAX);
	if (st != GAZ_OK) {
		leave_group(&g, false);
		return st;
	}
	return end_group(&g);
}

static void report(struct job *job)
{
	job->call.txn = NULL;
	job->call.edit = NULL;
	job->call.changes = NULL;
	job->done(job);
}

/* If the group as a whole cannot be done, each job is tried alone, so that one
 * call that asks too much does not fail its neighbours. */
static void process(struct registry *r, struct job *jobs)
{
	gaz_status st = try_group(r, jobs);
	bool alone = st != GAZ_OK && jobs->next;

	if (st != GAZ_OK)
		log_failure("calls-not-done", st);
	while (jobs) {
		struct job *job = jobs;

		jobs = job->next;
		job->next = NULL;
		if (alone)
			st = try_group(r, job);
		if (st != GAZ_OK)
			job->status = st;
		report(job);
	}
}

/* Milliseconds until something is due: an operation, a health status, a sweep. */
static int64_t time_to_next(struct registry *r)
{
	static const enum schema_table tables[] = {TABLE_PENDING, TABLE_HEALTH_DUE};
	const int64_t least_ms = r->finish_failed ? FINISH_RETRY_MS : 0;
	struct store_txn *txn = NULL;
	int64_t wait_ms = time_to_work(r);

	if (!r->has_pending && r->config.operation_delay_ms == 0 &&
	    r->config.custom_health_delay_ms == 0)
		return wait_ms;
	r->has_pending = false;
	if (store_begin_read(r->store, &txn) != GAZ_OK)
		return FINISH_RETRY_MS;
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		struct key key = {0};
		struct span value;
		int64_t due_ms;

		if (due_find(txn, &r->config, tables[i], clock_now_ms(&r->config.clock),
			     &key, &value, &due_ms) != GAZ_OK)
			continue;
		if (due_ms < least_ms)
			due_ms = least_ms;
		if (due_ms < wait_ms)
			wait_ms = due_ms;
		r->has_pending = true;
	}
	store_abort(&txn);
	return wait_ms;
}

/* Sleep until there is a job, until the time has come, or until the end. */
static struct job *take_jobs(struct registry *r, int64_t wait_ms, bool *stop_out)
{
	struct timespec until;
	struct job *jobs;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&r->mutex);
	while (!r->head && !r->stopping && rc != ETIMEDOUT) {
		rc = pthread_cond_timedwait(&r->wake, &r->mutex, &until);
	}
	jobs = r->head;
	r->head = NULL;
	r->tail = &r->head;
	*stop_out = r->stopping && !jobs;
	pthread_mutex_unlock(&r->mutex);
	return jobs;
}

void *writer_main(void *registry)
{
	struct registry *r = registry;
	bool stop = false;

	zonedb_enter_thread();
	/* Before the first call asks for it: it takes a moment with many operations.
	 * If it fails now, that call tries again. */
	(void)run_group(r, run_token_load, 1, clock_now_ms(&r->config.clock));
	(void)instance_filling_step(&r->filling, r->filter, r->store, FILL_IDLE);
	for (;;) {
		struct job *jobs = take_jobs(r, time_to_next(r), &stop);

		if (stop)
			break;
		if (r->has_pending)
			finish_due(r);
		if (jobs)
			process(r, jobs);
		else
			sweep_idly(r);
		(void)instance_filling_step(&r->filling, r->filter, r->store,
					    jobs ? FILL_BUSY : FILL_IDLE);
	}
	zonedb_leave_thread();
	return NULL;
}
