/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/shape-internal.h"
#include "registry/input.h"

struct walk {
	enum shape_mode mode;
	const struct shape_patterns *patterns;
	struct arena *arena;
	char *wrong_type;
	struct violations violations;
};

static bool decode_value(struct walk *w, const struct shape *shape, const json_t *json,
			 const struct place *at, void *slot);
static bool decode_members(struct walk *w, const struct shape *shape, const json_t *json,
			   const struct place *at, void *base);

/* All decode functions: false stops the walk (wrong type, or no memory). */

static bool wrong_type(struct walk *w, const struct place *at, const char *expected)
{
	char path[512];

	place_print(at, path, sizeof path);
	if (at->kind == PLACE_INPUT)
		w->wrong_type = arena_printf(w->arena, "The input must be %s", expected);
	else
		w->wrong_type = arena_printf(w->arena, "The value at '%s' must be %s",
					     path, expected);
	return false;
}

static size_t code_points(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

static void check_length(struct walk *w, const struct shape *shape, const json_t *json,
			 const struct place *at, size_t length)
{
	if (shape->max > 0 && length > (size_t)shape->max)
		violation_add(&w->violations, at, json,
			      "Member must have length less than or equal to %" PRId64,
			      shape->max);
	if (length < (size_t)shape->min)
		violation_add(&w->violations, at, json,
			      "Member must have length greater than or equal to %" PRId64,
			      shape->min);
}

/* JSON has it, the texts of C have not. */
static bool has_nul(const json_t *json)
{
	return strlen(json_string_value(json)) != json_string_length(json);
}

static bool decode_string(struct walk *w, const struct shape *shape, const json_t *json,
			  const struct place *at, const char **slot)
{
	const char *text = json_string_value(json);
	size_t len = json_string_length(json);

	if (!text)
		return wrong_type(w, at, "a string");
	check_length(w, shape, json, at, code_points(text, len));
	if (shape->pattern && !pattern_matches(w->patterns, shape->pattern, text, len))
		violation_add(&w->violations, at, json,
			      "Member must satisfy regular expression pattern: %s",
			      pattern_text(w->patterns, shape->pattern));
	/* No pattern lets it pass. */
	else if (has_nul(json))
		return wrong_type(w, at, "a string without U+0000");
	*slot = arena_strndup(w->arena, text, len);
	return *slot != NULL;
}

/* 10 and 10.0 are integers, 10.5 and "10" are not. */
static bool is_integer(const json_t *json, int64_t *out)
{
	double real;

	if (json_is_integer(json)) {
		*out = json_integer_value(json);
		return true;
	}
	if (!json_is_real(json))
		return false;
	real = json_real_value(json);
	if (real != floor(real) || real < -0x1p63 || real >= 0x1p63)
		return false;
	*out = (int64_t)real;
	return true;
}

static bool decode_integer(struct walk *w, const struct shape *shape, const json_t *json,
			   const struct place *at, struct opt_int *slot)
{
	if (!is_integer(json, &slot->value))
		return wrong_type(w, at, "an integer");
	slot->present = true;
	if (slot->value > shape->max)
		violation_add(&w->violations, at, json,
			      "Member must have value less than or equal to %" PRId64,
			      shape->max);
	if (slot->value < shape->min)
		violation_add(&w->violations, at, json,
			      "Member must have value greater than or equal to %" PRId64,
			      shape->min);
	return true;
}

static void add_enum_violation(struct walk *w, const struct shape *shape,
			       const json_t *json, const struct place *at)
{
	char set[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < shape->value_count && len < sizeof set; i++)
		len += (size_t)snprintf(set + len, sizeof set - len, "%s%s",
					i ? ", " : "", shape->values[i].name);
	violation_add(&w->violations, at, json,
		      "Member must satisfy enum value set: [%s]", set);
}

static bool decode_enum(struct walk *w, const struct shape *shape, const json_t *json,
			const struct place *at, int *slot)
{
	const char *text = json_string_value(json);

	if (!text)
		return wrong_type(w, at, "a string");
	for (size_t i = 0; i < shape->value_count; i++) {
		if (strcmp(text, shape->values[i].name) == 0 && !has_nul(json)) {
			*slot = shape->values[i].value;
			return true;
		}
	}
	add_enum_violation(w, shape, json, at);
	return true;
}

static size_t element_size(const struct shape *element)
{
	switch (element->kind) {
	case SHAPE_STRUCTURE:
		return element->size;
	case SHAPE_INTEGER:
		return sizeof(struct opt_int);
	case SHAPE_ENUM:
		return sizeof(int);
	case SHAPE_STRING:
		return sizeof(const char *);
	case SHAPE_LIST:
	case SHAPE_MAP:
		break;
	}
	return sizeof(struct shape_list);
}

static bool decode_element(struct walk *w, const struct shape *shape, const json_t *json,
			   const struct place *at, void *slot)
{
	if (json_is_null(json)) {
		violation_add(&w->violations, at, NULL, "Member must not be null");
		return true;
	}
	if (shape->kind != SHAPE_STRUCTURE)
		return decode_value(w, shape, json, at, slot);
	if (!json_is_object(json))
		return wrong_type(w, at, "an object");
	return decode_members(w, shape, json, at, slot);
}

static bool decode_list(struct walk *w, const struct shape *shape, const json_t *json,
			const struct place *at, struct shape_list *slot)
{
	const size_t size = element_size(shape->element);
	const size_t count = json_array_size(json);

	if (!json_is_array(json))
		return wrong_type(w, at, "a list");
	check_length(w, shape, json, at, count);
	slot->items = arena_alloc(w->arena, count * size);
	if (!slot->items)
		return false;
	slot->count = count;
	slot->present = true;
	for (size_t i = 0; i < count; i++) {
		struct place here = {.up = at, .index = i + 1, .kind = PLACE_ELEMENT};

		if (!decode_element(w, shape->element, json_array_get(json, i), &here,
				    (char *)slot->items + i * size))
			return false;
	}
	return true;
}

static void check_key(struct walk *w, const struct shape *shape, const char *key,
		      const struct place *map)
{
	size_t len = strlen(key);
	size_t length = code_points(key, len);

	if (shape->max > 0 && length > (size_t)shape->max)
		violation_add_key(
			&w->violations, map, key,
			"Member must have length less than or equal to %" PRId64,
			shape->max);
	if (length < (size_t)shape->min)
		violation_add_key(
			&w->violations, map, key,
			"Member must have length greater than or equal to %" PRId64,
			shape->min);
	if (shape->pattern && !pattern_matches(w->patterns, shape->pattern, key, len))
		violation_add_key(&w->violations, map, key,
				  "Member must satisfy regular expression pattern: %s",
				  pattern_text(w->patterns, shape->pattern));
}

static bool decode_map(struct walk *w, const struct shape *shape, const json_t *json,
		       const struct place *at, struct shape_list *slot)
{
	struct text_pair *pair;
	const char *key;
	json_t *value;

	if (!json_is_object(json))
		return wrong_type(w, at, "an object");
	check_length(w, shape, json, at, json_object_size(json));
	pair = arena_alloc(w->arena, json_object_size(json) * sizeof *pair);
	if (!pair)
		return false;
	slot->items = pair;
	slot->count = json_object_size(json);
	slot->present = true;
	json_object_foreach((json_t *)json, key, value)
	{
		struct place here = {.up = at, .name = key, .kind = PLACE_ENTRY};

		check_key(w, shape->key, key, at);
		pair->key = arena_strdup(w->arena, key);
		if (!pair->key ||
		    !decode_element(w, shape->element, value, &here, &pair->value))
			return false;
		pair++;
	}
	return true;
}

static bool decode_structure(struct walk *w, const struct shape *shape,
			     const json_t *json, const struct place *at, void **slot)
{
	if (!json_is_object(json))
		return wrong_type(w, at, "an object");
	*slot = arena_alloc(w->arena, shape->size);
	return *slot && decode_members(w, shape, json, at, *slot);
}

static bool decode_value(struct walk *w, const struct shape *shape, const json_t *json,
			 const struct place *at, void *slot)
{
	switch (shape->kind) {
	case SHAPE_STRING:
		return decode_string(w, shape, json, at, slot);
	case SHAPE_INTEGER:
		return decode_integer(w, shape, json, at, slot);
	case SHAPE_ENUM:
		return decode_enum(w, shape, json, at, slot);
	case SHAPE_STRUCTURE:
		return decode_structure(w, shape, json, at, slot);
	case SHAPE_LIST:
		return decode_list(w, shape, json, at, slot);
	case SHAPE_MAP:
		return decode_map(w, shape, json, at, slot);
	}
	return false;
}

static bool has_member(const struct shape *shape, const char *name)
{
	for (size_t i = 0; i < shape->member_count; i++) {
		if (strcmp(shape->members[i].name, name) == 0)
			return true;
	}
	return false;
}

static void find_unknown(struct walk *w, const struct shape *shape, const json_t *json,
			 const struct place *at)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)json, name, value)
	{
		struct place here = {.up = at, .name = name, .kind = PLACE_MEMBER};

		if (!has_member(shape, name))
			violation_add(&w->violations, &here, value,
				      "Member must be one that exists here");
	}
}

