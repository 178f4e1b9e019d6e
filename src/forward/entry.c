/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/entry.h"

#include <stdlib.h>
#include <string.h>

#include "dns/message.h"
#include "dns/name.h"
#include "dns/recode.h"
#include "dns/reply.h"
#include "dns/wire.h"

/* Header and question of what was asked, as if a client had. */
static void make_query(const struct entry_source *source, uint8_t *wire,
		       struct query *out)
{
	size_t len = source->name->len;

	memset(wire, 0, DNS_HEADER_LEN);
	wire_put_u16(wire + 4, 1);
	memcpy(wire + DNS_HEADER_LEN, source->name->wire, len);
	wire_put_u16(wire + DNS_HEADER_LEN + len, source->qtype);
	wire_put_u16(wire + DNS_HEADER_LEN + len + 2, DNS_CLASS_IN);
	memset(out, 0, sizeof *out);
	out->wire = wire;
	out->question_len = (uint16_t)(len + 4);
	out->qtype = source->qtype;
	out->qclass = DNS_CLASS_IN;
}

static bool is_reply(const struct entry_source *source)
{
	unsigned rcode;

	if (source->len < DNS_HEADER_LEN || !(source->packet[2] & (DNS_FLAG_QR >> 8)))
		return false;
	rcode = source->packet[3] & 15;
	return rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN || rcode == DNS_YXDOMAIN;
}

static size_t count_records(const struct reply *reply)
{
	return (size_t)reply->counts[0] + reply->counts[1] + reply->counts[2];
}

/* Where each TTL stands, and where each section ends. */
static void find_places(struct entry *entry)
{
	size_t at = entry->records_at;

	for (int section = 0; section < 3; section++) {
		for (unsigned i = 0; i < entry->counts[section]; i++) {
			size_t ttl = recode_ttl_at(entry->wire, at);

			entry->ttls[entry->ttl_count++] = (uint16_t)ttl;
			at = recode_next(entry->wire, ttl);
		}
		entry->ends[section] = (uint32_t)at;
	}
}

/* Where the record before the one whose TTL is number `i` ends. */
static uint32_t record_at(const struct entry *entry, size_t i)
{
	return i == 0 ? entry->records_at
		      : (uint32_t)recode_next(entry->wire, entry->ttls[i - 1]);
}

/* Record `i` is an address, and its owner a pointer. */
static bool is_address(const struct entry *entry, size_t i, uint16_t type)
{
	return wire_get_u16(entry->wire + entry->ttls[i] - 4) == type &&
	       entry->ttls[i] - record_at(entry, i) == 6;
}

/* The last RRset of the answer, if it is one of addresses: behind CNAMEs, or alone. */
static void find_addresses(struct entry *entry)
{
	size_t last = entry->counts[REPLY_ANSWER];
	uint16_t type = entry->qtype;
	size_t first = last;

	if (type != DNS_TYPE_A && type != DNS_TYPE_AAAA)
		return;
	while (first > 0 && is_address(entry, first - 1, type) &&
	       record_at(entry, first) - record_at(entry, first - 1) ==
		       record_at(entry, last) - record_at(entry, last - 1))
		first--;
	if (last - first < 2)
		return;
	entry->addresses = (uint16_t)(last - first);
	entry->addresses_at = record_at(entry, first);
	entry->address_len =
		(uint16_t)(record_at(entry, last) - record_at(entry, last - 1));
}

static struct entry *copy_reply(const struct reply *reply, size_t records_at)
{
	size_t ttls = count_records(reply);
	struct entry *entry;
	size_t size = sizeof *entry + ttls * sizeof *entry->ttls + reply->len;
	uint8_t *wire;

	entry = malloc(size);
	if (!entry)
		return NULL;
	memset(entry, 0, sizeof *entry);
	entry->size = (uint32_t)size;
	wire = (uint8_t *)(entry->ttls + ttls);
	memcpy(wire, reply->wire, reply->len);
	for (int i = 0; i < 3; i++) /* it is a message again */
		wire_put_u16(wire + 6 + 2 * i, reply->counts[i]);
	entry->wire = wire;
	entry->records_at = (uint32_t)records_at;
	memcpy(entry->counts, reply->counts, sizeof entry->counts);
	find_places(entry);
	return entry;
}

gaz_status entry_new(const struct entry_source *source, uint8_t *scratch,
		     struct entry **out)
{
	uint8_t question[DNS_HEADER_LEN + DNAME_MAX + 4];
	struct recode_source records = {.wire = source->packet,
					.len = source->len,
					.name_at = DNS_HEADER_LEN,
					.with_dnssec = source->with_dnssec};
	struct query query;
	struct reply reply;
	struct entry *entry;
	size_t records_at;
	uint32_t ttl = 0;
	gaz_status st;

