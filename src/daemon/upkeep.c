/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/upkeep.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "registry/check.h"
#include "registry/schema.h"
#include "store/restore.h"

enum {
	FAULTS_SHOWN = 1000, /* of a store with more, the rest is only counted */
	KEY_TEXT_SIZE = 2200,
};

/* ---- reading a damaged store ---- */

/* LMDB maps the file and trusts what is in it: where pages were overwritten it
 * may run into nowhere, or stop itself. While the store is opened and read, such a
 * fault is told as what it is. */
static void on_store_fault(int signal)
{
	static const char text[] =
		"gazetteerd: reading the store failed, it may be damaged; move the data "
		"directory away, or restore a copy of it, and start again\n";

	(void)signal;
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_FAILURE);
}

static const int fault_signals[UPKEEP_SIGNALS] = {SIGSEGV, SIGBUS, SIGABRT};

void upkeep_catch_faults(struct store_faults *faults)
{
	struct sigaction action = {.sa_handler = on_store_fault};

	for (size_t i = 0; i < UPKEEP_SIGNALS; i++)
		sigaction(fault_signals[i], &action, &faults->old[i]);
}

void upkeep_release_faults(const struct store_faults *faults)
{
	for (size_t i = 0; i < UPKEEP_SIGNALS; i++)
		sigaction(fault_signals[i], &faults->old[i], NULL);
}

struct store_config upkeep_store_config(const char *path)
{
	return (struct store_config){
		.dir = path,
		.tables = schema_table_names,
		.table_count = TABLE_COUNT,
		.format = SCHEMA_FORMAT,
		.oldest_format = SCHEMA_FORMAT_OLDEST,
	};
}

/* ---- the check ---- */

struct report {
	size_t faults;
};

static void on_fault(void *arg, const char *table, struct span key, const char *what)
{
	struct report *report = arg;
	char text[KEY_TEXT_SIZE];

	if (++report->faults > FAULTS_SHOWN)
		return;
	log_escape(key.data, key.len, text, sizeof text);
	printf("%s%s%s: %s\n", table, key.len ? " " : "", key.len ? text : "", what);
}

static void on_progress(void *arg, const char *table, size_t done, size_t total)
{
	(void)arg;
	fprintf(stderr, "checking %s: %zu of %zu\n", table, done, total);
}

/* @param path  a data directory, or a file; the result counts what is wrong */
static gaz_status check(const char *path, struct check_result *out, struct gaz_error *err)
{
	const struct store_config config = upkeep_store_config(path);
	struct report report = {0};
	const struct check_listener listener = {&report, on_fault, on_progress};
	struct store *store = NULL;
	struct store_faults faults;
	gaz_status st;

	*out = (struct check_result){0};
	upkeep_catch_faults(&faults);
	st = store_open_read(&config, &store, err);
	if (st == GAZ_OK) {
		st = check_store(store, &listener, out);
		if (st != GAZ_OK)
			gaz_error_set(err, st,
				      "the store in %s cannot be read to its end: %s",
				      path, gaz_status_text(st));
	}
	store_close(&store);
	upkeep_release_faults(&faults);
	if (report.faults > FAULTS_SHOWN)
		printf("and %zu more\n", report.faults - FAULTS_SHOWN);
	return st;
}

static gaz_status run_check(const struct options *o, struct gaz_error *err)
{
	struct check_result result;
	gaz_status st = check(o->data, &result, err);

	if (st != GAZ_OK)
		return st;
	if (result.faults > 0)
		return gaz_error_set(
			err, GAZ_ESTORE,
			"%zu faults in %zu entries of the store in %s; restore a copy of "
			"it with --restore FILE --force",
			result.faults, result.entries, o->data);
	printf("no faults in %zu entries of the store in %s\n", result.entries, o->data);
	return GAZ_OK;
}

/* ---- restore ---- */

/* Nothing is touched before the copy is known to be good. */
static gaz_status run_restore(const struct options *o, struct gaz_error *err)
{
	struct check_result result;
	char kept[PATH_SIZE] = "";
	gaz_status st = check(o->copy, &result, err);

	if (st == GAZ_OK && result.faults > 0)
		st = gaz_error_set(
			err, GAZ_ESTORE,
			"%s has %zu faults: restore another copy; the store in "
			"%s is as it was",
			o->copy, result.faults, o->data);
	if (st == GAZ_OK)
		st = path_make_parents(o->data, err);
	if (st == GAZ_OK)
		st = restore_store(o->copy, o->data, o->force, kept, err);
	if (st != GAZ_OK)
		return st;
	printf("restored %zu entries into %s\n", result.entries, o->data);
	if (*kept)
		printf("the former store is %s\n", kept);
	return GAZ_OK;
}

int upkeep_run(const struct options *options)
{
	struct gaz_error err = {.text = "unknown error"};
	gaz_status st = options->task == OPTIONS_CHECK ? run_check(options, &err)
						       : run_restore(options, &err);

	if (st != GAZ_OK)
		fprintf(stderr, "gazetteerd: %s\n", err.text);
	if (fflush(stdout) != 0 && st == GAZ_OK)
		st = GAZ_EIO;
	return st == GAZ_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
