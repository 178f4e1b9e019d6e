/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/zonedir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "dns/name.h"
#include "zone/zonedb.h"
#include "zone/zonedir-internal.h"
#include "zone/zonedit.h"
#include "zonefixture.h"

#define HEAD "$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n NS ns.example.net.\n" /* 3 lines */

enum {
	NOERROR = 0,
	NXDOMAIN = 3,
	REFUSED = 5,
	START_MS = 1000000, /* what the clock shows */
	OLD_MS = 100,	    /* from what age on a file is not read again in any case */
	LARGE = 200001,	    /* names: enough to be published apart from what follows */
};

static char folder[64];
static char path[128];
static struct fixture f;
static struct zonedir *zones;
static struct gaz_error err;
static size_t commits;
static size_t refusals;	   /* of publications to come */
static const char *always; /* a name that is there after every publication; NULL: none */

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/test_zonedir.XXXXXX");
	assert_non_null(mkdtemp(folder));
	fixture_open(&f);
	assert_int_equal(zonedir_new(folder, f.db, &(struct clock){START_MS}, &zones),
			 GAZ_OK);
	commits = 0;
	refusals = 0;
	always = NULL;
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	zonedir_free(&zones);
	fixture_close(&f);
	(void)snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

/* ---- files ---- */

static const char *path_of(const char *name)
{
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void write_names(const char *name, int count)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	assert_true(fputs(HEAD, file) >= 0);
	for (int i = 0; i < count; i++)
		assert_true(fprintf(file, "h%d A 192.0.2.1\n", i) > 0);
	assert_int_equal(fclose(file), 0);
}

/* Not so young any more that it is read again in any case. */
static void wait_until_old(const char *name)
{
	struct timespec now;
	struct stat info;
	int64_t age_ms;

	assert_int_equal(stat(path_of(name), &info), 0);
	do {
		(void)usleep(1000);
		(void)clock_gettime(CLOCK_REALTIME, &now);
		age_ms = (now.tv_sec - info.st_ctim.tv_sec) * 1000 +
			 (now.tv_nsec - info.st_ctim.tv_nsec) / 1000000;
	} while (age_ms <= OLD_MS);
}

static void rename_file(const char *from, const char *to)
{
	char old[sizeof path];

	(void)snprintf(old, sizeof old, "%s", path_of(from));
	assert_int_equal(rename(old, path_of(to)), 0);
}

/* ---- what is served ---- */

static unsigned rcode_of(const char *name)
{
	static struct answer answer;

	ask(&f, "192.0.2.1", name, "A", &answer);
	return answer.rcode;
}

struct seen {
	size_t count;
	size_t served;
	size_t failed;
	char error[512];
};

static void count_file(void *arg, const struct zonedir_zone *zone)
{
	struct seen *seen = arg;

	seen->count++;
	seen->served += zone->is_served;
	seen->failed += zone->has_failed;
	if (zone->has_failed)
		(void)snprintf(seen->error, sizeof seen->error, "%s", zone->error);
}

static struct seen look(void)
{
	struct seen seen = {0};

	zonedir_read(zones, count_file, &seen);
	return seen;
}

static struct zonedb_stats stats_now(void)
{
	struct zonedb_stats stats;

	zonedb_stats(f.db, &stats);
	return stats;
}

/* ---- updates ---- */

static gaz_status commit(void *arg, struct zonedir *dir)
{
	(void)arg;
	if (refusals > 0) {
		refusals--;
		return GAZ_ESTORE;
	}
	assert_int_equal(zonedir_stage(dir, fixture_edit(&f)), GAZ_OK);
	fixture_publish(&f);
	commits++;
	if (always)
		assert_int_equal(rcode_of(always), NOERROR);
	return GAZ_OK;
}

static void update(void)
{
	assert_int_equal(zonedir_update(zones, NULL, false, commit, NULL, &err), GAZ_OK);
}

static void test_folder_serves_the_good_files(void **state)
{
	(void)state;
	write_file("b.example.zone", HEAD);
	write_file("bad.example.zone", HEAD "x A nonsense\n");
	write_file("a.example.zone", HEAD);
	write_file("A.example.zone", HEAD "upper A 192.0.2.1\n");
	write_file(".hidden.zone", HEAD);
	write_file("bad..name.zone", HEAD);
	write_file("notes.txt", "not a zone");
	assert_int_equal(mkdir(path_of("folder.zone"), 0700), 0);
	update();
	assert_int_equal(look().count, 5);
	assert_int_equal(look().served, 2);
	assert_int_equal(look().failed, 3);
	assert_int_equal(stats_now().zones, 2);
	assert_int_equal(rcode_of("upper.a.example"), NOERROR);
}

