/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/zone.h"

#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "registry/registry-internal.h"
#include "registry/reverse.h"
#include "zone/zonedir.h"
#include "zone/zonefile.h"
#include "zone/zonelist.h"

enum {
	FIRST_ITEMS = 16
};

/* Zones on their way into the reply. */
struct gathering {
	struct arena *arena;
	const char *wanted;	 /* NULL: all */
	uint8_t name[DNAME_MAX]; /* the same as a name */
	bool is_name;
	struct zone_item *items;
	size_t count;
	size_t cap;
};

static void start(struct call *call, const struct zone_in *in, struct gathering *g)
{
	size_t len;

	*g = (struct gathering){.arena = call->arena, .wanted = in->zone};
	g->is_name = in->zone && dname_from_text(in->zone, g->name, &len) == GAZ_OK;
}

static bool is_wanted(const struct gathering *g, const char *id, const uint8_t *apex)
{
	return !g->wanted || strcmp(g->wanted, id) == 0 ||
	       (g->is_name && apex && dname_equal(g->name, apex));
}

static const char *print_name(struct gathering *g, const uint8_t *apex)
{
	char text[DNAME_TEXT_SIZE];
	size_t len = strlen(dname_to_text(apex, text));

	return arena_strndup(g->arena, text, len > 1 ? len - 1 : len);
}

/* Room for one more; NULL: out of memory, which the arena remembers. */
static struct zone_item *add_item(struct gathering *g)
{
	if (g->count == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : FIRST_ITEMS;
		struct zone_item *grown = arena_alloc(g->arena, cap * sizeof *grown);

		if (!grown)
			return NULL;
		if (g->count > 0)
			memcpy(grown, g->items, g->count * sizeof *grown);
		g->items = grown;
		g->cap = cap;
	}
	return &g->items[g->count++];
}

static void on_zone(void *arg, const struct zonelist_zone *zone)
{
	static const char *const types[] = {
		[ZONE_PRIVATE] = "DNS_PRIVATE",
		[ZONE_PUBLIC] = "DNS_PUBLIC",
		[ZONE_STATIC] = "STATIC",
	};
	struct gathering *g = arg;
	struct zone_item *item;

	if (reverse_is_zone(zone->id) || !is_wanted(g, zone->id, zone->apex))
		return;
	item = add_item(g);
	if (!item)
		return;
	*item = (struct zone_item){
		.name = print_name(g, zone->apex),
		.id = arena_strdup(g->arena, zone->id),
		.type = types[zone->kind],
		.vpc_id = zone->vpc_id ? arena_strdup(g->arena, zone->vpc_id) : NULL,
		.is_served = true,
		.has_serial = zone->has_serial,
		.serial = zone->serial,
		.names = zone->names,
		.records = zone->records,
		.loaded_ms = zone->created_ms,
	};
}

static bool is_same_id(const struct zone_item *a, const struct zone_item *b)
{
	return strcmp(a->id, b->id) == 0;
}

/* A file: what is known of a zone that is there already, or one that is not served. */
static void on_file(void *arg, const struct zonedir_zone *file)
{
	struct gathering *g = arg;
	char id[ZONEFILE_ID_SIZE] = "";
	struct zone_item *item;

	if (file->apex)
		(void)zonefile_id(file->apex, id);
	if (!is_wanted(g, id, file->apex) || !(item = add_item(g)))
		return;
	*item = (struct zone_item){
		.name = file->apex ? print_name(g, file->apex) : "",
		.id = arena_strdup(g->arena, id),
		.type = "STATIC",
		.path = arena_strdup(g->arena, file->path),
		.is_served = file->is_served,
		.loaded_ms = file->loaded_ms,
		.tried_ms = file->tried_ms,
		.error = file->has_failed ? arena_strdup(g->arena, file->error) : NULL,
		.warnings = file->warnings,
	};
}

/* By name; of one name the served first, then by id. */
static int by_name(const void *left, const void *right)
{
	const struct zone_item *a = left;
	const struct zone_item *b = right;
	int order = strcmp(a->name, b->name);

	if (order == 0)
		order = strcmp(a->id, b->id);
	return order ? order : (int)(a->path != NULL) - (int)(b->path != NULL);
}

/* What the database knows of a zone and what the folder knows become one item. */
static void unite(struct zone_item *zone, const struct zone_item *file)
{
	zone->path = file->path;
	zone->loaded_ms = file->loaded_ms;
	zone->tried_ms = file->tried_ms;
	zone->error = file->error;
	zone->warnings = file->warnings;
}

static void unite_all(struct gathering *g)
{
	size_t kept = 0;

	if (g->count > 1)
		qsort(g->items, g->count, sizeof *g->items, by_name);
	for (size_t i = 0; i < g->count; i++) {
		struct zone_item *before = kept > 0 ? &g->items[kept - 1] : NULL;

		if (before && !before->path && g->items[i].is_served &&
		    g->items[i].path && is_same_id(before, &g->items[i]))
			unite(before, &g->items[i]);
		else
			g->items[kept++] = g->items[i];
	}
	g->count = kept;
}

static gaz_status gather(struct call *call, const struct zone_in *in, struct gathering *g)
{
	const struct registry *r = call->registry;

	start(call, in, g);
	/* The folder first: what it says is served is then in the database, unless it
	 * has gone meanwhile. */
	if (r->config.zonedir)
		zonedir_read(r->config.zonedir, on_file, g);
	zonelist_read(r->db, on_zone, g);
	if (call->arena->failed)
		return GAZ_ENOMEM;
	unite_all(g);
	if (in->zone && g->count == 0)
		return fault_set(&call->fault, FAULT_RESOURCE_NOT_FOUND,
				 "There is no zone %.255s", in->zone);
	return GAZ_OK;
}

gaz_status zone_list(struct call *call, const void *in, void *out)
{
	struct zone_page_out *page = out;
	struct gathering g;
	gaz_status st = gather(call, in, &g);

	if (st == GAZ_OK)
		*page = (struct zone_page_out){g.items, g.count};
	return st;
}

gaz_status zone_export(struct call *call, const void *in, void *out)
{
	const struct zone_in *input = in;
	const int *fd = out;
	const struct zone_item *found = NULL;
	struct gathering g;
	gaz_status st = gather(call, in, &g);

	if (st != GAZ_OK)
		return st;
	for (size_t i = 0; i < g.count; i++) {
		if (!g.items[i].is_served)
			continue;
		if (found)
			return fault_set(
				&call->fault, FAULT_INVALID_INPUT,
				"Several zones are called %.255s; give the id of "
				"one of them, as ListZones tells it",
				input->zone);
		found = &g.items[i];
	}
	st = found ? zonelist_write(call->registry->db, found->id, *fd) : GAZ_ENOTFOUND;
	if (st == GAZ_ENOTFOUND)
		return fault_set(&call->fault, FAULT_RESOURCE_NOT_FOUND,
				 "The zone %.255s is not served", input->zone);
	return st;
}

gaz_status zone_publish_files(struct call *call, const void *in, void *out)
{
	(void)out;
	call->is_edited = true;
	return zonedir_stage((struct zonedir *)in, call->edit);
}
