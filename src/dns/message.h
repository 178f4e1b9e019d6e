/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"

/* A query, taken apart once. Every octet of it is hostile: nothing outside
 * the message is read, and the time is bounded by its length. */

enum query_verdict {
	QUERY_DROP = 0, /* no answer at all: shorter than a header, or itself a reply */
	QUERY_FORMERR,
	QUERY_NOTIMP,
	QUERY_BADVERS,
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
	struct dname name; /* valid when there is a question */
};

/**
 * Parse. FORMERR: not exactly one question, a broken question, records in the
 * answer section, records that are cut short, octets behind the last record,
 * more than one OPT, an OPT that is not the root's or whose options are
 * broken. NOTIMP: any opcode but QUERY. BADVERS: EDNS of a version we do not
 * know. `out` is filled in as far as the verdict allows a reply; with
 * QUERY_DROP it must not be used.
 */
enum query_verdict query_parse(const uint8_t *wire, size_t len, struct query *out);
