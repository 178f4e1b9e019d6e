/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/reply.h"

#include <string.h>

#include "dns/message.h"
#include "dns/rdata.h"
#include "dns/rrset.h"
#include "dns/wire.h"

size_t reply_limit(const struct query *query, bool tcp, uint16_t udp_size)
{
	if (tcp)
		return REPLY_TCP_MAX;
	return query->udp_size < udp_size ? query->udp_size : udp_size;
}

void reply_begin(struct reply *r, const struct query *query, const struct edns_reply *opt,
		 uint8_t *buf, size_t limit)
{
	r->wire = buf;
	r->query = query;
	r->opt = opt;
	r->error = EDNS_ERROR_NONE;
	r->whole_at = 0;
	r->len = DNS_HEADER_LEN + query->question_len;
	r->limit = limit - (opt ? DNS_OPT_LEN + edns_options_len(opt) : 0);
	r->flags = DNS_FLAG_QR | (query->flags & (DNS_FLAG_OPCODE | DNS_FLAG_RD));
	memset(r->counts, 0, sizeof r->counts);
	memcpy(buf, query->wire, r->len);
}

static void *reserve(struct reply *r, enum reply_section section, size_t len)
{
	/* Nothing follows what was missed. */
	if (!(r->flags & DNS_FLAG_TC) && len <= r->limit - r->len)
		return r->wire + r->len;
	if (section != REPLY_ADDITIONAL)
		r->flags |= DNS_FLAG_TC;
	return NULL;
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
	void *at = reserve(r, section, set->shown_len);

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
	at = reserve(r, section, total);
	if (!at)
		return 0;
	for (uint32_t i = 0; i < count; i++, at += lens[i - 1])
		memcpy(at, records[i], lens[i]);
	return commit(r, section, owner, total, count);
}

/* How many of the chosen records fit: one at least. */
static uint32_t count_fitting(const struct reply *r, const struct rrset *set,
			      const uint32_t *chosen, uint32_t count)
{
	size_t room = r->limit - r->len;
	uint32_t fitting = 0;

	for (; fitting < count; fitting++) {
		uint32_t len;

		(void)rrset_record(set, chosen[fitting], &len);
		if (len > room)
			break;
		room -= len;
	}
	return fitting ? fitting : 1;
}

