/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/mastertext.h"

/* The words of a record's data in a master file: what masterdata reads, and masterldns. */

enum {
	MASTERFIELDS_DATA_MAX = 65535, /* octets of record data */
};

/* The words, and what completes relative names among them. */
struct masterfields {
	const char *text;
	const struct masterword *words;
	size_t count;
	const uint8_t *origin;
	size_t origin_len;
};

static inline const char *masterfields_word(const struct masterfields *fields, size_t i)
{
	return fields->text + fields->words[i].at;
}

/** Digits alone. @return false: something else, or over `max` */
bool masterfields_number(const char *text, size_t len, uint64_t max, uint64_t *out);
