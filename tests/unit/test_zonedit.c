/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <urcu.h>

#include "dns/name.h"
#include "dns/wire.h"
#include "zone/host.h"
#include "zone/lookup.h"
#include "zone/view.h"
#include "zonefixture.h"

/* The linker sends our allocations here: the n-th from now on fails. */
static long fail_at; /* 0: none does */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

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

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return must_fail() ? NULL : __real_aligned_alloc(align, size);
}

static struct fixture fx;
static struct answer got;

static int open_fixture(void **state)
{
	(void)state;
	fixture_open(&fx);
	return 0;
}

static int close_fixture(void **state)
{
	(void)state;
	fixture_close(&fx);
	return 0;
}

static void assert_rcode(const char *name, const char *type, unsigned rcode,
			 const char *answer)
{
	ask(&fx, "192.0.2.9", name, type, &got);
	assert_int_equal(got.rcode, rcode);
	assert_string_equal(got.sections[0], answer);
}

static size_t count_names(void)
{
	struct zonedb_stats stats;

	zonedb_stats(fx.db, &stats);
	return stats.names;
}

static void test_parents_come_and_go_with_their_children(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);

	(void)state;
	fixture_add(&fx, zone, "a.b.c.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	assert_int_equal(count_names(), 4);
	assert_rcode("b.c.example.com.", "A", 0, "");
	assert_rcode("c.example.com.", "A", 0, "");
	fixture_add(&fx, zone, "x.c.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	fixture_remove(&fx, zone, "a.b.c.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	assert_rcode("b.c.example.com.", "A", 3, "");
	assert_rcode("c.example.com.", "A", 0, "");
	fixture_add(&fx, zone, "c.example.com. 60 IN A 192.0.2.2");
	fixture_remove(&fx, zone, "x.c.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	assert_rcode("c.example.com.", "A", 0, "c.example.com. 60 IN A 192.0.2.2\n");
	assert_rcode("x.c.example.com.", "A", 3, "");
	fixture_remove(&fx, zone, "c.example.com. 60 IN A 192.0.2.2");
	fixture_publish(&fx);
	assert_rcode("c.example.com.", "A", 3, "");
	assert_int_equal(count_names(), 1);
}

static void
test_name_with_children_becomes_a_parent_when_it_loses_its_records(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);

	(void)state;
	fixture_add(&fx, zone, "c.example.com. 60 IN A 192.0.2.2");
	fixture_add(&fx, zone, "x.c.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	fixture_remove(&fx, zone, "c.example.com. 60 IN A 192.0.2.2");
	fixture_publish(&fx);
	assert_rcode("c.example.com.", "A", 0, "");
	assert_int_equal(count_names(), 3);
}

static void test_edit_sees_its_own_changes(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);

	(void)state;
	fixture_publish(&fx);
	for (int i = 0; i < 3; i++) { /* the last one stays removed */
		fixture_add(&fx, zone, "x.c.example.com. 60 IN A 192.0.2.1");
		fixture_remove(&fx, zone, "x.c.example.com. 60 IN A 192.0.2.1");
	}
	fixture_publish(&fx);
	assert_int_equal(count_names(), 1);
	fixture_add(&fx, zone, "x.c.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	fixture_remove(&fx, zone, "x.c.example.com. 60 IN A 192.0.2.1");
	fixture_add(&fx, zone, "x.c.example.com. 61 IN A 192.0.2.2");
	fixture_publish(&fx);
	assert_rcode("x.c.example.com.", "A", 0, "x.c.example.com. 61 IN A 192.0.2.2\n");
	assert_int_equal(count_names(), 3);
}

static void test_zone_added_filled_and_removed_in_one_edit_leaves_nothing(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);

	(void)state;
	fixture_add(&fx, zone, "a.b.example.com. 60 IN A 192.0.2.1");
	assert_int_equal(zonedit_remove_zone(fx.edit, zone), GAZ_OK);
	assert_null(zonedit_find_zone(fx.edit, "z."));
	zone = fixture_full_zone(&fx, "z.", "example.net.", NULL, 1);
	assert_ptr_equal(zonedit_find_zone(fx.edit, "z."), zone);
	fixture_publish(&fx);
	assert_rcode("a.b.example.com.", "A", 5, "");
	assert_rcode("a.b.example.net.", "A", 3, "");
	assert_int_equal(count_names(), 1);
}

static void test_removed_zone_is_gone_with_all_names(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);

	(void)state;
	for (int i = 0; i < 100; i++) {
		char text[64];

		(void)snprintf(text, sizeof text, "n%d.x.example.com. 60 IN A 192.0.2.1",
			       i);
		fixture_add(&fx, zone, text);
	}
	fixture_publish(&fx);
	fixture_add(&fx, zone, "late.example.com. 60 IN A 192.0.2.1");
	assert_int_equal(zonedit_remove_zone(fixture_edit(&fx), zone), GAZ_OK);
	fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);
	fixture_publish(&fx);
	assert_rcode("n1.x.example.com.", "A", 3, "");
	assert_rcode("late.example.com.", "A", 3, "");
	assert_int_equal(count_names(), 1);
}

