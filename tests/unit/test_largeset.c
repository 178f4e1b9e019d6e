/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <urcu.h>

#include "dns/name.h"
#include "dns/wire.h"
#include "zone/lookup.h"
#include "zone/node.h"
#include "zonefixture.h"

/* Sets that grow and shrink around the size at which their records lie apart: after
 * each edit, whether it was published, dropped, or met an allocation that failed, the
 * set is compared with a list. Meanwhile a reader looks at every record. */

enum {
	EDITS = 4000,
	RECORDS_MAX = 400,
	VALUES = 40000, /* few of many records are equal */
	RDATA_MAX = 12,
};

struct item {
	uint16_t value;
	bool healthy;
};

struct list {
	size_t count;
	struct item items[RECORDS_MAX];
};

static long fail_at; /* 0: no allocation of this thread fails */
static _Thread_local bool may_fail;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool must_fail(void)
{
	return may_fail && fail_at > 0 && --fail_at == 0;
}

void *__wrap_malloc(size_t size)
{
	return must_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : __real_calloc(count, size);
}

static const uint8_t owner[] = "\1x\7example\3com";
static struct fixture fx;
static struct zone *zone;
static uint64_t random_state;
static bool lengths_differ;
static atomic_bool stop;
static atomic_size_t seen;
static atomic_size_t damaged;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % below;
}

/* A type without a form of its own; each octet tells something of the whole. */
static uint16_t make_rdata(uint16_t value, uint8_t out[RDATA_MAX])
{
	uint16_t len = lengths_differ ? (uint16_t)(3 + value % 9) : 4;

	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	for (uint16_t i = 2; i < len; i++)
		out[i] = (uint8_t)(out[0] ^ out[1] ^ i);
	return len;
}

static bool is_whole(const uint8_t *rdata, uint32_t len)
{
	for (uint32_t i = 2; i < len; i++) {
		if (rdata[i] != (uint8_t)(rdata[0] ^ rdata[1] ^ i))
			return false;
	}
	return true;
}

static const struct rrset *find_set(void)
{
	struct name_hashes hashes;
	struct dname name;
	struct lookup_found found;

	(void)dname_parse(owner, DNAME_MAX, &name);
	namehash_make(fx.db, &name, &hashes);
	found = lookup_node(fx.db, zone, &name, &hashes, 65300);
	return found.kind == LOOKUP_NODE ? node_find_rrset(found.node, 65300) : NULL;
}

static void *read_all(void *arg)
{
	(void)arg;
	rcu_register_thread();
	while (!atomic_load(&stop)) {
		const struct rrset *set;

		rcu_read_lock();
		set = find_set();
		for (uint32_t i = 0; set && i < set->count; i++) {
			uint32_t len;
			const uint8_t *record = rrset_record(set, i, &len);

			atomic_fetch_add(&damaged, !is_whole(record + RRSET_RDATA_AT,
							     len - RRSET_RDATA_AT));
			atomic_fetch_add(&seen, 1);
		}
		rcu_read_unlock();
	}
	rcu_unregister_thread();
	return NULL;
}

static gaz_status change(struct zonedit *edit, struct list *list, bool add)
{
	uint8_t rdata[RDATA_MAX];
	struct zone_record record = {
		.type = 65300, .ttl = 60, .policy = RRSET_MULTIVALUE, .rdata = rdata};
	size_t at = add ? list->count : draw((uint32_t)list->count);
	struct item *item = &list->items[at];
	gaz_status st;

	if (add)
		*item = (struct item){(uint16_t)draw(VALUES), draw(500) > 0};
	record.rdata_len = make_rdata(item->value, rdata);
	record.healthy = item->healthy;
	st = add ? zonedit_add_record(edit, zone, owner, &record)
		 : zonedit_remove_record(edit, zone, owner, &record);
	if (st != GAZ_OK)
		return st;
	if (!add)
		memmove(item, item + 1, (--list->count - at) * sizeof *item);
	else
		list->count++;
	return GAZ_OK;
}

/* Some changes; mostly of one kind, so that the set grows for long. */
static gaz_status change_some(struct zonedit *edit, struct list *list, bool grow)
{
	gaz_status st = GAZ_OK;

	for (uint32_t n = 1 + draw(4); st == GAZ_OK && n > 0; n--) {
		bool add = list->count < 2 ||
			   (list->count < RECORDS_MAX && (grow || draw(8) == 0));

		st = change(edit, list, add);
	}
	return st;
}

static void assert_is(const struct list *list)
{
	const struct rrset *set = find_set();
	struct list left = *list;

	assert_non_null(set);
	assert_int_equal(set->count, list->count);
	assert_int_equal(set->flags & RRSET_IS_APART ? 1 : 0,
			 list->count >= RRSET_APART_MIN);
	assert_int_equal(rrset_ttl(set), 60);
	for (uint32_t i = 0; i < set->count; i++) {
		uint32_t len;
		const uint8_t *rdata = rrset_record(set, i, &len) + RRSET_RDATA_AT;
		uint8_t expected[RDATA_MAX];
		struct item item = {(uint16_t)(rdata[0] << 8 | rdata[1]),
				    rrset_is_healthy(set, i)};
		size_t k = 0;

		assert_int_equal(len - RRSET_RDATA_AT, make_rdata(item.value, expected));
		assert_memory_equal(rdata, expected, len - RRSET_RDATA_AT);
		while (k < left.count && (left.items[k].value != item.value ||
					  left.items[k].healthy != item.healthy))
			k++;
		assert_true(k < left.count);
		left.items[k] = left.items[--left.count];
	}
}

