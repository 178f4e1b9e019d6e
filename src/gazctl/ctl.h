/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "gazctl/args.h"
#include "gazctl/client.h"
#include "gazctl/ctl_report.h"
#include "gazctl/table.h"

/* What every command shares: the global options, lists, waiting. */

struct ctl {
	struct client client;
	bool json;
	bool no_wait;
};

/** Print JSON for programs. @return an exit code. */
int ctl_print_json(const json_t *value);

/** The same as one line. */
int ctl_print_json_line(const json_t *value);

void ctl_sleep_ms(int64_t ms);

/**
 * Call a List operation until its last page and print it: a table, or JSON.
 *
 * @param input    freed
 * @param list     the name of the list member, "Namespaces"
 * @param columns  of the table
 * @return an exit code
 */
int ctl_print_list(const struct ctl *ctl, const char *operation, json_t *input,
		   const char *list, const struct column *columns);

/** Call an operation without a result of interest: its JSON for programs, nothing
 *  for people. @param input  freed  @return an exit code */
int ctl_call_quietly(const struct ctl *ctl, const char *operation, json_t *input);

/**
 * Call an operation that answers with an OperationId and, unless --no-wait,
 * wait until it has ended. Prints JSON with --json, and the id with --no-wait.
 *
 * @param input  freed
 * @param out    the ended operation (GetOperation's Operation), a new
 *               reference; NULL when nobody waited. May be NULL
 * @return an exit code: not CTL_OK when it failed or is still pending
 */
int ctl_run_operation(const struct ctl *ctl, const char *operation, json_t *input,
		      json_t **out);

/** Is it an id with this prefix ("ns-", "srv-"), or an ARN? */
bool ctl_is_id(const char *text, const char *prefix);

/**
 * The id of a namespace that the user named by id, ARN or name.
 *
 * @param out  to be freed
 * @return an exit code; when several namespaces bear the name, their ids are
 *         reported
 */
int ctl_find_namespace(const struct ctl *ctl, const char *text, char **out);

/**
 * The id of a service that the user named by id, ARN, NAME or NAMESPACE/NAME; as
 * ctl_find_namespace().
 */
int ctl_find_service(const struct ctl *ctl, const char *text, char **out);

/** The operands from this one on as a list; NULL when one is not UTF-8. */
json_t *ctl_list_operands(const struct args *args, size_t first);

/** Set the member KEY of an object to VALUE, from "KEY=VALUE", which `what` wants.
 *  @return an exit code */
int ctl_set_pair(json_t *object, const char *text, const char *what);

/** The values of a repeatable option that takes KEY=VALUE, as members of an object.
 *  @return an exit code */
int ctl_read_pairs(const struct args *args, const char *option, json_t *object);

/** A tag: {"Key": ..., "Value": ...} from "KEY=VALUE". NULL on error, which is
 *  reported: `what` wants such a pair. */
json_t *ctl_pair(const char *text, const char *what);

/** The values of every --tag as a list of tags; NULL without any. @return an exit code. */
int ctl_read_tags(const struct args *args, json_t **out);

/** Append {"Name": name, "Values": [value]} to the input's Filters; or to the filter of
 *  this name another value, either of which will do. @return an exit code */
int ctl_add_filter(json_t *input, const char *name, const char *value);
