/* SPDX-License-Identifier: BSD-2-Clause */

/* Any bytes as a zone file. One that is refused leaves nothing behind, and its error
 * names it. One that is taken is served, and written out as a zone file it is read as
 * the same zone again. */

#include "fuzz.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zone/zonebuild.h"
#include "zone/zonedb.h"
#include "zone/zonedit.h"
#include "zone/zonefile.h"
#include "zone/zonelist.h"

static const char zone_id[] = "static:example.org.";

static char dir[64];
static char input[128];
static char first[128]; /* written from what was read from the input, */
static char again[128]; /* and what was read from that */
static struct zonedb *db;

static void clean_up(void)
{
	(void)unlink(input);
	(void)unlink(first);
	(void)unlink(again);
	(void)rmdir(dir);
	zonedb_leave_thread();
	zonedb_free(&db);
}

static void prepare(void)
{
	(void)snprintf(dir, sizeof dir, "%s/fuzz_zonefile.XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(mkdtemp(dir));
	(void)snprintf(input, sizeof input, "%s/example.org.zone", dir);
	(void)snprintf(first, sizeof first, "%s/first", dir);
	(void)snprintf(again, sizeof again, "%s/again", dir);
	CHECK(zonedb_new(&db) == GAZ_OK);
	zonedb_enter_thread();
	(void)atexit(clean_up);
}

static void on_warning(void *arg, const char *text)
{
	(void)arg;
	CHECK(strncmp(text, dir, strlen(dir)) == 0);
}

static void check_zones(size_t zones, size_t names)
{
	struct zonedb_stats stats;

	zonedb_stats(db, &stats);
	CHECK(stats.zones == zones && stats.names == names);
}

/* Serve what the input says instead of what there was. False: it is refused. */
static bool load(void)
{
	struct zonefile_report report = {.warn = on_warning};
	struct zonebuild *build = NULL;
	struct zonedit *edit = NULL;
	struct zone *old;
	struct gaz_error err;
	gaz_status st = zonefile_build(db, input, &report, &build, &err);

	zonefile_report_fini(&report);
	CHECK(!build == (st != GAZ_OK));
	if (st != GAZ_OK) {
		CHECK(err.status == st && strncmp(err.text, input, strlen(input)) == 0);
		return false;
	}
	CHECK(zonedit_new(db, &edit) == GAZ_OK);
	old = zonedit_find_zone(edit, zone_id);
	CHECK(!old || zonedit_remove_zone(edit, old) == GAZ_OK);
	CHECK(zonedit_add_built(edit, build) == GAZ_OK);
	CHECK(zonedit_prepare(edit) == GAZ_OK);
	zonedit_publish(&edit);
	check_zones(1, zonebuild_names(build));
	zonebuild_free(&build);
	return true;
}

static void unload(void)
{
	struct zonedit *edit = NULL;

	CHECK(zonedit_new(db, &edit) == GAZ_OK);
	CHECK(zonedit_remove_zone(edit, zonedit_find_zone(edit, zone_id)) == GAZ_OK);
	CHECK(zonedit_prepare(edit) == GAZ_OK);
	zonedit_publish(&edit);
}

static void write_zone(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	zonedb_leave_thread(); /* it enters by itself */
	CHECK(zonelist_write(db, zone_id, fd) == GAZ_OK);
	zonedb_enter_thread();
	CHECK(close(fd) == 0);
}

static void check_equal_files(void)
{
	FILE *a = fopen(first, "rb");
	FILE *b = fopen(again, "rb");
	int c;

	CHECK(a && b);
	do {
		c = getc(a);
		CHECK(c == getc(b));
	} while (c != EOF);
	CHECK(fclose(a) == 0 && fclose(b) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *file;

	if (!db)
		prepare();
	file = fopen(input, "wb");
	CHECK(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
	if (!load()) {
		check_zones(0, 0);
		return 0;
	}
	write_zone(first);
	CHECK(rename(first, input) == 0);
	CHECK(load());
	CHECK(rename(input, first) == 0);
	write_zone(again);
	check_equal_files();
	unload();
	check_zones(0, 0);
	return 0;
}
