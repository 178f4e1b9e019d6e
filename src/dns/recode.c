/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/recode.h"

#include <string.h>

#include "dns/message.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/reply.h"
#include "dns/wire.h"

enum {
	PLACES_MAX = 64, /* names in the reply that later ones may point to */
	POINTER = 0xc0,
	SOA_NUMBERS_LEN = 20,
};

/* A name in the reply, or the end of one. */
struct place {
	uint16_t at;
	uint8_t len; /* of the name when it is written whole */
};

struct recoder {
	struct reply *reply;
	const uint8_t *wire;
	size_t len;
	size_t at; /* what is to be read next */
	unsigned place_count;
	struct place places[PLACES_MAX];
};

/* Only names in the data of the types that RFC 1035 defines may be compressed (RFC 3597,
 * section 4); in that of some others a sender may have done it all the same. */
static bool may_compress(uint16_t type)
{
	return type <= DNS_TYPE_MX;
}

/* Write the name at `at` out in full. Pointers lead strictly back, so this ends.
 * @return where the name ends in its place, 0: malformed */
static size_t read_name(const uint8_t *wire, size_t len, size_t at,
			uint8_t out[DNAME_MAX], size_t *len_out)
{
	size_t end = 0;
	size_t before = at; /* where pointers may lead */
	size_t n = 0;

	while (at < len) {
		uint8_t label = wire[at];

		if (label >= POINTER) {
			if (len - at < 2)
				return 0;
			if (end == 0)
				end = at + 2;
			at = wire_get_u16(wire + at) & 0x3fff;
			if (at >= before)
				return 0;
			before = at;
			continue;
		}
		if (label > DNAME_LABEL_MAX || n + label + 1u > DNAME_MAX ||
		    label >= len - at)
			return 0;
		memcpy(out + n, wire + at, label + 1u);
		n += label + 1u;
		at += label + 1u;
		if (label == 0) {
			*len_out = n;
			return end ? end : at;
		}
	}
	return 0;
}

/* True when the name at `at` of our own reply is `name`, but for case. */
static bool is_name_at(const uint8_t *wire, size_t at, const uint8_t *name)
{
	for (;;) {
		while (wire[at] >= POINTER)
			at = wire_get_u16(wire + at) & 0x3fff;
		if (wire[at] != *name)
			return false;
		if (*name == 0)
			return true;
		for (unsigned i = 1; i <= *name; i++) {
			uint8_t a;
			uint8_t b;

			dname_lower(&a, wire + at + i, 1);
			dname_lower(&b, name + i, 1);
			if (a != b)
				return false;
		}
		at += 1u + wire[at];
		name += 1u + *name;
	}
}

static const struct place *find_place(const struct recoder *rec, const uint8_t *name,
				      size_t len)
{
	for (unsigned i = 0; i < rec->place_count; i++) {
		if (rec->places[i].len == len &&
		    is_name_at(rec->reply->wire, rec->places[i].at, name))
			return &rec->places[i];
	}
	return NULL;
}

/* Names of `whole` octets that start at `at`, label by label to `end`. */
static void note_places(struct recoder *rec, size_t at, size_t end, size_t whole)
{
	while (at < end && at <= REPLY_POINTER_MAX && rec->place_count < PLACES_MAX) {
		size_t label = rec->reply->wire[at] + 1u;

		if (label == 1) /* the root needs no pointer */
			return;
		rec->places[rec->place_count++] =
			(struct place){(uint16_t)at, (uint8_t)whole};
		at += label;
		whole -= label;
	}
}

static gaz_status put(struct recoder *rec, const void *bytes, size_t len)
{
	struct reply *r = rec->reply;

	if (len > r->limit - r->len)
		return GAZ_ELIMIT;
	memcpy(r->wire + r->len, bytes, len);
	r->len += len;
	return GAZ_OK;
}

static gaz_status put_name(struct recoder *rec, const uint8_t *name, size_t len,
			   bool may_compress)
{
	const struct place *place = NULL;
	size_t start = rec->reply->len;
	size_t own = 0; /* octets before the pointer */
	uint8_t pointer[2];
	gaz_status st;

	while (may_compress && name[own] != 0) {
		place = find_place(rec, name + own, len - own);
		if (place)
			break;
		own += 1u + name[own];
	}
	if (!place)
		own = len;
	st = put(rec, name, own);
	if (st == GAZ_OK && place) {
		wire_put_u16(pointer, (uint16_t)(POINTER << 8 | place->at));
		st = put(rec, pointer, sizeof pointer);
	}
	if (st == GAZ_OK)
		note_places(rec, start, start + own, len);
	return st;
}

static gaz_status move_name(struct recoder *rec, size_t end, bool may_compress)
{
	uint8_t name[DNAME_MAX];
	size_t len = 0;
	size_t next = read_name(rec->wire, rec->len, rec->at, name, &len);

	if (next == 0 || next > end)
		return GAZ_EFORMAT;
	rec->at = next;
	return put_name(rec, name, len, may_compress);
}

static gaz_status move_bytes(struct recoder *rec, size_t end, size_t len)
{
	gaz_status st;

	if (len > end - rec->at)
		return GAZ_EFORMAT;
	st = put(rec, rec->wire + rec->at, len);
	rec->at += len;
	return st;
}

