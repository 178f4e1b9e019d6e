/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/changeset.h"
#include "store/restore.h"
#include "store/store.h"

static const char *const tables[] = {"one", "two"};

enum {
	ONE,
	TWO,
};

static struct span text(const char *s)
{
	return (struct span){(const uint8_t *)s, strlen(s)};
}

static gaz_status open_in(const char *dir, uint32_t format, struct store **out,
			  struct gaz_error *err)
{
	return store_open(&(struct store_config){dir, tables, 2, format, 0}, out, err);
}

static int make_dir(void **state)
{
	static char dir[64];

	strcpy(dir, "/tmp/gaz-store-XXXXXX");
	*state = mkdtemp(dir);
	return *state ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf %s", (const char *)*state);
	return system(command);
}

static void write_pairs(struct store *s, const char *const pairs[][2], size_t count)
{
	struct changeset set;
	struct store_txn *txn = NULL;

	changeset_init(&set);
	for (size_t i = 0; i < count; i++)
		changeset_put(&set, ONE, text(pairs[i][0]), text(pairs[i][1]));
	assert_int_equal(store_begin_write(s, &txn), GAZ_OK);
	assert_int_equal(store_apply(txn, &set), GAZ_OK);
	assert_int_equal(store_commit(&txn), GAZ_OK);
	assert_null(txn);
	changeset_fini(&set);
}

static void test_committed_changes_are_there_after_reopening(void **state)
{
	static const char *const pairs[][2] = {{"b", "2"}, {"a", "1"}, {"c", ""}};
	struct store *s = NULL;
	struct store_txn *txn = NULL;
	struct span value;

	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	write_pairs(s, pairs, 3);
	store_close(&s);
	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	assert_int_equal(store_begin_read(s, &txn), GAZ_OK);
	assert_int_equal(store_get(txn, ONE, text("b"), &value), GAZ_OK);
	assert_memory_equal(value.data, "2", 1);
	assert_int_equal(store_get(txn, TWO, text("b"), &value), GAZ_ENOTFOUND);
	assert_int_equal(store_get(txn, ONE, text(""), &value), GAZ_ENOTFOUND);
	store_abort(&txn);
	store_close(&s);
}

static void test_aborted_changes_leave_no_trace(void **state)
{
	struct store *s = NULL;
	struct store_txn *txn = NULL;
	struct changeset set;
	struct span value;

	changeset_init(&set);
	changeset_put(&set, ONE, text("k"), text("v"));
	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	assert_int_equal(store_begin_write(s, &txn), GAZ_OK);
	assert_int_equal(store_apply(txn, &set), GAZ_OK);
	assert_int_equal(store_get(txn, ONE, text("k"), &value), GAZ_OK);
	store_abort(&txn);
	assert_int_equal(store_begin_read(s, &txn), GAZ_OK);
	assert_int_equal(store_get(txn, ONE, text("k"), &value), GAZ_ENOTFOUND);
	store_abort(&txn);
	store_close(&s);
	changeset_fini(&set);
}

static void test_cursor_walks_in_key_order_both_ways(void **state)
{
	static const char *const pairs[][2] = {{"b", "2"}, {"a", "1"}, {"d", "4"}};
	struct store *s = NULL;
	struct store_txn *txn = NULL;
	struct store_cursor *c = NULL;
	struct span k;
	struct span v;

	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	write_pairs(s, pairs, 3);
	assert_int_equal(store_begin_read(s, &txn), GAZ_OK);
	assert_int_equal(store_cursor_open(txn, ONE, &c), GAZ_OK);
	assert_int_equal(store_cursor_seek(c, text(""), &k, &v), GAZ_OK);
	assert_memory_equal(k.data, "a", 1);
	assert_int_equal(store_cursor_next(c, &k, &v), GAZ_OK);
	assert_memory_equal(k.data, "b", 1);
	assert_int_equal(store_cursor_seek(c, text("c"), &k, &v), GAZ_OK);
	assert_memory_equal(k.data, "d", 1);
	assert_int_equal(store_cursor_next(c, &k, &v), GAZ_ENOTFOUND);
	assert_int_equal(store_cursor_seek_below(c, text("d"), &k, &v), GAZ_OK);
	assert_memory_equal(k.data, "b", 1);
	assert_int_equal(store_cursor_seek_below(c, text("z"), &k, &v), GAZ_OK);
	assert_memory_equal(k.data, "d", 1);
	assert_int_equal(store_cursor_seek_below(c, text("a"), &k, &v), GAZ_ENOTFOUND);
	store_cursor_close(&c);
	store_abort(&txn);
	store_close(&s);
}

