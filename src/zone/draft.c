/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/draft-internal.h"

#include <stdlib.h>
#include <string.h>

#include "dns/rdata.h"
#include "dns/wire.h"

enum {
	FIRST_RECORDS = 4
};

gaz_status draft_new(struct arena *arena, const struct node_key *key, uint64_t hash,
		     struct node *old, struct draft **out)
{
	struct draft *draft = arena_alloc(arena, sizeof *draft + key->len);

	if (!draft)
		return GAZ_ENOMEM;
	draft->zone = (struct zone *)key->zone;
	draft->hash = hash;
	draft->old = old;
	draft->children = old ? old->children : 0;
	draft->is_apex = key->len == 0;
	draft->exists = old || draft->is_apex;
	draft->is_loaded = !old;
	draft->name_len = (uint8_t)key->len;
	memcpy(draft->name, key->name, key->len);
	*out = draft;
	return GAZ_OK;
}

static struct draft_set *find_set(const struct draft *draft, uint16_t type)
{
	struct draft_set *set = draft->sets;

	while (set && set->type != type)
		set = set->next;
	return set;
}

static gaz_status reserve_records(struct draft_set *set, struct arena *arena, size_t cap)
{
	struct rrset_input *records;

	if (cap <= set->cap)
		return GAZ_OK;
	records = arena_alloc(arena, cap * sizeof *records);
	if (!records)
		return GAZ_ENOMEM;
	if (set->count > 0)
		memcpy(records, set->records, set->count * sizeof *records);
	set->records = records;
	set->cap = cap;
	return GAZ_OK;
}

static struct draft_set *add_set(struct draft *draft, struct arena *arena, uint16_t type)
{
	struct draft_set *set = arena_alloc(arena, sizeof *set);
	struct draft_set **end = &draft->sets;

	if (!set)
		return NULL;
	set->type = type;
	while (*end)
		end = &(*end)->next;
	*end = set;
	return set;
}

/* Put the records of a rendered set before those that are there. */
static gaz_status take_apart(struct draft_set *set, struct arena *arena,
			     const struct rrset *from)
{
	/* One more: most loads are for one record more. */
	if (reserve_records(set, arena, set->count + from->count + 1u) != GAZ_OK)
		return GAZ_ENOMEM;
	memmove(set->records + from->count, set->records,
		set->count * sizeof *set->records);
	set->count += from->count;
	for (uint32_t i = 0; i < from->count; i++) {
		struct rrset_input *record = &set->records[i];
		uint32_t len;

		record->rdata = rrset_record(from, i, &len) + RRSET_RDATA_AT;
		record->rdata_len = (uint16_t)(len - RRSET_RDATA_AT);
		record->healthy = rrset_is_healthy(from, i);
		record->is_known = from->distinct == from->count;
		set->rdata_len += record->rdata_len;
	}
	return GAZ_OK;
}

/* What is more than adding records needs all of them. */
static gaz_status take_base_apart(struct draft_set *set, struct arena *arena)
{
	const struct rrset *base = set->base;

	set->base = NULL;
	return base ? take_apart(set, arena, base) : GAZ_OK;
}

static size_t count_records(const struct draft_set *set)
{
	return set->count + (set->base ? set->base->count : 0);
}

static gaz_status load_set(struct draft *draft, struct arena *arena,
			   const struct rrset *from)
{
	struct draft_set *set = add_set(draft, arena, from->type);

	if (!set)
		return GAZ_ENOMEM;
	set->policy = from->policy;
	set->ttl = rrset_ttl(from);
	if (!(from->flags & RRSET_IS_APART))
		return take_apart(set, arena, from);
	set->base = from;
	return GAZ_OK;
}

static gaz_status load(struct draft *draft, struct arena *arena)
{
	const struct rrset *set;

	if (draft->is_loaded)
		return GAZ_OK;
	set = node_first_rrset(draft->old);
	for (unsigned i = 0; i < draft->old->rrset_count; i++, set = rrset_next(set)) {
		if (set->type != NODE_NEGATIVE_SOA &&
		    load_set(draft, arena, set) != GAZ_OK)
			return GAZ_ENOMEM;
	}
	draft->is_loaded = true;
	return GAZ_OK;
}