static size_t add_multivalue(struct reply *r, enum reply_section section,
			     const struct rrset *set, size_t owner, struct rng *rng)
{
	uint32_t chosen[RRSET_MULTIVALUE_MAX];
	uint32_t from = set->healthy ? set->healthy : set->distinct;
	uint32_t count = from < RRSET_MULTIVALUE_MAX ? from : RRSET_MULTIVALUE_MAX;

	choose(rng, from, count, chosen);
	count = count_fitting(r, set, chosen, count);
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

/* The labels that two names have in common at their ends. Case counts: the client shall
 * see the record's, whatever case it asks in. */
static unsigned count_common(const uint8_t *a, const struct dname *a_parts,
			     const uint8_t *b, const struct dname *b_parts)
{
	unsigned common = 0;

	while (common < a_parts->labels && common < b_parts->labels) {
		const uint8_t *label = a + a_parts->offsets[a_parts->labels - common - 1];

		if (memcmp(label, b + b_parts->offsets[b_parts->labels - common - 1],
			   1u + *label) != 0)
			break;
		common++;
	}
	return common;
}

/* The octets of the reply from `at` on; those of a record at work are still apart. */
static const uint8_t *octets_at(const struct reply *r, size_t at, const uint8_t *record)
{
	return at < r->len ? r->wire + at : record + (at - r->len);
}

/* Copy a name to `to` in a record that will be the reply's next, but as a pointer what it
 * shares with the end of the question's or, if that is more, of the last whole one. */
static uint8_t *put_name(struct reply *r, const uint8_t *record, uint8_t *to,
			 const uint8_t *name)
{
	const struct dname *other = &r->query->name;
	size_t other_at = DNS_HEADER_LEN;
	size_t place = r->len + (size_t)(to - record);
	struct dname parts;
	size_t len = dname_parse(name, DNAME_MAX, &parts);
	unsigned common = count_common(name, &parts, r->wire + other_at, other);

	if (r->whole_at) {
		unsigned more = count_common(
			name, &parts, octets_at(r, r->whole_at, record), &r->whole);

		if (more > common) {
			common = more;
			other = &r->whole;
			other_at = r->whole_at;
		}
	}
	if (common == 0) {
		memcpy(to, name, len);
		if (place <= REPLY_POINTER_MAX - DNAME_MAX) {
			r->whole_at = place;
			r->whole = parts;
		}
		return to + len;
	}
	len = parts.offsets[parts.labels - common];
	memcpy(to, name, len);
	wire_put_u16(
		to + len,
		(uint16_t)(0xc000 | (other_at + other->offsets[other->labels - common])));
	return to + len + 2;
}

void reply_note_name(struct reply *r, size_t at)
{
	if (at <= REPLY_POINTER_MAX - DNAME_MAX &&
	    dname_parse(r->wire + at, r->len - at, &r->whole) != 0)
		r->whole_at = at;
}

/* One record, its names compressed. Returns its place, 0: it does not fit. */
static size_t add_compressed(struct reply *r, enum reply_section section,
			     const uint8_t *record, size_t len, size_t owner)
{
	struct rdata_names names = rdata_compressible(wire_get_u16(record + 2));
	const uint8_t *from = record + RRSET_RDATA_AT + names.skip;
	uint8_t copy[RRSET_RDATA_AT + RDATA_SOA_MAX];
	uint8_t *to = copy + RRSET_RDATA_AT + names.skip;
	uint8_t *at;

	memcpy(copy, record, (size_t)(to - copy));
	for (unsigned i = 0; i < names.count; i++, from += dname_len(from))
		to = put_name(r, copy, to, from);
	len -= (size_t)(from - record);
	memcpy(to, from, len);
	len += (size_t)(to - copy);
	wire_put_u16(copy + 10, (uint16_t)(len - RRSET_RDATA_AT));
	at = reserve(r, section, len);
	if (!at) {
		r->whole_at = 0; /* it may be one that did not get there */
		return 0;
	}
	memcpy(at, copy, len);
	return commit(r, section, owner, len, 1);
}

static size_t add_all_compressed(struct reply *r, enum reply_section section,
				 const struct rrset *set, size_t owner)
{
	size_t start = r->len;
	uint16_t count = r->counts[section];

	for (uint32_t i = 0; i < set->distinct; i++) {
		uint32_t len;
		const uint8_t *record = rrset_record(set, i, &len);

		if (!add_compressed(r, section, record, len, owner)) {
			r->len = start;
			r->counts[section] = count;
			return 0;
		}
	}
	return start;
}

static size_t add_rrset_compressed(struct reply *r, enum reply_section section,
				   const struct rrset *set, size_t owner, struct rng *rng)
{
	const uint8_t *record;
	uint32_t len;

	if (set->distinct == 1 || set->policy != RRSET_WEIGHTED)
		return add_all_compressed(r, section, set, owner);
	record = rrset_record(set, rrset_weighted(set, rng_below(rng, rrset_weight(set))),
			      &len);
	return add_compressed(r, section, record, len, owner);
}

size_t reply_add_rrset(struct reply *r, enum reply_section section,
		       const struct rrset *set, size_t owner, struct rng *rng)
{
	if (set->flags & RRSET_IS_COMPRESSED)
		return add_rrset_compressed(r, section, set, owner, rng);
	if (set->distinct == 1 || set->policy == RRSET_ALL)
		return add_shown(r, section, set, owner);
	if (set->policy == RRSET_MULTIVALUE)
		return add_multivalue(r, section, set, owner, rng);
	return add_weighted(r, section, set, owner, rng);
}

bool reply_read_name(const struct reply *r, size_t at, struct dname *out)
{
	uint8_t name[DNAME_MAX];
	size_t len = 0;

	while (at < r->len) {
		const uint8_t *label = r->wire + at;

		if (*label >= 0xc0) { /* ours: it leads backwards, to the question */
			at = wire_get_u16(label) & REPLY_POINTER_MAX;
			continue;
		}
		if (len + 1u + *label > sizeof name || 1u + *label > r->len - at)
			return false;
		memcpy(name + len, label, 1u + *label);
		len += 1u + *label;
		at += 1u + *label;
		if (*label == 0)
			return dname_parse(name, len, out) != 0;
	}
	return false;
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
	uint8_t record[RRSET_RDATA_AT + RDATA_SOA_MAX];

	wire_put_u16(record, 0xc000 | DNS_HEADER_LEN);
	wire_put_u16(record + 2, type);
	wire_put_u16(record + 4, DNS_CLASS_IN);
	wire_put_u32(record + 6, ttl);
	memcpy(record + RRSET_RDATA_AT, rdata, rdata_len);
	return add_compressed(r, section, record, RRSET_RDATA_AT + rdata_len, owner);
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
	wire_put_u16(at + 3, r->opt->udp_size);
	at[5] = (uint8_t)(rcode >> 4);
	at[6] = 0; /* the version */
	wire_put_u16(at + 7, r->query->dnssec_ok ? DNS_EDNS_DO : 0);
	wire_put_u16(at + 9, (uint16_t)(end - at - DNS_OPT_LEN));
	r->len = (size_t)(end - r->wire);
	r->counts[REPLY_ADDITIONAL]++;
}

/* A compressed name may lead to a label of the question, which the reply has at the same
 * place. */
static bool is_key_name_ours(const struct query *query)
{
	const struct dname *name = &query->name;
	const uint8_t *at = query->tsig;
	unsigned to;

	while (*at != 0 && *at < 0xc0)
		at += 1u + *at;
	if (*at == 0)
		return true;
	to = (wire_get_u16(at) & REPLY_POINTER_MAX) - DNS_HEADER_LEN;
	for (unsigned i = 0; i <= name->labels; i++) {
		if (name->offsets[i] == to)
			return (at - query->tsig) + (name->len - (int)to) <= DNAME_MAX;
	}
	return false;
}

/* Say of the query's key that we do not know it: without a MAC, and with the query's time
 * (RFC 8945, sections 5.2.1 and 5.3.2). */
static void put_bad_key(struct reply *r, size_t room)
{
	const struct query *query = r->query;
	const uint8_t *data = query->tsig + query->tsig_owner + DNS_RR_FIXED_LEN;
	size_t same = query->tsig_algorithm + 6u + 2; /* with time and fudge */
	size_t mac_len = wire_get_u16(data + same);
	uint8_t *at = r->wire + r->len;
	size_t len = query->tsig_owner + DNS_RR_FIXED_LEN + same + 8;

	if (len > room || !is_key_name_ours(query))
		return;
	memcpy(at, query->tsig, query->tsig_owner);
	at += query->tsig_owner;
	wire_put_u16(at, DNS_TYPE_TSIG);
	wire_put_u16(at + 2, DNS_CLASS_ANY);
	wire_put_u32(at + 4, 0);
	wire_put_u16(at + 8, (uint16_t)(same + 8));
	memcpy(at + DNS_RR_FIXED_LEN, data, same);
	at += DNS_RR_FIXED_LEN + same;
	wire_put_u16(at, 0);
	memcpy(at + 2, data + same + 2 + mac_len, 2); /* the original id */
	wire_put_u16(at + 4, DNS_TSIG_BADKEY);
	wire_put_u16(at + 6, 0);
	r->len += len;
	r->counts[REPLY_ADDITIONAL]++;
}

size_t reply_end(struct reply *r, unsigned rcode)
{
	size_t room = r->limit - r->len;

	if (r->opt)
		put_opt(r, rcode);
	if (r->query->tsig && rcode == DNS_NOTAUTH)
		put_bad_key(r, room);
	wire_put_u16(r->wire + 2, (uint16_t)(r->flags | (rcode & 0xf)));
	wire_put_u16(r->wire + 4, r->query->question_len ? 1 : 0);
	for (int i = 0; i < 3; i++)
		wire_put_u16(r->wire + 6 + 2 * i, r->counts[i]);
	return r->len;
}

size_t reply_cut(struct reply *r)
{
	unsigned rcode = r->wire[3] & 0xf; /* who has a larger one has no records */

	r->len = DNS_HEADER_LEN + r->query->question_len;
	memset(r->counts, 0, sizeof r->counts);
	r->flags |= DNS_FLAG_TC;
	return reply_end(r, rcode);
}
