/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gazctl/command.h"
#include "gazctl/table.h"

/* What clients see of a service: once, and as it changes. */

static const struct column discover_columns[] = {
	{"ID", "InstanceId"},
	{"HEALTH", "HealthStatus"},
	{"ATTRIBUTES", "Attributes"},
	{0},
};

static const struct column change_columns[] = {
	{"CHANGE", "Change"},
	{"ID", "InstanceId"},
	{"HEALTH", "HealthStatus"},
	{"ATTRIBUTES", "Attributes"},
	{0},
};

enum {
	WATCH_PAUSE_MS = 200,
};

/* The name that discovery knows a namespace by; it need not be its Name. */
static int find_http_name(const struct ctl *ctl, const char *id, char **out)
{
	json_t *reply;

	if (client_call(&ctl->client, "GetNamespace", json_pack("{s:s}", "Id", id),
			&reply) != GAZ_OK)
		return CTL_FAILED;
	*out = strdup(table_text(reply, "Namespace.Properties.HttpProperties.HttpName"));
	json_decref(reply);
	return *out ? CTL_OK : ctl_report("out of memory");
}

/* Clients name a namespace by its HTTP name; people may by its id as well. */
static int choose_http_name(const struct ctl *ctl, const char *text, char **out)
{
	if (ctl_is_id(text, "ns-"))
		return find_http_name(ctl, text, out);
	*out = strdup(text);
	return *out ? CTL_OK : ctl_report("out of memory");
}

static int print_revision(const struct ctl *ctl, json_t *input)
{
	json_t *reply;
	int rc = CTL_OK;

	if (client_call(&ctl->client, "DiscoverInstancesRevision", input, &reply) !=
	    GAZ_OK)
		return CTL_FAILED;
	if (ctl->json)
		rc = ctl_print_json(reply);
	else
		printf("%" JSON_INTEGER_FORMAT "\n",
		       json_integer_value(json_object_get(reply, "InstancesRevision")));
	json_decref(reply);
	return rc;
}

/* Everything but the namespace. */
static int read_query(const struct args *args, json_t **out)
{
	json_t *query = json_object(), *optional = json_object();
	const char *max = args_value(args, "max");
	unsigned long number = 0;
	int rc = ctl_read_pairs(args, "query", query);

	if (rc == CTL_OK)
		rc = ctl_read_pairs(args, "optional", optional);
	if (rc == CTL_OK && max &&
	    args_parse_number(max, 0x7fffffff, &number) != GAZ_OK) {
		ctl_report("--max wants a number");
		rc = CTL_USAGE;
	}
	if (rc == CTL_OK && args_value(args, "revision") &&
	    (max || args_value(args, "health") || json_object_size(query) > 0 ||
	     json_object_size(optional) > 0)) {
		ctl_report("--revision excludes the other options of discover");
		rc = CTL_USAGE;
	}
	if (rc == CTL_OK)
		*out = json_pack(
			"{s:s, s:s*, s:s*, s:o*, s:O*, s:O*}", "ServiceName",
			args->operands[1], "OwnerAccount", args_value(args, "owner"),
			"HealthStatus", args_value(args, "health"), "MaxResults",
			max ? json_integer((json_int_t)number) : NULL, "QueryParameters",
			json_object_size(query) > 0 ? query : NULL, "OptionalParameters",
			json_object_size(optional) > 0 ? optional : NULL);
	json_decref(query);
	json_decref(optional);
	return rc;
}

int cmd_discover(const struct ctl *ctl, const struct args *args)
{
	json_t *input = NULL;
	char *name = NULL;
	int rc = read_query(args, &input);

	if (rc != CTL_OK)
		return rc;
	rc = choose_http_name(ctl, args->operands[0], &name);
	if (rc != CTL_OK) {
		json_decref(input);
	} else if (json_object_set_new(input, "NamespaceName", json_string(name)) != 0) {
		json_decref(input);
		rc = ctl_report("cannot send %s: is it UTF-8?", name);
	} else {
		rc = args_value(args, "revision")
			     ? print_revision(ctl, input)
			     : ctl_print_list(ctl, "DiscoverInstances", input,
					      "Instances", discover_columns);
	}
	free(name);
	return rc;
}

struct watch {
	const struct ctl *ctl;
	const char *service_id;
	json_t *names; /* the input of DiscoverInstancesRevision */
	bool has_health;
	json_int_t revision;
	json_t *instances; /* id: {"InstanceId", "HealthStatus", "Attributes"} */
	bool has_limit;	   /* end after `left` more changes */
	unsigned long left;
};

static bool is_over(const struct watch *watch)
{
	return watch->has_limit && watch->left == 0;
}

