/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The parts that decoded inputs are made of. Absent members are NULL, not
 * `present`, or 0 (the first value of every enum). */

struct opt_int {
	bool present;
	int64_t value;
};

struct text_list {
	const char **items;
	size_t count;
	bool present;
};

struct text_pair {
	const char *key;
	const char *value;
};

/* A map with string keys and values, or a list of {Key, Value} structures. */
struct pair_list {
	struct text_pair *items;
	size_t count;
	bool present;
};

enum filter_condition { /* FilterCondition */
	CONDITION_UNSET = 0,
	CONDITION_EQ,
	CONDITION_IN,
	CONDITION_BETWEEN,
	CONDITION_BEGINS_WITH,
};

struct filter {
	int name; /* the operation's own filter name enum */
	enum filter_condition condition;
	struct text_list values;
};

struct filter_list {
	struct filter *items;
	size_t count;
	bool present;
};

/* Every List operation. */
struct page_in {
	const char *next_token;
	struct opt_int max_results;
	struct filter_list filters;
};
