/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "registry/instance_filling.h"
#include "registry/instance_filter.h"
#include "registry/schema.h"
#include "store/changeset.h"
#include "store/store.h"

/* What tells that an instance is new: it may take a new one for a known one, but never
 * the reverse, whatever happens while a successor is read from the store. */

enum {
	MANY = 20000,
	ROUNDS = 30,
	SERVICES = 5,
	IDS = 200,
};

static struct key key_of(unsigned service, unsigned id)
{
	struct key key = {.len = 0};
	char text[32];

	(void)snprintf(text, sizeof text, "srv-%04u", service);
	key_put_text(&key, text);
	(void)snprintf(text, sizeof text, "i-%u", id);
	key_put(&key, text, strlen(text));
	return key;
}

static bool excludes(const struct instance_filter *filter, unsigned service, unsigned id)
{
	struct key key = key_of(service, id);

	return instance_filter_excludes(filter, key_span(&key));
}

static void add(struct instance_filter *filter, unsigned service, unsigned id)
{
	struct key key = key_of(service, id);

	instance_filter_add(filter, key_span(&key));
}

/* ---- the filter alone ---- */

static void test_excludes_nothing_before_it_knows(void **state)
{
	struct instance_filter *filter = instance_filter_new();

	(void)state;
	assert_non_null(filter);
	assert_true(instance_filter_is_full(filter));
	add(filter, 1, 1);
	assert_false(excludes(filter, 1, 1));
	assert_false(excludes(filter, 1, 2));
	instance_filter_free(&filter);
	assert_null(filter);
	instance_filter_free(&filter);
}

static void test_excludes_most_of_what_there_is_not(void **state)
{
	struct instance_filter *filter = instance_filter_new();
	unsigned excluded = 0;

	(void)state;
	assert_int_equal(instance_filter_begin(filter, MANY), GAZ_OK);
	for (unsigned i = 0; i < MANY; i++) {
		struct key key = key_of(1, i);

		if (i % 2 == 0)
			instance_filter_put(filter, key_span(&key));
		else
			instance_filter_add(filter, key_span(&key));
	}
	assert_false(excludes(filter, 2, 1)); /* not yet */
	instance_filter_finish(filter);
	assert_false(instance_filter_is_full(filter));
	for (unsigned i = 0; i < MANY; i++) {
		assert_false(excludes(filter, 1, i));
		excluded += excludes(filter, 2, i);
	}
	assert_true(excluded > MANY * 9 / 10);
	instance_filter_free(&filter);
}

static void test_a_full_one_serves_until_it_has_a_successor(void **state)
{
	struct instance_filter *filter = instance_filter_new();
	unsigned added = 0;

	(void)state;
	assert_int_equal(instance_filter_begin(filter, 0), GAZ_OK);
	instance_filter_finish(filter);
	while (!instance_filter_is_full(filter))
		add(filter, 1, added++);
	assert_true(added > MANY);
	assert_int_equal(instance_filter_begin(filter, added), GAZ_OK);
	add(filter, 1, added);
	assert_false(excludes(filter, 1, added));
	instance_filter_give_up(filter);
	assert_false(instance_filter_is_full(filter)); /* not again at once */
	for (unsigned i = 0; i <= added; i++)
		assert_false(excludes(filter, 1, i));
	instance_filter_free(&filter);
}

/* ---- with a store that changes meanwhile ---- */

enum where {
	NOWHERE = 0,
	YOUNG,
	GROWN,
};

struct world {
	char dir[64];
	struct store *store;
	struct instance_filter *filter;
	enum where where[SERVICES][IDS];
	uint64_t random;
};

static uint32_t draw(struct world *w, uint32_t below)
{
	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w->random >> 33) % below;
}

static void write_instance(struct changeset *set, enum where where, unsigned service,
			   unsigned id, bool put)
{
	static const struct span value = {(const uint8_t *)"x", 1};
	struct key plain = key_of(service, id);
	struct key key = {.len = 0};

	if (where == YOUNG)
		key_put(&key, "s", 1);
	key_put(&key, plain.data, plain.len);
	if (put)
		changeset_put(set, where == YOUNG ? TABLE_TALLY : TABLE_INSTANCE,
			      key_span(&key), value);
	else
		changeset_delete(set, where == YOUNG ? TABLE_TALLY : TABLE_INSTANCE,
				 key_span(&key));
}

