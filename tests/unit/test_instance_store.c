/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_registry.h"
#include "registry/check.h"
#include "registry/instance_store.h"
#include "registry/operation-internal.h"
#include "registry/schema.h"
#include "store/changeset.h"

/* Instances lie in two places of the store: nobody sees in which. */

static struct fixture f;
static const char *service;

/* ---- what is in the store ---- */

static void on_fault(void *arg, const char *table, struct span key, const char *what)
{
	(void)arg;
	(void)key;
	fail_msg("%s: %s", table, what);
}

static void on_progress(void *arg, const char *table, size_t done, size_t total)
{
	(void)arg;
	(void)table;
	assert_true(done <= total);
}

static void check_all(void)
{
	const struct check_listener listener = {NULL, on_fault, on_progress};
	struct check_result result = {0};

	assert_int_equal(check_store(f.store, &listener, &result), GAZ_OK);
}

static size_t count_entries(enum schema_table table)
{
	struct store_txn *txn = NULL;
	size_t count = 0;

	assert_int_equal(store_begin_read(f.store, &txn), GAZ_OK);
	assert_int_equal(store_count(txn, table, &count), GAZ_OK);
	store_abort(&txn);
	return count;
}

/* Where stores of former formats have what is now in a table of tallies. */
static bool find_former(uint32_t format, enum schema_table table, struct span key,
			enum schema_table *table_out, struct span *key_out)
{
	*table_out = TABLE_TALLY;
	*key_out = key;
	if (format == 2)
		return table == TABLE_UPPER_TALLY;
	if (operation_is_last_key(key, key_out))
		*table_out = TABLE_OPERATION_LAST;
	else if (instance_is_young(key, key_out))
		*table_out = TABLE_INSTANCE;
	return table == TABLE_UPPER_TALLY || *table_out != TABLE_TALLY;
}

static void make_old_table(struct store_txn *txn, uint32_t format,
			   enum schema_table table, struct changeset *set)
{
	struct store_cursor *cursor = NULL;
	enum schema_table old_table;
	struct span key;
	struct span value;
	struct span old_key;
	gaz_status st;

	assert_int_equal(store_cursor_open(txn, table, &cursor), GAZ_OK);
	st = store_cursor_seek(cursor, (struct span){NULL, 0}, &key, &value);
	for (; st == GAZ_OK; st = store_cursor_next(cursor, &key, &value)) {
		if (!find_former(format, table, key, &old_table, &old_key))
			continue;
		changeset_put(set, old_table, old_key, value);
		changeset_delete(set, table, key);
	}
	store_cursor_close(&cursor);
}

/* Put everything where stores of that format have it. */
static void make_old(uint32_t format)
{
	struct store_txn *txn = NULL;
	struct changeset set;

	registry_close(&f.registry);
	changeset_init(&set);
	assert_int_equal(store_begin_write(f.store, &txn), GAZ_OK);
	make_old_table(txn, format, TABLE_TALLY, &set);
	make_old_table(txn, format, TABLE_UPPER_TALLY, &set);
	assert_int_equal(store_apply(txn, &set), GAZ_OK);
	assert_int_equal(store_commit(&txn), GAZ_OK);
	changeset_fini(&set);
	fixture_close(&f);
	assert_int_equal(fixture_open(&f), GAZ_OK);
}

/* ---- instances with numbers ---- */

static void set_up(void)
{
	const char *ns;

	memset(&f, 0, sizeof f);
	assert_int_equal(fixture_init(&f), GAZ_OK);
	assert_int_equal(fixture_create_namespace(&f, "a.example", NULL, &ns), GAZ_OK);
	assert_int_equal(fixture_create_service(&f, ns, "web", &service), GAZ_OK);
}

/* The services on both sides of it: their instances are none of its. */
static void add_neighbours(void)
{
	const char *ns;
	const char *other;

	assert_int_equal(fixture_create_namespace(&f, "b.example", NULL, &ns), GAZ_OK);
	for (unsigned i = 0; i < 8; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "s%u", i);
		assert_int_equal(fixture_create_service(&f, ns, name, &other), GAZ_OK);
		for (unsigned k = 0; k <= i * 2; k++) {
			(void)snprintf(name, sizeof name, "x-%u", k);
			assert_int_equal(
				fixture_register(&f, other, name, "192.0.2.1", NULL),
				GAZ_OK);
		}
	}
}

