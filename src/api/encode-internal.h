/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/encode.h"

/* What the encoders share.
 *
 * json_pack() does the checking: it fails when any part failed (a NULL where
 * an "o" stands, or text that is not UTF-8), frees the parts it was given, and
 * leaves out the members of "s*" and "o*" that are NULL. */

/* The name of an enum value; NULL, which leaves the member out, when it has none. */
#define NAME_OF(names, value)                                                            \
	((size_t)(value) < sizeof(names) / sizeof *(names) ? (names)[value] : NULL)

/** Milliseconds to the seconds of an AWS timestamp. */
double encode_seconds(int64_t ms);

/** Set a member unless the text is NULL. "s*" would also hide a text that could
 *  not be converted: this reports it. */
bool encode_add_optional(json_t *object, const char *member, const char *text);

/** The object if it is complete, else NULL, and the object is freed. */
json_t *encode_finish(json_t *object, bool complete);

/** The page with its NextToken; takes the object, which may be NULL. */
json_t *encode_with_next_token(json_t *object, const char *next_token);

/** A list of `count` structures, each made by `encode`. */
json_t *encode_list(const void *items, size_t count, size_t size,
		    json_t *(*encode)(const void *item));
