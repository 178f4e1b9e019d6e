/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/rrset.h"

#include <string.h>

#include "dns/wire.h"

static bool has_equal_lengths(const struct rrset_input *records, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (records[i].rdata_len != records[0].rdata_len)
			return false;
	}
	/* A record of 65,535 octets would not fit rr_len. */
	return records[0].rdata_len <= UINT16_MAX - RRSET_RDATA_AT;
}

size_t rrset_size(const struct rrset_input *records, size_t count)
{
	size_t size = sizeof(struct rrset);

	for (size_t i = 0; i < count; i++)
		size += RRSET_RDATA_AT + records[i].rdata_len;
	if (!has_equal_lengths(records, count))
		size += (count + 1) * sizeof(uint32_t);
	return (size + 3) & ~(size_t)3;
}

size_t rrset_twin_slots(size_t count)
{
	size_t slots = 4;

	while (slots * 2 < count * 3)
		slots *= 2;
	return slots;
}

static uint32_t hash_rdata(const struct rrset_input *r)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < r->rdata_len; i++)
		h = (h ^ r->rdata[i]) * 16777619u;
	return h ^ h >> 15;
}

/* True when an equal record was seen before; else this one has been noted. */
static bool is_twin(const struct rrset_input *records, uint32_t i, uint32_t *table,
		    size_t slots)
{
	const struct rrset_input *r = &records[i];
	size_t at = hash_rdata(r) & (slots - 1);

	for (; table[at] != 0; at = (at + 1) & (slots - 1)) {
		const struct rrset_input *other = &records[table[at] - 1];

		if (other->rdata_len == r->rdata_len &&
		    memcmp(other->rdata, r->rdata, r->rdata_len) == 0)
			return true;
	}
	table[at] = i + 1;
	return false;
}

/* Put the records into the order that the header promises. The healthy ones
 * are looked at first, so that of two equal records the healthy one is shown. */
static void sort_records(struct rrset *out, const struct rrset_input *records,
			 uint32_t count, uint32_t *order, uint32_t *scratch)
{
	size_t slots = rrset_twin_slots(count);
	uint32_t *twins = scratch;
	uint32_t *table = scratch + count;
	uint32_t twin_count = 0;
	uint32_t at = 0;

	memset(table, 0, slots * sizeof *table);
	for (int healthy = 1; healthy >= 0; healthy--) {
		for (uint32_t i = 0; i < count; i++) {
			if (records[i].healthy != (healthy == 1))
				continue;
			if (is_twin(records, i, table, slots))
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

void rrset_render(struct rrset *out, uint16_t type, uint32_t ttl,
		  enum rrset_policy policy, const struct rrset_input *records,
		  size_t count, uint32_t *scratch)
{
	uint32_t *order = scratch;
	uint32_t *offsets = NULL;
	uint8_t *start = (uint8_t *)out->body;
	uint8_t *at;

	memset(out, 0, sizeof *out);
	out->type = type;
	out->policy = (uint8_t)policy;
	out->count = (uint16_t)count;
	out->size = (uint32_t)rrset_size(records, count);
	if (has_equal_lengths(records, count)) {
		out->rr_len = (uint16_t)(RRSET_RDATA_AT + records[0].rdata_len);
	} else {
		offsets = out->body;
		start = (uint8_t *)(offsets + count + 1);
	}
	sort_records(out, records, (uint32_t)count, order, scratch + count);
	at = start;
	for (size_t i = 0; i < count; i++) {
		if (offsets)
			offsets[i] = (uint32_t)(at - start);
		at = put_record(at, type, ttl, &records[order[i]]);
		if (i + 1 == out->distinct)
			out->shown_len = (uint32_t)(at - start);
	}
	if (offsets)
		offsets[count] = (uint32_t)(at - start);
}

uint32_t rrset_ttl(const struct rrset *set)
{
	uint32_t len;

	return wire_get_u32(rrset_record(set, 0, &len) + 6);
}