static void test_dropped_edit_changes_nothing(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);

	(void)state;
	fixture_add(&fx, zone, "a.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	for (int prepared = 0; prepared < 2; prepared++) {
		fixture_remove(&fx, zone, "a.example.com. 60 IN A 192.0.2.1");
		fixture_add(&fx, zone, "b.example.com. 60 IN A 192.0.2.1");
		fixture_full_zone(&fx, "y.", "example.net.", NULL, 1);
		assert_int_equal(zonedit_remove_zone(fx.edit, zone), GAZ_OK);
		if (prepared)
			assert_int_equal(zonedit_prepare(fx.edit), GAZ_OK);
		zonedit_free(&fx.edit);
		assert_rcode("a.example.com.", "A", 0,
			     "a.example.com. 60 IN A 192.0.2.1\n");
		assert_rcode("b.example.com.", "A", 3, "");
		assert_rcode("example.net.", "A", 5, "");
		assert_ptr_equal(zonedit_find_zone(fixture_edit(&fx), "z."), zone);
		assert_null(zonedit_find_zone(fixture_edit(&fx), "y."));
	}
}

static void test_conflicting_records_are_refused(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);
	struct line line;

	(void)state;
	fixture_add(&fx, zone, "a.example.com. 60 IN A 192.0.2.1");
	assert_int_equal(
		fixture_try(&fx, zone, "a.example.com. 60 IN CNAME b.", RRSET_ALL, true),
		GAZ_EEXISTS);
	assert_int_equal(
		fixture_try(&fx, zone, "example.com. 60 IN CNAME b.", RRSET_ALL, true),
		GAZ_EEXISTS);
	assert_int_equal(fixture_try(&fx, zone, "a.example.com. 60 IN A 192.0.2.2",
				     RRSET_MULTIVALUE, true),
			 GAZ_EEXISTS);
	assert_int_equal(fixture_try(&fx, zone, "a.example.com. 61 IN A 192.0.2.2",
				     RRSET_ALL, true),
			 GAZ_EEXISTS);
	fixture_add(&fx, zone, "c.example.com. 60 IN CNAME b.");
	assert_int_equal(fixture_try(&fx, zone, "c.example.com. 60 IN A 192.0.2.1",
				     RRSET_ALL, true),
			 GAZ_EEXISTS);
	assert_int_equal(
		fixture_try(&fx, zone, "c.example.com. 60 IN CNAME d.", RRSET_ALL, true),
		GAZ_EEXISTS);
	assert_int_equal(fixture_try(&fx, zone, "a.example.org. 60 IN A 192.0.2.1",
				     RRSET_ALL, true),
			 GAZ_EFORMAT);
	assert_int_equal(
		fixture_try(&fx, zone, "com. 60 IN A 192.0.2.1", RRSET_ALL, true),
		GAZ_EFORMAT);
	assert_int_equal(fixture_try(&fx, zone, "xexample.com. 60 IN A 192.0.2.1",
				     RRSET_ALL, true),
			 GAZ_EFORMAT);
	line_parse(&line, "a.example.com. 60 IN A 192.0.2.1");
	line.record.rdata_len = 3;
	assert_int_equal(zonedit_add_record(fx.edit, zone, line.owner, &line.record),
			 GAZ_EFORMAT);
	line_parse(&line, "d.example.com. 60 IN A 192.0.2.1");
	assert_int_equal(zonedit_check_record(fx.edit, zone, line.owner, &line.record),
			 GAZ_OK);
	assert_int_equal(zonedit_remove_record(fx.edit, zone, line.owner, &line.record),
			 GAZ_ENOTFOUND);
	fixture_publish(&fx);
	assert_rcode("d.example.com.", "A", 3, "");
	assert_rcode("a.example.com.", "A", 0, "a.example.com. 60 IN A 192.0.2.1\n");
}

