/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/check.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "registry/check-internal.h"
#include "registry/healthcheck.h"
#include "registry/registry-internal.h"
#include "zone/zonedb.h"

/* What is looked at, in which order, and what is left over at the end. The parts say
 * what an entry must be like (check_resource.c and others). */

enum {
	NAME_TEXT_SIZE = 512,
	TIME_LEN = 8, /* of a time in a key */
};

/* ---- links that nobody has ---- */

/* Behind so many NULs and a time. */
static struct span id_behind(struct span key, unsigned nuls)
{
	for (; nuls > 0 && key.len > 0; key.data++, key.len--)
		nuls -= *key.data == '\0';
	if (key.len < TIME_LEN)
		return (struct span){NULL, 0};
	return (struct span){key.data + TIME_LEN, key.len - TIME_LEN};
}

/* Whose link is this? */
static struct span owner_of(enum schema_table table, struct span key, struct span value)
{
	struct reader r;
	const uint8_t *text;
	size_t len;

	switch (table) {
	case TABLE_NAMESPACE_ORDER:
		return id_behind(key, 2);
	case TABLE_SERVICE_ORDER:
		return id_behind(key, key.data[0] == 'p' ? 2 : 1);
	case TABLE_PENDING:
		return id_behind(key, 0);
	case TABLE_LOCK:
		reader_init(&r, value);
		len = reader_u32(&r);
		text = reader_take(&r, len);
		return (struct span){text, text ? len : 0};
	default:
		return value;
	}
}

static check_list_links *const lists[] = {check_namespace_links, check_service_links,
					  check_operation_links};

static gaz_status find_owner(struct check *c, enum schema_table table, struct span key,
			     const char *id, bool *found_out)
{
	*found_out = false;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct check_link links[CHECK_LINKS_MAX];
		size_t count = 0;
		gaz_status st = lists[i](c, id, links, &count);

		if (st != GAZ_OK)
			return st;
		for (size_t k = 0; k < count; k++) {
			if (links[k].table == table &&
			    check_is_same(key_span(&links[k].key), key))
				*found_out = true;
		}
	}
	return GAZ_OK;
}

static gaz_status report_stray(struct check *c, struct span key, struct span value)
{
	const char *id = check_text(c, owner_of(c->table, key, value));
	bool found;
	gaz_status st;

	if (!id)
		return GAZ_ENOMEM;
	st = find_owner(c, c->table, key, id, &found);
	if (st == GAZ_OK && !found)
		check_fault(c, c->table, key, "nothing belongs to this entry");
	return st;
}

/* Tables of links. Where the resources have found them all, nothing is left over. */
static gaz_status check_strays(struct check *c)
{
	static const enum schema_table tables[] = {
		TABLE_NAMESPACE_ORDER, TABLE_SERVICE_ORDER, TABLE_NAME, TABLE_LOCK,
		TABLE_PENDING,
	};
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < sizeof tables / sizeof *tables; i++) {
		size_t count = 0;

		st = store_count(c->txn, tables[i], &count);
		if (st == GAZ_OK && count != c->found[tables[i]])
			st = check_walk(c, tables[i], report_stray);
		else if (tables[i] != TABLE_PENDING)
			c->result.entries += count;
	}
	return st;
}

/* ---- the whole ---- */

static gaz_status check_tables(struct check *c)
{
	struct span name = {NULL, 0};
	gaz_status st = store_check_free_pages(c->txn);

	if (st == GAZ_ESTORE) {
		c->result.faults++;
		c->listener->fault(c->listener->arg, "pages", name,
				   "the list of free pages is damaged");
		st = GAZ_OK;
	}
	if (st == GAZ_OK)
		st = store_find_stranger(c->txn, name, &name);
	for (; st == GAZ_OK; st = store_find_stranger(c->txn, name, &name)) {
		char text[NAME_TEXT_SIZE];

		c->result.faults++;
		c->listener->fault(c->listener->arg,
				   log_escape(name.data, name.len, text, sizeof text),
				   (struct span){NULL, 0}, "no such table is known");
	}
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static gaz_status check_entries(struct check *c)
{
	static const struct {
		enum schema_table table;
		check_entry *entry;
	} tables[] = {
		{TABLE_OPERATION, check_operation_entry},
		{TABLE_OPERATION_LAST, check_operation_last_entry},
		{TABLE_NAMESPACE, check_namespace_entry},
		{TABLE_SERVICE, check_service_entry},
		{TABLE_INSTANCE, check_instance_entry},
		{TABLE_SERVICE_ATTRIBUTES, check_attributes_entry},
		{TABLE_TAG, check_tag_entry},
		{TABLE_TALLY, check_beside_tally},
		{TABLE_UPPER_TALLY, check_beside_tally},
		{TABLE_HEALTH_DUE, check_health_entry},
		{TABLE_VPC, check_vpc_entry},
	};
	gaz_status st = check_walk(c, TABLE_PENDING, check_pending_entry);

	check_sort_held(c);
	for (size_t i = 0; st == GAZ_OK && i < sizeof tables / sizeof *tables; i++)
		st = check_walk(c, tables[i].table, tables[i].entry);
	if (st == GAZ_OK)
		check_operation_lists(c);
	return st == GAZ_OK ? check_strays(c) : st;
}

static void drop_notices(void *arg, struct healthcheck_notice *take)
{
	(void)arg;
	healthcheck_free_notices(take);
}

/* The same that a start of the daemon does, so that this will not fail. As if health
 * checks were executed: else their results would be reset, and nothing is written here. */
static gaz_status check_zones(struct check *c, struct store *store)
{
	static const struct registry_config config = {.on_checks = drop_notices};
	struct registry *registry = NULL;
	struct zonedb *db = NULL;
	struct gaz_error err = {.text = ""};
	gaz_status st = zonedb_new(&db);

	if (st == GAZ_OK)
		st = registry_open(&config, store, db, &registry, &err);
	if (st == GAZ_ESTORE) {
		c->result.faults++;
		c->listener->fault(c->listener->arg, "zones", (struct span){NULL, 0},
				   err.text);
		st = GAZ_OK;
	}
	registry_close(&registry);
	zonedb_free(&db);
	return st;
}

gaz_status check_store(struct store *store, const struct check_listener *listener,
		       struct check_result *out)
{
	struct check c = {.listener = listener, .told_ms = clock_monotonic_ms()};
	gaz_status st = store_begin_read(store, &c.txn);

	if (st != GAZ_OK)
		return st;
	arena_init(&c.arena);
	arena_init(&c.held_arena);
	arena_init(&c.place_arena);
	c.call = (struct call){
		.arena = &c.arena, .txn = c.txn, .region = "", .account = ""};
	st = check_tables(&c);
	if (st == GAZ_OK)
		st = check_entries(&c);
	/* What is known to be damaged must not be loaded: who loads it trusts it. */
	if (st == GAZ_OK && c.result.faults == 0)
		st = check_zones(&c, store);
	store_abort(&c.txn);
	free(c.held);
	arena_fini(&c.arena);
	arena_fini(&c.held_arena);
	arena_fini(&c.place_arena);
	*out = c.result;
	return st;
}