static void test_folder_that_is_not_there_is_an_error(void **state)
{
	struct zonedir *none = NULL;

	(void)state;
	assert_int_equal(zonedir_new("/nonexistent", f.db, &(struct clock){0}, &none),
			 GAZ_OK);
	assert_int_equal(zonedir_update(none, NULL, false, commit, NULL, &err), GAZ_EIO);
	assert_non_null(strstr(err.text, "/nonexistent"));
	zonedir_free(&none);
}

static void test_update_follows_the_files(void **state)
{
	uint8_t name[DNAME_MAX];
	size_t len;

	(void)state;
	write_file("a.example.zone", HEAD "x A 192.0.2.1\n");
	write_file("b.example.zone", HEAD "$INCLUDE part\n");
	write_file("part", "x A 192.0.2.1\n");
	update();
	assert_int_equal(stats_now().names, 4);

	write_file("a.example.zone",
		   HEAD "x A 192.0.2.1\ny A 192.0.2.1\nz A 192.0.2.1\n");
	write_file("part", "x A 192.0.2.1\ny A nonsense, so that the old one stays\n");
	update();
	assert_int_equal(rcode_of("y.a.example"), NOERROR);
	assert_int_equal(rcode_of("x.b.example"), NOERROR);
	assert_int_equal(look().served, 2);
	assert_non_null(strstr(look().error, "/part:2: "));
	assert_int_equal(stats_now().names, 6);

	write_file("part", "y A 192.0.2.1\n");
	update();
	assert_int_equal(look().failed, 0);
	assert_int_equal(rcode_of("x.b.example"), NXDOMAIN);
	assert_int_equal(rcode_of("y.b.example"), NOERROR);

	assert_int_equal(unlink(path_of("a.example.zone")), 0);
	update();
	assert_int_equal(look().count, 1);
	assert_int_equal(rcode_of("y.a.example"), REFUSED);
	assert_int_equal(stats_now().names, 2);

	assert_int_equal(dname_from_text("a.example", name, &len), GAZ_OK);
	assert_int_equal(zonedir_update(zones, name, true, commit, NULL, &err),
			 GAZ_ENOTFOUND);
	assert_int_equal(dname_from_text("B.example", name, &len), GAZ_OK);
	assert_int_equal(zonedir_update(zones, name, true, commit, NULL, &err), GAZ_OK);
	assert_int_equal(stats_now().names, 2);
}

static void test_another_file_of_one_zone_takes_over(void **state)
{
	(void)state;
	write_file("b.example.zone", HEAD "lower A 192.0.2.1\n");
	update();
	write_file("B.example.zone", HEAD "upper A 192.0.2.1\n");
	update();
	assert_int_equal(rcode_of("lower.b.example"), NOERROR);
	assert_non_null(strstr(look().error, "another file"));
	assert_int_equal(unlink(path_of("b.example.zone")), 0);
	update();
	assert_int_equal(rcode_of("upper.b.example"), NOERROR);
	assert_int_equal(rcode_of("lower.b.example"), NXDOMAIN);
	assert_int_equal(look().failed, 0);
	assert_int_equal(look().served, 1);
}

/* What else has changed may be published before the file is read under its new name. */
static void test_file_renamed_in_case_only_is_served_throughout(void **state)
{
	(void)state;
	always = "x.z.example";
	write_file("Z.example.zone", HEAD "x A 192.0.2.1\n");
	update();
	rename_file("Z.example.zone", "z.example.zone");
	write_names("a.example.zone", LARGE);
	update();
	assert_int_equal(commits, 3);
	assert_int_equal(look().count, 2);
	assert_int_equal(look().served, 2);
	assert_int_equal(stats_now().zones, 2);
}

static void test_zone_stays_while_the_file_that_takes_over_is_bad(void **state)
{
	(void)state;
	write_file("Z.example.zone", HEAD "x A 192.0.2.1\n");
	update();
	write_file("z.example.zone", HEAD "x A nonsense\n");
	update();
	assert_int_equal(unlink(path_of("Z.example.zone")), 0);
	update();
	assert_int_equal(rcode_of("x.z.example"), NOERROR);
	assert_int_equal(look().count, 1);
	assert_int_equal(look().served, 1);
	assert_non_null(strstr(look().error, "/z.example.zone:4: "));
	write_file("z.example.zone", HEAD "y A 192.0.2.1\n");
	update();
	assert_int_equal(rcode_of("x.z.example"), NXDOMAIN);
	assert_int_equal(rcode_of("y.z.example"), NOERROR);
	assert_int_equal(look().failed, 0);
	assert_int_equal(unlink(path_of("z.example.zone")), 0);
	update();
	assert_int_equal(rcode_of("y.z.example"), REFUSED);
	assert_int_equal(look().count, 0);
}

/* ---- what is tried again ---- */

