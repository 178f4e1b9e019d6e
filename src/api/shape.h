/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

/* The one place that reads a request's JSON. A shape describes a value in the
 * terms of the AWS service model and says where it goes in a plain C struct;
 * shape_decode() walks JSON and shape together.
 *
 * How each kind is stored at its member's offset; absent is always zero bytes:
 *   string     const char *
 *   integer    struct opt_int
 *   enum       an int: the value that the shape's table gives to the name
 *   structure  a pointer to the struct; inside a list the struct itself
 *   list, map  a struct laid out as struct shape_list
 */

/* The layout of every list and map that is decoded into. */
struct shape_list {
	void *items;
	size_t count;
	bool present;
};

#define SHAPE_ASSERT_LIST(type)                                                          \
	_Static_assert(offsetof(type, items) == offsetof(struct shape_list, items) &&    \
			       offsetof(type, count) ==                                  \
				       offsetof(struct shape_list, count) &&             \
			       offsetof(type, present) ==                                \
				       offsetof(struct shape_list, present) &&           \
			       sizeof(type) == sizeof(struct shape_list),                \
		       "lists are decoded through struct shape_list")

enum shape_kind {
	SHAPE_STRING,
	SHAPE_INTEGER, /* the model's integer and long */
	SHAPE_ENUM,
	SHAPE_STRUCTURE,
	SHAPE_LIST,
	SHAPE_MAP, /* string to string, into struct text_pair */
};

struct shape;

struct shape_member {
	const char *name;
	const struct shape *shape;
	size_t offset;
	bool required;
};

struct shape_enum_value {
	const char *name;
	int value;
};

struct shape {
	enum shape_kind kind;
	/* Bounds of an integer's value (both count always), or of a length:
	 * code points of a string, entries of a list (max 0: unbounded). */
	int64_t min;
	int64_t max;
	int pattern;			       /* string: 0 none, else pattern number */
	const struct shape_enum_value *values; /* enum */
	size_t value_count;
	const struct shape_member *members; /* structure, in the model's order */
	size_t member_count;
	size_t size;		     /* structure: of the C struct */
	const struct shape *element; /* list element, map value */
	const struct shape *key;     /* map */
};

/* The compiled patterns. Used by one thread at a time. */
struct shape_patterns;

/**
 * Compile patterns; `texts[n]` is pattern number n, entry 0 is not used.
 * The texts must outlive the result: messages quote them.
 *
 * @return GAZ_OK, GAZ_ENOMEM, GAZ_EFORMAT (a pattern does not compile)
 */
GAZ_MUST_CHECK gaz_status shape_patterns_new(const char *const *texts, size_t count,
					     struct shape_patterns **out);
void shape_patterns_free(struct shape_patterns **patterns);

enum {
	SHAPE_MESSAGE_MAX = 8192, /* bytes of a message; what does not fit is left out */
};

/* What is wrong with an input. */
struct shape_problem {
	char *wrong_type; /* a member has the wrong JSON type: the first one */
	char *violations; /* every constraint that is violated, in AWS's wording */
};

enum shape_mode {	   /* what members that the shape does not know are */
	SHAPE_LENIENT = 0, /* ignored, as AWS does */
	SHAPE_STRICT,	   /* violations: for texts that people write */
};

/**
 * Check a JSON object against a structure shape and decode it into `out`, a
 * zeroed struct of `shape->size` bytes. A member that is null counts as absent.
 * Everything decoded and both texts are copies in the arena.
 *
 * @return GAZ_OK; GAZ_EFORMAT: `problem` has one of the texts; GAZ_ENOMEM.
 *         After an error the contents of `out` mean nothing.
 */
GAZ_MUST_CHECK gaz_status shape_decode(const struct shape_patterns *patterns,
				       const struct shape *shape, enum shape_mode mode,
				       const json_t *json, struct arena *arena, void *out,
				       struct shape_problem *problem);