static bool decode_members(struct walk *w, const struct shape *shape, const json_t *json,
			   const struct place *at, void *base)
{
	if (w->mode == SHAPE_STRICT)
		find_unknown(w, shape, json, at);
	for (size_t i = 0; i < shape->member_count; i++) {
		const struct shape_member *member = &shape->members[i];
		const json_t *value = json_object_get(json, member->name);
		struct place here = {
			.up = at, .name = member->name, .kind = PLACE_MEMBER};

		if (value && !json_is_null(value)) {
			if (!decode_value(w, member->shape, value, &here,
					  (char *)base + member->offset))
				return false;
		} else if (member->required) {
			violation_add(&w->violations, &here, NULL,
				      "Member must not be null");
		}
	}
	return true;
}

gaz_status shape_decode(const struct shape_patterns *patterns, const struct shape *shape,
			enum shape_mode mode, const json_t *json, struct arena *arena,
			void *out, struct shape_problem *problem)
{
	struct walk w = {.mode = mode, .patterns = patterns, .arena = arena};
	const struct place input = {.kind = PLACE_INPUT};
	bool whole = json_is_object(json) ? decode_members(&w, shape, json, &input, out)
					  : wrong_type(&w, &input, "an object");

	if (w.wrong_type) {
		problem->wrong_type = w.wrong_type;
		return GAZ_EFORMAT;
	}
	if (!whole || arena->failed)
		return GAZ_ENOMEM;
	if (w.violations.count == 0)
		return GAZ_OK;
	problem->violations = violations_message(&w.violations, arena);
	return problem->violations ? GAZ_EFORMAT : GAZ_ENOMEM;
}
