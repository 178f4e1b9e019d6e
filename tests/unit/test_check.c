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
#include "registry/health.h"
#include "registry/instance_store.h"
#include "registry/operation-internal.h"
#include "registry/schema.h"
#include "registry/tag.h"
#include "registry/vpc.h"
#include "store/changeset.h"

/* A good store has no fault; whatever single entry is taken away, cut, lengthened
 * or added, the check has one. */

static struct fixture f;

/* A damaged file may say that a table has more entries, or fewer, than are there. */
static struct {
	unsigned table;
	int too_many;
} miscount;

gaz_status __real_store_count(struct store_txn *txn, unsigned table, size_t *out);
gaz_status __wrap_store_count(struct store_txn *txn, unsigned table, size_t *out);

gaz_status __wrap_store_count(struct store_txn *txn, unsigned table, size_t *out)
{
	gaz_status st = __real_store_count(txn, table, out);

	if (st == GAZ_OK && table == miscount.table)
		*out += (size_t)miscount.too_many;
	return st;
}

struct heard {
	size_t count;
	char table[64];
	char what[512];
};

static void on_fault(void *arg, const char *table, struct span key, const char *what)
{
	struct heard *heard = arg;

	(void)key;
	heard->count++;
	(void)snprintf(heard->table, sizeof heard->table, "%s", table);
	(void)snprintf(heard->what, sizeof heard->what, "%s", what);
}

static void on_progress(void *arg, const char *table, size_t done, size_t total)
{
	(void)arg;
	(void)table;
	assert_true(done <= total);
}

static struct heard check(struct store *store)
{
	struct heard heard = {0};
	const struct check_listener listener = {&heard, on_fault, on_progress};
	struct check_result result = {0};

	assert_int_equal(check_store(store, &listener, &result), GAZ_OK);
	assert_int_equal(result.faults, heard.count);
	assert_true(result.entries > 0);
	return heard;
}

/* ---- entries, all of them in memory ---- */

struct entry {
	unsigned table;
	struct bytes key;
	struct bytes value;
};

enum {
	ENTRIES_MAX = 256,
};

static struct entry entries[ENTRIES_MAX];
static size_t entry_count;

static struct span span_of(const struct bytes *b)
{
	return (struct span){b->data, b->len};
}

static void read_table(struct store_txn *txn, unsigned table)
{
	struct store_cursor *cursor = NULL;
	struct span key;
	struct span value;
	gaz_status st;

	assert_int_equal(store_cursor_open(txn, table, &cursor), GAZ_OK);
	st = store_cursor_seek(cursor, (struct span){NULL, 0}, &key, &value);
	for (; st == GAZ_OK; st = store_cursor_next(cursor, &key, &value)) {
		struct entry *entry = &entries[entry_count++];

		assert_true(entry_count < ENTRIES_MAX);
		*entry = (struct entry){.table = table};
		bytes_put(&entry->key, key.data, key.len);
		bytes_put(&entry->value, value.data, value.len);
	}
	store_cursor_close(&cursor);
}

static void read_entries(void)
{
	struct store_txn *txn = NULL;

	entry_count = 0;
	assert_int_equal(store_begin_read(f.store, &txn), GAZ_OK);
	for (unsigned table = 0; table < TABLE_COUNT; table++)
		read_table(txn, table);
	store_abort(&txn);
}

static void free_entries(void)
{
	for (size_t i = 0; i < entry_count; i++) {
		bytes_fini(&entries[i].key);
		bytes_fini(&entries[i].value);
	}
	entry_count = 0;
}

/* value.data NULL: delete */
static void write_entry(unsigned table, struct span key, struct span value, bool is_put)
{
	struct changeset set;
	struct store_txn *txn = NULL;

	changeset_init(&set);
	if (is_put)
		changeset_put(&set, table, key, value);
	else
		changeset_delete(&set, table, key);
	assert_int_equal(store_begin_write(f.store, &txn), GAZ_OK);
	assert_int_equal(store_apply(txn, &set), GAZ_OK);
	assert_int_equal(store_commit(&txn), GAZ_OK);
	changeset_fini(&set);
}

