/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/listing.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	DATE_SIZE = 32,
};

/* Since the epoch: seconds, and milliseconds where the number is that large. */
static const char date_first[] = "0", date_last[] = "9999999999999";

/* ---- filters ---- */

static int set_condition(json_t *input, const char *name, const char *condition)
{
	json_t *filters = json_object_get(input, "Filters"), *filter;
	size_t i;

	json_array_foreach(filters, i, filter)
	{
		if (strcmp(table_text(filter, "Name"), name) == 0 &&
		    json_object_set_new(filter, "Condition", json_string(condition)) != 0)
			return ctl_report("out of memory");
	}
	return CTL_OK;
}

int listing_add_filters(const struct args *args, const struct listing_filter *filters,
			json_t *input)
{
	bool begins = args_value(args, "begins-with") != NULL, has_begun = false;
	int rc = CTL_OK;

	for (; filters->option; filters++) {
		const char *value;
		size_t at = 0;

		while (rc == CTL_OK &&
		       (value = args_next_value(args, filters->option, &at)))
			rc = ctl_add_filter(input, filters->name, value);
		if (rc == CTL_OK && begins && filters->may_begin &&
		    args_value(args, filters->option)) {
			rc = set_condition(input, filters->name, "BEGINS_WITH");
			has_begun = true;
		}
	}
	if (rc != CTL_OK || !begins || has_begun)
		return rc;
	ctl_report("--begins-with wants an option that it is about");
	return CTL_USAGE;
}

/* A date as gazctl prints it, or a number as the API takes it. A date is good for all of
 * its second: `ms` says which end of it is meant. */
static int read_date(const struct args *args, const char *option, const char *absent,
		     int ms, char out[DATE_SIZE])
{
	static const char *const forms[] = {"%Y-%m-%d %H:%M:%SZ", "%Y-%m-%dT%H:%M:%SZ"};
	const char *text = args_value(args, option), *end;

	if (!text)
		text = absent;
	if (strlen(text) < DATE_SIZE && strspn(text, "0123456789.") == strlen(text)) {
		memcpy(out, text, strlen(text) + 1);
		return CTL_OK;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm tm = {0};

		end = strptime(text, forms[i], &tm);
		if (!end || *end)
			continue;
		snprintf(out, DATE_SIZE, "%lld.%03d", (long long)timegm(&tm), ms);
		return CTL_OK;
	}
	ctl_report(
		"--%s wants a date such as 2026-01-31T12:00:00Z, or seconds since 1970",
		option);
	return CTL_USAGE;
}

int listing_add_dates(const struct args *args, json_t *input)
{
	char since[DATE_SIZE], until[DATE_SIZE];
	int rc;

	if (!args_value(args, "since") && !args_value(args, "until"))
		return CTL_OK;
	if ((rc = read_date(args, "since", date_first, 0, since)) != CTL_OK ||
	    (rc = read_date(args, "until", date_last, 999, until)) != CTL_OK ||
	    (rc = ctl_add_filter(input, "UPDATE_DATE", since)) != CTL_OK ||
	    (rc = ctl_add_filter(input, "UPDATE_DATE", until)) != CTL_OK)
		return rc;
	return set_condition(input, "UPDATE_DATE", "BETWEEN");
}

/* ---- pages ---- */

static int add_page(const struct args *args, json_t *input)
{
	const char *max = args_value(args, "max"),
		   *token = args_value(args, "next-token");
	unsigned long number;

	if (max && args_parse_number(max, 0x7fffffff, &number) != GAZ_OK) {
		ctl_report("--max wants a number");
		return CTL_USAGE;
	}
	if (max &&
	    json_object_set_new(input, "MaxResults", json_integer((json_int_t)number)))
		return ctl_report("out of memory");
	if (token && json_object_set_new(input, "NextToken", json_string(token)) != 0)
		return ctl_report("cannot send %s: is it UTF-8?", token);
	return CTL_OK;
}

int listing_read(const struct ctl *ctl, const struct args *args, const char *operation,
		 json_t *take, const char *list, json_t **out)
{
	bool is_page = args_value(args, "max") || args_value(args, "next-token");
	int rc = add_page(args, take);
	gaz_status st;

	if (rc != CTL_OK) {
		json_decref(take);
		return rc;
	}
	if (is_page)
		st = client_call(&ctl->client, operation, take, out);
	else
		st = client_call_list(&ctl->client, operation, take, list, out);
	return st == GAZ_OK ? CTL_OK : CTL_FAILED;
}

void listing_print_next(const json_t *reply)
{
	const char *token = table_text(reply, "NextToken");

	if (*token)
		ctl_print_line("there are more: --next-token %s", token);
}

int listing_print(const struct ctl *ctl, const struct args *args, const char *operation,
		  json_t *take, const char *list, const struct column *columns)
{
	json_t *reply;
	int rc = listing_read(ctl, args, operation, take, list, &reply);

	if (rc != CTL_OK)
		return rc;
	if (ctl->json) {
		rc = ctl_print_json(reply);
	} else {
		table_print_list(json_object_get(reply, list), columns);
		listing_print_next(reply);
	}
	json_decref(reply);
	return rc;
}