/* What the watch needs to know of its service. */
static int read_service(struct watch *watch)
{
	json_t *reply, *service;
	char *name = NULL;
	int rc = CTL_OK;

	if (client_call(&watch->ctl->client, "GetService",
			json_pack("{s:s}", "Id", watch->service_id), &reply) != GAZ_OK)
		return CTL_FAILED;
	service = json_object_get(reply, "Service");
	watch->has_health = json_object_get(service, "HealthCheckCustomConfig") ||
			    json_object_get(service, "HealthCheckConfig");
	if (!watch->names)
		rc = find_http_name(watch->ctl, table_text(service, "NamespaceId"),
				    &name);
	if (name)
		watch->names = json_pack("{s:s, s:s}", "NamespaceName", name,
					 "ServiceName", table_text(service, "Name"));
	free(name);
	json_decref(reply);
	return rc;
}

static int print_change(struct watch *watch, const char *change, const json_t *instance)
{
	json_t *row = json_pack("{s:s}", "Change", change);
	int rc = CTL_OK;

	json_object_update(row, (json_t *)instance);
	if (!watch->ctl->json)
		table_print_row(row, change_columns);
	else
		rc = ctl_print_json_line(row);
	if (rc == CTL_OK && fflush(stdout) != 0)
		rc = ctl_report("cannot write the output");
	json_decref(row);
	return rc;
}

static int count_change(struct watch *watch, const char *change, const json_t *instance)
{
	if (is_over(watch))
		return CTL_OK;
	watch->left--; /* without a limit nobody looks at it */
	return print_change(watch, change, instance);
}

static int print_difference(struct watch *watch, json_t *now)
{
	json_t *instance, *other;
	const char *id;
	int rc = CTL_OK;

	json_object_foreach(watch->instances, id, instance)
	{
		if (rc == CTL_OK && !json_object_get(now, id))
			rc = count_change(watch, "removed", instance);
	}
	json_object_foreach(now, id, instance)
	{
		other = json_object_get(watch->instances, id);
		if (rc == CTL_OK && !watch->instances)
			rc = print_change(watch, "present", instance);
		else if (rc == CTL_OK && !other)
			rc = count_change(watch, "added", instance);
		else if (rc == CTL_OK && !json_equal(instance, other))
			rc = count_change(watch, "changed", instance);
	}
	return rc;
}

/* ListInstances and not DiscoverInstances, which gives a thousand at most. */
static int read_instances(const struct watch *watch, json_t **out)
{
	const struct client *client = &watch->ctl->client;
	json_t *list, *health, *instance;
	size_t i;

	if (client_call_list(client, "ListInstances",
			     json_pack("{s:s}", "ServiceId", watch->service_id),
			     "Instances", &list) != GAZ_OK)
		return CTL_FAILED;
	if (client_call_list(client, "GetInstancesHealthStatus",
			     json_pack("{s:s}", "ServiceId", watch->service_id), "Status",
			     &health) != GAZ_OK) {
		json_decref(list);
		return CTL_FAILED;
	}
	*out = json_object();
	json_array_foreach(json_object_get(list, "Instances"), i, instance)
	{
		const char *id = table_text(instance, "Id");
		json_t *status = json_object_get(json_object_get(health, "Status"), id);

		if (!status) /* it has just gone: the next turn */
			continue;
		json_object_set_new(*out, id,
				    json_pack("{s:s, s:O, s:O}", "InstanceId", id,
					      "HealthStatus", status, "Attributes",
					      json_object_get(instance, "Attributes")));
	}
	json_decref(list);
	json_decref(health);
	return CTL_OK;
}

/* The revision counts registrations; changes of the health do not move it. */
static int take_turn(struct watch *watch)
{
	json_t *reply, *now;
	json_int_t revision;
	bool had_health;
	int rc;

	if (client_call(&watch->ctl->client, "DiscoverInstancesRevision",
			json_incref(watch->names), &reply) != GAZ_OK)
		return CTL_FAILED;
	revision = json_integer_value(json_object_get(reply, "InstancesRevision"));
	json_decref(reply);
	/* A check may have been added; what it was like with one is seen once more. */
	had_health = watch->has_health;
	rc = read_service(watch);
	if (rc != CTL_OK || (watch->instances && revision == watch->revision &&
			     !watch->has_health && !had_health))
		return rc;
	rc = read_instances(watch, &now);
	if (rc != CTL_OK)
		return rc;
	rc = print_difference(watch, now);
	json_decref(watch->instances);
	watch->instances = now;
	watch->revision = revision;
	return rc;
}

int cmd_watch(const struct ctl *ctl, const struct args *args)
{
	const char *count = args_value(args, "count");
	struct watch watch = {.ctl = ctl, .has_limit = count != NULL};
	char *id = NULL;
	int rc;

	if (count && (args_parse_number(count, 0xffffffff, &watch.left) != GAZ_OK ||
		      watch.left == 0)) {
		ctl_report("--count wants a number of changes");
		return CTL_USAGE;
	}
	rc = ctl_find_service(ctl, args->operands[0], &id);
	watch.service_id = id;
	if (rc == CTL_OK)
		rc = read_service(&watch);
	while (rc == CTL_OK && (rc = take_turn(&watch)) == CTL_OK && !is_over(&watch))
		ctl_sleep_ms(WATCH_PAUSE_MS);
	json_decref(watch.names);
	json_decref(watch.instances);
	free(id);
	return rc;
}
