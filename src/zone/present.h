/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Presentation form (RFC 1035, section 5) of replies that we wrote ourselves, for
 * people. By ldns, which is slow and allocates: never for messages of others. */

struct arena;

enum present_section {
	PRESENT_ANSWER = 0,
	PRESENT_AUTHORITY,
	PRESENT_ADDITIONAL,
	PRESENT_SECTIONS,
};

struct present_reply {
	const char *rcode;			/* "NOERROR" */
	const char **records[PRESENT_SECTIONS]; /* "web.dev. 60 IN A 10.0.0.1" */
	size_t counts[PRESENT_SECTIONS];
};

/** @return GAZ_OK, GAZ_EFORMAT (no reply), GAZ_ENOMEM. Texts are in the arena. */
GAZ_MUST_CHECK gaz_status present_reply(const uint8_t *wire, size_t len,
					struct arena *arena, struct present_reply *out);

/** A type's number from its mnemonic, or from TYPE123 (RFC 3597), of any case.
 *  @return GAZ_OK, GAZ_EFORMAT */
GAZ_MUST_CHECK gaz_status present_parse_type(const char *text, uint16_t *out);
