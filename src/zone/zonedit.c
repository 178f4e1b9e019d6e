/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/zonedit.h"

#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "zone/apex-internal.h"
#include "zone/host-internal.h"
#include "zone/zonedit-internal.h"

enum {
	FIRST_BUCKETS = 16
};

/* An owner name of a change. */
struct owner {
	struct dname name;
	struct name_hashes hashes;
};

gaz_status zonedit_new(struct zonedb *db, struct zonedit **out)
{
	struct zonedit *edit = calloc(1, sizeof *edit);

	if (!edit)
		return GAZ_ENOMEM;
	edit->db = db;
	edit->bucket_count = FIRST_BUCKETS;
	edit->buckets = calloc(FIRST_BUCKETS, sizeof(struct draft *));
	if (!edit->buckets) {
		free(edit);
		return GAZ_ENOMEM;
	}
	arena_init(&edit->arena);
	*out = edit;
	return GAZ_OK;
}

void zonedit_destroy(struct zonedit *edit)
{
	arena_fini(&edit->arena);
	free(edit->buckets);
	free(edit->removed);
	free(edit->orphans);
	free(edit->garbage);
	free(edit->view);
	free(edit);
}

static bool is_same(const void *entry, const void *key)
{
	return entry == key;
}

static uint64_t id_hash(const struct zonedb *db, const char *id)
{
	return keyhash_extend(&db->key, 0, id, strlen(id));
}

void zonedit_forget_zone(struct zonedb *db, struct zone *zone)
{
	nametable_slot *slot = NULL;

	if (nametable_find(&db->zones, id_hash(db, zone->id), is_same, zone, &slot))
		nametable_clear(&db->zones, slot);
	apex_unref(db, zone->apex);
}

static void undo_draft(struct zonedit *edit, struct draft *draft)
{
	if (draft->fresh)
		host_unref_targets(edit->db, draft->fresh);
	draft_drop_fresh(draft);
	if (draft->slot && !draft->old)
		nametable_clear(&edit->db->nodes, draft->slot);
}

void zonedit_free(struct zonedit **edit)
{
	struct zonedit *e = *edit;

	if (!e)
		return;
	for (struct draft *draft = e->drafts; draft; draft = draft->next)
		undo_draft(e, draft);
	while (e->added) {
		struct zone *zone = e->added;

		e->added = zone->next_in_edit;
		zonedit_forget_zone(e->db, zone);
		free(zone);
	}
	zonedit_drop_builds(e);
	for (size_t i = 0; i < e->removed_count; i++)
		e->removed[i]->removed = false;
	zonedit_destroy(e);
	*edit = NULL;
}

/* Drafts */

static gaz_status grow_buckets(struct zonedit *edit)
{
	size_t count = edit->bucket_count * 2;
	struct draft **buckets;

	if (edit->draft_count < edit->bucket_count)
		return GAZ_OK;
	buckets = calloc(count, sizeof(struct draft *));
	if (!buckets)
		return GAZ_ENOMEM;
	for (struct draft *draft = edit->drafts; draft; draft = draft->next) {
		struct draft **bucket = &buckets[draft->hash & (count - 1)];

		draft->next_in_bucket = *bucket;
		*bucket = draft;
	}
	free(edit->buckets);
	edit->buckets = buckets;
	edit->bucket_count = count;
	return GAZ_OK;
}

static struct draft *find_draft(const struct zonedit *edit, const struct node_key *key,
				uint64_t hash)
{
	struct draft *draft = edit->buckets[hash & (edit->bucket_count - 1)];

	while (draft && (draft->hash != hash || draft->zone != key->zone ||
			 draft->name_len != key->len ||
			 memcmp(draft->name, key->name, key->len) != 0))
		draft = draft->next_in_bucket;
	return draft;
}

/* The draft of the owner's last `labels` labels, made when there is none. */
static gaz_status get_draft(struct zonedit *edit, struct zone *zone,
			    const struct owner *owner, unsigned labels,
			    struct draft **out)
{
	struct node_key key = node_key_make(zone, &owner->name, labels);
	uint64_t hash = node_hash(zone, owner->hashes.of[labels]);
	struct draft *draft = find_draft(edit, &key, hash);
	struct node *old;
	struct draft **bucket;

	if (draft) {
		*out = draft;
		return GAZ_OK;
	}
	old = key.len == 0 ? atomic_load(&zone->apex_node)
			   : node_find(edit->db, &key, hash, NULL);
	if (grow_buckets(edit) != GAZ_OK ||
	    draft_new(&edit->arena, &key, hash, old, &draft) != GAZ_OK)
		return GAZ_ENOMEM;
	bucket = &edit->buckets[hash & (edit->bucket_count - 1)];
	draft->next_in_bucket = *bucket;
	*bucket = draft;
	draft->next = edit->drafts;
	edit->drafts = draft;
	edit->draft_count++;
	*out = draft;
	return GAZ_OK;
}

/* A name exists while it has records or names below it. When that changes its
 * parent has one child more or less, which may change the parent in turn. */
