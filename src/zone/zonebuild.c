/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/halt.h"
#include "dns/rdata.h"
#include "dns/wire.h"
#include "zone/draft-internal.h"
#include "zone/zonebuild-internal.h"
#include "zone/zonedit-internal.h"

enum {
	FIRST_INDEX = 64,
	HALT_NAMES = 4096, /* rendered from one look at a halt to the next */
	FEW_RECORDS = 64,  /* of a name: room on the stack to sort them */
};

/* ---- names ---- */

bool build_parse(const struct zonebuild *build, const uint8_t *wire, size_t left,
		 struct build_owner *out)
{
	const struct dname *apex = &build->apex;
	unsigned at;

	if (dname_parse(wire, left, &out->name) == 0 || out->name.labels < apex->labels)
		return false;
	at = out->name.offsets[out->name.labels - apex->labels];
	if (out->name.len - at != apex->len ||
	    memcmp(out->name.wire + at, apex->wire, apex->len) != 0)
		return false;
	namehash_make(build->db, &out->name, &out->hashes);
	return true;
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

static struct build_name *find_key(const struct zonebuild *build,
				   const struct node_key *key, uint64_t hash,
				   size_t *slot_out)
{
	size_t mask = build->index_size - 1;
	size_t at = hash & mask;

	for (; build->index[at].number != 0; at = (at + 1) & mask) {
		struct build_name *name;

		if (build->index[at].tag != tag_of(hash))
			continue;
		name = build->names[build->index[at].number - 1];
		if (name->hash == hash && name->name_len == key->len &&
		    memcmp(name->name, key->name, key->len) == 0)
			return name;
	}
	*slot_out = at;
	return NULL;
}

struct build_name *build_find(const struct zonebuild *build,
			      const struct build_owner *owner, unsigned labels)
{
	struct node_key key = node_key_make(build->zone, &owner->name, labels);
	size_t slot;

	if (key.len == 0)
		return build->names[0];
	return find_key(build, &key, node_hash(build->zone, owner->hashes.of[labels]),
			&slot);
}

static gaz_status grow_index(struct zonebuild *build)
{
	size_t size = build->index_size ? build->index_size * 2 : FIRST_INDEX;
	struct build_slot *index;

	if (build->count * 2 < build->index_size)
		return GAZ_OK;
	index = calloc(size, sizeof *index);
	if (!index)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < build->count; i++) {
		size_t at = build->names[i]->hash & (size - 1);

		while (index[at].number != 0)
			at = (at + 1) & (size - 1);
		index[at] = (struct build_slot){tag_of(build->names[i]->hash),
						(uint32_t)i + 1};
	}
	free(build->index);
	build->index = index;
	build->index_size = size;
	return GAZ_OK;
}

static gaz_status grow_names(struct zonebuild *build)
{
	size_t cap = build->cap ? build->cap * 2 : FIRST_INDEX;
	struct build_name **grown;

	if (build->count < build->cap)
		return GAZ_OK;
	if (cap >= UINT32_MAX)
		return GAZ_ENOMEM;
	grown = reallocarray(build->names, cap, sizeof(struct build_name *));
	if (!grown)
		return GAZ_ENOMEM;
	build->names = grown;
	build->cap = cap;
	return GAZ_OK;
}

static gaz_status add_name(struct zonebuild *build, const struct node_key *key,
			   uint64_t hash, struct build_name **out)
{
	struct build_name *name;
	size_t slot = 0;

	if (grow_names(build) != GAZ_OK || grow_index(build) != GAZ_OK)
		return GAZ_ENOMEM;
	name = arena_alloc(&build->names_arena, sizeof *name + key->len);
	if (!name)
		return GAZ_ENOMEM;
	name->hash = hash;
	name->name_len = (uint8_t)key->len;
	memcpy(name->name, key->name, key->len);
	(void)find_key(build, key, hash, &slot);
	build->names[build->count++] = name;
	build->index[slot] = (struct build_slot){tag_of(hash), (uint32_t)build->count};
	*out = name;
	return GAZ_OK;
}

/* Find a name or make it, and with it the names above it. */
static gaz_status open_name(struct zonebuild *build, const struct build_owner *owner,
			    struct build_name **out)
{
	unsigned labels = owner->name.labels;
	struct build_name *below = NULL;
	struct build_name *name = NULL;
	bool is_new;

	do {
		name = build_find(build, owner, labels);
		is_new = !name;
		if (is_new) {
			struct node_key key =
				node_key_make(build->zone, &owner->name, labels);

			if (add_name(build, &key,
				     node_hash(build->zone, owner->hashes.of[labels]),
				     &name) != GAZ_OK)
				return GAZ_ENOMEM;
			if (key.name[0] == 1 && key.name[1] == '*')
				atomic_fetch_or(&build->zone->flags, ZONE_HAS_WILDCARDS);
		}
		if (below)
			name->children++;
		else
			*out = name;
		below = name;
		labels--;
	} while (is_new);
	return GAZ_OK;
}

