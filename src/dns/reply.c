/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/reply.h"

#include <string.h>

#include "dns/message.h"
#include "dns/rrset.h"
#include "dns/wire.h"

size_t reply_limit(const struct query *query, bool tcp)
{
	if (tcp)
		return REPLY_TCP_MAX;
	return query->udp_size < REPLY_UDP_MAX ? query->udp_size : REPLY_UDP_MAX;
}

void reply_begin(struct reply *r, const struct query *query, const struct edns_reply *opt,
		 uint8_t *buf, size_t limit)
{
	r->wire = buf;
	r->query = query;
	r->opt = opt;
	r->error = EDNS_ERROR_NONE;
	r->len = DNS_HEADER_LEN + query->question_len;
	r->limit = limit - (opt ? DNS_OPT_LEN + edns_options_len(opt) : 0);
	r->flags = DNS_FLAG_QR | (query->flags & (DNS_FLAG_OPCODE | DNS_FLAG_RD));
	memset(r->counts, 0, sizeof r->counts);
	memcpy(buf, query->wire, r->len);
}

static void *reserve(struct reply *r, size_t len)
{
	/* Nothing follows what did not fit. */
	if (r->flags & DNS_FLAG_TC || len > r->limit - r->len) {
		r->flags |= DNS_FLAG_TC;
		return NULL;
	}
	return r->wire + r->len;
}

/* Records that have one name, which is not the question's. */
static void patch_owners(uint8_t *at, const uint8_t *end, size_t owner)
{
	while (at < end) {
		wire_put_u16(at, (uint16_t)(0xc000 | owner));
		at += RRSET_RDATA_AT + wire_get_u16(at + 10);
	}
}

static size_t commit(struct reply *r, enum reply_section section, size_t owner,
		     size_t len, unsigned count)
{
	size_t start = r->len;

	r->len += len;
	r->counts[section] = (uint16_t)(r->counts[section] + count);
	if (owner != DNS_HEADER_LEN)
		patch_owners(r->wire + start, r->wire + r->len, owner);
	return start;
}

static size_t add_shown(struct reply *r, enum reply_section section,
			const struct rrset *set, size_t owner)
{
	uint32_t len;
	const uint8_t *records = rrset_record(set, 0, &len);
	void *at = reserve(r, set->shown_len);

	if (!at)
		return 0;
	memcpy(at, records, set->shown_len);
	return commit(r, section, owner, set->shown_len, set->distinct);
}

/* `k` different numbers below `n`, every sequence equally likely. Draw i picks
 * among the numbers not yet taken: stepping over the taken ones in ascending
 * order turns the draw into the number. */
static void choose(struct rng *rng, uint32_t n, uint32_t k, uint32_t *out)
{
	uint32_t taken[RRSET_MULTIVALUE_MAX];

	for (uint32_t i = 0; i < k; i++) {
		uint32_t number = rng_below(rng, n - i);
		uint32_t place = 0;

		for (; place < i && number >= taken[place]; place++)
			number++;
		memmove(taken + place + 1, taken + place, (i - place) * sizeof *taken);
		taken[place] = number;
		out[i] = number;
	}
}

static size_t add_chosen(struct reply *r, enum reply_section section,
			 const struct rrset *set, size_t owner, const uint32_t *chosen,
			 uint32_t count)
{
	const uint8_t *records[RRSET_MULTIVALUE_MAX];
	uint32_t lens[RRSET_MULTIVALUE_MAX];
	size_t total = 0;
	uint8_t *at;

	for (uint32_t i = 0; i < count; i++) {
		records[i] = rrset_record(set, chosen[i], &lens[i]);
		total += lens[i];
	}
	at = reserve(r, total);
	if (!at)
		return 0;
	for (uint32_t i = 0; i < count; i++, at += lens[i - 1])
		memcpy(at, records[i], lens[i]);
	return commit(r, section, owner, total, count);
}

static size_t add_multivalue(struct reply *r, enum reply_section section,
			     const struct rrset *set, size_t owner, struct rng *rng)
{
	uint32_t chosen[RRSET_MULTIVALUE_MAX];
	uint32_t from = set->healthy ? set->healthy : set->distinct;
	uint32_t count = from < RRSET_MULTIVALUE_MAX ? from : RRSET_MULTIVALUE_MAX;

	choose(rng, from, count, chosen);
	return add_chosen(r, section, set, owner, chosen, count);
}

/* Each record has the same chance, twins too: two instances with one address
 * weigh two. */
static size_t add_weighted(struct reply *r, enum reply_section section,
			   const struct rrset *set, size_t owner, struct rng *rng)
{
	uint32_t chosen = rrset_weighted(set, rng_below(rng, rrset_weight(set)));

	return add_chosen(r, section, set, owner, &chosen, 1);
}

size_t reply_add_rrset(struct reply *r, enum reply_section section,
		       const struct rrset *set, size_t owner, struct rng *rng)
{
	if (set->distinct == 1 || set->policy == RRSET_ALL)
		return add_shown(r, section, set, owner);
	if (set->policy == RRSET_MULTIVALUE)
		return add_multivalue(r, section, set, owner, rng);
	return add_weighted(r, section, set, owner, rng);
}

void reply_set_ttl(struct reply *r, size_t at, uint32_t ttl)
{
	while (at < r->len) {
		wire_put_u32(r->wire + at + 6, ttl);
		at += RRSET_RDATA_AT + wire_get_u16(r->wire + at + 10);
	}
}

size_t reply_add_record(struct reply *r, enum reply_section section, uint16_t type,
			uint32_t ttl, size_t owner, const uint8_t *rdata,
			size_t rdata_len)
{
	uint8_t *at = reserve(r, RRSET_RDATA_AT + rdata_len);

	if (!at)
		return 0;
	wire_put_u16(at, (uint16_t)(0xc000 | owner));
	wire_put_u16(at + 2, type);
	wire_put_u16(at + 4, DNS_CLASS_IN);
	wire_put_u32(at + 6, ttl);
	wire_put_u16(at + 10, (uint16_t)rdata_len);
	memcpy(at + RRSET_RDATA_AT, rdata, rdata_len);
	return commit(r, section, owner, RRSET_RDATA_AT + rdata_len, 1);
}

static void put_opt(struct reply *r, unsigned rcode)
{
	uint8_t *at = r->wire + r->len;
	uint8_t *end = edns_put_options(at + DNS_OPT_LEN, r->opt);

	/* What is over after the records is its room; errors have no records. */
	if (r->error != EDNS_ERROR_NONE && r->limit - r->len >= EDNS_ERROR_LEN)
		end = edns_put_error(end, r->error);
	at[0] = 0;
	wire_put_u16(at + 1, DNS_TYPE_OPT);
	wire_put_u16(at + 3, REPLY_UDP_MAX);
	at[5] = (uint8_t)(rcode >> 4);
	at[6] = 0; /* the version */
	wire_put_u16(at + 7, r->query->dnssec_ok ? DNS_EDNS_DO : 0);
	wire_put_u16(at + 9, (uint16_t)(end - at - DNS_OPT_LEN));
	r->len = (size_t)(end - r->wire);
	r->counts[REPLY_ADDITIONAL]++;
}

size_t reply_end(struct reply *r, unsigned rcode)
{
	if (r->opt)
		put_opt(r, rcode);
	wire_put_u16(r->wire + 2, (uint16_t)(r->flags | (rcode & 0xf)));
	wire_put_u16(r->wire + 4, r->query->question_len ? 1 : 0);
	for (int i = 0; i < 3; i++)
		wire_put_u16(r->wire + 6 + 2 * i, r->counts[i]);
	return r->len;
}