/* Distinct records are; the twins behind them have an equal one before. */
static void assert_order(void)
{
	static uint8_t found[VALUES];
	const struct rrset *set = find_set();

	memset(found, 0, sizeof found);
	for (uint32_t i = 0; i < set->count; i++) {
		uint32_t len;
		const uint8_t *rdata = rrset_record(set, i, &len) + RRSET_RDATA_AT;

		assert_int_equal(found[rdata[0] << 8 | rdata[1]], i >= set->distinct);
		found[rdata[0] << 8 | rdata[1]] = 1;
	}
}

static void try_edit(struct list *list, bool grow)
{
	struct list after = *list;
	struct zonedit *edit = NULL;
	gaz_status st;

	may_fail = true;
	fail_at = draw(4) == 0 ? (long)draw(8) : 0;
	st = zonedit_new(fx.db, &edit);
	if (st == GAZ_OK)
		st = change_some(edit, &after, grow);
	if (st == GAZ_OK)
		st = zonedit_prepare(edit);
	may_fail = false;
	if (st != GAZ_OK)
		assert_int_equal(st, GAZ_ENOMEM);
	if (st == GAZ_OK && draw(8) > 0) {
		zonedit_publish(&edit);
		*list = after;
	}
	zonedit_free(&edit);
}

static void grow_and_shrink(bool differ)
{
	static struct list list;
	pthread_t reader;
	bool grow = true;
	const struct rrset_store *before = NULL;
	size_t lengthened = 0;
	size_t moved = 0;

	lengths_differ = differ;
	list.count = 0;
	fixture_open(&fx);
	zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);
	fixture_publish(&fx);
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&reader, NULL, read_all, NULL), 0);
	for (int i = 0; i < EDITS; i++) {
		size_t count = list.count;
		const struct rrset_store *store;

		try_edit(&list, grow);
		if (list.count == 0)
			continue;
		assert_is(&list);
		assert_order();
		store = rrset_store_of(find_set());
		if (store && list.count > count) {
			lengthened += store == before;
			moved += store != before;
		}
		before = store;
		if (list.count == RECORDS_MAX || (list.count < 20 && !grow))
			grow = !grow;
	}
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(reader, NULL), 0);
	fixture_close(&fx);
	assert_true(lengthened > 100 && moved > 20);
	assert_true(atomic_load(&seen) > 0);
	assert_int_equal(atomic_load(&damaged), 0);
}

static void test_large_sets_are_what_edits_made_them(void **state)
{
	(void)state;
	grow_and_shrink(false);
}

static void test_large_sets_of_records_of_many_lengths(void **state)
{
	(void)state;
	grow_and_shrink(true);
}

static void test_ttl_and_removal_of_a_large_set(void **state)
{
	struct list list = {0};

	(void)state;
	fixture_open(&fx);
	zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);
	while (list.count < 100)
		assert_int_equal(change(fixture_edit(&fx), &list, true), GAZ_OK);
	fixture_publish(&fx);
	assert_is(&list);
	assert_int_equal(change(fixture_edit(&fx), &list, true), GAZ_OK);
	assert_int_equal(zonedit_set_ttl(fixture_edit(&fx), zone, owner, 65300, 90),
			 GAZ_OK);
	fixture_publish(&fx);
	assert_int_equal(rrset_ttl(find_set()), 90);
	assert_int_equal(find_set()->count, 101);
	assert_int_equal(zonedit_remove_rrset(fixture_edit(&fx), zone, owner, 65300),
			 GAZ_OK);
	fixture_publish(&fx);
	assert_null(find_set());
	fixture_close(&fx);
}

/* What such an edit has put behind the records stays there, until the set moves. */
static void test_any_number_of_edits_is_dropped(void **state)
{
	struct list list = {0};

	(void)state;
	fixture_open(&fx);
	zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);
	while (list.count < 100)
		assert_int_equal(change(fixture_edit(&fx), &list, true), GAZ_OK);
	fixture_publish(&fx);
	for (int i = 0; i < 1000; i++) {
		struct list unused = list;
		struct zonedit *edit = NULL;

		assert_int_equal(zonedit_new(fx.db, &edit), GAZ_OK);
		assert_int_equal(change(edit, &unused, true), GAZ_OK);
		assert_int_equal(zonedit_prepare(edit), GAZ_OK);
		zonedit_free(&edit);
	}
	assert_is(&list);
	while (list.count < 200) {
		assert_int_equal(change(fixture_edit(&fx), &list, true), GAZ_OK);
		fixture_publish(&fx);
		assert_is(&list);
		assert_order();
	}
	fixture_close(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_number_of_edits_is_dropped),
		cmocka_unit_test(test_large_sets_are_what_edits_made_them),
		cmocka_unit_test(test_large_sets_of_records_of_many_lengths),
		cmocka_unit_test(test_ttl_and_removal_of_a_large_set),
	};
	int failed;

	random_state = 1;
	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failed;
}
