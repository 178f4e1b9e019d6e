/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "zone/apex-internal.h"
#include "zone/host-internal.h"
#include "zone/zonedit-internal.h"

/* The second half of zonedit.h: preparing an edit, and publishing it. */

enum {
	AHEAD = 16, /* so many cache misses are under way */
};

static gaz_status grow_nodes(struct zonedit *edit)
{
	size_t more = 0;

	for (struct draft *draft = edit->drafts; draft; draft = draft->next)
		more += draft->exists && !draft->old && !draft->is_apex;
	for (struct zonebuild *build = edit->builds; build; build = build->next_in_edit)
		more += build->count - 1;
	return nametable_grow(&edit->db->nodes, more);
}

static gaz_status prepare_draft(struct zonedit *edit, struct draft *draft)
{
	struct nametable *nodes = &edit->db->nodes;
	struct node_key key = {draft->zone, draft->name, draft->name_len};

	if (draft->zone->removed)
		return GAZ_OK;
	if (draft->old && !draft->is_apex)
		(void)node_find(edit->db, &key, draft->hash, &draft->slot);
	if (!draft->exists || (draft->old && !draft->is_changed))
		return GAZ_OK;
	if (!draft->old && !draft->is_apex &&
	    nametable_reserve(nodes, draft->hash, &draft->slot) != GAZ_OK)
		return GAZ_ENOMEM;
	if (draft_render(draft, draft->zone->apex->wire, &edit->arena) != GAZ_OK)
		return GAZ_ENOMEM;
	if (host_ref_targets(edit->db, draft->fresh) == GAZ_OK)
		return GAZ_OK;
	draft_drop_fresh(draft);
	return GAZ_ENOMEM;
}

/* The names go into the table at once: no reader comes to them before the zone is
 * linked to its apex. (But who looks at the whole table does.) */
static gaz_status enter_build(struct zonedit *edit, struct zonebuild *build)
{
	for (build->entered = 1; build->entered < build->count; build->entered++) {
		const struct build_name *name = build->names[build->entered];
		nametable_slot *slot;

		if (build->entered + AHEAD < build->count)
			nametable_prefetch_bucket(
				&edit->db->nodes,
				build->names[build->entered + AHEAD]->hash);
		if (nametable_reserve(&edit->db->nodes, name->hash, &slot) != GAZ_OK)
			return GAZ_ENOMEM;
		nametable_fill(slot, name->hash, name->node);
	}
	return GAZ_OK;
}

/* Orphans lie anywhere in memory: one is asked for some time before it is looked at. */
static void prefetch_orphan(const struct zonedit *edit, size_t i)
{
	if (i < edit->orphan_count)
		__builtin_prefetch(nametable_entry(edit->orphans[i]));
}

static void gather_orphan(nametable_slot *slot, void *arg)
{
	struct zonedit *edit = arg;
	const struct node *node = nametable_entry(slot);

	if (node->zone->removed)
		edit->orphans[edit->orphan_count++] = slot;
}

/* Nodes do not know each other, to be small: those of a removed zone are found
 * by looking at all. Only zones that still have names cost that. */
static gaz_status find_orphans(struct zonedit *edit)
{
	size_t count = 0;

	for (size_t i = 0; i < edit->removed_count; i++)
		count += edit->removed[i]->nodes;
	if (count == 0)
		return GAZ_OK;
	edit->orphans = calloc(count, sizeof(nametable_slot *));
	if (!edit->orphans)
		return GAZ_ENOMEM;
	nametable_walk(&edit->db->nodes, gather_orphan, edit);
	return GAZ_OK;
}

/* The pieces of memory that publishing may discard: nodes, zones, a view, stores. */
static size_t count_pieces(const struct zonedit *edit)
{
	size_t pieces =
		edit->draft_count + 2 * edit->removed_count + edit->orphan_count + 1;

	for (const struct draft *draft = edit->drafts; draft; draft = draft->next)
		pieces += draft->old ? node_count_stores(draft->old) : 0;
	for (size_t i = 0; i < edit->removed_count; i++)
		pieces += node_count_stores(atomic_load(&edit->removed[i]->apex_node));
	for (size_t i = 0; i < edit->orphan_count; i++) {
		prefetch_orphan(edit, i + AHEAD);
		pieces += node_count_stores(nametable_entry(edit->orphans[i]));
	}
	return pieces;
}

gaz_status zonedit_prepare(struct zonedit *edit)
{
	size_t pieces;

	if (grow_nodes(edit) != GAZ_OK)
		return GAZ_ENOMEM;
	for (struct draft *draft = edit->drafts; draft; draft = draft->next) {
		if (prepare_draft(edit, draft) != GAZ_OK)
			return GAZ_ENOMEM;
	}
	for (struct zonebuild *build = edit->builds; build; build = build->next_in_edit) {
		if (enter_build(edit, build) != GAZ_OK)
			return GAZ_ENOMEM;
	}
	if (find_orphans(edit) != GAZ_OK)
		return GAZ_ENOMEM;
	pieces = count_pieces(edit);
	edit->garbage = malloc(sizeof *edit->garbage + pieces * sizeof(void *));
	if (!edit->garbage)
		return GAZ_ENOMEM;
	edit->garbage->count = 0;
	return GAZ_OK;
}

/* Publish: nothing from here on can fail. */