static void test_changeset_shows_the_latest_change_of_a_key(void **state)
{
	struct changeset set;
	struct span v;

	(void)state;
	changeset_init(&set);
	assert_int_equal(changeset_find(&set, ONE, text("k"), &v), CHANGESET_UNTOUCHED);
	changeset_put(&set, ONE, text("k"), text("v1"));
	changeset_put(&set, ONE, text("k"), text("v2"));
	assert_int_equal(changeset_find(&set, ONE, text("k"), &v), CHANGESET_PUT);
	assert_memory_equal(v.data, "v2", 2);
	assert_int_equal(changeset_find(&set, TWO, text("k"), &v), CHANGESET_UNTOUCHED);
	changeset_delete(&set, ONE, text("k"));
	assert_int_equal(changeset_find(&set, ONE, text("k"), &v), CHANGESET_DELETED);
	changeset_fini(&set);
}

static void test_a_second_process_is_told_who_is_in_the_way(void **state)
{
	struct store *s = NULL;
	struct store *second = NULL;
	struct gaz_error err;

	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	assert_int_equal(open_in(*state, 1, &second, &err), GAZ_EBUSY);
	assert_null(second);
	assert_non_null(strstr(err.text, "another gazetteerd"));
	assert_non_null(strstr(err.text, *state));
	store_close(&s);
}

static void test_another_format_is_refused_and_left_alone(void **state)
{
	struct store *s = NULL;
	struct gaz_error err;

	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	store_close(&s);
	assert_int_equal(open_in(*state, 2, &s, &err), GAZ_ESTORE);
	assert_non_null(strstr(err.text, "format"));
	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	store_close(&s);
}

static void damage(const char *dir, const char *how)
{
	char command[256];

	(void)snprintf(command, sizeof command, "%s %s/data.mdb", how, dir);
	assert_int_equal(system(command), 0);
}

static void test_damaged_files_are_refused(void **state)
{
	static const char *const pairs[][2] = {{"b", "2"}};
	struct store *s = NULL;
	struct gaz_error err;

	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	write_pairs(s, pairs, 1);
	store_close(&s);
	damage(*state, "truncate -s 9000");
	assert_int_equal(open_in(*state, 1, &s, &err), GAZ_ESTORE);
	assert_non_null(strstr(err.text, "damaged"));
	damage(*state, "head -c 20000 /dev/urandom >");
	assert_int_equal(open_in(*state, 1, &s, &err), GAZ_ESTORE);
	assert_non_null(strstr(err.text, "damaged"));
	assert_null(s);
}

/* A large value, put and deleted again in one transaction. */
static void come_and_go(struct store *s)
{
	static const uint8_t value[100000];
	struct store_txn *txn = NULL;
	struct changeset sets[2];

	assert_int_equal(store_begin_write(s, &txn), GAZ_OK);
	changeset_init(&sets[0]);
	changeset_init(&sets[1]);
	changeset_put(&sets[0], ONE, text("large"), (struct span){value, sizeof value});
	changeset_delete(&sets[1], ONE, text("large"));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_apply(txn, &sets[i]), GAZ_OK);
		changeset_fini(&sets[i]);
	}
	assert_int_equal(store_commit(&txn), GAZ_OK);
}

/* LMDB counts pages that one transaction has taken and given back, but it writes none of
 * them: so the file ends before the last page that it knows of. */
static void test_file_may_end_before_pages_that_were_never_used(void **state)
{
	static const char *const pairs[][2] = {{"a", "1"}, {"b", "2"}};
	struct store *s = NULL;
	struct store_txn *txn = NULL;
	struct span value;

	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	for (int i = 0; i < 4; i++) /* there are free pages */
		write_pairs(s, pairs, 2);
	come_and_go(s);
	store_close(&s);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
		assert_int_equal(store_begin_read(s, &txn), GAZ_OK);
		assert_int_equal(store_get(txn, ONE, text("b"), &value), GAZ_OK);
		store_abort(&txn);
		write_pairs(s, pairs, 2); /* on one of these pages */
		store_close(&s);
	}
}

static void test_a_path_that_is_no_directory_is_named(void **state)
{
	struct store *s = NULL;
	struct gaz_error err;

	(void)state;
	assert_int_equal(open_in("/dev/null/x", 1, &s, &err), GAZ_EIO);
	assert_non_null(strstr(err.text, "/dev/null/x"));
}