static void pass(int64_t ms)
{
	zones->clock.fixed_ms += ms;
}

static void test_publication_that_failed_is_tried_again(void **state)
{
	static const int64_t pauses[] = {1000,	2000,  4000,  8000,
					 16000, 32000, 60000, 60000};

	(void)state;
	write_file("a.example.zone", HEAD "x A 192.0.2.1\n");
	assert_int_equal(zonedir_retry_ms(zones), -1);
	refusals = sizeof pauses / sizeof *pauses;
	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		update();
		assert_int_equal(zonedir_retry_ms(zones), pauses[i]);
		pass(pauses[i] - 1);
		assert_int_equal(zonedir_retry_ms(zones), 1);
		pass(1);
		assert_int_equal(zonedir_retry_ms(zones), 0);
		assert_int_equal(look().failed, 1);
		assert_non_null(strstr(look().error, "tried again by itself"));
	}
	assert_int_equal(rcode_of("x.a.example"), REFUSED);
	update();
	assert_int_equal(rcode_of("x.a.example"), NOERROR);
	assert_int_equal(zonedir_retry_ms(zones), -1);
	assert_int_equal(look().failed, 0);
	refusals = 1;
	write_file("a.example.zone", HEAD "y A 192.0.2.1\n");
	update();
	assert_int_equal(zonedir_retry_ms(zones), 1000);
}

/* Other updates do not try it earlier, but for those that shall read it anyway. */
static void test_pause_is_kept_until_the_file_changes(void **state)
{
	(void)state;
	write_file("a.example.zone", HEAD "x A 192.0.2.1\n");
	write_file("b.example.zone", HEAD "x A nonsense\n");
	wait_until_old("b.example.zone");
	update();
	write_file("b.example.zone", HEAD "x A 192.0.2.1\n");
	wait_until_old("b.example.zone");
	refusals = 1;
	update();
	update();
	assert_int_equal(rcode_of("x.b.example"), REFUSED);
	assert_int_equal(zonedir_retry_ms(zones), 1000);
	write_file("b.example.zone", HEAD "xx A 192.0.2.1\n");
	update();
	assert_int_equal(rcode_of("xx.b.example"), NOERROR);
	assert_int_equal(zonedir_retry_ms(zones), -1);
	refusals = 1;
	assert_int_equal(zonedir_update(zones, NULL, true, commit, NULL, &err), GAZ_OK);
	assert_int_equal(zonedir_retry_ms(zones), 1000);
	assert_int_equal(look().failed, 2);
	assert_int_equal(zonedir_update(zones, NULL, true, commit, NULL, &err), GAZ_OK);
	assert_int_equal(zonedir_retry_ms(zones), -1);
	assert_int_equal(look().failed, 0);
}

static void test_removal_that_failed_is_tried_again(void **state)
{
	(void)state;
	write_file("a.example.zone", HEAD "x A 192.0.2.1\n");
	update();
	assert_int_equal(unlink(path_of("a.example.zone")), 0);
	refusals = 1;
	update();
	assert_int_equal(rcode_of("x.a.example"), NOERROR);
	assert_int_equal(zonedir_retry_ms(zones), 1000);
	pass(1000);
	update();
	assert_int_equal(rcode_of("x.a.example"), REFUSED);
	assert_int_equal(zonedir_retry_ms(zones), -1);
}

/* Until so many descriptors are free; they are taken from the lowest on. */
static rlim_t leave_descriptors(int count)
{
	struct rlimit limit;
	rlim_t before;
	int fd;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	before = limit.rlim_cur;
	fd = open("/dev/null", O_RDONLY);
	assert_true(fd >= 0);
	close(fd);
	limit.rlim_cur = (rlim_t)(fd + count);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return before;
}

static void give_descriptors(rlim_t count)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = count;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void test_want_of_descriptors_passes(void **state)
{
	rlim_t before;

	(void)state;
	write_file("a.example.zone", HEAD "$INCLUDE part\n");
	write_file("b.example.zone", HEAD "x A 192.0.2.1\n");
	write_file("part", "x A 192.0.2.1\n");
	before = leave_descriptors(0);
	assert_int_equal(zonedir_update(zones, NULL, false, commit, NULL, &err), GAZ_EIO);
	assert_int_equal(zonedir_retry_ms(zones), 1000);
	give_descriptors(before);
	before = leave_descriptors(1);
	update();
	assert_int_equal(zonedir_retry_ms(zones), 1000);
	assert_int_equal(rcode_of("x.b.example"), NOERROR);
	assert_int_equal(rcode_of("x.a.example"), REFUSED);
	assert_non_null(
		strstr(look().error, "a.example.zone:4: $INCLUDE: Too many open"));
	give_descriptors(before);
	pass(1000);
	update();
	assert_int_equal(rcode_of("x.a.example"), NOERROR);
	assert_int_equal(zonedir_retry_ms(zones), -1);
}

