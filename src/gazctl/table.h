/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* Output for people: lists as tables, single objects as "title  value" lines. */

struct column {
	const char *title;
	const char *path; /* a member, or members of members: "Properties.SOA.TTL" */
};

/** The string at a path, "" when there is none. Borrowed from the object. */
const char *table_text(const json_t *object, const char *path);

/** One row for each object of the array; columns end with a NULL title. */
void table_print_list(const json_t *array, const struct column *columns);

/** One row without a heading: the cells of one object, two spaces apart. */
void table_print_row(const json_t *object, const struct column *columns);

/** One line for each column that has a value. */
void table_print_object(const json_t *object, const struct column *columns);

/** One line for each member, whatever there is. */
void table_print_members(const json_t *object);