static void restore(const struct entry *entry)
{
	write_entry(entry->table, span_of(&entry->key), span_of(&entry->value), true);
}

/* ---- a store with something in every table ---- */

static const char *create_service(const char *ns, const char *name)
{
	struct dns_record_in record = {RECORD_A, {true, 60}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct custom_health_in health = {0};
	struct text_pair tag = {"k", "v"};
	struct create_service_in in = {.name = name,
				       .namespace_id = ns,
				       .dns_config = &dns,
				       .custom_health = &health,
				       .tags = {&tag, 1, true}};
	struct text_pair attribute = {"a", "b"};
	struct service_record svc = {0};

	assert_int_equal(fixture_mutate(&f, service_create, &in, &svc), GAZ_OK);
	assert_int_equal(fixture_mutate(&f, service_update_attributes,
					&(struct update_service_attributes_in){
						svc.id, {&attribute, 1, true}},
					NULL),
			 GAZ_OK);
	return svc.id;
}

static void put_vpc(void)
{
	const char *cidr = "10.0.0.0/8";
	struct put_vpc_in in = {"vpc-a", {&cidr, 1, true}};
	struct vpc_record out;

	assert_int_equal(fixture_mutate(&f, vpc_put, &in, &out), GAZ_OK);
}

static void start_pending(const char *private_id, const char *public_id, const char *svc)
{
	struct create_namespace_in create = {.name = "later.example",
					     .creator_request_id = "token"};
	struct namespace_change_in change = {.description = "d"};
	struct update_namespace_in update = {.id = public_id, .change = &change};
	struct service_change_in service_change = {.description = "d"};
	struct operation_started_out out;

	assert_int_equal(fixture_mutate(&f, namespace_create_public_dns, &create, &out),
			 GAZ_OK);
	assert_int_equal(fixture_mutate(&f, namespace_update_public_dns, &update, &out),
			 GAZ_OK);
	assert_int_equal(fixture_register(&f, svc, "i-9", "10.0.0.9", NULL), GAZ_OK);
	assert_int_equal(fixture_mutate(&f, instance_deregister,
					&(struct instance_in){svc, "i-1"}, &out),
			 GAZ_OK);
	assert_int_equal(
		fixture_mutate(&f, health_update,
			       &(struct update_health_in){svc, "i-2", HEALTH_UNHEALTHY},
			       NULL),
		GAZ_OK);
	svc = create_service(private_id, "other");
	assert_int_equal(fixture_mutate(&f, service_update,
					&(struct update_service_in){svc, &service_change},
					&out),
			 GAZ_OK);
}

/* So many that the first ones have left the place of the young ones. Their last octets
 * differ in more than the last bit, which a test turns. */
static void register_more(const char *svc)
{
	char id[16];

	for (unsigned i = 0; i < INSTANCE_YOUNG_MAX; i++) {
		(void)snprintf(id, sizeof id, "more-%c", 'a' + 2 * (int)i);
		assert_int_equal(fixture_register(&f, svc, id, "10.0.1.1", NULL), GAZ_OK);
	}
}

/* As a store of the first format has it. */
static void age_one_list(void)
{
	size_t at = 0;
	struct span scope;

	read_entries();
	while (entries[at].table != TABLE_UPPER_TALLY ||
	       !operation_is_last_key(span_of(&entries[at].key), &scope))
		assert_true(++at < entry_count);
	write_entry(TABLE_OPERATION_LAST, scope, span_of(&entries[at].value), true);
	write_entry(TABLE_UPPER_TALLY, span_of(&entries[at].key), (struct span){NULL, 0},
		    false);
	free_entries();
}

static void set_up(bool with_pending)
{
	const char *private_id;
	const char *public_id;
	const char *svc;

	memset(&f, 0, sizeof f);
	assert_int_equal(fixture_init(&f), GAZ_OK);
	put_vpc();
	assert_int_equal(
		fixture_create_namespace(&f, "Private.Example", "vpc-a", &private_id),
		GAZ_OK);
	assert_int_equal(fixture_create_namespace(&f, "public.example", NULL, &public_id),
			 GAZ_OK);
	assert_int_equal(fixture_create_service(&f, public_id, "web", &svc), GAZ_OK);
	svc = create_service(private_id, "Web");
	assert_int_equal(fixture_register(&f, svc, "i-1", "10.0.0.1", NULL), GAZ_OK);
	assert_int_equal(fixture_register(&f, svc, "i-2", "10.0.0.2", NULL), GAZ_OK);
	register_more(svc);
	if (!with_pending)
		return;
	fixture_close(&f);
	f.config.operation_delay_ms = 3600000;
	f.config.custom_health_delay_ms = 3600000;
	assert_int_equal(fixture_open(&f), GAZ_OK);
	start_pending(private_id, public_id, svc);
	age_one_list();
}

static void expect_fault(const struct entry *entry, const char *how)
{
	struct heard heard = check(f.store);

	if (heard.count == 0)
		fail_msg("%s of the table %s: no fault", how,
			 schema_table_names[entry->table]);
}

/* What may be there or not without anybody knowing. Of the operations that is the
 * oldest one: it may have been removed for its age. */
static bool stands_alone(size_t i)
{
	unsigned table = entries[i].table;

	return table == TABLE_TAG || table == TABLE_SERVICE_ATTRIBUTES ||
	       table == TABLE_VPC ||
	       (table == TABLE_OPERATION && entries[i - 1].table != TABLE_OPERATION);
}

/* ---- the tests ---- */

static void tear_down(void)
{
	free_entries();
	fixture_fini(&f);
}

static void test_good_store_has_no_fault(void **state)
{
	struct heard heard;

	(void)state;
	for (int pending = 0; pending < 2; pending++) {
		set_up(pending != 0);
		heard = check(f.store);
		assert_string_equal(heard.what, "");
		assert_int_equal(heard.count, 0);
		tear_down();
	}
}

/* Operations of one millisecond go in the order of their targets, not in that of their
 * submission: a list may lose its beginning before its end. */
static void test_sweep_in_the_midst_of_a_millisecond_leaves_no_fault(void **state)
{
	const char *ns;
	const char *svc;
	char name[16];

	(void)state;
	memset(&f, 0, sizeof f);
	assert_int_equal(fixture_init(&f), GAZ_OK);
	assert_int_equal(fixture_create_namespace(&f, "a.example", NULL, &ns), GAZ_OK);
	f.config.operation_max = 6;
	f.config.clock.fixed_ms = INT64_C(4000000000000);
	for (unsigned round = 0; round < 8; round++) {
		fixture_close(&f);
		f.config.clock.fixed_ms++;
		assert_int_equal(fixture_open(&f), GAZ_OK);
		(void)snprintf(name, sizeof name, "s%u", round);
		assert_int_equal(fixture_create_service(&f, ns, name, &svc), GAZ_OK);
		for (unsigned i = 0; i < 6; i++) {
			(void)snprintf(name, sizeof name, "i-%u", i);
			assert_int_equal(
				fixture_register(&f, svc, name, "10.0.0.1", NULL),
				GAZ_OK);
			assert_string_equal(check(f.store).what, "");
		}
	}
	fixture_fini(&f);
}

static void test_every_table_is_in_the_store_that_is_broken(void **state)
{
	bool seen[TABLE_COUNT] = {false};

	(void)state;
	set_up(true);
	read_entries();
	for (size_t i = 0; i < entry_count; i++)
		seen[entries[i].table] = true;
	for (unsigned table = 0; table < TABLE_COUNT; table++)
		assert_true(seen[table]);
	tear_down();
}

static void test_missing_entry_is_found(void **state)
{
	(void)state;
	set_up(true);
	read_entries();
	for (size_t i = 0; i < entry_count; i++) {
		const struct entry *entry = &entries[i];

		if (stands_alone(i))
			continue;
		write_entry(entry->table, span_of(&entry->key), (struct span){NULL, 0},
			    false);
		expect_fault(entry, "a missing entry");
		restore(entry);
	}
	assert_int_equal(check(f.store).count, 0);
	tear_down();
}

static void test_cut_and_lengthened_values_are_found(void **state)
{
	(void)state;
	set_up(true);
	read_entries();
	for (size_t i = 0; i < entry_count; i++) {
		struct entry *entry = &entries[i];
		struct span key = span_of(&entry->key);

		if (entry->value.len > 0) {
			write_entry(
				entry->table, key,
				(struct span){entry->value.data, entry->value.len - 1},
				true);
			expect_fault(entry, "a cut value");
		}
		bytes_put_u8(&entry->value, 1);
		restore(entry);
		expect_fault(entry, "a lengthened value");
		entry->value.len--;
		restore(entry);
	}
	assert_int_equal(check(f.store).count, 0);
	tear_down();
}

static void test_entry_that_belongs_to_nothing_is_found(void **state)
{
	(void)state;
	set_up(true);
	read_entries();
	for (size_t i = 0; i < entry_count; i++) {
		struct entry *entry = &entries[i];
		struct span key = span_of(&entry->key);

		/* Its key, but for the last octet: another id, time or digest. VPCs stand
		 * alone, and what is due may outlive its instance. */
		if (entry->table == TABLE_VPC || entry->table == TABLE_HEALTH_DUE)
			continue;
		entry->key.data[entry->key.len - 1] ^= 1;
		write_entry(entry->table, key, span_of(&entry->value), true);
		expect_fault(entry, "a stray entry");
		write_entry(entry->table, key, (struct span){NULL, 0}, false);
		entry->key.data[entry->key.len - 1] ^= 1;
	}
	assert_int_equal(check(f.store).count, 0);
	tear_down();
}

static void test_key_without_form_is_found(void **state)
{
	static const struct span shapeless = {(const uint8_t *)"x", 1};

	(void)state;
	set_up(true);
	read_entries();
	for (size_t i = 0; i < entry_count; i++) {
		const struct entry *entry = &entries[i];

		if (entry->table == TABLE_VPC)
			continue;
		write_entry(entry->table, shapeless, span_of(&entry->value), true);
		expect_fault(entry, "a key without form");
		write_entry(entry->table, shapeless, (struct span){NULL, 0}, false);
	}
	tear_down();
}

static void test_zeroed_value_is_found(void **state)
{
	uint8_t zeros[4096] = {0};

	(void)state;
	set_up(true);
	read_entries();
	for (size_t i = 0; i < entry_count; i++) {
		const struct entry *entry = &entries[i];

		/* No text, no pairs: that is a list as well. */
		if (entry->value.len == 0 || stands_alone(i))
			continue;
		assert_true(entry->value.len <= sizeof zeros);
		write_entry(entry->table, span_of(&entry->key),
			    (struct span){zeros, entry->value.len}, true);
		expect_fault(entry, "a zeroed value");
		restore(entry);
	}
	tear_down();
}

static void test_wrong_count_names_both_figures(void **state)
{
	struct tally tally;
	struct bytes value;
	struct heard heard;
	size_t at = 0;

	(void)state;
	set_up(false);
	read_entries();
	while (entries[at].table != TABLE_TALLY || entries[at].key.data[0] != 's' ||
	       schema_get_tally(span_of(&entries[at].value), &tally) != GAZ_OK ||
	       tally.children == 0)
		assert_true(++at < entry_count);
	tally.children = 7;
	bytes_init(&value);
	schema_put_tally(&value, &tally);
	write_entry(TABLE_TALLY, span_of(&entries[at].key), span_of(&value), true);
	bytes_fini(&value);
	heard = check(f.store);
	/* Of the service, and of its namespace, whose figure is no sum any more. */
	assert_int_equal(heard.count, 2);
	assert_string_equal(heard.table, "service");
	assert_string_equal(heard.what, "its tally says 7 instances, there are 10");
	tear_down();
}

static void test_table_that_miscounts_names_both_figures(void **state)
{
	struct heard heard;

	(void)state;
	set_up(false);
	miscount.table = TABLE_VPC;
	for (int i = -1; i <= 1; i++) {
		char expected[64];

		miscount.too_many = i;
		(void)snprintf(expected, sizeof expected,
			       "it has 1 entries, but counts %d", 1 + i);
		heard = check(f.store);
		assert_int_equal(heard.count, i != 0);
		assert_string_equal(heard.table, i ? "vpc" : "");
		assert_string_equal(heard.what, i ? expected : "");
	}
	miscount.too_many = 0;
	tear_down();
}

static void test_unknown_table_is_named(void **state)
{
	const char *names[TABLE_COUNT + 1];
	struct store *store = NULL;
	struct heard heard;

	(void)state;
	set_up(false);
	fixture_close(&f);
	memcpy(names, schema_table_names, sizeof schema_table_names);
	names[TABLE_COUNT] = "strange";
	assert_int_equal(
		store_open(&(struct store_config){f.dir, names, TABLE_COUNT + 1,
						  SCHEMA_FORMAT, SCHEMA_FORMAT_OLDEST},
			   &store, NULL),
		GAZ_OK);
	store_close(&store);
	assert_int_equal(
		store_open_read(&(struct store_config){f.dir, schema_table_names,
						       TABLE_COUNT, SCHEMA_FORMAT,
						       SCHEMA_FORMAT_OLDEST},
				&store, NULL),
		GAZ_OK);
	heard = check(store);
	assert_int_equal(heard.count, 1);
	assert_string_equal(heard.table, "strange");
	store_close(&store);
	tear_down();
}

/* Both are good, but they cannot both be in DNS. */
static void test_records_that_do_not_fit_are_named(void **state)
{
	struct instance_record inst = {.id = "i-3",
				       .creator_request_id = "t",
				       .healthy = true,
				       .attributes = {.present = true}};
	struct text_pair bad = {"AWS_ALIAS_DNS_NAME", "bad..name"};
	struct bytes value;
	struct heard heard;
	size_t at = 0;

	(void)state;
	set_up(false);
	read_entries();
	while (entries[at].table != TABLE_INSTANCE)
		assert_true(++at < entry_count);
	inst.attributes.items = &bad;
	inst.attributes.count = 1;
	bytes_init(&value);
	schema_put_instance(&value, &inst);
	write_entry(TABLE_INSTANCE, span_of(&entries[at].key), span_of(&value), true);
	bytes_fini(&value);
	heard = check(f.store);
	assert_int_equal(heard.count, 1);
	assert_string_equal(heard.table, "zones");
	assert_non_null(strstr(heard.what, "\\x00i-1"));
	tear_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_store_has_no_fault),
		cmocka_unit_test(
			test_sweep_in_the_midst_of_a_millisecond_leaves_no_fault),
		cmocka_unit_test(test_every_table_is_in_the_store_that_is_broken),
		cmocka_unit_test(test_missing_entry_is_found),
		cmocka_unit_test(test_cut_and_lengthened_values_are_found),
		cmocka_unit_test(test_entry_that_belongs_to_nothing_is_found),
		cmocka_unit_test(test_key_without_form_is_found),
		cmocka_unit_test(test_zeroed_value_is_found),
		cmocka_unit_test(test_wrong_count_names_both_figures),
		cmocka_unit_test(test_table_that_miscounts_names_both_figures),
		cmocka_unit_test(test_unknown_table_is_named),
		cmocka_unit_test(test_records_that_do_not_fit_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