static void discard(void *piece, void *arg)
{
	struct zonedit *edit = arg;

	edit->garbage->pieces[edit->garbage->count++] = piece;
}

/* `heir` takes its place, if it is not NULL. */
static void discard_node(struct zonedit *edit, struct node *node, const struct node *heir)
{
	host_unref_targets(edit->db, node);
	node_leave_stores(node, heir, discard, edit);
	discard(node, edit);
}

static void on_garbage_unused(struct rcu_head *head)
{
	struct garbage *garbage = caa_container_of(head, struct garbage, rcu);

	for (size_t i = 0; i < garbage->count; i++)
		free(garbage->pieces[i]);
	free(garbage);
}

static void count_records(struct zone *zone, const struct node *more,
			  const struct node *less)
{
	size_t change = (more ? node_record_count(more) : 0) -
			(less ? node_record_count(less) : 0);

	atomic_fetch_add_explicit(&zone->records, change, memory_order_relaxed);
}

static void show_draft(struct zonedit *edit, struct draft *draft)
{
	struct zone *zone = draft->zone;

	if (draft->old)
		draft->old->children = draft->children;
	if (!draft->fresh)
		return;
	count_records(zone, draft->fresh, draft->old);
	if (draft->is_apex)
		atomic_store_explicit(&zone->apex_node, draft->fresh,
				      memory_order_release);
	else
		nametable_fill(draft->slot, draft->hash, draft->fresh);
	if (draft->old)
		discard_node(edit, draft->old, draft->fresh);
	else
		atomic_fetch_add(&edit->db->name_count, 1);
	zone->nodes += !draft->old && !draft->is_apex;
	draft->fresh = NULL;
}

static void hide_draft(struct zonedit *edit, struct draft *draft)
{
	if (draft->exists || !draft->old)
		return;
	nametable_clear(&edit->db->nodes, draft->slot);
	count_records(draft->zone, NULL, draft->old);
	discard_node(edit, draft->old, NULL);
	draft->zone->nodes--;
	atomic_fetch_sub(&edit->db->name_count, 1);
}

static void show_zones(struct zonedit *edit)
{
	for (struct zone *zone = edit->added; zone;) {
		struct zone *next = zone->next_in_edit;

		if (zone->removed) { /* within the same edit: nobody ever saw it */
			zonedit_forget_zone(edit->db, zone);
			free(zone);
		} else {
			apex_link(zone->apex, zone);
			atomic_fetch_add(&edit->db->zone_count, 1);
		}
		zone = next;
	}
}

static void show_builds(struct zonedit *edit)
{
	for (struct zonebuild *build = edit->builds; build; build = build->next_in_edit) {
		struct zone *zone = build->zone;

		atomic_store_explicit(&zone->apex_node, build->names[0]->node,
				      memory_order_release);
		apex_link(zone->apex, zone);
		atomic_fetch_add(&edit->db->zone_count, 1);
		atomic_fetch_add(&edit->db->name_count, build->count);
		build->is_published = true;
	}
	edit->builds = NULL;
}

static void hide_zones(struct zonedit *edit)
{
	for (size_t i = 0; i < edit->removed_count; i++) {
		struct zone *zone = edit->removed[i];

		apex_unlink(zone->apex, zone);
		zonedit_forget_zone(edit->db, zone);
		atomic_fetch_sub(&edit->db->zone_count, 1);
		atomic_fetch_sub(&edit->db->name_count, zone->nodes + 1);
		discard_node(edit, atomic_load(&zone->apex_node), NULL);
		discard(zone, edit);
	}
	/* A reader that has found such a zone looks for its names next: they stay
	 * until there is none, lest it calls names missing that were there. */
	if (edit->orphan_count > 0)
		synchronize_rcu();
	for (size_t i = 0; i < edit->orphan_count; i++) {
		prefetch_orphan(edit, i + AHEAD);
		discard_node(edit, nametable_entry(edit->orphans[i]), NULL);
		nametable_clear(&edit->db->nodes, edit->orphans[i]);
	}
}

static void swap_view(struct zonedit *edit)
{
	if (!edit->view)
		return;
	discard(atomic_exchange(&edit->db->view, edit->view), edit);
	atomic_store(&edit->db->declared_count, view_declared_count(edit->view));
	edit->view = NULL;
}

/* New things first, lost ones last: a reader may see more than there is for a
 * moment, but no reference to what is gone. */
void zonedit_publish(struct zonedit **take)
{
	struct zonedit *edit = *take;
	struct zonedb *db = edit->db;

	pthread_mutex_lock(&db->publishing);
	for (struct draft *draft = edit->drafts; draft; draft = draft->next) {
		if (!draft->zone->removed && !draft->old)
			show_draft(edit, draft);
	}
	for (struct draft *draft = edit->drafts; draft; draft = draft->next) {
		if (!draft->zone->removed && draft->old)
			show_draft(edit, draft);
	}
	for (struct draft *draft = edit->drafts; draft; draft = draft->next) {
		if (!draft->zone->removed)
			hide_draft(edit, draft);
	}
	swap_view(edit);
	show_zones(edit);
	show_builds(edit);
	hide_zones(edit);
	pthread_mutex_unlock(&db->publishing);
	call_rcu(&edit->garbage->rcu, on_garbage_unused);
	edit->garbage = NULL;
	zonedit_destroy(edit);
	*take = NULL;
}