static void test_removal_minds_health_and_ttl_changes_all(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);
	struct line line;

	(void)state;
	assert_int_equal(fixture_try(&fx, zone, "a.example.com. 60 IN A 192.0.2.1",
				     RRSET_MULTIVALUE, false),
			 GAZ_OK);
	assert_int_equal(fixture_try(&fx, zone, "a.example.com. 60 IN A 192.0.2.2",
				     RRSET_MULTIVALUE, true),
			 GAZ_OK);
	fixture_publish(&fx);
	line_parse(&line, "a.example.com. 60 IN A 192.0.2.1");
	assert_int_equal(
		zonedit_remove_record(fixture_edit(&fx), zone, line.owner, &line.record),
		GAZ_ENOTFOUND);
	assert_int_equal(zonedit_set_ttl(fx.edit, zone, line.owner, 1, 7), GAZ_OK);
	assert_int_equal(zonedit_set_ttl(fx.edit, zone, line.owner, 28, 7),
			 GAZ_ENOTFOUND);
	fixture_publish(&fx);
	assert_rcode("a.example.com.", "A", 0, "a.example.com. 7 IN A 192.0.2.2\n");
	assert_int_equal(zonedit_remove_rrset(fixture_edit(&fx), zone, line.owner, 1),
			 GAZ_OK);
	assert_int_equal(zonedit_remove_rrset(fx.edit, zone, line.owner, 1), GAZ_OK);
	fixture_publish(&fx);
	assert_rcode("a.example.com.", "A", 3, "");
}

/* A set that goes out whole fits into one message, the others grow to 65,535. */
static void test_set_may_not_outgrow_its_limit(void **state)
{
	static const struct {
		enum rrset_policy policy;
		uint32_t records;
	} cases[] = {
		{RRSET_ALL, (65535 - 12 - 259 - 11) / 16},
		{RRSET_MULTIVALUE, 65535},
	};
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);
	uint8_t address[4];
	struct line line;

	(void)state;
	for (int c = 0; c < 2; c++) {
		line_parse(&line, c ? "b.example.com. 60 IN A 192.0.2.1"
				    : "a.example.com. 60 IN A 192.0.2.1");
		line.record.rdata = address;
		line.record.policy = cases[c].policy;
		for (uint32_t i = 0; i < cases[c].records; i++) {
			wire_put_u32(address, i);
			assert_int_equal(zonedit_add_record(fx.edit, zone, line.owner,
							    &line.record),
					 GAZ_OK);
		}
		assert_int_equal(
			zonedit_add_record(fx.edit, zone, line.owner, &line.record),
			GAZ_ELIMIT);
	}
	fixture_publish(&fx);
	ask(&fx, "192.0.2.9", "b.example.com.", "A", &got);
	assert_int_equal(wire_get_u16(got.wire + 6), 8);
}

