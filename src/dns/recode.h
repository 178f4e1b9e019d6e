/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Writes the records of another server's reply behind what a reply of ours holds.
 * The names in them are taken apart and compressed anew, so that every octet of the
 * message may be hostile. A pure function: no allocation, time bounded by the length. */

struct reply;

struct recode_source {
	const uint8_t *wire; /* a whole message: header, question, records */
	size_t len;
	size_t name_at;	  /* where our reply holds the name that the message is about */
	bool with_dnssec; /* RRSIG, NSEC and NSEC3 too, even if they were not asked for */
};

/**
 * Append all sections but OPT records.
 *
 * @param reply    holds no record of the authority and additional sections yet
 * @param ttl_out  the smallest TTL of the records written, that of a negative answer's
 *                 SOA bounded by its MINIMUM (RFC 2308, section 5); 0: no record
 * @return GAZ_OK, GAZ_EFORMAT (not a whole message), GAZ_ELIMIT (the reply has no
 *         room for it); on error what the reply holds behind its former length, and
 *         its counts, are of no use
 */
GAZ_MUST_CHECK gaz_status recode_append(struct reply *reply,
					const struct recode_source *source,
					uint32_t *ttl_out);

/** The octets of header and questions, where the records start; 0: malformed. */
size_t recode_records_at(const uint8_t *wire, size_t len);

/** Where the TTL of the record at `at` stands, in a message that recode_append() has
 *  written. */
size_t recode_ttl_at(const uint8_t *wire, size_t at);

/** The record behind the one whose TTL stands at `ttl_at`. */
size_t recode_next(const uint8_t *wire, size_t ttl_at);
