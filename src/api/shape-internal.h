/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "api/shape.h"

/* What shape.c (the walk), pattern.c and violation.c share. */

/** The text of a pattern, as the model has it. */
const char *pattern_text(const struct shape_patterns *p, int number);

bool pattern_matches(const struct shape_patterns *p, int number, const char *text,
		     size_t len);

/* Where a value is: a chain from the value up to the input, on the stack of
 * the walk, turned into text only when something is wrong. */
struct place {
	const struct place *up; /* NULL: the input itself */
	const char *name;	/* member name or map key */
	size_t index;		/* of a list element, from 1 */
	enum {
		PLACE_INPUT,
		PLACE_MEMBER,
		PLACE_ELEMENT,
		PLACE_ENTRY
	} kind;
};

/* Collects violations into one bounded message. */
struct violations {
	size_t count;
	size_t len;
	char text[SHAPE_MESSAGE_MAX];
};

/** Add "Value <v> at '<path>' failed to satisfy constraint: <constraint>".
 *  @param value  NULL: null */
void violation_add(struct violations *v, const struct place *at, const json_t *value,
		   const char *fmt, ...) GAZ_PRINTF(4, 5);

/** Add the violation of a map's key, whose place is the map. */
void violation_add_key(struct violations *v, const struct place *map, const char *key,
		       const char *fmt, ...) GAZ_PRINTF(4, 5);

/** The whole message, in the arena; NULL: out of memory. */
char *violations_message(const struct violations *v, struct arena *arena);

/** Write the path of a place, cut to fit. @return `out` */
char *place_print(const struct place *at, char *out, size_t cap);
