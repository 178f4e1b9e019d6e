/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/rrset.h"

#include <string.h>

#include "base/keyhash.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/wire.h"

enum {
	FRESH_MAX = 8,
};

static bool has_equal_lengths(const struct rrset_input *records, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (records[i].rdata_len != records[0].rdata_len)
			return false;
	}
	/* A record of 65,535 octets would not fit rr_len. */
	return records[0].rdata_len <= UINT16_MAX - RRSET_RDATA_AT;
}

static size_t round_up(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

/* Octets of the records, and of the table of their offsets if there is one. */
static size_t records_size(const struct rrset_input *records, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += RRSET_RDATA_AT + records[i].rdata_len;
	return size;
}

static size_t table_size(const struct rrset_input *records, size_t count, size_t slots)
{
	return has_equal_lengths(records, count) ? 0 : (slots + 1) * sizeof(uint32_t);
}

size_t rrset_size(const struct rrset_input *records, size_t count)
{
	return round_up(sizeof(struct rrset) + records_size(records, count) +
			table_size(records, count, count));
}

size_t rrset_head_size(void)
{
	return round_up(sizeof(struct rrset) + sizeof(struct rrset_store *));
}

/* Room for an eighth more: so many records pay for a copy of all. */
static size_t store_slots(size_t count)
{
	size_t slots = count + count / 8 + 1;

	return slots < UINT16_MAX ? slots : UINT16_MAX;
}

static size_t store_room(const struct rrset_input *records, size_t count)
{
	size_t size = records_size(records, count);

	return round_up(size + (store_slots(count) - count) * (size / count + 1));
}

/* A third of the tags' places is empty, so that probes are short. */
static size_t tag_places(size_t slots)
{
	return slots + slots / 2;
}

size_t rrset_store_size(const struct rrset_input *records, size_t count)
{
	size_t slots = store_slots(count);

	return sizeof(struct rrset_store) + table_size(records, count, slots) +
	       store_room(records, count) + tag_places(slots) * sizeof(uint16_t);
}

/* The parts of a body: the table of offsets, if the records differ in length, the
 * records, and in a store their tags. */
static uint8_t *records_of(const struct rrset *set, uint32_t *body)
{
	return (uint8_t *)(set->rr_len ? body : body + set->slots + 1);
}

size_t rrset_twin_slots(size_t count)
{
	size_t slots = 4;

	while (slots * 2 < count * 3)
		slots *= 2;
	return slots;
}

static uint64_t hash_rdata(const struct rrset_input *r)
{
	static const struct keyhash_key any = {{0x9e3779b97f4a7c15, 0xd6e8feb86659fd93}};

	return keyhash_extend(&any, 0, r->rdata, r->rdata_len);
}

static bool is_equal(const struct rrset_input *a, const struct rrset_input *b)
{
	return a->rdata_len == b->rdata_len &&
	       memcmp(a->rdata, b->rdata, a->rdata_len) == 0;
}

/* True when an equal record was seen before; else this one has been noted. */
static bool find_in_table(const struct rrset_input *records, uint32_t i, uint32_t *table,
			  size_t slots)
{
	size_t at = (size_t)hash_rdata(&records[i]) & (slots - 1);

	for (; table[at] != 0; at = (at + 1) & (slots - 1)) {
		if (is_equal(&records[table[at] - 1], &records[i]))
			return true;
	}
	table[at] = i + 1;
	return false;
}

/* Is one of those before equal? Two known ones are not. */
static bool find_in_order(const struct rrset_input *records, uint32_t i,
			  const uint32_t *order, uint32_t count)
{
	for (uint32_t k = 0; k < count; k++) {
		const struct rrset_input *other = &records[order[k]];

		if (!(other->is_known && records[i].is_known) &&
		    is_equal(other, &records[i]))
			return true;
	}
	return false;
}

/* What tells twins from others. Few changes of a large set are the usual case: then
 * only what is new is compared, with all the others. */
struct twin_search {
	const struct rrset_input *records;
	uint32_t *table; /* NULL: no table */
	size_t slots;
	uint32_t fresh[FRESH_MAX]; /* without a table: those noted that are not known */
	uint32_t fresh_count;
};

static void start_search(struct twin_search *s, const struct rrset_input *records,
			 uint32_t count, uint32_t *table)
{
	uint32_t fresh = 0;

	for (uint32_t i = 0; i < count && fresh <= FRESH_MAX; i++)
		fresh += !records[i].is_known;
	*s = (struct twin_search){.records = records};
	if (fresh <= FRESH_MAX)
		return;
	s->table = table;
	s->slots = rrset_twin_slots(count);
	memset(table, 0, s->slots * sizeof *table);
}

static bool is_twin(struct twin_search *s, uint32_t i, const uint32_t *order,
		    uint32_t count)
{
	bool found;

	if (s->table)
		return find_in_table(s->records, i, s->table, s->slots);
	if (s->records[i].is_known)
		return find_in_order(s->records, i, s->fresh, s->fresh_count);
	found = find_in_order(s->records, i, order, count);
	if (!found)
		s->fresh[s->fresh_count++] = i;
	return found;
}

/* Put the records into the order that the header promises. The healthy ones
 * are looked at first, so that of two equal records the healthy one is shown. */
static void sort_records(struct rrset *out, const struct rrset_input *records,
			 uint32_t count, uint32_t *order, uint32_t *scratch)
{
	struct twin_search search;
	uint32_t *twins = scratch;
	uint32_t twin_count = 0;
	uint32_t at = 0;

	start_search(&search, records, count, scratch + count);
	for (int healthy = 1; healthy >= 0; healthy--) {
		for (uint32_t i = 0; i < count; i++) {
			if (records[i].healthy != (healthy == 1))
				continue;
			if (is_twin(&search, i, order, at))
				twins[twin_count++] = i;
			else
				order[at++] = i;
		}
		if (healthy) {
			out->healthy = (uint16_t)at;
			out->healthy_twins = (uint16_t)twin_count;
		}
	}
	out->distinct = (uint16_t)at;
	memcpy(order + at, twins, twin_count * sizeof *twins);
}

static uint8_t *put_record(uint8_t *at, uint16_t type, uint32_t ttl,
			   const struct rrset_input *r)
{
	wire_put_u16(at, 0xc000 | DNS_HEADER_LEN);
	wire_put_u16(at + 2, type);
	wire_put_u16(at + 4, DNS_CLASS_IN);
	wire_put_u32(at + 6, ttl);
	wire_put_u16(at + 10, r->rdata_len);
	memcpy(at + RRSET_RDATA_AT, r->rdata, r->rdata_len);
	return at + RRSET_RDATA_AT + r->rdata_len;
}

/* The head of a set, but for the order of its records; and its store's. */
static void start_set(struct rrset *out, uint32_t ttl, const struct rrset_input *records,
		      size_t count, struct rrset_store *store)
{
	out->count = (uint16_t)count;
	out->slots = (uint16_t)(store ? store_slots(count) : count);
	out->size = (uint32_t)(store ? rrset_head_size() : rrset_size(records, count));
	if (has_equal_lengths(records, count))
		out->rr_len = (uint16_t)(RRSET_RDATA_AT + records[0].rdata_len);
	if (!store)
		return;
	store->room = (uint32_t)store_room(records, count);
	store->ttl = ttl;
	out->flags |= RRSET_IS_APART;
	memcpy(out->body, &store, sizeof store);
}

static void put_records(struct rrset *out, uint32_t *body, uint32_t ttl,
			const struct rrset_input *records, const uint32_t *order)
{
	uint8_t *start = records_of(out, body);
	uint8_t *at = start;

	for (size_t i = 0; i < out->count; i++) {
		if (!out->rr_len)
			body[i] = (uint32_t)(at - start);
		at = put_record(at, out->type, ttl, &records[order[i]]);
		if (i + 1 == out->distinct)
			out->shown_len = (uint32_t)(at - start);
	}
	if (!out->rr_len)
		body[out->count] = (uint32_t)(at - start);
}

/* The tags of a store's records: a table with linear probing. It is the writer's own, and
 * a tag that is not there is no record's. But a record of every tag need not be there: a
 * longer head that was never shown has left its tags behind. */
struct tags {
	uint16_t *at; /* 0: empty */
	size_t places;
};

static struct tags tags_of(const struct rrset *set, struct rrset_store *store)
{
	return (struct tags){
		(uint16_t *)(void *)(records_of(set, store->body) + store->room),
		tag_places(set->slots)};
}

/* Where a tag is or would be put; NULL: it is not there, and there is no room. */
static uint16_t *find_tag(struct tags tags, const struct rrset_input *record,
			  uint16_t *tag_out)
{
	uint64_t hash = hash_rdata(record);
	size_t place = (size_t)((hash >> 32) * tags.places >> 32);

	*tag_out = (uint16_t)hash ? (uint16_t)hash : 1;
	for (size_t i = 0; i < tags.places; i++) {
		if (tags.at[place] == 0 || tags.at[place] == *tag_out)
			return &tags.at[place];
		if (++place == tags.places)
			place = 0;
	}
	return NULL;
}

/* There are more places than records. */
static void put_tags(struct tags tags, const struct rrset_input *records, size_t count)
{
	memset(tags.at, 0, tags.places * sizeof *tags.at);
	for (size_t i = 0; i < count; i++) {
		uint16_t tag;
		uint16_t *at = find_tag(tags, &records[i], &tag);

		if (at)
			*at = tag;
	}
}

void rrset_render(struct rrset *out, uint16_t type, uint32_t ttl,
		  enum rrset_policy policy, const struct rrset_input *records,
		  size_t count, struct rrset_store *store, uint32_t *scratch)
{
	uint32_t *order = scratch;

	memset(out, 0, sizeof *out);
	out->type = type;
	out->flags = rdata_host_at(type) >= 0 ? RRSET_HAS_HOSTS : 0;
	out->policy = (uint8_t)policy;
	start_set(out, ttl, records, count, store);
	sort_records(out, records, (uint32_t)count, order, scratch + count);
	put_records(out, store ? store->body : out->body, ttl, records, order);
	if (store)
		put_tags(tags_of(out, store), records, count);
}

static bool is_record(const struct rrset *set, uint32_t i, const struct rrset_input *r)
{
	uint32_t len;
	const uint8_t *record = rrset_record(set, i, &len);

	return len == (uint32_t)RRSET_RDATA_AT + r->rdata_len &&
	       memcmp(record + RRSET_RDATA_AT, r->rdata, r->rdata_len) == 0;
}

static bool has_record(const struct rrset *set, const struct rrset_input *record)
{
	for (uint32_t i = 0; i < set->count; i++) {
		if (is_record(set, i, record))
			return true;
	}
	return false;
}

/* The last place is the new record's if there are no twins, and none unhealthy when
 * it is healthy. */
static bool may_be_last(const struct rrset *set, const struct rrset_input *record)
{
	return set->distinct == set->count &&
	       (!record->healthy || set->healthy == set->count);
}

bool rrset_append(struct rrset *head, const struct rrset_input *record)
{
	struct rrset_store *store = rrset_store_of(head);
	uint32_t len = (uint32_t)RRSET_RDATA_AT + record->rdata_len;
	uint32_t used = head->shown_len;
	uint16_t tag;
	uint16_t *tag_at;

	if (!may_be_last(head, record) || head->count == head->slots ||
	    (head->rr_len && head->rr_len != len) || store->room - used < len)
		return false;
	tag_at = find_tag(tags_of(head, store), record, &tag);
	if (!tag_at || (*tag_at == tag && has_record(head, record)))
		return false;
	*tag_at = tag;
	(void)put_record(records_of(head, store->body) + used, head->type, store->ttl,
			 record);
	head->shown_len += len;
	head->healthy = (uint16_t)(head->healthy + record->healthy);
	head->distinct++;
	head->count++;
	if (!head->rr_len)
		store->body[head->count] = head->shown_len;
	return true;
}

uint32_t rrset_ttl(const struct rrset *set)
{
	const struct rrset_store *store = rrset_store_of(set);
	uint32_t len;

	return store ? store->ttl : wire_get_u32(rrset_record(set, 0, &len) + 6);
}

void rrset_mark_compressed(struct rrset *set, const uint8_t *apex)
{
	struct rdata_names names = rdata_compressible(set->type);

	if (names.count == 0 || set->policy == RRSET_MULTIVALUE)
		return;
	for (uint32_t i = 0; i < set->distinct; i++) {
		uint32_t len;
		const uint8_t *at =
			rrset_record(set, i, &len) + RRSET_RDATA_AT + names.skip;

		for (unsigned n = 0; n < names.count; n++, at += dname_len(at)) {
			if (dname_is_within(at, apex)) {
				set->flags |= RRSET_IS_COMPRESSED;
				return;
			}
		}
	}
}