bool draft_has_records(const struct draft *draft)
{
	if (!draft->is_loaded)
		return draft->old->rrset_count > 0;
	for (const struct draft_set *set = draft->sets; set; set = set->next) {
		if (count_records(set) > 0)
			return true;
	}
	return false;
}

static bool is_alias(uint16_t type)
{
	return type == RRSET_ALIAS_A || type == RRSET_ALIAS_AAAA;
}

/* DNSSEC's records may stand beside a CNAME (RFC 4034, section 3). */
static bool is_barred_by_cname(uint16_t type)
{
	return type != DNS_TYPE_RRSIG && type != DNS_TYPE_NSEC;
}

static bool has_cname_conflict(const struct draft *draft, uint16_t type)
{
	if (!is_barred_by_cname(type))
		return false;
	for (const struct draft_set *set = draft->sets; set; set = set->next) {
		if (count_records(set) > 0 && is_barred_by_cname(set->type) &&
		    set->type != type &&
		    (set->type == DNS_TYPE_CNAME || type == DNS_TYPE_CNAME))
			return true;
	}
	return false;
}

static bool is_equal(const struct rrset_input *a, const struct zone_record *b)
{
	return a->rdata_len == b->rdata_len &&
	       (b->rdata_len == 0 || memcmp(a->rdata, b->rdata, b->rdata_len) == 0);
}

/* A set that goes out whole must fit into one message over TCP, beside the header,
 * the longest question and an OPT record. Of the others a few records go out. */
static bool is_too_large(const struct draft_set *set, const struct zone_record *record)
{
	const size_t room = 65535 - DNS_HEADER_LEN - (DNAME_MAX + 4) - DNS_OPT_LEN;
	size_t len = RRSET_RDATA_AT + record->rdata_len;

	if (set && count_records(set) >= UINT16_MAX)
		return true;
	if (set)
		len += set->rdata_len + set->count * RRSET_RDATA_AT;
	return record->policy == RRSET_ALL && len > room;
}

/* Types of which a name has at most one record that answers. */
static bool is_single(const struct zone_record *record)
{
	return record->type == DNS_TYPE_SOA || record->type == DNS_TYPE_DNAME ||
	       (record->type == DNS_TYPE_CNAME && record->policy != RRSET_WEIGHTED);
}

/* Whether the set may have this record too. */
static gaz_status check_beside(struct draft_set *set, struct arena *arena,
			       const struct zone_record *record)
{
	if (set->policy != record->policy || set->ttl != record->ttl)
		return GAZ_EEXISTS;
	if (!is_single(record))
		return GAZ_OK;
	if (take_base_apart(set, arena) != GAZ_OK)
		return GAZ_ENOMEM;
	return is_equal(&set->records[0], record) ? GAZ_OK : GAZ_EEXISTS;
}

/* The data of an alias is the name that it leads to. */
static bool is_well_formed(const struct zone_record *record)
{
	uint16_t type = is_alias(record->type) ? DNS_TYPE_CNAME : record->type;

	return dns_type_is_data(type) &&
	       rdata_is_valid(type, record->rdata, record->rdata_len);
}

gaz_status draft_check(struct draft *draft, struct arena *arena,
		       const struct zone_record *record)
{
	struct draft_set *set;
	gaz_status st = GAZ_OK;

	if (!is_well_formed(record) || (record->type == DNS_TYPE_SOA && !draft->is_apex))
		return GAZ_EFORMAT;
	if (load(draft, arena) != GAZ_OK)
		return GAZ_ENOMEM;
	if (has_cname_conflict(draft, record->type))
		return GAZ_EEXISTS;
	set = find_set(draft, record->type);
	if (set && count_records(set) > 0)
		st = check_beside(set, arena, record);
	if (st == GAZ_OK && is_too_large(set, record))
		st = GAZ_ELIMIT;
	return st;
}

