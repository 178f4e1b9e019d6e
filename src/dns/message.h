/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/edns.h"
#include "dns/name.h"

/* A query, taken apart once. Every octet of it is hostile: nothing outside
 * the message is read, and the time is bounded by its length. */

enum query_verdict {
	QUERY_DROP = 0, /* no answer at all: shorter than a header, or itself a reply */
	QUERY_FORMERR,
	QUERY_NOTIMP,
	QUERY_BADVERS,
	QUERY_BADKEY, /* signed with a key, and we know none */
	QUERY_COOKIE, /* no question, but a cookie: give a new one (RFC 7873, 5.4) */
	QUERY_OK,
};

struct query {
	const uint8_t *wire; /* borrowed: the message */
	uint16_t flags;
	uint16_t question_len; /* octets behind the header; 0: no readable question */
	uint16_t qtype;
	uint16_t qclass;
	uint16_t udp_size; /* what the client takes, at least 512 */
	bool has_edns;
	bool dnssec_ok;
	struct dname name;	/* valid when there is a question */
	struct edns_query edns; /* valid with has_edns */
	const uint8_t *tsig; /* a TSIG record in the message; NULL: none. Of its octets */
	uint16_t
		tsig_owner; /* so many are the key's name, 256 when it ends in a pointer, */
	uint8_t tsig_algorithm; /* and so many, at the start of its data, the algorithm's */
};

/**
 * Parse. FORMERR: not exactly one question (RFC 9619), a broken question,
 * records that are cut short, octets behind the last record, more
 * than one OPT, an OPT that is not the root's or whose options are broken. NOTIMP: any
 * opcode but QUERY. BADVERS: EDNS of a version we do not know. BADKEY: the last record is
 * a TSIG record (RFC 8945, section 5.2); one that stands elsewhere or is malformed is a
 * FORMERR. `out` is filled in as
 * far as the verdict allows a reply; with QUERY_DROP it must not be used. Of the flags
 * none but opcode and RD matters: AD, CD and Z in a query mean nothing to a server
 * without a resolver (RFC 6895, section 2; RFC 4035, section 3.1.6).
 */
enum query_verdict query_parse(const uint8_t *wire, size_t len, struct query *out);