static void test_faults_in_a_file_wait_for_its_change(void **state)
{
	(void)state;
	write_file("a.example.zone", HEAD "x A nonsense\n");
	write_file("b.example.zone", HEAD "$INCLUDE none\n");
	write_file("bad..name.zone", HEAD);
	assert_int_equal(symlink("nothing", path_of("c.example.zone")), 0);
	assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
	write_file("d.example.zone", HEAD "$INCLUDE pipe\n");
	update();
	assert_int_equal(look().count, 5);
	assert_int_equal(look().failed, 5);
	assert_int_equal(zonedir_retry_ms(zones), -1);
}

/* A clock that is set back delays nothing. */
static void test_pause_is_over_when_the_clock_goes_back(void **state)
{
	(void)state;
	write_file("a.example.zone", HEAD);
	refusals = 1;
	update();
	pass(-1);
	assert_int_equal(zonedir_retry_ms(zones), 0);
}

/* ---- what ends early ---- */

static bool count_down(void *arg)
{
	size_t *left = arg;

	return *left == 0 || --*left == 0;
}

static gaz_status update_halted(size_t looks)
{
	const struct halt halt = {count_down, &looks};
	gaz_status st;

	zonedir_heed(zones, &halt);
	st = zonedir_update(zones, NULL, true, commit, NULL, &err);
	zonedir_heed(zones, &(struct halt){0});
	return st;
}

/* At every point at which it looks. */
static void test_halted_update_changes_nothing_and_is_made_good(void **state)
{
	size_t looks = 0;

	(void)state;
	write_file("a.example.zone", HEAD "x A 192.0.2.1\n");
	write_file("b.example.zone", HEAD "x A 192.0.2.1\n");
	update();
	write_file("a.example.zone", HEAD "y A 192.0.2.1\n");
	write_names("b.example.zone", 20000);
	assert_int_equal(unlink(path_of("a.example.zone")), 0);
	write_file("c.example.zone", HEAD "x A 192.0.2.1\n");
	while (update_halted(++looks) == GAZ_EBUSY) {
		assert_int_equal(err.status, GAZ_EBUSY);
		assert_int_equal(commits, 1);
		assert_int_equal(look().served, 2);
		assert_int_equal(look().failed, 0);
		assert_int_equal(rcode_of("x.a.example"), NOERROR);
		assert_int_equal(rcode_of("x.b.example"), NOERROR);
		assert_int_equal(rcode_of("x.c.example"), REFUSED);
		assert_true(zonedir_retry_ms(zones) <= 0);
	}
	assert_true(looks > 10);
	assert_int_equal(update_halted(looks - 1), GAZ_EBUSY);
	wait_until_old("c.example.zone");
	write_file("c.example.zone", HEAD "y A 192.0.2.1\n");
	assert_int_equal(update_halted(1), GAZ_EBUSY);
	update();
	assert_int_equal(rcode_of("x.a.example"), REFUSED);
	assert_int_equal(rcode_of("h19999.b.example"), NOERROR);
	assert_int_equal(rcode_of("y.c.example"), NOERROR);
}

/* However little of it is a record. */
static void test_long_comments_are_halted_too(void **state)
{
	size_t looks = 3;
	FILE *file;

	(void)state;
	file = fopen(path_of("a.example.zone"), "w");
	assert_non_null(file);
	for (int i = 0; i < 10000; i++)
		assert_true(fprintf(file, ";%0100d\n\n", i) > 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(update_halted(looks), GAZ_EBUSY);
	assert_int_equal(look().failed, 0);
	update();
	assert_non_null(strstr(look().error, "no SOA record"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_folder_serves_the_good_files),
		TEST(test_folder_that_is_not_there_is_an_error),
		TEST(test_update_follows_the_files),
		TEST(test_another_file_of_one_zone_takes_over),
		TEST(test_file_renamed_in_case_only_is_served_throughout),
		TEST(test_zone_stays_while_the_file_that_takes_over_is_bad),
		TEST(test_publication_that_failed_is_tried_again),
		TEST(test_pause_is_kept_until_the_file_changes),
		TEST(test_removal_that_failed_is_tried_again),
		TEST(test_want_of_descriptors_passes),
		TEST(test_faults_in_a_file_wait_for_its_change),
		TEST(test_pause_is_over_when_the_clock_goes_back),
		TEST(test_halted_update_changes_nothing_and_is_made_good),
		TEST(test_long_comments_are_halted_too),
	};
	int failed;

	log_set_level(LOG_LEVEL_ERROR);
	zonedb_enter_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	zonedb_leave_thread();
	return failed;
}
