/* SPDX-License-Identifier: BSD-2-Clause */

/* Zone files with each allocation in turn failing: what was served is served on, whole,
 * and what was not loaded is loaded once there is memory. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
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
#include <urcu.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "dns/name.h"
#include "dns/wire.h"
#include "responder/answer.h"
#include "zone/zonebuild.h"
#include "zone/zonedb-internal.h"
#include "zone/zonedb.h"
#include "zone/zonedir-internal.h"
#include "zone/zonedir.h"
#include "zone/zonedit.h"
#include "zone/zonefile.h"

enum {
	FILES = 3,
	RACY_MS = 50, /* how young a file must be to be read again in any case */
};

static char dir[64];
static struct zonedb *db;

static long fail_at; /* 0: none does */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
char *__wrap_strdup(const char *text);

static bool must_fail(void)
{
	return fail_at > 0 && --fail_at == 0;
}

void *__wrap_malloc(size_t size)
{
	return must_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return must_fail() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return must_fail() ? NULL : __real_reallocarray(old, count, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return must_fail() ? NULL : __real_aligned_alloc(align, size);
}

char *__wrap_strdup(const char *text)
{
	return must_fail() ? NULL : __real_strdup(text);
}

static int set_up(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	(void)snprintf(dir, sizeof dir, "/tmp/test_zonefaults.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(zonedb_new(&db), GAZ_OK);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	fail_at = 0;
	zonedb_free(&db);
	(void)snprintf(command, sizeof command, "rm -r %s", dir);
	return system(command);
}

/* A zone with all that takes memory: many names, a name of many records, long lines,
 * another file, an alias of nothing (which is a warning). */
static void write_zone(int number, unsigned serial)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/more%d", dir, number);
	assert_non_null(file = fopen(path, "w"));
	for (int i = 0; i < 100; i++)
		(void)fprintf(file, "n%d.deep A 192.0.2.%d\n", i, i);
	assert_int_equal(fclose(file), 0);
	(void)snprintf(path, sizeof path, "%s/z%d.test.zone", dir, number);
	assert_non_null(file = fopen(path, "w"));
	(void)fprintf(file, "$TTL 60\n@ SOA ns hostmaster %u 2 3 4 5\n NS ns\n", serial);
	(void)fprintf(file, "ns A 192.0.2.1\n MX 1 missing\n*.w A 192.0.2.2\n");
	(void)fprintf(file, "sub NS ns\nlong TXT (");
	for (int i = 0; i < 100; i++)
		(void)fprintf(file, " \"%060d\"\n", i);
	(void)fprintf(file, ")\n$INCLUDE more%d\n", number);
	for (int i = 0; i < 100; i++)
		(void)fprintf(file, "set A 10.0.0.%d\n", i);
	assert_int_equal(fclose(file), 0);
}

/* What the database says of a zone: its serial; 0: it is REFUSED. Its last name must be
 * there if the zone is. */
static unsigned serial_of(int number)
{
	static uint8_t reply[ANSWER_UDP_CAP];
	struct answer_context ctx = {.db = db};
	uint8_t query[DNS_HEADER_LEN + DNAME_MAX + 4] = {[5] = 1};
	struct answer_request req = {.query = query, .listener_vpc = ANSWER_NO_VPC};
	char text[32];
	size_t len;
	unsigned rcode;

	(void)snprintf(text, sizeof text, "missing.z%d.test", number);
	assert_int_equal(dname_from_text(text, query + DNS_HEADER_LEN, &len), GAZ_OK);
	len += DNS_HEADER_LEN;
	wire_put_u16(query + len, 1);
	wire_put_u16(query + len + 2, DNS_CLASS_IN);
	req.len = len + 4;
	assert_int_equal(netaddr_parse("192.0.2.9", &req.source), GAZ_OK);
	rcu_read_lock();
	len = answer_query(&ctx, &req, reply, sizeof reply);
	rcu_read_unlock();
	rcode = reply[3] & 15u;
	if (rcode == DNS_REFUSED)
		return 0;
	assert_int_equal(rcode, DNS_NXDOMAIN);
	return wire_get_u32(reply + len - 20); /* the first number of the SOA */
}

static size_t count_names(void)
{
	struct zonedb_stats stats;

	zonedb_stats(db, &stats);
	return stats.names;
}

static gaz_status load(const char *path, struct zonebuild **build, struct zonedit **edit,
		       struct gaz_error *err)
{
	struct zonefile_report report = {0};
	gaz_status st = zonefile_build(db, path, &report, build, err);

	zonefile_report_fini(&report);
	if (st == GAZ_OK && (st = zonedit_new(db, edit)) == GAZ_OK &&
	    (st = zonedit_add_built(*edit, *build)) == GAZ_OK)
		st = zonedit_prepare(*edit);
	return st;
}

static void test_every_failed_allocation_of_a_load_leaves_nothing(void **state)
{
	char path[128];
	gaz_status st = GAZ_ENOMEM;
	long n = 0;

	(void)state;
	write_zone(1, 7);
	(void)snprintf(path, sizeof path, "%s/z1.test.zone", dir);
	while (st != GAZ_OK) {
		struct zonebuild *build = NULL;
		struct zonedit *edit = NULL;
		struct gaz_error err = {.text = ""};

		fail_at = ++n;
		st = load(path, &build, &edit, &err);
		if (st == GAZ_OK) {
			fail_at = 0;
			zonedit_publish(&edit);
		} else {
			assert_int_equal(fail_at, 0);
			assert_int_equal(st, GAZ_ENOMEM);
			if (!build)
				assert_non_null(strstr(err.text, "out of memory"));
		}
		zonedit_free(&edit);
		zonebuild_free(&build);
		assert_int_equal(serial_of(1), st == GAZ_OK ? 7 : 0);
	}
	assert_true(n > 20);
	assert_int_equal(count_names(), 108);
}

/* Names are in the database's table before their zone is published: whoever looks at all
 * names, or takes one of them for another because of its hash, holds it. */

static atomic_bool is_held;
static atomic_bool is_freed;
static atomic_bool was_freed_early;

static void hold_entry(void *entry, void *arg)
{
	const struct node *node = entry;

	(void)arg;
	if (atomic_exchange(&is_held, true))
		return;
	for (int i = 0; i < 100 && !atomic_load(&is_freed); i++)
		(void)usleep(1000);
	atomic_store(&was_freed_early, atomic_load(&is_freed) || !node->zone);
}

static void *hold_name(void *arg)
{
	(void)arg;
	zonedb_enter_thread();
	rcu_read_lock();
	nametable_read(&db->nodes, hold_entry, NULL);
	rcu_read_unlock();
	zonedb_leave_thread();
	return NULL;
}

static void test_names_of_a_dropped_load_outlive_those_who_hold_them(void **state)
{
	struct zonebuild *build = NULL;
	struct zonedit *edit = NULL;
	struct gaz_error err;
	char path[128];
	pthread_t reader;

	(void)state;
	write_zone(1, 7);
	(void)snprintf(path, sizeof path, "%s/z1.test.zone", dir);
	assert_int_equal(load(path, &build, &edit, &err), GAZ_OK);
	assert_int_equal(pthread_create(&reader, NULL, hold_name, NULL), 0);
	while (!atomic_load(&is_held))
		(void)usleep(1000);
	zonedit_free(&edit);
	zonebuild_free(&build);
	atomic_store(&is_freed, true);
	assert_int_equal(pthread_join(reader, NULL), 0);
	assert_false(atomic_load(&was_freed_early));
}

/* ---- no memory at all ---- */

/* The sanitizers' allocators end the program when the system gives them nothing. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool can_exhaust = false;
#else
static const bool can_exhaust = true;
#endif

struct block {
	struct block *next;
};

/* Take all that malloc() has or gets. */
static struct block *take_all_memory(void)
{
	struct block *all = NULL;

	for (size_t size = 1 << 20; size >= sizeof *all; size /= 2) {
		struct block *block;

		while ((block = malloc(size))) {
			block->next = all;
			all = block;
		}
	}
	return all;
}

static void give_back(struct block *all)
{
	while (all) {
		struct block *next = all->next;

		free(all);
		all = next;
	}
}

static rlim_t size_of_process(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &pages), 1);
	assert_int_equal(fclose(file), 0);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void test_waiting_for_what_was_replaced_needs_no_memory(void **state)
{
	struct zonebuild *build = NULL;
	struct zonedit *edit = NULL;
	struct gaz_error err;
	struct rlimit before;
	struct rlimit none;
	char path[128];
	struct block *all;

	(void)state;
	write_zone(1, 7);
	(void)snprintf(path, sizeof path, "%s/z1.test.zone", dir);
	assert_int_equal(load(path, &build, &edit, &err), GAZ_OK);
	zonedit_publish(&edit);
	zonebuild_free(&build);
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	none = before;
	if (can_exhaust) {
		none.rlim_cur = size_of_process();
		assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
	}
	all = can_exhaust ? take_all_memory() : NULL;
	zonedb_wait_freed();
	give_back(all);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_int_equal(serial_of(1), 7);
}