/* One comes, grows up or goes, as the registry lets them. */
static void change(struct world *w, struct changeset *set)
{
	unsigned service = draw(w, SERVICES);
	unsigned id = draw(w, IDS);
	enum where *where = &w->where[service][id];

	if (*where == NOWHERE) {
		*where = draw(w, 4) ? YOUNG : GROWN;
		write_instance(set, *where, service, id, true);
		add(w->filter, service, id);
		return;
	}
	write_instance(set, *where, service, id, false);
	if (*where == YOUNG && draw(w, 3)) {
		*where = GROWN;
		write_instance(set, GROWN, service, id, true);
	} else {
		*where = NOWHERE;
	}
}

static void change_some(struct world *w)
{
	struct store_txn *txn = NULL;
	struct changeset set;

	changeset_init(&set);
	for (uint32_t n = draw(w, 12); n > 0; n--)
		change(w, &set);
	assert_int_equal(store_begin_write(w->store, &txn), GAZ_OK);
	assert_int_equal(store_apply(txn, &set), GAZ_OK);
	assert_int_equal(store_commit(&txn), GAZ_OK);
	changeset_fini(&set);
}

/* What a tally and the beginning of a list look like beside young instances. */
static void write_others(struct world *w)
{
	struct store_txn *txn = NULL;
	struct changeset set;

	changeset_init(&set);
	for (unsigned i = 0; i < SERVICES; i++) {
		static const struct span value = {(const uint8_t *)"tally", 5};
		struct key key = {.len = 0};
		char text[32];

		(void)snprintf(text, sizeof text, "ssrv-%04u", i);
		key_put(&key, text, strlen(text));
		changeset_put(&set, TABLE_TALLY, key_span(&key), value);
		key_put(&key, "\001", 1);
		changeset_put(&set, TABLE_TALLY, key_span(&key), value);
	}
	assert_int_equal(store_begin_write(w->store, &txn), GAZ_OK);
	assert_int_equal(store_apply(txn, &set), GAZ_OK);
	assert_int_equal(store_commit(&txn), GAZ_OK);
	changeset_fini(&set);
}

static void assert_none_is_missed(const struct world *w)
{
	for (unsigned s = 0; s < SERVICES; s++) {
		for (unsigned i = 0; i < IDS; i++) {
			if (w->where[s][i] != NOWHERE)
				assert_false(excludes(w->filter, s, i));
		}
	}
}

static void open_world(struct world *w)
{
	memset(w, 0, sizeof *w);
	w->random = 7;
	strcpy(w->dir, "/tmp/gaz-filter-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(store_open(&(struct store_config){w->dir, schema_table_names,
							   TABLE_COUNT, SCHEMA_FORMAT, 0},
				    &w->store, NULL),
			 GAZ_OK);
	write_others(w);
	w->filter = instance_filter_new();
	assert_non_null(w->filter);
}

static void close_world(struct world *w)
{
	char command[128];

	instance_filter_free(&w->filter);
	store_close(&w->store);
	(void)snprintf(command, sizeof command, "rm -rf %s", w->dir);
	assert_int_equal(system(command), 0);
}

static void test_none_is_missed_that_moves_while_the_store_is_read(void **state)
{
	static struct world w;
	unsigned steps = 0;
	unsigned excluded = 0;

	(void)state;
	open_world(&w);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct instance_filling filling = {.is_under_way = false};

		/* The next one is a first one again. */
		instance_filter_free(&w.filter);
		w.filter = instance_filter_new();
		assert_non_null(w.filter);
		while (instance_filling_step(&filling, w.filter, w.store,
					     1 + draw(&w, 60))) {
			change_some(&w);
			steps++;
		}
		assert_false(instance_filter_is_full(w.filter));
		assert_none_is_missed(&w);
		change_some(&w);
		assert_none_is_missed(&w);
	}
	for (unsigned i = 0; i < IDS; i++)
		excluded += excludes(w.filter, SERVICES, i);
	assert_true(excluded > IDS * 9 / 10);
	assert_true(steps > ROUNDS);
	close_world(&w);
}

static void test_a_store_of_nothing_is_read_too(void **state)
{
	static struct world w;
	struct instance_filling filling = {.is_under_way = false};

	(void)state;
	open_world(&w);
	while (instance_filling_step(&filling, w.filter, w.store, 1))
		continue;
	assert_true(excludes(w.filter, 1, 1));
	assert_false(instance_filling_step(&filling, w.filter, w.store, 1));
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_excludes_nothing_before_it_knows),
		cmocka_unit_test(test_excludes_most_of_what_there_is_not),
		cmocka_unit_test(test_a_full_one_serves_until_it_has_a_successor),
		cmocka_unit_test(test_none_is_missed_that_moves_while_the_store_is_read),
		cmocka_unit_test(test_a_store_of_nothing_is_read_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
