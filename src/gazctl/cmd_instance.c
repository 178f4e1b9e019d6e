/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gazctl/command.h"
#include "gazctl/listing.h"
#include "gazctl/table.h"

static const struct column instance_columns[] = {
	{"ID", "Id"},
	{"ATTRIBUTES", "Attributes"},
	{0},
};

static const struct column instance_lines[] = {
	{"Id", "Id"},
	{"Request id", "CreatorRequestId"},
	{"Account", "CreatedByAccount"},
	{0},
};

static const struct column health_columns[] = {
	{"ID", "Id"},
	{"STATUS", "Status"},
	{0},
};

/* {"ServiceId": ...}, and "InstanceId" unless that is NULL. */
static int start_input(const struct ctl *ctl, const char *service, const char *instance,
		       json_t **out)
{
	char *id = NULL;
	int rc = ctl_find_service(ctl, service, &id);

	*out = NULL;
	if (rc == CTL_OK)
		*out = json_pack("{s:s, s:s*}", "ServiceId", id, "InstanceId", instance);
	free(id);
	return rc;
}

static int read_attributes(const struct args *args, json_t *attributes)
{
	static const char *const short_forms[][2] = {
		{"ipv4", "AWS_INSTANCE_IPV4"},
		{"ipv6", "AWS_INSTANCE_IPV6"},
		{"cname", "AWS_INSTANCE_CNAME"},
		{"port", "AWS_INSTANCE_PORT"},
	};

	for (size_t i = 0; i < sizeof(short_forms) / sizeof(*short_forms); i++) {
		const char *value = args_value(args, short_forms[i][0]);

		if (value && json_object_set_new(attributes, short_forms[i][1],
						 json_string(value)) != 0)
			return ctl_report("cannot send %s: is it UTF-8?", value);
	}
	return ctl_read_pairs(args, "attribute", attributes);
}

static int add_request_id(const struct args *args, json_t *input)
{
	const char *id = args_value(args, "request-id");

	if (id && json_object_set_new(input, "CreatorRequestId", json_string(id)) != 0)
		return ctl_report("cannot send %s: is it UTF-8?", id);
	return CTL_OK;
}

int cmd_instance_register(const struct ctl *ctl, const struct args *args)
{
	json_t *attributes = json_object(), *input = NULL, *operation = NULL;
	int rc;

	if ((rc = read_attributes(args, attributes)) != CTL_OK ||
	    (rc = start_input(ctl, args->operands[0], args->operands[1], &input)) !=
		    CTL_OK ||
	    (rc = add_request_id(args, input)) != CTL_OK)
		goto out;
	json_object_set(input, "Attributes", attributes);
	rc = ctl_run_operation(ctl, "RegisterInstance", json_incref(input), &operation);
	if (rc == CTL_OK && operation && !ctl->json)
		printf("registered %s\n", args->operands[1]);
out:
	json_decref(operation);
	json_decref(input);
	json_decref(attributes);
	return rc;
}

int cmd_instance_deregister(const struct ctl *ctl, const struct args *args)
{
	json_t *input, *operation = NULL;
	int rc = start_input(ctl, args->operands[0], args->operands[1], &input);

	if (rc == CTL_OK)
		rc = ctl_run_operation(ctl, "DeregisterInstance", input, &operation);
	if (rc == CTL_OK && operation && !ctl->json)
		printf("deregistered %s\n", args->operands[1]);
	json_decref(operation);
	return rc;
}

int cmd_instance_list(const struct ctl *ctl, const struct args *args)
{
	json_t *input;
	int rc = start_input(ctl, args->operands[0], NULL, &input);

	if (rc != CTL_OK)
		return rc;
	return listing_print(ctl, args, "ListInstances", input, "Instances",
			     instance_columns);
}

int cmd_instance_show(const struct ctl *ctl, const struct args *args)
{
	json_t *input, *reply, *instance;
	int rc = start_input(ctl, args->operands[0], args->operands[1], &input);

	if (rc != CTL_OK)
		return rc;
	if (client_call(&ctl->client, "GetInstance", input, &reply) != GAZ_OK)
		return CTL_FAILED;
	if (ctl->json) {
		rc = ctl_print_json(reply);
	} else {
		instance = json_object_get(reply, "Instance");
		table_print_object(instance, instance_lines);
		putchar('\n');
		table_print_members(json_object_get(instance, "Attributes"));
	}
	json_decref(reply);
	return rc;
}

/* {"i1": "HEALTHY"} */
static void print_health_table(const json_t *statuses)
{
	json_t *rows = json_array(), *status;
	const char *id;

	json_object_foreach((json_t *)statuses, id, status) json_array_append_new(
		rows, json_pack("{s:s, s:O}", "Id", id, "Status", status));
	table_print_list(rows, health_columns);
	json_decref(rows);
}

/* The one that is an operand, and those that options name: NULL without any. */
static int read_instances(const struct args *args, json_t **out)
{
	const char *id = args->operand_count > 1 ? args->operands[1] : NULL;
	json_t *ids = json_array();
	size_t at = 0;

	*out = NULL;

	if (!id)
		id = args_next_value(args, "instance", &at);
	for (; id; id = args_next_value(args, "instance", &at)) {
		if (json_array_append_new(ids, json_string(id)) != 0) {
			json_decref(ids);
			return ctl_report("cannot send %s: is it UTF-8?", id);
		}
	}
	if (json_array_size(ids) > 0)
		*out = json_incref(ids);
	json_decref(ids);
	return CTL_OK;
}

/* Of some instances, or of all. */
static int show_health(const struct ctl *ctl, const struct args *args)
{
	json_t *input, *reply, *ids;
	int rc = read_instances(args, &ids);

	if (rc != CTL_OK)
		return rc;
	rc = start_input(ctl, args->operands[0], NULL, &input);
	if (rc == CTL_OK && ids)
		json_object_set(input, "Instances", ids);
	json_decref(ids);
	if (rc == CTL_OK)
		rc = listing_read(ctl, args, "GetInstancesHealthStatus", input, "Status",
				  &reply);
	if (rc != CTL_OK)
		return rc;
	if (ctl->json) {
		rc = ctl_print_json(reply);
	} else {
		print_health_table(json_object_get(reply, "Status"));
		listing_print_next(reply);
	}
	json_decref(reply);
	return rc;
}

int cmd_instance_health(const struct ctl *ctl, const struct args *args)
{
	const char *status = args->operand_count > 2 ? args->operands[2] : NULL;
	json_t *input;
	int rc;

	if (!status)
		return show_health(ctl, args);
	if (args_value(args, "instance") || args_value(args, "max") ||
	    args_value(args, "next-token")) {
		ctl_report("a status is set for one instance, without these options");
		return CTL_USAGE;
	}
	if (strcmp(status, "HEALTHY") != 0 && strcmp(status, "UNHEALTHY") != 0) {
		ctl_report("the status is HEALTHY or UNHEALTHY, not %s", status);
		return CTL_USAGE;
	}
	rc = start_input(ctl, args->operands[0], args->operands[1], &input);
	if (rc != CTL_OK)
		return rc;
	json_object_set_new(input, "Status", json_string(status));
	rc = ctl_call_quietly(ctl, "UpdateInstanceCustomHealthStatus", input);
	if (rc == CTL_OK && !ctl->json)
		printf("%s is %s\n", args->operands[1], status);
	return rc;
}
