/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/message.h"

#include "dns/wire.h"

enum { /* behind the name of the algorithm (RFC 8945, section 4.2) */
	TSIG_MAC_AT = 6 + 2 + 2,   /* time, fudge, length of the MAC */
	TSIG_TAIL_LEN = 2 + 2 + 2, /* original id, error, length of other data */
};

/* A pointer leads to a name before (RFC 1035, section 4.1.4). */
static bool is_pointer(const uint8_t *wire, size_t len, size_t at, size_t start)
{
	size_t to;

	if (len - at < 2)
		return false;
	to = wire_get_u16(wire + at) & 0x3fffu;
	return to >= DNS_HEADER_LEN && to < start;
}

/* The end of the name at `at`, which may be compressed and is not followed;
 * 0 when it runs out of the message, or a pointer does. */
static size_t skip_name(const uint8_t *wire, size_t len, size_t at)
{
	for (size_t start = at; at < len && at - start < DNAME_MAX; at += 1u + wire[at]) {
		if (wire[at] == 0)
			return at + 1;
		if (wire[at] >= 0xc0)
			return is_pointer(wire, len, at, start) ? at + 2 : 0;
		if (wire[at] > DNAME_LABEL_MAX)
			return 0;
	}
	return 0;
}

/* `at` is the OPT record's type field (RFC 6891, section 6.1.2). */
static enum query_verdict read_opt(const uint8_t *at, size_t rdata_len, struct query *out)
{
	uint16_t size = wire_get_u16(at + 2);

	if (out->has_edns)
		return QUERY_FORMERR;
	/* Whatever else is wrong with it, it is answered by one (section 6.1.1). */
	out->has_edns = true;
	out->edns = (struct edns_query){.cookie = NULL};
	out->udp_size = size > DNS_UDP_MIN ? size : DNS_UDP_MIN;
	out->dnssec_ok = (wire_get_u16(at + 6) & DNS_EDNS_DO) != 0;
	if (at[5] != 0)
		return QUERY_BADVERS;
	return edns_read_options(at + DNS_RR_FIXED_LEN, rdata_len, &out->edns)
		       ? QUERY_OK
		       : QUERY_FORMERR;
}

/* `at` is the TSIG record's type field, `owner` where it starts (RFC 8945, section 4.2). */
static bool read_tsig(const uint8_t *owner, const uint8_t *at, size_t rdata_len,
		      struct query *out)
{
	const uint8_t *data = at + DNS_RR_FIXED_LEN;
	size_t algorithm = dname_check(data, rdata_len);
	size_t mac_end = algorithm + TSIG_MAC_AT;

	if (wire_get_u16(at + 2) != DNS_CLASS_ANY || algorithm == 0 ||
	    rdata_len < mac_end)
		return false;
	mac_end += wire_get_u16(data + mac_end - 2);
	if (rdata_len < mac_end + TSIG_TAIL_LEN ||
	    rdata_len != mac_end + TSIG_TAIL_LEN +
				 wire_get_u16(data + mac_end + TSIG_TAIL_LEN - 2))
		return false;
	out->tsig = owner;
	out->tsig_owner = (uint16_t)(at - owner);
	out->tsig_algorithm = (uint8_t)algorithm;
	return true;
}

/* The records behind the question: all are skipped but OPT and TSIG. */
static enum query_verdict read_records(const uint8_t *wire, size_t len, struct query *out)
{
	enum query_verdict verdict = QUERY_OK;
	size_t at = DNS_HEADER_LEN + out->question_len;
	unsigned before = (unsigned)wire_get_u16(wire + 6) + wire_get_u16(wire + 8);
	unsigned count = before + wire_get_u16(wire + 10);

