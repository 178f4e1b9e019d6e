/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "api/model.h"
#include "registry/namespace.h"

/* Shorthand of the tables, and the simple shapes that several of them share,
 * by their names in the model. */

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define REQUIRED(name_, shape_, type_, field_)                                           \
	{                                                                                \
		name_, shape_, offsetof(type_, field_), true                             \
	}
#define OPTIONAL(name_, shape_, type_, field_)                                           \
	{                                                                                \
		name_, shape_, offsetof(type_, field_), false                            \
	}
#define STRUCTURE(type_, members_)                                                       \
	{                                                                                \
		.kind = SHAPE_STRUCTURE, .members = members_,                            \
		.member_count = COUNT(members_), .size = sizeof(type_)                   \
	}
#define ENUM(values_)                                                                    \
	{                                                                                \
		.kind = SHAPE_ENUM, .values = values_, .value_count = COUNT(values_)     \
	}
#define STRING(min_, max_)                                                               \
	{                                                                                \
		.kind = SHAPE_STRING, .min = min_, .max = max_                           \
	}
#define STRING_LIKE(max_, pattern_)                                                      \
	{                                                                                \
		.kind = SHAPE_STRING, .max = max_, .pattern = pattern_                   \
	}
#define INTEGER(min_, max_)                                                              \
	{                                                                                \
		.kind = SHAPE_INTEGER, .min = min_, .max = max_                          \
	}
#define LIST(min_, max_, element_)                                                       \
	{                                                                                \
		.kind = SHAPE_LIST, .min = min_, .max = max_, .element = element_        \
	}

enum {
	PATTERN_NONE = 0,
	PATTERN_NAMESPACE_ANY,
	PATTERN_NAMESPACE_HTTP,
	PATTERN_NAMESPACE_PRIVATE,
	PATTERN_NAMESPACE_PUBLIC,
	PATTERN_SERVICE_NAME,
	PATTERN_INSTANCE_ID,
	PATTERN_ATTRIBUTE_KEY,
	PATTERN_ATTRIBUTE_VALUE,
	PATTERN_COUNT,
};

enum {
	MODEL_ID_MEMBERS = 1,
};

extern const struct shape model_arn;
extern const struct shape model_resource_id;
extern const struct shape model_resource_description;
extern const struct shape model_next_token;
extern const struct shape model_max_results;
extern const struct shape model_record_ttl;
extern const struct shape model_account_id;
extern const struct shape model_tags;
extern const struct shape model_filter_values;
extern const struct shape model_filter_condition;
extern const struct shape_member model_id_members[MODEL_ID_MEMBERS];
