/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "gazctl/ctl.h"

/* What the commands that list have in common: filters that options name, and pages. */

struct listing_filter {
	const char *option; /* "http-name"; its values are alternatives */
	const char *name;   /* "HTTP_NAME" */
	bool may_begin;	    /* --begins-with is for its value as well */
};

/** Add a filter for each option that was given. @param filters  ended by a NULL option
 *  @return an exit code */
int listing_add_filters(const struct args *args, const struct listing_filter *filters,
			json_t *input);

/** Add the filter UPDATE_DATE if --since or --until was given. @return an exit code. */
int listing_add_dates(const struct args *args, json_t *input);

/**
 * Call a List operation: until its last page, or once with --max or --next-token.
 *
 * @param take  the input; freed
 * @param list  the name of the list member, "Namespaces"
 * @param out   a new reference, if the exit code is CTL_OK
 * @return an exit code
 */
int listing_read(const struct ctl *ctl, const struct args *args, const char *operation,
		 json_t *take, const char *list, json_t **out);

/** For people, below the list: where the next page begins, if there is one. */
void listing_print_next(const json_t *reply);

/** listing_read(), and print what it read: a table, or JSON. @return an exit code. */
int listing_print(const struct ctl *ctl, const struct args *args, const char *operation,
		  json_t *take, const char *list, const struct column *columns);