/* ---- the folder ---- */

static gaz_status commit(void *arg, struct zonedir *zones)
{
	struct zonedit *edit = NULL;
	gaz_status st;

	(void)arg;
	if ((st = zonedit_new(db, &edit)) == GAZ_OK &&
	    (st = zonedir_stage(zones, edit)) == GAZ_OK &&
	    (st = zonedit_prepare(edit)) == GAZ_OK)
		zonedit_publish(&edit);
	zonedit_free(&edit);
	return st;
}

static void age_files(void)
{
	char path[128];
	struct stat info;
	struct timespec now;
	int64_t age_ms;

	(void)snprintf(path, sizeof path, "%s/z%d.test.zone", dir, FILES);
	assert_int_equal(stat(path, &info), 0);
	do {
		(void)usleep(1000);
		(void)clock_gettime(CLOCK_REALTIME, &now);
		age_ms = (now.tv_sec - info.st_ctim.tv_sec) * 1000 +
			 (now.tv_nsec - info.st_ctim.tv_nsec) / 1000000;
	} while (age_ms <= 2 * RACY_MS);
}

/* Each zone is there in its old version or the new one, and with no file twice. */
static void check_versions(unsigned old, unsigned new)
{
	for (int i = 1; i <= FILES; i++) {
		unsigned serial = serial_of(i);

		assert_true(serial == old || serial == new);
	}
}