static void put(unsigned number, const char *ipv4)
{
	char id[16];

	(void)snprintf(id, sizeof id, "i-%02u", number);
	assert_int_equal(fixture_register(&f, service, id, ipv4, NULL), GAZ_OK);
}

static void take_away(unsigned number)
{
	struct operation_started_out out;
	char id[16];

	(void)snprintf(id, sizeof id, "i-%02u", number);
	assert_int_equal(fixture_mutate(&f, instance_deregister,
					&(struct instance_in){service, id}, &out),
			 GAZ_OK);
}

/* Bit n: number n is there. Each once, in order, whatever the size of the pages. */
static uint64_t list(int64_t page_size)
{
	struct list_instances_in in = {.service_id = service,
				       .page = {.max_results = {true, page_size}}};
	uint64_t found = 0;

	do {
		struct instance_page_out page = {0};

		assert_int_equal(fixture_read(&f, instance_list, &in, &page), GAZ_OK);
		for (size_t i = 0; i < page.count; i++) {
			uint64_t bit = UINT64_C(1)
				       << strtoul(page.items[i].id + 2, NULL, 10);

			assert_true(bit > found);
			found |= bit;
		}
		in.page.next_token = page.next_token;
	} while (in.page.next_token);
	return found;
}

static void expect(uint64_t numbers)
{
	struct service_record svc = {0};
	unsigned count = 0;

	for (int64_t size = 1; size < 20; size++)
		assert_int_equal(list(size), numbers);
	for (unsigned i = 0; i < 64; i++) {
		struct instance_out out = {0};
		char id[16];
		bool is_there = numbers >> i & 1;

		count += is_there;
		(void)snprintf(id, sizeof id, "i-%02u", i);
		assert_int_equal(fixture_read(&f, instance_get,
					      &(struct instance_in){service, id}, &out),
				 is_there ? GAZ_OK : GAZ_EREFUSED);
	}
	assert_int_equal(fixture_read(&f, service_get, &(struct id_in){service}, &svc),
			 GAZ_OK);
	assert_int_equal(svc.instance_count, count);
	check_all();
}

/* All that the list of the partition leads to. */
static size_t count_operations(void)
{
	struct page_in in = {.max_results = {true, 100}};
	struct operation_page_out page = {0};

	assert_int_equal(fixture_read(&f, operation_list, &in, &page), GAZ_OK);
	assert_null(page.next_token);
	return page.count;
}

/* ---- the tests ---- */

static void test_the_young_go_to_the_others_together(void **state)
{
	(void)state;
	set_up();
	for (unsigned i = 0; i < INSTANCE_YOUNG_MAX; i++) {
		put(i, "192.0.2.1");
		assert_int_equal(count_entries(TABLE_INSTANCE), 0);
	}
	put(INSTANCE_YOUNG_MAX, "192.0.2.1");
	assert_int_equal(count_entries(TABLE_INSTANCE), INSTANCE_YOUNG_MAX + 1);
	put(INSTANCE_YOUNG_MAX + 1, "192.0.2.1");
	assert_int_equal(count_entries(TABLE_INSTANCE), INSTANCE_YOUNG_MAX + 1);
	expect((UINT64_C(1) << (INSTANCE_YOUNG_MAX + 2)) - 1);
	fixture_fini(&f);
}

/* Even numbers first, then odd ones: in the order of ids the places take turns. */
static void test_instances_of_both_places_are_one_list(void **state)
{
	uint64_t numbers = 0;

	(void)state;
	set_up();
	add_neighbours();
	for (unsigned i = 0; i < 44; i++) {
		unsigned number = i < 22 ? 2 * i : 2 * (i - 22) + 1;

		put(number, "192.0.2.1");
		numbers |= UINT64_C(1) << number;
		assert_int_equal(list(7), numbers);
	}
	expect(numbers);
	fixture_close(&f);
	assert_int_equal(fixture_open(&f), GAZ_OK);
	expect(numbers);
	fixture_fini(&f);
}