/* ---- reading alone, copies ---- */

static gaz_status open_read(const char *path, struct store **out, struct gaz_error *err)
{
	return store_open_read(&(struct store_config){path, tables, 2, 1, 0}, out, err);
}

static bool has_entry(struct store *s, const char *key)
{
	struct store_txn *txn = NULL;
	struct span value;
	bool found;

	assert_int_equal(store_begin_read(s, &txn), GAZ_OK);
	found = store_get(txn, ONE, text(key), &value) == GAZ_OK;
	store_abort(&txn);
	return found;
}

static void test_reader_creates_nothing(void **state)
{
	struct store *s = NULL;
	struct gaz_error err;
	char path[128];

	(void)snprintf(path, sizeof path, "%s/data", (const char *)*state);
	assert_int_equal(open_read(path, &s, &err), GAZ_EIO);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(open_read(*state, &s, &err), GAZ_EIO);
	assert_int_equal(rmdir(*state), 0); /* still empty */
	assert_non_null(strstr(err.text, *state));
	assert_null(s);
	assert_int_equal(mkdir(*state, 0700), 0);
}

static void test_reader_and_daemon_exclude_each_other(void **state)
{
	struct store *s = NULL;
	struct store *reader = NULL;
	struct store *second = NULL;

	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	assert_int_equal(open_read(*state, &reader, NULL), GAZ_EBUSY);
	store_close(&s);
	assert_int_equal(open_read(*state, &reader, NULL), GAZ_OK);
	assert_int_equal(open_read(*state, &second, NULL), GAZ_OK);
	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_EBUSY);
	store_close(&reader);
	store_close(&second);
	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	store_close(&s);
}

static void test_table_that_is_not_there_is_empty_to_a_reader(void **state)
{
	static const char *const more[] = {"one", "two", "later"};
	struct store *s = NULL;
	struct store_txn *txn = NULL;
	struct store_cursor *cursor = NULL;
	struct span key;
	struct span value;
	size_t count = 9;

	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	store_close(&s);
	assert_int_equal(
		store_open_read(&(struct store_config){*state, more, 3, 1, 0}, &s, NULL),
		GAZ_OK);
	assert_int_equal(store_begin_read(s, &txn), GAZ_OK);
	assert_int_equal(store_get(txn, 2, text("k"), &value), GAZ_ENOTFOUND);
	assert_int_equal(store_count(txn, 2, &count), GAZ_OK);
	assert_int_equal(count, 0);
	assert_int_equal(store_cursor_open(txn, 2, &cursor), GAZ_OK);
	assert_int_equal(store_cursor_seek(cursor, text(""), &key, &value),
			 GAZ_ENOTFOUND);
	store_cursor_close(&cursor);
	assert_int_equal(store_check_free_pages(txn), GAZ_OK);
	store_abort(&txn);
	store_close(&s);
}

static void write_copy(struct store *s, const char *path)
{
	char command[256];
	int fd = -1;

	assert_int_equal(store_open_spool(s, &fd), GAZ_OK);
	assert_int_equal(store_copy(s, fd), GAZ_OK);
	(void)snprintf(command, sizeof command, "cp /proc/%d/fd/%d %s", (int)getpid(), fd,
		       path);
	assert_int_equal(system(command), 0);
	close(fd);
}

static void test_copy_is_of_the_moment_it_was_begun(void **state)
{
	static const char *const pairs[][2] = {{"a", "1"}, {"b", "2"}};
	struct store *s = NULL;
	struct store *copy = NULL;
	struct store_txn *txn = NULL;
	char path[128];

	(void)snprintf(path, sizeof path, "%s/copy", (const char *)*state);
	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	write_pairs(s, pairs, 1);
	/* A writer at work holds up no copy. */
	assert_int_equal(store_begin_write(s, &txn), GAZ_OK);
	write_copy(s, path);
	store_abort(&txn);
	write_pairs(s, pairs + 1, 1);
	assert_int_equal(open_read(path, &copy, NULL), GAZ_OK);
	assert_true(has_entry(copy, "a"));
	assert_false(has_entry(copy, "b"));
	store_close(&copy);
	store_close(&s);
}

static void test_copy_into_nowhere_is_an_error(void **state)
{
	struct store *s = NULL;

	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	assert_int_equal(store_copy(s, -1), GAZ_EIO);
	store_close(&s);
}