static gaz_status settle(struct zonedit *edit, const struct owner *owner,
			 struct draft *draft, unsigned labels)
{
	for (;;) {
		bool exists =
			draft->is_apex || draft->children > 0 || draft_has_records(draft);

		if (exists == draft->exists)
			return GAZ_OK;
		draft->exists = exists;
		if (exists && draft->name[0] == 1 && draft->name[1] == '*')
			atomic_fetch_or(&draft->zone->flags, ZONE_HAS_WILDCARDS);
		if (get_draft(edit, draft->zone, owner, --labels, &draft) != GAZ_OK)
			return GAZ_ENOMEM;
		if (exists)
			draft->children++;
		else
			draft->children--;
	}
}

static gaz_status parse_owner(const struct zonedit *edit, const struct zone *zone,
			      const uint8_t *wire, struct owner *out)
{
	const struct apex *apex = zone->apex;
	unsigned at;

	if (dname_parse(wire, DNAME_MAX, &out->name) == 0 ||
	    out->name.labels < apex->labels)
		return GAZ_EFORMAT;
	at = out->name.offsets[out->name.labels - apex->labels];
	if (out->name.len - at != apex->len ||
	    memcmp(out->name.wire + at, apex->wire, apex->len) != 0)
		return GAZ_EFORMAT;
	namehash_make(edit->db, &out->name, &out->hashes);
	return GAZ_OK;
}

static gaz_status open_owner(struct zonedit *edit, struct zone *zone, const uint8_t *wire,
			     struct owner *owner, struct draft **out)
{
	gaz_status st = parse_owner(edit, zone, wire, owner);

	return st == GAZ_OK ? get_draft(edit, zone, owner, owner->name.labels, out) : st;
}

/* Records */

gaz_status zonedit_check_record(struct zonedit *edit, struct zone *zone,
				const uint8_t *owner, const struct zone_record *record)
{
	struct owner name;
	struct draft *draft;
	gaz_status st = open_owner(edit, zone, owner, &name, &draft);

	return st == GAZ_OK ? draft_check(draft, &edit->arena, record) : st;
}

gaz_status zonedit_add_record(struct zonedit *edit, struct zone *zone,
			      const uint8_t *owner, const struct zone_record *record)
{
	struct owner name;
	struct draft *draft;
	gaz_status st;

	if ((st = open_owner(edit, zone, owner, &name, &draft)) != GAZ_OK ||
	    (st = draft_check(draft, &edit->arena, record)) != GAZ_OK ||
	    (st = draft_add(draft, &edit->arena, record)) != GAZ_OK)
		return st;
	if (record->type == DNS_TYPE_DNAME ||
	    (record->type == DNS_TYPE_NS && !draft->is_apex))
		atomic_fetch_or(&zone->flags, ZONE_HAS_CUTS);
	return settle(edit, &name, draft, name.name.labels);
}

gaz_status zonedit_count_records(struct zonedit *edit, struct zone *zone,
				 const uint8_t *owner, uint16_t type, size_t *out)
{
	struct owner name;
	struct draft *draft;
	gaz_status st = open_owner(edit, zone, owner, &name, &draft);

	return st == GAZ_OK ? draft_count(draft, &edit->arena, type, out) : st;
}

gaz_status zonedit_remove_record(struct zonedit *edit, struct zone *zone,
				 const uint8_t *owner, const struct zone_record *record)
{
	struct owner name;
	struct draft *draft;
	gaz_status st;

	if ((st = open_owner(edit, zone, owner, &name, &draft)) != GAZ_OK ||
	    (st = draft_remove(draft, &edit->arena, record)) != GAZ_OK)
		return st;
	return settle(edit, &name, draft, name.name.labels);
}

gaz_status zonedit_remove_rrset(struct zonedit *edit, struct zone *zone,
				const uint8_t *owner, uint16_t type)
{
	struct owner name;
	struct draft *draft;
	gaz_status st;

	if ((st = open_owner(edit, zone, owner, &name, &draft)) != GAZ_OK)
		return st;
	st = draft_remove_set(draft, &edit->arena, type);
	if (st == GAZ_ENOTFOUND)
		return GAZ_OK;
	return st == GAZ_OK ? settle(edit, &name, draft, name.name.labels) : st;
}

gaz_status zonedit_set_ttl(struct zonedit *edit, struct zone *zone, const uint8_t *owner,
			   uint16_t type, uint32_t ttl)
{
	struct owner name;
	struct draft *draft;
	gaz_status st = open_owner(edit, zone, owner, &name, &draft);

	return st == GAZ_OK ? draft_set_ttl(draft, &edit->arena, type, ttl) : st;
}

/* Zones and VPCs */

static bool is_zone_named(const void *entry, const void *key)
{
	const struct zone *zone = entry;

	return !zone->removed && strcmp(zone->id, key) == 0;
}

struct zone *zonedit_find_zone(struct zonedit *edit, const char *id)
{
	return nametable_find(&edit->db->zones, id_hash(edit->db, id), is_zone_named, id,
			      NULL);
}

struct zone *zone_alloc(struct zonedb *db, const struct zone_spec *spec, unsigned labels)
{
	size_t id_len = strlen(spec->id);
	struct zone *zone = calloc(1, sizeof *zone + id_len + 1);