/* ---- the zone ---- */

gaz_status zonebuild_new(struct zonedb *db, const struct zone_spec *spec,
			 struct zonebuild **out)
{
	struct zonebuild *build = calloc(1, sizeof *build);
	struct node_key key = {0};
	struct build_name *apex;

	if (!build)
		return GAZ_ENOMEM;
	build->db = db;
	arena_init(&build->records);
	arena_init(&build->names_arena);
	if (dname_parse(spec->apex, DNAME_MAX, &build->apex) == 0) {
		zonebuild_free(&build);
		return GAZ_EFORMAT;
	}
	build->zone = zone_alloc(db, spec, build->apex.labels);
	if (build->zone)
		key = node_key_make(build->zone, &build->apex, build->apex.labels);
	if (!build->zone || add_name(build, &key, 0, &apex) != GAZ_OK) {
		zonebuild_free(&build);
		return GAZ_ENOMEM;
	}
	*out = build;
	return GAZ_OK;
}

void zonebuild_free(struct zonebuild **build)
{
	struct zonebuild *b = *build;

	if (!b)
		return;
	if (!b->is_published) {
		for (size_t i = 0; b->is_rendered && i < b->count; i++)
			node_free(b->names[i]->node, NULL);
		free(b->zone);
	}
	arena_fini(&b->records);
	arena_fini(&b->names_arena);
	free(b->names);
	free(b->index);
	free(b);
	*build = NULL;
}

size_t zonebuild_names(const struct zonebuild *build)
{
	return build->count;
}

static bool is_last_owner(const struct zonebuild *build, const uint8_t *owner, size_t len)
{
	const struct build_name *last = build->last;

	return last && len == (size_t)last->name_len + build->apex.len &&
	       memcmp(owner, last->name, last->name_len) == 0 &&
	       memcmp(owner + last->name_len, build->apex.wire, build->apex.len) == 0;
}

static void note_type(struct zonebuild *build, struct build_name *name, uint16_t type)
{
	if (type == DNS_TYPE_NS && name->name_len > 0)
		name->flags |= BUILD_CUT;
	if (type == DNS_TYPE_DNAME)
		name->flags |= BUILD_DNAME;
	if (type == DNS_TYPE_CNAME)
		name->flags |= BUILD_CNAME;
	if (type == DNS_TYPE_A || type == DNS_TYPE_AAAA)
		name->flags |= BUILD_ADDRESS;
	if (name->flags & (BUILD_CUT | BUILD_DNAME))
		atomic_fetch_or(&build->zone->flags, ZONE_HAS_CUTS);
}

gaz_status zonebuild_add(struct zonebuild *build, const struct zonebuild_record *record)
{
	struct build_record *copy;
	struct build_name *name = build->last;
	struct build_owner owner;

	if (!is_last_owner(build, record->owner, record->owner_len)) {
		if (!build_parse(build, record->owner, record->owner_len, &owner))
			return GAZ_EFORMAT;
		if (open_name(build, &owner, &name) != GAZ_OK)
			return GAZ_ENOMEM;
	}
	copy = arena_alloc(&build->records, sizeof *copy + record->rdata_len);
	if (!copy)
		return GAZ_ENOMEM;
	copy->line = record->line;
	copy->file = record->file;
	copy->ttl = record->ttl;
	copy->type = record->type;
	copy->rdata_len = record->rdata_len;
	if (record->rdata_len > 0)
		memcpy(copy->rdata, record->rdata, record->rdata_len);
	if (name->first)
		name->last->next = copy;
	else
		name->first = copy;
	name->last = copy;
	note_type(build, name, record->type);
	build->last = name;
	build->record_count++;
	return GAZ_OK;
}

/* ---- rendering ---- */

/* A record and its place in the file. */
struct item {
	const struct build_record *record;
	size_t order;
};

static int by_data(const void *left, const void *right)
{
	const struct build_record *a = ((const struct item *)left)->record;
	const struct build_record *b = ((const struct item *)right)->record;
	int order = (int)a->type - (int)b->type;

	if (order == 0)
		order = rdata_compare(a->type, a->rdata, a->rdata_len, b->rdata,
				      b->rdata_len);
	if (order != 0)
		return order;
	return ((const struct item *)left)->order < ((const struct item *)right)->order
		       ? -1
		       : 1;
}

static int by_order(const void *left, const void *right)
{
	const struct item *a = left;
	const struct item *b = right;
	int order = (int)a->record->type - (int)b->record->type;

	return order ? order : (a->order > b->order) - (a->order < b->order);
}

static bool is_equal(const struct build_record *a, const struct build_record *b)
{
	return a->type == b->type && rdata_compare(a->type, a->rdata, a->rdata_len,
						   b->rdata, b->rdata_len) == 0;
}

/* The records of each type together, in the order of the file, each only once: case in
 * names makes no other record (RFC 2181, section 5; RFC 4343).
 * Returns how many are left. */