	for (unsigned i = 0; i < count; i++) {
		size_t owner = at;
		size_t rdata_len;

		at = skip_name(wire, len, at);
		if (at == 0 || len - at < DNS_RR_FIXED_LEN)
			return QUERY_FORMERR;
		rdata_len = wire_get_u16(wire + at + 8);
		if (len - at - DNS_RR_FIXED_LEN < rdata_len)
			return QUERY_FORMERR;
		if (wire_get_u16(wire + at) == DNS_TYPE_OPT) {
			enum query_verdict opt = QUERY_FORMERR;

			if (i >= before && at - owner == 1)
				opt = read_opt(wire + at, rdata_len, out);
			if (opt == QUERY_FORMERR)
				return opt;
			verdict = opt;
		}
		if (wire_get_u16(wire + at) == DNS_TYPE_TSIG &&
		    (i < before || i + 1 < count ||
		     !read_tsig(wire + owner, wire + at, rdata_len, out)))
			return QUERY_FORMERR;
		at += DNS_RR_FIXED_LEN + rdata_len;
	}
	if (at != len)
		return QUERY_FORMERR;
	return verdict == QUERY_OK && out->tsig ? QUERY_BADKEY : verdict;
}

/* The usual query has no records at all. */
static bool has_records(const uint8_t *wire)
{
	return wire_get_u32(wire + 6) != 0 || wire_get_u16(wire + 10) != 0;
}

/* Of messages of these opcodes we know what comes behind the header (RFC 1996, RFC 2136):
 * of the others nothing is sent back. */
static bool has_question(uint16_t flags)
{
	uint16_t opcode = flags & DNS_FLAG_OPCODE;

	return opcode == DNS_OPCODE_NOTIFY || opcode == DNS_OPCODE_UPDATE;
}

/* A message without a question: what a client sends for a cookie alone. */
static enum query_verdict read_cookie_query(const uint8_t *wire, size_t len,
					    struct query *out)
{
	enum query_verdict verdict = read_records(wire, len, out);

	if (verdict != QUERY_OK && verdict != QUERY_BADKEY)
		return verdict;
	return verdict == QUERY_OK && out->has_edns && out->edns.cookie ? QUERY_COOKIE
									: QUERY_FORMERR;
}

enum query_verdict query_parse(const uint8_t *wire, size_t len, struct query *out)
{
	enum query_verdict verdict;
	size_t name_len;

	if (len < DNS_HEADER_LEN || wire[2] & (DNS_FLAG_QR >> 8))
		return QUERY_DROP;
	out->wire = wire;
	out->flags = wire_get_u16(wire + 2);
	out->question_len = 0;
	out->udp_size = DNS_UDP_MIN;
	out->has_edns = false;
	out->dnssec_ok = false;
	out->tsig = NULL;

	/* Messages of other opcodes need not have the shape of a query. */
	verdict = out->flags & DNS_FLAG_OPCODE ? QUERY_NOTIMP : QUERY_FORMERR;
	if (wire_get_u16(wire + 4) != 1)
		return verdict == QUERY_FORMERR && wire_get_u32(wire + 4) == 0
			       ? read_cookie_query(wire, len, out)
			       : verdict;
	name_len = dname_parse(wire + DNS_HEADER_LEN, len - DNS_HEADER_LEN, &out->name);
	if (name_len == 0 || len - DNS_HEADER_LEN - name_len < 4)
		return verdict;
	out->question_len = (uint16_t)(name_len + 4);
	out->qtype = wire_get_u16(wire + DNS_HEADER_LEN + name_len);
	out->qclass = wire_get_u16(wire + DNS_HEADER_LEN + name_len + 2);
	if (verdict == QUERY_NOTIMP) {
		/* An OPT record is answered by one (RFC 6891, section 6.1.1). */
		(void)read_records(wire, len, out);
		if (!has_question(out->flags))
			out->question_len = 0;
		return verdict;
	}
	if (!has_records(wire))
		return len == DNS_HEADER_LEN + name_len + 4 ? QUERY_OK : verdict;
	return read_records(wire, len, out);
}