/* One record alone may be too large for a message, too. */
static void test_record_may_not_outgrow_a_message(void **state)
{
	static uint8_t rdata[65535];
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);
	struct zone_record record = {
		65280, 65535 - 12 - 259 - 11 - 12 + 1, 60, RRSET_ALL, true, rdata};
	const uint8_t *owner = (const uint8_t *)"\1a\7example\3com";

	(void)state;
	assert_int_equal(zonedit_add_record(fx.edit, zone, owner, &record), GAZ_ELIMIT);
	record.rdata_len = sizeof rdata;
	assert_int_equal(zonedit_check_record(fx.edit, zone, owner, &record), GAZ_ELIMIT);
	record.rdata_len = 65535 - 12 - 259 - 11 - 12;
	assert_int_equal(zonedit_add_record(fx.edit, zone, owner, &record), GAZ_OK);
	fixture_publish(&fx);
}

/* Equal ones are one to whoever asks, however many there are. */
static void test_many_equal_records_of_a_type_of_which_one_answers(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);

	(void)state;
	for (int i = 0; i < 2 * RRSET_APART_MIN; i++) {
		assert_int_equal(fixture_try(&fx, zone, "a.example.com. 60 IN CNAME b.",
					     RRSET_MULTIVALUE, true),
				 GAZ_OK);
		fixture_publish(&fx);
	}
	assert_int_equal(fixture_try(&fx, zone, "a.example.com. 60 IN CNAME c.",
				     RRSET_MULTIVALUE, true),
			 GAZ_EEXISTS);
	assert_rcode("a.example.com.", "CNAME", 0, "a.example.com. 60 IN CNAME b.\n");
}

/* Ten zones: kept alive by what was published before, and one edit of every
 * kind of change, of which the n-th allocation fails. */

static struct zone *start_state(void)
{
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);

	fixture_add(&fx, zone, "a.b.example.com. 60 IN A 192.0.2.1");
	fixture_add(&fx, zone, "c.example.com. 60 IN A 192.0.2.1");
	fixture_full_zone(&fx, "gone.", "gone.example.", NULL, 1);
	fixture_publish(&fx);
	return zone;
}

static gaz_status add_many(struct zonedit *edit, struct zone *zone)
{
	uint8_t owner[DNAME_MAX];
	uint8_t address[4] = {192, 0, 2, 7};
	struct zone_record record = {1, 4, 60, RRSET_ALL, true, address};
	gaz_status st = GAZ_OK;
	size_t len;

	for (int i = 0; i < 120 && st == GAZ_OK; i++) {
		char text[64];

		(void)snprintf(text, sizeof text, "n%d.e.example.com", i);
		if (dname_from_text(text, owner, &len) != GAZ_OK)
			return GAZ_EFORMAT;
		st = zonedit_add_record(edit, zone, owner, &record);
	}
	return st;
}

/* Aliases make hosts, which have to go again. */
static gaz_status add_aliases(struct zonedit *edit, struct zone *zone)
{
	static const uint8_t owner[] = "\5alias\7example\3com";
	static const char *const targets[] = {"\1a\4test", "\1b\4test", "\1a\4test"};
	gaz_status st = GAZ_OK;

	for (uint16_t i = 0; i < 6 && st == GAZ_OK; i++) {
		struct zone_record record = {
			(uint16_t)(RRSET_ALIAS_A + i / 3), 8, 60, RRSET_WEIGHTED, true,
			(const uint8_t *)targets[i % 3]};

		st = zonedit_add_record(edit, zone, owner, &record);
	}
	return st;
}

static gaz_status edit_everything(struct zonedit *edit, struct zone *zone,
				  const struct line *gone, const struct line *more)
{
	static const struct netprefix prefix = {{AF_INET, {10}}, 8};
	static const struct vpc_decl vpc = {"vpc-a", &prefix, 1};
	struct zone_spec spec = {"new.", (const uint8_t *)"\3new\7example", ZONE_PRIVATE,
				 "vpc-n", 1};
	struct zone *added;
	gaz_status st;

	if ((st = zonedit_add_zone(edit, &spec, &added)) != GAZ_OK ||
	    (st = zonedit_remove_zone(edit, zonedit_find_zone(edit, "gone."))) !=
		    GAZ_OK ||
	    (st = zonedit_remove_record(edit, zone, gone->owner, &gone->record)) !=
		    GAZ_OK ||
	    (st = zonedit_add_record(edit, zone, more->owner, &more->record)) != GAZ_OK ||
	    (st = add_many(edit, zone)) != GAZ_OK ||
	    (st = add_aliases(edit, zone)) != GAZ_OK ||
	    (st = zonedit_set_vpcs(edit, &vpc, 1, false)) != GAZ_OK)
		return st;
	return zonedit_prepare(edit);
}