static size_t arrange(struct item *items, size_t count)
{
	size_t kept = 0;

	if (count < 2)
		return count;
	qsort(items, count, sizeof *items, by_data);
	for (size_t i = 1; i < count; i++) {
		if (!is_equal(items[kept].record, items[i].record))
			items[++kept] = items[i];
	}
	qsort(items, kept + 1, sizeof *items, by_order);
	return kept + 1;
}

static gaz_status explain(const struct build_record *record, gaz_status st,
			  struct zonebuild_flaw *flaw)
{
	const char *text = "the record is malformed; correct it";

	if (st == GAZ_ELIMIT)
		text = "the records of this name and type are too large together; remove "
		       "some";
	if (st == GAZ_EEXISTS)
		text = "conflicts with other records of the same name; keep only one "
		       "kind";
	*flaw = (struct zonebuild_flaw){.file = record->file, .line = record->line};
	memcpy(flaw->text, text, strlen(text));
	return st == GAZ_EEXISTS ? GAZ_EFORMAT : st;
}

static gaz_status draft_items(struct draft *draft, struct arena *arena,
			      const struct item *items, size_t count,
			      struct zonebuild_flaw *flaw)
{
	uint32_t ttl = 0;

	for (size_t i = 0; i < count; i++) {
		const struct build_record *from = items[i].record;
		struct zone_record record = {
			.type = from->type,
			.rdata_len = from->rdata_len,
			.policy = RRSET_ALL,
			.healthy = true,
			.rdata = from->rdata,
		};
		gaz_status st;

		if (i == 0 || from->type != items[i - 1].record->type)
			ttl = from->ttl; /* one for all (RFC 2181, section 5.2) */
		record.ttl = ttl;
		if ((st = draft_check(draft, arena, &record)) == GAZ_OK)
			st = draft_add(draft, arena, &record);
		if (st != GAZ_OK)
			return st == GAZ_ENOMEM ? st : explain(from, st, flaw);
	}
	return GAZ_OK;
}

static gaz_status render_items(struct zonebuild *build, struct build_name *name,
			       struct arena *arena, struct item *items, size_t count,
			       struct zonebuild_flaw *flaw)
{
	const struct node_key key = {build->zone, name->name, name->name_len};
	struct draft *draft = NULL;
	gaz_status st = draft_new(arena, &key, name->hash, NULL, &draft);

	count = arrange(items, count);
	if (st != GAZ_OK ||
	    (st = draft_items(draft, arena, items, count, flaw)) != GAZ_OK)
		return st;
	draft->children = name->children;
	st = draft_render(draft, build->apex.wire, arena);
	if (st == GAZ_OK) {
		name->node = draft->fresh;
		name->first = NULL;
		atomic_fetch_add(&build->zone->records, count);
	}
	return st;
}

static gaz_status render_name(struct zonebuild *build, struct build_name *name,
			      struct arena *arena, struct zonebuild_flaw *flaw)
{
	struct item few[FEW_RECORDS];
	struct item *items = few;
	size_t count = 0;
	gaz_status st;

	for (const struct build_record *r = name->first; r; r = r->next)
		count++;
	if (count > FEW_RECORDS && !(items = reallocarray(NULL, count, sizeof *items)))
		return GAZ_ENOMEM;
	count = 0;
	for (const struct build_record *r = name->first; r; r = r->next, count++)
		items[count] = (struct item){r, count};
	name->node = NULL;
	st = render_items(build, name, arena, items, count, flaw);
	if (items != few)
		free(items);
	return st;
}

gaz_status zonebuild_render(struct zonebuild *build, const struct halt *halt,
			    struct zonebuild_flaw *flaw_out)
{
	struct arena arena;
	struct arena_mark mark;
	gaz_status st = GAZ_OK;

	/* From here on names have nodes, or none. */
	for (size_t i = 0; i < build->count; i++) {
		if (!build->names[i]->first)
			build->names[i]->node = NULL;
	}
	arena_init(&arena);
	(void)arena_alloc(&arena, 1); /* a first block, which stays */
	mark = arena_mark(&arena);
	for (size_t i = 0; st == GAZ_OK && i < build->count; i++) {
		if (i % HALT_NAMES == 0 && halt_is_wanted(halt))
			st = GAZ_EBUSY;
		else
			st = render_name(build, build->names[i], &arena, flaw_out);
		arena_release(&arena, mark);
	}
	arena_fini(&arena);
	if (st == GAZ_OK) {
		build->is_rendered = true;
		build->zone->nodes = build->count - 1;
		build->last = NULL;
		arena_fini(&build->records);
		free(build->index);
		build->index = NULL;
		build->index_size = 0;
	} else {
		for (size_t i = 0; i < build->count; i++) {
			if (!build->names[i]->first)
				node_free(build->names[i]->node, NULL);
		}
	}
	return st;
}