static void test_changed_and_removed_ones_are_where_they_were(void **state)
{
	uint64_t numbers = 0;

	(void)state;
	set_up();
	for (unsigned i = 0; i < 20; i++)
		put(i, "192.0.2.1");
	for (unsigned i = 0; i < 20; i++) {
		size_t before = count_entries(TABLE_INSTANCE);

		put(i, "192.0.2.2");
		assert_int_equal(count_entries(TABLE_INSTANCE), before);
	}
	for (unsigned i = 0; i < 20; i++) {
		if (i % 3 == 0)
			take_away(i);
		else
			numbers |= UINT64_C(1) << i;
	}
	expect(numbers);
	for (unsigned i = 0; i < 20; i += 3)
		put(i, "192.0.2.3");
	expect((1u << 20) - 1);
	for (unsigned i = 0; i < 20; i++)
		take_away(i);
	expect(0);
	assert_int_equal(
		fixture_mutate(&f, service_delete, &(struct id_in){service}, NULL),
		GAZ_OK);
	check_all();
	fixture_fini(&f);
}

/* All of them get other records. */
static void test_update_of_the_service_reaches_both_places(void **state)
{
	struct dns_record_in record = {RECORD_A, {true, 7}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct service_change_in change = {.dns_config = &dns};
	struct operation_started_out out;

	(void)state;
	set_up();
	for (unsigned i = 0; i < 12; i++)
		put(i, "192.0.2.1");
	assert_int_equal(fixture_mutate(&f, service_update,
					&(struct update_service_in){service, &change},
					&out),
			 GAZ_OK);
	for (unsigned i = 0; i < 12; i++)
		take_away(i);
	expect(0);
	fixture_fini(&f);
}

static gaz_status open_format(uint32_t format, uint32_t oldest)
{
	struct store *store = NULL;
	gaz_status st = store_open(&(struct store_config){f.dir, schema_table_names,
							  TABLE_COUNT, format, oldest},
				   &store, NULL);

	store_close(&store);
	return st;
}

static void take_over(uint32_t format)
{
	size_t operations;

	set_up();
	for (unsigned i = 0; i < 20; i++)
		put(i, "192.0.2.1");
	operations = count_operations();
	make_old(format);
	assert_int_equal(count_entries(TABLE_OPERATION_LAST), format == 1 ? 3 : 0);
	assert_int_equal(count_entries(TABLE_UPPER_TALLY), 0);
	assert_int_equal(count_operations(), operations);
	expect((1u << 20) - 1);
	for (unsigned i = 20; i < 33; i++)
		put(i, "192.0.2.1");
	for (unsigned i = 0; i < 4; i++)
		take_away(i);
	expect((UINT64_C(1) << 33) - 16);
	assert_int_equal(count_entries(TABLE_OPERATION_LAST), 0);
	assert_int_equal(count_operations(), operations + 17);
	check_all();
	fixture_close(&f);
	assert_int_equal(fixture_open(&f), GAZ_OK);
	expect((UINT64_C(1) << 33) - 16);
	fixture_fini(&f);
}

static void test_store_of_the_first_format_is_taken_over(void **state)
{
	(void)state;
	take_over(1);
}

static void test_store_of_the_second_format_is_taken_over(void **state)
{
	(void)state;
	take_over(2);
}

/* What has young instances is nothing for those who know of none. */
static void test_format_of_an_older_store_is_raised(void **state)
{
	(void)state;
	memset(&f, 0, sizeof f);
	strcpy(f.dir, "/tmp/gaz-registry-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	assert_int_equal(open_format(1, 0), GAZ_OK);
	assert_int_equal(open_format(SCHEMA_FORMAT, 0), GAZ_ESTORE);
	assert_int_equal(open_format(SCHEMA_FORMAT, SCHEMA_FORMAT_OLDEST), GAZ_OK);
	assert_int_equal(open_format(1, 0), GAZ_ESTORE);
	assert_int_equal(open_format(SCHEMA_FORMAT, 0), GAZ_OK);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_young_go_to_the_others_together),
		cmocka_unit_test(test_instances_of_both_places_are_one_list),
		cmocka_unit_test(test_changed_and_removed_ones_are_where_they_were),
		cmocka_unit_test(test_update_of_the_service_reaches_both_places),
		cmocka_unit_test(test_store_of_the_first_format_is_taken_over),
		cmocka_unit_test(test_store_of_the_second_format_is_taken_over),
		cmocka_unit_test(test_format_of_an_older_store_is_raised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