	if (!is_reply(source))
		return GAZ_EFORMAT;
	make_query(source, question, &query);
	reply_begin(&reply, &query, NULL, scratch, ENTRY_SCRATCH_SIZE);
	records_at = reply.len;
	st = recode_append(&reply, &records, &ttl);
	if (st != GAZ_OK)
		return st;
	entry = copy_reply(&reply, records_at);
	if (!entry)
		return GAZ_ENOMEM;
	entry->stored_ms = source->now_ms;
	entry->expires_ms =
		source->now_ms +
		1000 * (int64_t)(ttl < ENTRY_TTL_MAX ? ttl : (uint32_t)ENTRY_TTL_MAX);
	entry->with_dnssec = source->with_dnssec;
	entry->rcode = source->packet[3] & 15;
	entry->qtype = source->qtype;
	find_addresses(entry);
	*out = entry;
	return GAZ_OK;
}

/* How many sections fit: 3, 2, 1 or, if what is needed does not, 0. */
static int fitting_sections(const struct entry *entry, const struct reply *reply)
{
	size_t room = reply->limit - reply->len;
	int needed = entry->counts[REPLY_ANSWER] > 0 ? 1 : 2;

	for (int sections = 3; sections >= needed; sections--) {
		if (entry->ends[sections - 1] - entry->records_at <= room)
			return sections;
	}
	return 0;
}

static void lower_ttl(uint8_t *ttl, uint32_t age)
{
	uint32_t value = wire_get_u32(ttl);

	wire_put_u32(ttl, value > age ? value - age : 0);
}

static uint32_t age_of(const struct entry *entry, int64_t now_ms)
{
	return (uint32_t)((now_ms - entry->stored_ms) / 1000);
}

/* The id of a query is as good as any random number. */
static void rotate_addresses(const struct entry *entry, struct reply *reply)
{
	size_t turn = wire_get_u16(reply->query->wire) % entry->addresses;
	size_t first = turn * entry->address_len;
	size_t all = (size_t)entry->addresses * entry->address_len;
	const uint8_t *from = entry->wire + entry->addresses_at;
	uint8_t *to = reply->wire + entry->addresses_at;

	memcpy(to, from + first, all - first);
	memcpy(to + all - first, from, first);
}

/* The usual case: names in the reply stand where they stand in the entry. */
static void copy_records(const struct entry *entry, struct reply *reply, int64_t now_ms)
{
	int sections = fitting_sections(entry, reply);
	uint8_t *at = reply->wire + reply->len;
	uint32_t age = age_of(entry, now_ms);
	size_t records = 0;
	size_t len;

	if (sections == 0) {
		reply->flags |= DNS_FLAG_TC;
		return;
	}
	len = entry->ends[sections - 1] - entry->records_at;
	memcpy(at, entry->wire + entry->records_at, len);
	for (int i = 0; i < sections; i++) {
		reply->counts[i] = entry->counts[i];
		records += entry->counts[i];
	}
	reply->len += len;
	if (entry->addresses > 0)
		rotate_addresses(entry, reply);
	for (size_t i = 0; age > 0 && i < records; i++)
		lower_ttl(at + (entry->ttls[i] - entry->records_at), age);
}

/* Behind records of ours, where every name must be written anew. */
static void append_records(const struct entry *entry, struct reply *reply, size_t name_at,
			   int64_t now_ms)
{
	const struct recode_source source = {.wire = entry->wire,
					     .len = entry->ends[2],
					     .name_at = name_at,
					     .with_dnssec = true};
	struct reply before = *reply;
	uint32_t age = age_of(entry, now_ms);
	size_t at = reply->len;
	uint32_t ttl;

	if (recode_append(reply, &source, &ttl) != GAZ_OK) {
		*reply = before;
		reply->flags |= DNS_FLAG_TC;
		return;
	}
	while (at < reply->len) {
		size_t ttl_at = recode_ttl_at(reply->wire, at);

		lower_ttl(reply->wire + ttl_at, age);
		at = recode_next(reply->wire, ttl_at);
	}
}

unsigned entry_answer(const struct entry *entry, struct reply *reply, size_t name_at,
		      int64_t now_ms)
{
	if (name_at == DNS_HEADER_LEN)
		copy_records(entry, reply, now_ms);
	else
		append_records(entry, reply, name_at, now_ms);
	return entry->rcode;
}