gaz_status draft_add(struct draft *draft, struct arena *arena,
		     const struct zone_record *record)
{
	struct draft_set *set = find_set(draft, record->type);
	uint8_t *rdata = arena_alloc(arena, record->rdata_len + 1u);

	if (!set)
		set = add_set(draft, arena, record->type);
	if (!set || !rdata)
		return GAZ_ENOMEM;
	if (set->count == set->cap &&
	    reserve_records(set, arena, set->cap ? set->cap * 2 : FIRST_RECORDS) !=
		    GAZ_OK)
		return GAZ_ENOMEM;
	if (record->rdata_len > 0)
		memcpy(rdata, record->rdata, record->rdata_len);
	set->policy = record->policy;
	set->ttl = record->ttl;
	set->rdata_len += record->rdata_len;
	set->records[set->count++] =
		(struct rrset_input){rdata, record->rdata_len, record->healthy, false};
	draft->is_changed = true;
	return GAZ_OK;
}

gaz_status draft_count(struct draft *draft, struct arena *arena, uint16_t type,
		       size_t *out)
{
	const struct draft_set *set;

	if (load(draft, arena) != GAZ_OK)
		return GAZ_ENOMEM;
	set = find_set(draft, type);
	*out = set ? count_records(set) : 0;
	return GAZ_OK;
}

gaz_status draft_remove(struct draft *draft, struct arena *arena,
			const struct zone_record *record)
{
	struct draft_set *set;
	size_t i = 0;

	if (load(draft, arena) != GAZ_OK)
		return GAZ_ENOMEM;
	set = find_set(draft, record->type);
	if (!set)
		return GAZ_ENOTFOUND;
	if (take_base_apart(set, arena) != GAZ_OK)
		return GAZ_ENOMEM;
	while (i < set->count && (set->records[i].healthy != record->healthy ||
				  !is_equal(&set->records[i], record)))
		i++;
	if (i == set->count)
		return GAZ_ENOTFOUND;
	set->count--;
	set->rdata_len -= record->rdata_len;
	memmove(set->records + i, set->records + i + 1,
		(set->count - i) * sizeof *set->records);
	draft->is_changed = true;
	return GAZ_OK;
}

gaz_status draft_remove_set(struct draft *draft, struct arena *arena, uint16_t type)
{
	struct draft_set *set;

	if (load(draft, arena) != GAZ_OK)
		return GAZ_ENOMEM;
	set = find_set(draft, type);
	if (!set || count_records(set) == 0)
		return GAZ_ENOTFOUND;
	set->base = NULL;
	set->count = 0;
	set->rdata_len = 0;
	draft->is_changed = true;
	return GAZ_OK;
}

gaz_status draft_set_ttl(struct draft *draft, struct arena *arena, uint16_t type,
			 uint32_t ttl)
{
	struct draft_set *set;

	if (load(draft, arena) != GAZ_OK)
		return GAZ_ENOMEM;
	set = find_set(draft, type);
	if (!set || count_records(set) == 0)
		return GAZ_ENOTFOUND;
	if (take_base_apart(set, arena) != GAZ_OK)
		return GAZ_ENOMEM;
	set->ttl = ttl;
	draft->is_changed = true;
	return GAZ_OK;
}

/* Rendering. A large set that has only got more records becomes a longer head of the
 * same store, if they fit behind the others. */

static gaz_status lengthen_base(struct draft_set *set, struct arena *arena)
{
	struct rrset *head = arena_alloc(arena, rrset_head_size());

	if (!head)
		return GAZ_ENOMEM;
	memcpy(head, set->base, rrset_head_size());
	for (size_t i = 0; i < set->count; i++) {
		if (!rrset_append(head, &set->records[i]))
			return take_base_apart(set, arena);
	}
	set->longer = head;
	return GAZ_OK;
}

static gaz_status lengthen_bases(struct draft *draft, struct arena *arena)
{
	for (struct draft_set *set = draft->sets; set; set = set->next) {
		if (set->base && lengthen_base(set, arena) != GAZ_OK)
			return GAZ_ENOMEM;
	}
	return GAZ_OK;
}

/* Sets that go out whole are small enough to stay in one piece. */
static bool is_large(const struct draft_set *set)
{
	return set->policy != RRSET_ALL && set->count >= RRSET_APART_MIN;
}

static struct rrset *render_records(struct rrset *at, const uint8_t *apex,
				    const struct draft_set *set, uint32_t ttl,
				    struct rrset_store *store, uint32_t *scratch)
{
	rrset_render(at, set->type, ttl, set->policy, set->records, set->count, store,
		     scratch);
	rrset_mark_compressed(at, apex);
	return (struct rrset *)rrset_next(at);
}

