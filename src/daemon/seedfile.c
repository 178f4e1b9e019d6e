/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/seedfile.h"

#include <stdio.h>
#include <string.h>

#include "api/local.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/options.h"
#include "daemon/signals.h"
#include "seed/seed.h"

enum {
	PROGRESS_MS = 2000,
	CALLS_MAX = 256,     /* under way, for one commit of the writer's */
	PATIENCE_MS = 60000, /* for an operation, beyond what it is delayed */
};

struct seedfile {
	const char *path;
	struct api_local *api;
	size_t counts[SEED_UNCHANGED + 1];
	size_t faults;
	int64_t told_ms;
};

static gaz_status say(gaz_status st, struct gaz_error *err)
{
	return st == GAZ_OK || st == GAZ_EREFUSED
		       ? st
		       : gaz_error_set(err, st, "%s", gaz_status_text(st));
}

static gaz_status submit(void *arg, const struct seed_call *request,
			 struct gaz_error *err)
{
	const struct seedfile *f = arg;
	const bool is_ours = strchr(request->operation, '.') != NULL;
	char target[128];

	(void)snprintf(target, sizeof target, "%s%s",
		       is_ours ? "" : "Route53AutoNaming_v20170314.", request->operation);
	return say(api_local_submit(f->api, target, request->trial, request->input), err);
}

static gaz_status collect(void *arg, json_t **out, struct gaz_error *err)
{
	const struct seedfile *f = arg;

	return say(api_local_collect(f->api, out), err);
}

static void on_item(void *arg, const struct seed_item *item)
{
	static const char *const actions[] = {"created", "changed", "unchanged"};
	struct seedfile *f = arg;
	int64_t now_ms = clock_monotonic_ms();
	char name[256];

	f->counts[item->action]++;
	log_debug("seed-item", "action=%s kind=%s name=\"%s\"", actions[item->action],
		  item->kind,
		  log_escape(item->name, strlen(item->name), name, sizeof name));
	if (now_ms - f->told_ms < PROGRESS_MS)
		return;
	f->told_ms = now_ms;
	log_info("seed-progress", "done=%zu total=%zu", item->number, item->total);
}

static void on_fault(void *arg, const char *path, const char *message)
{
	struct seedfile *f = arg;
	char place[512];
	char text[2048];

	f->faults++;
	fprintf(stderr, "gazetteerd: %s: %s%s%s\n", f->path,
		log_escape(path, strlen(path), place, sizeof place), *path ? ": " : "",
		log_escape(message, strlen(message), text, sizeof text));
}

static gaz_status apply(struct seedfile *f, const struct options *o,
			const json_t *document, struct gaz_error *err)
{
	const struct seed_api api = {CALLS_MAX, true, submit, collect, f};
	const struct seed_observer observer = {on_item, on_fault, signals_is_end_pending,
					       f};
	const struct seed_options options = {
		.timeout_ms = (int64_t)o->operation_delay_ms + PATIENCE_MS,
	};
	gaz_status st = seed_apply(&api, &observer, &options, document);

	if (st == GAZ_EBUSY)
		return gaz_error_set(err, st, "--seed %s: stopped by a signal", f->path);
	/* What has ended the work is among the faults, with its place. */
	if (st != GAZ_OK && st != GAZ_EREFUSED)
		return gaz_error_set(err, st, "--seed %s: not all is done: %s", f->path,
				     gaz_status_text(st));
	if (st != GAZ_OK)
		return gaz_error_set(err, st, "--seed %s: %zu fault%s; correct the file",
				     f->path, f->faults, f->faults == 1 ? "" : "s");
	log_info("seed-applied", "file=%s created=%zu changed=%zu unchanged=%zu", f->path,
		 f->counts[SEED_CREATED], f->counts[SEED_CHANGED],
		 f->counts[SEED_UNCHANGED]);
	return GAZ_OK;
}

gaz_status seedfile_apply(const struct options *options, struct registry *registry,
			  struct gaz_error *err)
{
	struct seedfile f = {.path = options->seed, .told_ms = clock_monotonic_ms()};
	struct gaz_error inner = {.text = ""};
	json_t *document = NULL;
	gaz_status st = seed_read(options->seed, &document, &inner);

	if (st != GAZ_OK)
		return gaz_error_set(err, st, "--seed: %s", inner.text);
	st = api_local_new(registry, options->region, options->account, &f.api);
	if (st == GAZ_OK)
		st = apply(&f, options, document, err);
	else
		gaz_error_set(err, st, "out of memory");
	api_local_free(&f.api);
	json_decref(document);
	return st;
}
