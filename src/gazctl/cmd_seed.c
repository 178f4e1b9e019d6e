/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "gazctl/calls.h"
#include "gazctl/command.h"
#include "seed/seed.h"

/* A document of what shall be there: applied, and made from what is there. */

enum {
	PROGRESS_MS = 200,
	CALLS_MAX = 64, /* under way, for one commit of the daemon's */
};

struct work {
	const struct ctl *ctl;
	struct calls *calls;
	bool dry_run;
	json_t *items; /* for --json */
	json_t *faults;
	size_t counts[SEED_UNCHANGED + 1];
	int64_t shown_ms;
};

static gaz_status submit(void *arg, const struct seed_call *request,
			 struct gaz_error *err)
{
	const struct work *w = arg;

	return calls_submit(w->calls, request->operation, request->trial, request->input,
			    err);
}

static gaz_status collect(void *arg, json_t **out, struct gaz_error *err)
{
	const struct work *w = arg;

	return calls_collect(w->calls, out, err);
}

/* On a terminal, while the lines themselves go elsewhere or are yet to come. */
static void show_progress(struct work *w, const struct seed_item *item)
{
	int64_t now_ms = clock_monotonic_ms();
	const bool is_last = item->number == item->total;

	if (!isatty(STDERR_FILENO) || (isatty(STDOUT_FILENO) && !w->ctl->json) ||
	    (now_ms - w->shown_ms < PROGRESS_MS && !is_last))
		return;
	w->shown_ms = now_ms;
	fprintf(stderr, "\r%zu of %zu%s", item->number, item->total, is_last ? "\n" : "");
}

static void on_item(void *arg, const struct seed_item *item)
{
	static const char *const names[] = {"CREATE", "CHANGE", "LEAVE"};
	static const char *const done[] = {"created", "changed", "left"};
	static const char *const would[] = {"would create", "would change",
					    "would leave"};
	struct work *w = arg;

	w->counts[item->action]++;
	show_progress(w, item);
	if (w->ctl->json) {
		(void)json_array_append_new(
			w->items, json_pack("{s:s, s:s, s:s, s:s}", "Action",
					    names[item->action], "Kind", item->kind,
					    "Name", item->name, "Path", item->path));
		return;
	}
	printf("%s %s ", (w->dry_run ? would : done)[item->action], item->kind);
	ctl_print_text(stdout, item->name);
	putchar('\n');
}

static void on_fault(void *arg, const char *path, const char *message)
{
	struct work *w = arg;

	(void)json_array_append_new(
		w->faults, json_pack("{s:s, s:s}", "Path", path, "Message", message));
	ctl_report("%s%s%s", path, *path ? ": " : "", message);
}

static int print_summary(const struct work *w, gaz_status st)
{
	json_t *result;
	int rc;

	if (!w->ctl->json) {
		if (st == GAZ_OK)
			printf("%zu %screated, %zu changed, %zu left\n",
			       w->counts[SEED_CREATED], w->dry_run ? "to be " : "",
			       w->counts[SEED_CHANGED], w->counts[SEED_UNCHANGED]);
		return st == GAZ_OK ? CTL_OK : CTL_FAILED;
	}
	result = json_pack("{s:b, s:O, s:O}", "DryRun", w->dry_run, "Items", w->items,
			   "Faults", w->faults);
	rc = ctl_print_json(result);
	json_decref(result);
	return st == GAZ_OK ? rc : CTL_FAILED;
}

static int init(struct work *w, const struct ctl *ctl)
{
	*w = (struct work){
		.ctl = ctl,
		.items = json_array(),
		.faults = json_array(),
	};
	if (!w->items || !w->faults ||
	    calls_new(&ctl->client, CALLS_MAX, &w->calls) != GAZ_OK)
		return ctl_report("out of memory");
	return CTL_OK;
}

static void fini(struct work *w)
{
	calls_free(&w->calls);
	json_decref(w->items);
	json_decref(w->faults);
}

int cmd_apply(const struct ctl *ctl, const struct args *args)
{
	struct work w;
	const struct seed_api api = {CALLS_MAX, false, submit, collect, &w};
	const struct seed_observer observer = {on_item, on_fault, NULL, &w};
	const struct seed_options options = {
		.dry_run = args_value(args, "dry-run") != NULL,
		.timeout_ms = (int64_t)ctl->client.timeout_s * 1000,
	};
	struct gaz_error err;
	json_t *document;
	int rc;

	if (ctl->no_wait) {
		ctl_report("apply waits for operations to end; leave out --no-wait");
		return CTL_USAGE;
	}
	if (seed_read(args->operands[0], &document, &err) != GAZ_OK)
		return ctl_report("%s", err.text);
	rc = init(&w, ctl);
	w.dry_run = options.dry_run;
	if (rc == CTL_OK)
		rc = print_summary(&w, seed_apply(&api, &observer, &options, document));
	fini(&w);
	json_decref(document);
	return rc;
}

int cmd_export(const struct ctl *ctl, const struct args *args)
{
	struct work w;
	const struct seed_api api = {CALLS_MAX, false, submit, collect, &w};
	const struct seed_observer observer = {on_item, on_fault, NULL, &w};
	const char *namespace = args->operand_count > 0 ? args->operands[0] : NULL;
	const int64_t timeout_ms = (int64_t)ctl->client.timeout_s * 1000;
	json_t *document;
	int rc = init(&w, ctl);

	if (rc == CTL_OK &&
	    seed_export(&api, &observer, timeout_ms, namespace, &document) == GAZ_OK) {
		rc = ctl_print_json(document);
		json_decref(document);
	} else {
		rc = CTL_FAILED;
	}
	fini(&w);
	return rc;
}