static struct rrset *render_negative_soa(struct rrset *at, const uint8_t *apex,
					 const struct draft_set *soa, uint32_t *scratch)
{
	const struct rrset_input *record = &soa->records[0];
	uint32_t minimum = rdata_soa_minimum(record->rdata, record->rdata_len);
	struct rrset *next = render_records(
		at, apex, soa, soa->ttl < minimum ? soa->ttl : minimum, NULL, scratch);

	at->type = NODE_NEGATIVE_SOA;
	return next;
}

/* The next set behind it, or NULL: out of memory. */
static struct rrset *render_set(struct rrset *at, const uint8_t *apex,
				const struct draft_set *set, uint32_t *scratch)
{
	struct rrset_store *store = NULL;

	if (set->longer) {
		memcpy(at, set->longer, set->longer->size);
		return (struct rrset *)rrset_next(at);
	}
	if (is_large(set)) {
		store = malloc(rrset_store_size(set->records, set->count));
		if (!store)
			return NULL;
	}
	return render_records(at, apex, set, set->ttl, store, scratch);
}

static void add_flags(struct node *node, uint16_t type)
{
	if (type == DNS_TYPE_NS && node->name_len > 0)
		node->flags |= NODE_CUT;
	if (type == DNS_TYPE_DNAME)
		node->flags |= NODE_DNAME;
	if (is_alias(type))
		node->flags |= NODE_ALIAS;
}

static gaz_status render_sets(const struct draft *draft, const uint8_t *apex,
			      struct node *node, uint32_t *scratch)
{
	const struct draft_set *soa = find_set(draft, DNS_TYPE_SOA);
	struct rrset *at = (struct rrset *)node_first_rrset(node);

	if (soa && soa->count > 0) { /* first: negative answers look for it */
		at = render_negative_soa(at, apex, soa, scratch);
		node->rrset_count++;
	}
	for (const struct draft_set *set = draft->sets; set; set = set->next) {
		if (count_records(set) == 0)
			continue;
		at = render_set(at, apex, set, scratch);
		if (!at)
			return GAZ_ENOMEM;
		node->rrset_count++;
		add_flags(node, set->type);
	}
	return GAZ_OK;
}

static size_t set_size(const struct draft_set *set)
{
	if (set->longer || is_large(set))
		return rrset_head_size();
	return rrset_size(set->records, set->count) * (set->type == DNS_TYPE_SOA ? 2 : 1);
}

static size_t sets_size(const struct draft *draft, size_t *scratch_out)
{
	size_t size = 0;
	size_t most = 0;

	for (const struct draft_set *set = draft->sets; set; set = set->next) {
		if (count_records(set) > 0)
			size += set_size(set);
		if (set->count > most)
			most = set->count;
	}
	*scratch_out = 2 * most + rrset_twin_slots(most);
	return size;
}

gaz_status draft_render(struct draft *draft, const uint8_t *apex, struct arena *arena)
{
	size_t head = node_head_size(draft->name_len);
	uint32_t *scratch;
	size_t scratch_count;
	size_t size;
	struct node *node;

	if (load(draft, arena) != GAZ_OK || lengthen_bases(draft, arena) != GAZ_OK)
		return GAZ_ENOMEM;
	size = head + sets_size(draft, &scratch_count);
	scratch = arena_alloc(arena, scratch_count * sizeof *scratch);
	node = scratch ? calloc(1, size > sizeof *node ? size : sizeof *node) : NULL;
	if (!node)
		return GAZ_ENOMEM;
	node->entry.hash = (uint32_t)draft->hash;
	node->children = draft->children;
	node->zone = draft->zone;
	node->name_len = draft->name_len;
	memcpy(node->name, draft->name, draft->name_len);
	draft->fresh = node;
	if (render_sets(draft, apex, node, scratch) == GAZ_OK)
		return GAZ_OK;
	draft_drop_fresh(draft);
	return GAZ_ENOMEM;
}

void draft_drop_fresh(struct draft *draft)
{
	node_free(draft->fresh, draft->old);
	draft->fresh = NULL;
}
