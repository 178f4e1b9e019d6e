/* SPDX-License-Identifier: BSD-2-Clause */

/* Any bytes as a zone file. Whatever comes of it, the edit must stay usable,
 * and a file that is refused must leave nothing behind. */

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <urcu.h>

#include "zone/zonebuild.h"
#include "zone/zonedb.h"
#include "zone/zonedit.h"
#include "zone/zonefile.h"

static char dir[64];
static char path[128];

static void remove_file(void)
{
	(void)unlink(path);
	(void)rmdir(dir);
}

static void prepare_directory(void)
{
	(void)snprintf(dir, sizeof dir, "/tmp/fuzz_zonefile.XXXXXX");
	CHECK(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/example.org.zone", dir);
	(void)atexit(remove_file);
	rcu_register_thread();
}

static void on_warning(void *arg, const char *text)
{
	(void)arg;
	CHECK(strncmp(text, dir, strlen(dir)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zonedb *db = NULL;
	struct zonedit *edit = NULL;
	struct zonebuild *build = NULL;
	struct zonefile_report report = {.warn = on_warning};
	struct zonedb_stats stats;
	struct gaz_error err;
	FILE *file;
	gaz_status st;

	if (!dir[0])
		prepare_directory();
	file = fopen(path, "wb");
	CHECK(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);

	CHECK(zonedb_new(&db) == GAZ_OK);
	CHECK(zonedit_new(db, &edit) == GAZ_OK);
	st = zonefile_build(db, path, &report, &build, &err);
	CHECK(st == GAZ_OK ||
	      (err.status == st && strncmp(err.text, path, strlen(path)) == 0));
	CHECK(!build == (st != GAZ_OK));
	CHECK(!build || zonedit_add_built(edit, build) == GAZ_OK);
	CHECK(zonedit_prepare(edit) == GAZ_OK);
	zonedit_publish(&edit);
	zonedb_stats(db, &stats);
	CHECK(stats.zones == (st == GAZ_OK ? 1 : 0));
	CHECK(st == GAZ_OK || stats.names == 0);
	CHECK(!build || stats.names == zonebuild_names(build));
	zonebuild_free(&build);
	zonefile_report_fini(&report);
	zonedb_free(&db);
	return 0;
}