/* The data up to `end`, and its length in front of it. */
static gaz_status move_data(struct recoder *rec, size_t end, uint16_t type)
{
	struct rdata_names names = rdata_names(type);
	size_t start = rec->reply->len;
	gaz_status st = GAZ_OK;

	if (names.count > 0)
		st = move_bytes(rec, end, names.skip);
	for (unsigned i = 0; st == GAZ_OK && i < names.count; i++)
		st = move_name(rec, end, may_compress(type));
	if (st == GAZ_OK)
		st = move_bytes(rec, end, end - rec->at);
	if (st == GAZ_OK && rec->reply->len - start > UINT16_MAX)
		return GAZ_ELIMIT;
	if (st == GAZ_OK)
		wire_put_u16(rec->reply->wire + start - 2,
			     (uint16_t)(rec->reply->len - start));
	return st;
}

static bool is_wanted(uint16_t type, uint16_t qtype, bool with_dnssec)
{
	if (type == DNS_TYPE_OPT)
		return false;
	return with_dnssec || type == qtype || qtype == DNS_TYPE_ANY ||
	       !(type == DNS_TYPE_RRSIG || type == DNS_TYPE_NSEC ||
		 type == DNS_TYPE_NSEC3);
}

/* One record, or nothing of it. Its TTL lowers *ttl. */
static gaz_status move_record(struct recoder *rec, enum reply_section section,
			      const struct recode_source *source, uint32_t *ttl)
{
	uint8_t owner[DNAME_MAX];
	size_t owner_len = 0;
	size_t fixed = read_name(rec->wire, rec->len, rec->at, owner, &owner_len);
	size_t end;
	uint16_t type;
	uint32_t own_ttl;
	gaz_status st;

	if (fixed == 0 || rec->len - fixed < DNS_RR_FIXED_LEN)
		return GAZ_EFORMAT;
	type = wire_get_u16(rec->wire + fixed);
	own_ttl = wire_get_u32(rec->wire + fixed + 4);
	rec->at = fixed + DNS_RR_FIXED_LEN;
	end = rec->at + wire_get_u16(rec->wire + fixed + 8);
	if (end > rec->len)
		return GAZ_EFORMAT;
	if (!is_wanted(type, rec->reply->query->qtype, source->with_dnssec)) {
		rec->at = end;
		return GAZ_OK;
	}
	if (type == DNS_TYPE_SOA && section == REPLY_AUTHORITY &&
	    end - rec->at >= SOA_NUMBERS_LEN &&
	    wire_get_u32(rec->wire + end - 4) < own_ttl)
		own_ttl = wire_get_u32(rec->wire + end - 4);
	st = put_name(rec, owner, owner_len, true);
	if (st == GAZ_OK)
		st = put(rec, rec->wire + fixed, DNS_RR_FIXED_LEN);
	if (st == GAZ_OK)
		st = move_data(rec, end, type);
	if (own_ttl < *ttl)
		*ttl = own_ttl;
	rec->reply->counts[section]++;
	return st;
}

size_t recode_records_at(const uint8_t *wire, size_t len)
{
	uint8_t name[DNAME_MAX];
	size_t name_len;
	size_t at = DNS_HEADER_LEN;

	if (len < DNS_HEADER_LEN)
		return 0;
	for (unsigned i = wire_get_u16(wire + 4); i > 0; i--) {
		at = read_name(wire, len, at, name, &name_len);
		if (at == 0 || len - at < 4)
			return 0;
		at += 4;
	}
	return at;
}

/* The name that the message is about, which may be compressed in our own reply. */
static void note_asked_name(struct recoder *rec, size_t at)
{
	const uint8_t *wire = rec->reply->wire;
	uint8_t name[DNAME_MAX];
	size_t left = 0;

	if (read_name(wire, rec->reply->len, at, name, &left) == 0)
		return;
	while (wire[at] != 0) {
		size_t end = at;

		while (wire[end] != 0 && wire[end] < POINTER)
			end += 1u + wire[end];
		note_places(rec, at, end, left);
		left -= end - at;
		at = wire[end] == 0 ? end : wire_get_u16(wire + end) & REPLY_POINTER_MAX;
	}
}

gaz_status recode_append(struct reply *reply, const struct recode_source *source,
			 uint32_t *ttl_out)
{
	struct recoder rec;
	uint32_t ttl = UINT32_MAX;
	gaz_status st = GAZ_OK;

	rec.reply = reply;
	rec.wire = source->wire;
	rec.len = source->len;
	rec.at = recode_records_at(source->wire, source->len);
	rec.place_count = 0;
	if (rec.at == 0)
		return GAZ_EFORMAT;
	note_asked_name(&rec, source->name_at);
	for (int section = 0; section < 3; section++) {
		for (unsigned i = wire_get_u16(rec.wire + 6 + 2 * section);
		     st == GAZ_OK && i > 0; i--)
			st = move_record(&rec, (enum reply_section)section, source, &ttl);
	}
	if (st == GAZ_OK)
		*ttl_out = ttl == UINT32_MAX ? 0 : ttl;
	return st;
}

size_t recode_ttl_at(const uint8_t *wire, size_t at)
{
	while (wire[at] != 0 && wire[at] < POINTER)
		at += 1u + wire[at];
	return at + (wire[at] == 0 ? 1 : 2) + 4;
}

size_t recode_next(const uint8_t *wire, size_t ttl_at)
{
	return ttl_at + 6u + wire_get_u16(wire + ttl_at + 4);
}
