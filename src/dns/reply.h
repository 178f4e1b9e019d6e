/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "dns/edns.h"
#include "dns/name.h"

/* Writes a reply into the caller's buffer: the question octet by octet as it
 * came (its case may be a client's secret), then rendered records, then OPT.
 * A set of records goes in whole or not at all. */

struct query;
struct rrset;

enum reply_section {
	REPLY_ANSWER = 0,
	REPLY_AUTHORITY,
	REPLY_ADDITIONAL,
};

enum {
	REPLY_UDP_DEFAULT = 1232, /* fits the least MTU of IPv6, which is 1280 */
	REPLY_UDP_MAX = 4096,	  /* no more is of use (RFC 6891, section 6.2.5) */
	REPLY_TCP_MAX = 65535,
	REPLY_POINTER_MAX = 0x3fff, /* places that a compression pointer can name */
};

struct reply {
	uint8_t *wire; /* borrowed */
	const struct query *query;
	const struct edns_reply *opt; /* borrowed; NULL: no OPT record */
	enum edns_error error;	      /* goes into the OPT record; none at first */
	size_t len;
	size_t limit;	    /* for records: without the OPT */
	uint16_t flags;	    /* QR and RD already in it; add AA, TC */
	uint16_t counts[3]; /* by section */
	size_t whole_at;    /* a name behind the question that others may point into, */
	struct dname whole; /* and its parts; 0: none */
};

/** The largest reply: 512 octets without EDNS; with it what the client takes, up to
 *  `udp_size`, which is at least 512; and 65,535 over TCP. */
size_t reply_limit(const struct query *query, bool tcp, uint16_t udp_size);

/**
 * Header and question. Sections must be filled in their order.
 *
 * @param opt    the options of its OPT record; NULL: it has none
 * @param limit  at least 512 octets, and `buf` has room for them
 */
void reply_begin(struct reply *r, const struct query *query, const struct edns_reply *opt,
		 uint8_t *buf, size_t limit);

/**
 * Add what a query picks from a set by its policy; of a multivalue set no more than fits,
 * if anything does, for a few are as good as eight, and better than a second try by TCP.
 * Names in the data become pointers into others where that is allowed and pays.
 *
 * @param owner  where in the message the owner's name stands
 * @return where in the message the first record starts; 0: it does not fit, and the reply
 *         is marked as truncated (RFC 2181, section 9), unless it is the additional
 *         section, which nobody needs in full
 */
size_t reply_add_rrset(struct reply *r, enum reply_section section,
		       const struct rrset *set, size_t owner, struct rng *rng);

/** Names may point into the one at `at`, which stands there whole. */
void reply_note_name(struct reply *r, size_t at);

/** Copy the name that stands at `at`, pointers resolved, and lower its case.
 *  @return its labels, ready for a lookup; false: it is not in the reply */
bool reply_read_name(const struct reply *r, size_t at, struct dname *out);

/** Give the records from `at` to the end of the reply this TTL. */
void reply_set_ttl(struct reply *r, size_t at, uint32_t ttl);

/** Add one record that is not rendered, its data valid for its type and RDATA_SOA_MAX
 *  octets at most. @return as reply_add_rrset() */
size_t reply_add_record(struct reply *r, enum reply_section section, uint16_t type,
			uint32_t ttl, size_t owner, const uint8_t *rdata,
			size_t rdata_len);

/** Counts, flags, OPT, and with NOTAUTH for a query that has a TSIG record one that tells
 *  that its key is not known. @param rcode  extended. @return the reply's length. */
size_t reply_end(struct reply *r, unsigned rcode);

/** After reply_end(), when the reply turns out to be too large for the way to the client:
 *  leave its records out and mark it as truncated (RFC 9715, section 3.1).
 *  @return its length now; one that had no records is as long as before */
size_t reply_cut(struct reply *r);
