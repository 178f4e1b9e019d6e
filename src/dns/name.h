/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Domain names in wire form (RFC 1035, section 3.1), never compressed. A name
 * is its labels, each behind its length, and the root's zero octet. */

enum {
	DNAME_MAX = 255, /* octets, with the root's */
	DNAME_LABEL_MAX = 63,
	DNAME_MAX_LABELS = 127, /* without the root */
	DNAME_TEXT_SIZE = 1020, /* every octet escaped, the dots, the NUL */
};

/* A valid name, taken apart once: lower-case, with the place of each label. */
struct dname {
	uint8_t len;			       /* octets, with the root's */
	uint8_t labels;			       /* without the root */
	uint8_t offsets[DNAME_MAX_LABELS + 1]; /* offsets[labels] is the root's */
	uint8_t wire[DNAME_MAX];
};

/** Take apart the name at `wire`, of which `left` octets may be read.
 *  @return its length there, 0 when it is malformed or compressed. */
size_t dname_parse(const uint8_t *wire, size_t left, struct dname *out);

/** The length of a name at `wire` as dname_parse() returns it, without a copy. */
size_t dname_check(const uint8_t *wire, size_t left);

/** The length of a name that is known to be valid. */
size_t dname_len(const uint8_t *name);

/** Lower-case `len` octets of wire names; `out` may be `in`. Label lengths are
 *  below 'A', so that whole names may be given. */
void dname_lower(uint8_t *out, const uint8_t *in, size_t len);

/** Equal but for case; both are valid names. */
bool dname_equal(const uint8_t *a, const uint8_t *b);

/** True when `name` equals `apex` or lies below it; both are valid names. */
bool dname_is_within(const uint8_t *name, const uint8_t *apex);

/**
 * From presentation form: "web.example.com", with or without a final dot, with
 * \. and \DDD as escapes; any other octet but the dot stands for itself. "."
 * is the root. Upper and lower case are kept.
 *
 * @return GAZ_OK, GAZ_EFORMAT (an empty label, a bad escape), GAZ_ELIMIT (a
 *         label over 63 octets or a name over 255)
 */
GAZ_MUST_CHECK gaz_status dname_from_text(const char *text, uint8_t out[DNAME_MAX],
					  size_t *len_out);

/**
 * The name `text` below `suffix`, such as the instance id "10.0.0.1" below
 * "web.example.com". A final dot in the text changes nothing; "." is the
 * suffix itself.
 *
 * @return as dname_from_text()
 */
GAZ_MUST_CHECK gaz_status dname_below(const char *text, const uint8_t *suffix,
				      uint8_t out[DNAME_MAX], size_t *len_out);

/**
 * A name as a master file writes it (RFC 1035, section 5.1): "@" is the origin, and
 * what has no final dot is below it. Upper and lower case are kept.
 *
 * @param text    `len` octets, without a NUL behind them
 * @param origin  `origin_len` octets in wire form
 * @return as dname_from_text()
 */
GAZ_MUST_CHECK gaz_status dname_from_master(const char *text, size_t len,
					    const uint8_t *origin, size_t origin_len,
					    uint8_t out[DNAME_MAX], size_t *len_out);

/** Presentation form with the final dot. @return out */
char *dname_to_text(const uint8_t *name, char out[DNAME_TEXT_SIZE]);