/* The files do not change between the update that fails and the one that does not. */
static bool update_with_failure(struct zonedir *zones, long n, unsigned serial)
{
	struct gaz_error err;
	gaz_status st;
	bool has_failed;

	for (int i = 1; i <= FILES; i++)
		write_zone(i, serial);
	if (n % 37 == 0) /* else they are read again in any case */
		age_files();
	fail_at = n;
	st = zonedir_update(zones, NULL, false, commit, NULL, &err);
	has_failed = fail_at == 0;
	fail_at = 0;
	assert_true(st == GAZ_OK || (has_failed && st == GAZ_ENOMEM));
	check_versions(serial - 1, serial);
	assert_true(!has_failed || zonedir_retry_ms(zones) <= 1000);
	zones->clock.fixed_ms += 1000;
	assert_int_equal(zonedir_update(zones, NULL, false, commit, NULL, &err), GAZ_OK);
	check_versions(serial, serial);
	return has_failed;
}

static void
test_every_failed_allocation_of_an_update_is_made_good_by_the_next(void **state)
{
	struct zonedir *zones = NULL;
	long n = 0;

	(void)state;
	fail_at = 1;
	assert_int_equal(zonedir_new(dir, db, &(struct clock){0}, &zones), GAZ_ENOMEM);
	fail_at = 2;
	assert_int_equal(zonedir_new(dir, db, &(struct clock){0}, &zones), GAZ_ENOMEM);
	fail_at = 0;
	assert_int_equal(zonedir_new(dir, db, &(struct clock){1}, &zones), GAZ_OK);
	do
		n++;
	while (update_with_failure(zones, n, (unsigned)n));
	assert_true(n > 60);
	assert_int_equal(count_names(), FILES * 108);
	zonedir_free(&zones);
}

static gaz_status fail_to_commit(void *arg, struct zonedir *zones)
{
	(void)arg;
	(void)zones;
	return GAZ_ENOMEM;
}

struct told {
	size_t files;
	bool is_served;
	bool has_failed;
};

static void on_file(void *arg, const struct zonedir_zone *zone)
{
	struct told *told = arg;

	told->files++;
	told->is_served = zone->is_served;
	told->has_failed = zone->has_failed && strstr(zone->error, zone->path);
}

static void test_zone_whose_removal_fails_is_told_of(void **state)
{
	struct zonedir *zones = NULL;
	struct gaz_error err;
	struct told told = {0};
	char path[128];

	(void)state;
	write_zone(1, 7);
	assert_int_equal(zonedir_new(dir, db, &(struct clock){1}, &zones), GAZ_OK);
	assert_int_equal(zonedir_update(zones, NULL, false, commit, NULL, &err), GAZ_OK);
	(void)snprintf(path, sizeof path, "%s/z1.test.zone", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(zonedir_update(zones, NULL, false, fail_to_commit, NULL, &err),
			 GAZ_OK);
	assert_int_equal(serial_of(1), 7);
	zonedir_read(zones, on_file, &told);
	assert_int_equal(told.files, 1);
	assert_true(told.is_served);
	assert_true(told.has_failed);
	assert_int_equal(zonedir_update(zones, NULL, false, commit, NULL, &err), GAZ_OK);
	assert_int_equal(serial_of(1), 0);
	told = (struct told){0};
	zonedir_read(zones, on_file, &told);
	assert_int_equal(told.files, 0);
	zonedir_free(&zones);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_every_failed_allocation_of_a_load_leaves_nothing),
		T(test_names_of_a_dropped_load_outlive_those_who_hold_them),
		T(test_waiting_for_what_was_replaced_needs_no_memory),
		T(test_every_failed_allocation_of_an_update_is_made_good_by_the_next),
		T(test_zone_whose_removal_fails_is_told_of),
	};
	int failed;

	zonedb_enter_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	zonedb_leave_thread();
	return failed;
}