static void test_restored_copy_takes_the_place_of_the_store(void **state)
{
	static const char *const pairs[][2] = {{"a", "1"}, {"b", "2"}};
	struct store *s = NULL;
	struct gaz_error err;
	char path[128];
	char kept[PATH_SIZE];

	(void)snprintf(path, sizeof path, "%s.copy", (const char *)*state);
	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	write_pairs(s, pairs, 1);
	write_copy(s, path);
	write_pairs(s, pairs + 1, 1);
	assert_int_equal(restore_store(path, *state, true, kept, &err), GAZ_EBUSY);
	store_close(&s);
	assert_int_equal(restore_store(path, *state, false, kept, &err), GAZ_EEXISTS);
	assert_non_null(strstr(err.text, "--force"));
	assert_int_equal(restore_store(path, *state, true, kept, &err), GAZ_OK);
	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	assert_true(has_entry(s, "a"));
	assert_false(has_entry(s, "b"));
	store_close(&s);
	assert_int_equal(open_read(kept, &s, NULL), GAZ_OK);
	assert_true(has_entry(s, "b"));
	store_close(&s);
	assert_int_equal(unlink(path), 0);
}

/* ---- no room ---- */

/* @return how many entries of 1000 octets were committed, each alone */
static unsigned fill(struct store *s, unsigned first)
{
	char value[1000] = "";
	unsigned number = first;
	gaz_status st = GAZ_OK;

	for (; st == GAZ_OK && number < first + 10000; number++) {
		struct store_txn *txn = NULL;
		struct changeset set;
		char key[16];

		(void)snprintf(key, sizeof key, "%08u", number);
		changeset_init(&set);
		changeset_put(&set, ONE, text(key),
			      (struct span){(const uint8_t *)value, sizeof value});
		st = store_begin_write(s, &txn);
		if (st == GAZ_OK)
			st = store_apply(txn, &set);
		if (st == GAZ_OK)
			st = store_commit(&txn);
		store_abort(&txn);
		changeset_fini(&set);
	}
	assert_int_equal(st, GAZ_ESTORE);
	return number - 1 - first;
}

static void test_full_map_refuses_and_keeps_what_there_is(void **state)
{
	struct store *s = NULL;
	struct store_txn *txn = NULL;
	size_t count = 0;
	unsigned written;
	unsigned more;

	assert_int_equal(open_in(*state, 1, &s, NULL), GAZ_OK);
	assert_int_equal(store_limit_size(s, 512 * 1024), GAZ_OK);
	written = fill(s, 0);
	assert_true(written > 50);
	assert_int_equal(fill(s, written), 0); /* still full */
	assert_int_equal(store_begin_read(s, &txn), GAZ_OK);
	assert_int_equal(store_count(txn, ONE, &count), GAZ_OK);
	assert_int_equal(count, written);
	store_abort(&txn);
	/* There is room again. */
	assert_int_equal(store_limit_size(s, 1024 * 1024), GAZ_OK);
	more = fill(s, written);
	assert_true(more > 50);
	assert_int_equal(store_begin_read(s, &txn), GAZ_OK);
	assert_int_equal(store_count(txn, ONE, &count), GAZ_OK);
	assert_int_equal(count, written + more);
	assert_int_equal(store_check_free_pages(txn), GAZ_OK);
	store_abort(&txn);
	store_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
		IN_DIR(test_committed_changes_are_there_after_reopening),
		IN_DIR(test_aborted_changes_leave_no_trace),
		IN_DIR(test_cursor_walks_in_key_order_both_ways),
		cmocka_unit_test(test_changeset_shows_the_latest_change_of_a_key),
		IN_DIR(test_a_second_process_is_told_who_is_in_the_way),
		IN_DIR(test_another_format_is_refused_and_left_alone),
		IN_DIR(test_damaged_files_are_refused),
		IN_DIR(test_file_may_end_before_pages_that_were_never_used),
		cmocka_unit_test(test_a_path_that_is_no_directory_is_named),
		IN_DIR(test_reader_creates_nothing),
		IN_DIR(test_reader_and_daemon_exclude_each_other),
		IN_DIR(test_table_that_is_not_there_is_empty_to_a_reader),
		IN_DIR(test_copy_is_of_the_moment_it_was_begun),
		IN_DIR(test_copy_into_nowhere_is_an_error),
		IN_DIR(test_restored_copy_takes_the_place_of_the_store),
		IN_DIR(test_full_map_refuses_and_keeps_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