	if (!zone)
		return NULL;
	memcpy(zone->id, spec->id, id_len);
	zone->entry.hash = (uint32_t)id_hash(db, spec->id);
	zone->kind = spec->kind;
	zone->created_ms = spec->created_ms;
	zone->apex_labels = (uint8_t)labels;
	zone->salt = keyhash_extend(&db->key, atomic_fetch_add(&db->zones_made, 1) + 1,
				    "zone", 4);
	return zone;
}

static gaz_status new_zone(struct zonedb *db, const struct zone_spec *spec,
			   const struct dname *apex, struct zone **out)
{
	struct zone *zone = zone_alloc(db, spec, apex->labels);
	gaz_status st;

	if (!zone)
		return GAZ_ENOMEM;
	if ((spec->kind == ZONE_PRIVATE &&
	     (st = view_enter_vpc(db, spec->vpc_id, &zone->vpc)) != GAZ_OK) ||
	    (st = apex_ref(db, apex, zone->vpc ? zone->vpc->number : VIEW_NO_VPC,
			   &zone->apex)) != GAZ_OK) {
		free(zone);
		return st;
	}
	*out = zone;
	return GAZ_OK;
}

gaz_status zonedit_add_zone(struct zonedit *edit, const struct zone_spec *spec,
			    struct zone **out)
{
	struct zonedb *db = edit->db;
	struct owner owner;
	struct draft *draft;
	struct zone *zone = NULL;
	gaz_status st;

	if (zonedit_find_zone(edit, spec->id))
		return GAZ_EEXISTS;
	if (dname_parse(spec->apex, DNAME_MAX, &owner.name) == 0)
		return GAZ_EFORMAT;
	if ((st = new_zone(db, spec, &owner.name, &zone)) != GAZ_OK)
		return st;
	if ((st = nametable_insert(&db->zones, id_hash(db, spec->id), zone)) != GAZ_OK) {
		apex_unref(db, zone->apex);
		free(zone);
		return st;
	}
	zone->next_in_edit = edit->added;
	edit->added = zone;
	namehash_make(db, &owner.name, &owner.hashes);
	if ((st = get_draft(edit, zone, &owner, owner.name.labels, &draft)) != GAZ_OK)
		return st;
	draft->is_changed = true; /* an apex stands, be it empty */
	*out = zone;
	return GAZ_OK;
}

gaz_status zonedit_add_built(struct zonedit *edit, struct zonebuild *build)
{
	struct zonedb *db = edit->db;
	struct zone *zone = build->zone;
	gaz_status st;

	if (zonedit_find_zone(edit, zone->id))
		return GAZ_EEXISTS;
	if ((st = apex_ref(db, &build->apex, VIEW_NO_VPC, &zone->apex)) != GAZ_OK)
		return st;
	if ((st = nametable_insert(&db->zones, id_hash(db, zone->id), zone)) != GAZ_OK) {
		apex_unref(db, zone->apex);
		return st;
	}
	build->next_in_edit = edit->builds;
	edit->builds = build;
	return GAZ_OK;
}

static void leave_name(struct zonedb *db, const struct build_name *name)
{
	nametable_slot *slot = NULL;

	if (nametable_find(&db->nodes, name->hash, is_same, name->node, &slot))
		nametable_clear(&db->nodes, slot);
}

/* The names are the caller's again, and may be freed. Nobody comes to them as names, but
 * who looks at all that there are, or takes one for another because of its hash, may
 * still hold one. */
void zonedit_drop_builds(struct zonedit *edit)
{
	bool were_entered = false;

	for (struct zonebuild *build = edit->builds; build; build = build->next_in_edit) {
		for (size_t i = 1; i < build->entered; i++)
			leave_name(edit->db, build->names[i]);
		were_entered |= build->entered > 1;
		build->entered = 0;
		zonedit_forget_zone(edit->db, build->zone);
	}
	edit->builds = NULL;
	if (were_entered)
		synchronize_rcu();
}

gaz_status zonedit_remove_zone(struct zonedit *edit, struct zone *zone)
{
	if (zone->removed)
		return GAZ_OK;
	if (atomic_load(&zone->apex_node)) { /* published: others may see it */
		if (edit->removed_count == edit->removed_cap) {
			size_t cap = edit->removed_cap ? edit->removed_cap * 2 : 4;
			struct zone **grown = realloc(edit->removed, cap * sizeof *grown);

			if (!grown)
				return GAZ_ENOMEM;
			edit->removed = grown;
			edit->removed_cap = cap;
		}
		edit->removed[edit->removed_count++] = zone;
	}
	zone->removed = true;
	return GAZ_OK;
}

gaz_status zonedit_set_vpcs(struct zonedit *edit, const struct vpc_decl *vpcs,
			    size_t count, bool strict)
{
	struct view *view = NULL;
	gaz_status st = view_new(edit->db, vpcs, count, strict, &view);

	if (st != GAZ_OK)
		return st;
	free(edit->view);
	edit->view = view;
	return GAZ_OK;
}