static void assert_start_state(void)
{
	assert_rcode("a.b.example.com.", "A", 0, "a.b.example.com. 60 IN A 192.0.2.1\n");
	assert_rcode("c.example.com.", "A", 0, "c.example.com. 60 IN A 192.0.2.1\n");
	assert_rcode("e.example.com.", "A", 3, "");
	assert_rcode("gone.example.", "A", 0, "");
	assert_rcode("new.example.", "A", 5, "");
	assert_null(host_find(fx.db, (const uint8_t *)"\1a\4test"));
	assert_null(host_find(fx.db, (const uint8_t *)"\1b\4test"));
	assert_int_equal(count_names(), 5);
}

static void test_every_failed_allocation_leaves_the_database_as_it_was(void **state)
{
	struct zone *zone = start_state();
	struct line gone;
	struct line more;
	gaz_status st = GAZ_ENOMEM;
	long n = 0;

	(void)state;
	line_parse(&gone, "a.b.example.com. 60 IN A 192.0.2.1");
	line_parse(&more, "c.example.com. 60 IN A 192.0.2.2");
	while (st != GAZ_OK) {
		struct zonedit *edit = NULL;

		fail_at = ++n;
		st = zonedit_new(fx.db, &edit);
		if (st == GAZ_OK)
			st = edit_everything(edit, zone, &gone, &more);
		fail_at = 0;
		if (st != GAZ_OK) {
			assert_int_equal(st, GAZ_ENOMEM);
			zonedit_free(&edit);
			assert_start_state();
		} else {
			zonedit_publish(&edit);
		}
	}
	assert_true(n > 50);
	assert_rcode("a.b.example.com.", "A", 3, "");
	assert_rcode("b.example.com.", "A", 3, "");
	assert_rcode("n7.e.example.com.", "A", 0,
		     "n7.e.example.com. 60 IN A 192.0.2.7\n");
	assert_rcode("gone.example.", "A", 5, "");
	ask(&fx, "127.0.0.1", "new.example.", "A", &got);
	assert_int_equal(got.rcode, 0);
}

/* Readers ask all the time while the writer swaps an address and its parent;
 * every answer must be one of the two states. */

static atomic_bool stop;
static atomic_uint wrong;
static atomic_uint asked;

static void check_reply(const uint8_t *reply, size_t query_len, size_t len)
{
	unsigned answers = wire_get_u16(reply + 6);
	unsigned rcode = reply[3] & 15u;
	uint8_t last = reply[len - 1];

	if (answers == 1 ? rcode != 0 || len != query_len + 16 || (last != 1 && last != 2)
			 : answers != 0 || (rcode != 3 && rcode != 5))
		atomic_fetch_add(&wrong, 1);
}

static void *run_reader(void *arg)
{
	struct answer_context ctx = {0};
	uint8_t query[512];
	uint8_t reply[ANSWER_UDP_CAP];
	struct answer_request req = request_make(
		"192.0.2.9", query, query_make(query, "x.y.example.com.", "A", 0));

	(void)arg;
	rcu_register_thread();
	ctx.db = fx.db;
	rng_seed(&ctx.rng, 1);
	while (!atomic_load(&stop)) {
		size_t len;

		rcu_read_lock();
		len = answer_query(&ctx, &req, reply, sizeof reply);
		check_reply(reply, req.len, len);
		rcu_read_unlock();
		atomic_fetch_add(&asked, 1);
	}
	rcu_unregister_thread();
	return NULL;
}

