/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/trace.h"

#include <string.h>

#include "base/arena.h"
#include "dns/wire.h"
#include "zone/lookup.h"
#include "zone/zonedb-internal.h"

struct tracing {
	const struct zonedb *db;
	struct arena *arena;
	struct dname name;
	struct name_hashes hashes;
	struct view_tags tags;
	struct trace *out;
};

/* ---- VPCs ---- */

struct vpc_search {
	const char *id; /* or, if NULL, by number */
	int32_t number;
	const struct vpc *found;
};

static void match_vpc(void *entry, void *arg)
{
	const struct vpc *vpc = entry;
	struct vpc_search *search = arg;

	if (search->id ? strcmp(vpc->id, search->id) == 0 : vpc->number == search->number)
		search->found = vpc;
}

static const struct vpc *find_vpc(const struct zonedb *db, const char *id, int32_t number)
{
	struct vpc_search search = {id, number, NULL};

	nametable_read(&db->vpcs, match_vpc, &search);
	return search.found;
}

static const char *copy_vpc_id(const struct tracing *t, int32_t number)
{
	const struct vpc *vpc = find_vpc(t->db, NULL, number);

	return vpc ? arena_strdup(t->arena, vpc->id) : NULL;
}

static void trace_source(struct tracing *t, const struct netaddr *source,
			 const char *listener_vpc)
{
	const struct vpc *own = listener_vpc ? find_vpc(t->db, listener_vpc, 0) : NULL;

	view_find(t->db, source, own ? own->number : VIEW_NO_VPC, &t->tags);
	t->out->undeclared = t->tags.undeclared;
	t->out->vpc_ids =
		arena_alloc(t->arena, (t->tags.count + 1) * sizeof *t->out->vpc_ids);
	for (uint32_t i = 0; t->out->vpc_ids && i < t->tags.count; i++) {
		const char *id = copy_vpc_id(t, t->tags.vpcs[i]);

		if (id)
			t->out->vpc_ids[t->out->vpc_count++] = id;
	}
}

/* ---- zones ---- */

static const char *copy_name(const struct tracing *t, const uint8_t *wire)
{
	char text[DNAME_TEXT_SIZE];

	return arena_strdup(t->arena, dname_to_text(wire, text));
}

static struct trace_zone copy_zone(const struct tracing *t, const struct zone *zone)
{
	return (struct trace_zone){
		.id = arena_strdup(t->arena, zone->id),
		.name = copy_name(t, zone->apex->wire),
		.kind = zone->kind,
		.vpc_id = zone->vpc ? arena_strdup(t->arena, zone->vpc->id) : NULL,
	};
}

struct zone_walk {
	struct tracing *t;
	const struct zone *chosen;
	size_t count;
	size_t cap; /* 0: only count */
};

static void visit_apex(void *entry, void *arg)
{
	const struct apex *apex = entry;
	struct zone_walk *walk = arg;
	const struct dname *name = &walk->t->name;

	if (apex->labels > name->labels || !dname_is_within(name->wire, apex->wire))
		return;
	for (const struct zone *zone = atomic_load(&apex->zones); zone;
	     zone = atomic_load(&zone->next)) {
		if (zone == walk->chosen)
			continue;
		if (walk->count < walk->cap)
			walk->t->out->others[walk->count] = copy_zone(walk->t, zone);
		walk->count++;
	}
}

static void trace_others(struct tracing *t, const struct zone *chosen)
{
	struct zone_walk walk = {t, chosen, 0, 0};

	nametable_read(&t->db->apexes, visit_apex, &walk);
	t->out->others = arena_alloc(t->arena, (walk.count + 1) * sizeof *t->out->others);
	if (!t->out->others)
		return;
	walk = (struct zone_walk){t, chosen, 0, walk.count};
	nametable_read(&t->db->apexes, visit_apex, &walk);
	t->out->other_count = walk.count < walk.cap ? walk.count : walk.cap;
}

/* ---- names ---- */

static bool is_wildcard(const struct node *node)
{
	return node->name_len > 1 && node->name[0] == 1 && node->name[1] == '*';
}

static enum trace_match match_of(const struct tracing *t,
				 const struct lookup_found *found)
{
	switch (found->kind) {
	case LOOKUP_CUT:
		return TRACE_DELEGATION;
	case LOOKUP_DNAME:
		return TRACE_DNAME;
	case LOOKUP_NODE:
		if (is_wildcard(found->node) &&
		    !(t->name.wire[0] == 1 && t->name.wire[1] == '*'))
			return TRACE_WILDCARD;
		return found->node->rrset_count > 0 ? TRACE_EXACT : TRACE_NO_RECORDS;
	case LOOKUP_MISSING:
		break;
	}
	return TRACE_MISSING;
}

static void trace_node(struct tracing *t, const struct zone *zone, uint16_t qtype)
{
	struct lookup_found found = lookup_node(t->db, zone, &t->name, &t->hashes, qtype);
	uint8_t owner[DNAME_MAX];
	const struct rrset *cname;
	uint32_t len;

	t->out->match = match_of(t, &found);
	t->out->owner = copy_name(t, t->name.wire);
	if (!found.node)
		return;
	memcpy(owner, found.node->name, found.node->name_len);
	memcpy(owner + found.node->name_len, zone->apex->wire, zone->apex->len);
	t->out->owner = copy_name(t, owner);
	cname = node_find_rrset(found.node, DNS_TYPE_CNAME);
	if (cname && qtype != DNS_TYPE_CNAME)
		t->out->cname =
			copy_name(t, rrset_record(cname, 0, &len) + RRSET_RDATA_AT);
}

gaz_status trace_name(const struct zonedb *db, const struct netaddr *source,
		      const char *listener_vpc, const uint8_t *name, uint16_t qtype,
		      struct arena *arena, struct trace *out)
{
	struct tracing t = {.db = db, .arena = arena, .out = out};
	const struct zone *zone;

	*out = (struct trace){0};
	(void)dname_parse(name, DNAME_MAX, &t.name);
	namehash_make(db, &t.name, &t.hashes);
	rcu_read_lock();
	trace_source(&t, source, listener_vpc);
	zone = lookup_zone(db, &t.tags, &t.name, &t.hashes);
	trace_others(&t, zone);
	if (zone) {
		out->zone = copy_zone(&t, zone);
		trace_node(&t, zone, qtype);
	}
	rcu_read_unlock();
	return arena->failed ? GAZ_ENOMEM : GAZ_OK;
}