static void edit_once(int round)
{
	struct zone *zone = zonedit_find_zone(fixture_edit(&fx), "z.");

	switch (round % 6) {
	case 0:
		zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);
		break;
	case 1:
		fixture_add(&fx, zone, "x.y.example.com. 60 IN A 192.0.2.1");
		break;
	case 2:
		fixture_remove(&fx, zone, "x.y.example.com. 60 IN A 192.0.2.1");
		fixture_add(&fx, zone, "x.y.example.com. 60 IN A 192.0.2.2");
		break;
	case 3:
		for (int i = 0; i < 200; i++) { /* the table grows */
			char text[64];

			(void)snprintf(text, sizeof text,
				       "n%d.example.com. 60 IN A 192.0.2.3", i);
			fixture_add(&fx, zone, text);
		}
		break;
	case 4:
		fixture_remove(&fx, zone, "x.y.example.com. 60 IN A 192.0.2.2");
		fixture_vpcs(&fx, "vpc-a=10.0.0.0/8");
		break;
	default:
		assert_int_equal(zonedit_remove_zone(fx.edit, zone), GAZ_OK);
	}
	fixture_publish(&fx);
}

static void test_readers_see_whole_states_during_edits(void **state)
{
	pthread_t readers[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, run_reader, NULL), 0);
	for (int round = 0; round < 1200 || atomic_load(&asked) < 10000; round++)
		edit_once(round);
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(readers[i], NULL), 0);
	assert_int_equal(atomic_load(&wrong), 0);
}

/* A reader that has found a zone keeps its names, though the zone is removed. */

static atomic_bool is_found;
static atomic_bool is_kept;

static void *read_through_removal(void *arg)
{
	const struct view_tags tags = {0};
	struct name_hashes hashes;
	struct dname name;
	const struct zone *zone;
	bool kept = true;

	(void)arg;
	rcu_register_thread();
	(void)dname_parse((const uint8_t *)"\1x\7example\3com", DNAME_MAX, &name);
	namehash_make(fx.db, &name, &hashes);
	rcu_read_lock();
	zone = lookup_zone(fx.db, &tags, &name, &hashes);
	atomic_store(&is_found, true);
	while (lookup_zone(fx.db, &tags, &name, &hashes))
		;
	for (int i = 0; i < 100000; i++)
		kept = kept &&
		       lookup_node(fx.db, zone, &name, &hashes, DNS_TYPE_A).kind ==
			       LOOKUP_NODE;
	atomic_store(&is_kept, kept);
	rcu_read_unlock();
	rcu_unregister_thread();
	return NULL;
}

static void test_reader_keeps_the_names_of_a_zone_being_removed(void **state)
{
	struct zone *zone = fixture_full_zone(&fx, "z.", "example.com.", NULL, 1);
	pthread_t reader;

	(void)state;
	fixture_add(&fx, zone, "x.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	assert_int_equal(pthread_create(&reader, NULL, read_through_removal, NULL), 0);
	while (!atomic_load(&is_found))
		;
	assert_int_equal(zonedit_remove_zone(fixture_edit(&fx), zone), GAZ_OK);
	fixture_publish(&fx);
	assert_int_equal(pthread_join(reader, NULL), 0);
	assert_true(atomic_load(&is_kept));
	assert_rcode("x.example.com.", "A", 5, "");
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_parents_come_and_go_with_their_children),
		T(test_name_with_children_becomes_a_parent_when_it_loses_its_records),
		T(test_edit_sees_its_own_changes),
		T(test_zone_added_filled_and_removed_in_one_edit_leaves_nothing),
		T(test_removed_zone_is_gone_with_all_names),
		T(test_dropped_edit_changes_nothing),
		T(test_conflicting_records_are_refused),
		T(test_removal_minds_health_and_ttl_changes_all),
		T(test_set_may_not_outgrow_its_limit),
		T(test_record_may_not_outgrow_a_message),
		T(test_many_equal_records_of_a_type_of_which_one_answers),
		T(test_every_failed_allocation_leaves_the_database_as_it_was),
		T(test_readers_see_whole_states_during_edits),
		T(test_reader_keeps_the_names_of_a_zone_being_removed),
	};
	int failed;

	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failed;
}
