/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gazctl/command.h"
#include "gazctl/listing.h"
#include "gazctl/table.h"

static const struct column operation_columns[] = {
	{"ID", "Id"},
	{"STATUS", "Status"},
	{0},
};

static const struct column operation_lines[] = {
	{"Id", "Id"},
	{"Type", "Type"},
	{"Status", "Status"},
	{"Error", "ErrorCode"},
	{"Message", "ErrorMessage"},
	{"Namespace", "Targets.NAMESPACE"},
	{"Service", "Targets.SERVICE"},
	{"Instance", "Targets.INSTANCE"},
	{"Created", "CreateDate"},
	{"Updated", "UpdateDate"},
	{0},
};

static const struct column tag_columns[] = {
	{"KEY", "Key"},
	{"VALUE", "Value"},
	{0},
};

int cmd_operation_show(const struct ctl *ctl, const struct args *args)
{
	json_t *reply;
	int rc = CTL_OK;

	if (client_call(&ctl->client, "GetOperation",
			json_pack("{s:s, s:s*}", "OperationId", args->operands[0],
				  "OwnerAccount", args_value(args, "owner")),
			&reply) != GAZ_OK)
		return CTL_FAILED;
	if (ctl->json)
		rc = ctl_print_json(reply);
	else
		table_print_object(json_object_get(reply, "Operation"), operation_lines);
	json_decref(reply);
	return rc;
}

static int read_filters(const struct ctl *ctl, const struct args *args, json_t *input)
{
	static const struct listing_filter filters[] = {
		{"status", "STATUS", false},
		{"type", "TYPE", false},
		{0},
	};
	const char *namespace = args_value(args, "namespace");
	const char *service = args_value(args, "service");
	char *id = NULL, *service_id = NULL;
	int rc = CTL_OK;

	if (namespace && (rc = ctl_find_namespace(ctl, namespace, &id)) == CTL_OK)
		rc = ctl_add_filter(input, "NAMESPACE_ID", id);
	free(id);
	if (rc == CTL_OK && service &&
	    (rc = ctl_find_service(ctl, service, &service_id)) == CTL_OK)
		rc = ctl_add_filter(input, "SERVICE_ID", service_id);
	free(service_id);
	if (rc == CTL_OK)
		rc = listing_add_filters(args, filters, input);
	return rc == CTL_OK ? listing_add_dates(args, input) : rc;
}

int cmd_operation_list(const struct ctl *ctl, const struct args *args)
{
	json_t *input = json_object();
	int rc = read_filters(ctl, args, input);

	if (rc != CTL_OK) {
		json_decref(input);
		return rc;
	}
	return listing_print(ctl, args, "ListOperations", input, "Operations",
			     operation_columns);
}

int cmd_tag_list(const struct ctl *ctl, const struct args *args)
{
	json_t *reply;
	int rc = CTL_OK;

	if (client_call(&ctl->client, "ListTagsForResource",
			json_pack("{s:s}", "ResourceARN", args->operands[0]),
			&reply) != GAZ_OK)
		return CTL_FAILED;
	if (ctl->json)
		rc = ctl_print_json(reply);
	else
		table_print_list(json_object_get(reply, "Tags"), tag_columns);
	json_decref(reply);
	return rc;
}

int cmd_tag_add(const struct ctl *ctl, const struct args *args)
{
	json_t *tags = json_array();

	for (size_t i = 1; i < args->operand_count; i++) {
		if (json_array_append_new(tags, ctl_pair(args->operands[i], "tag add")) !=
		    0) {
			json_decref(tags);
			return CTL_USAGE;
		}
	}
	return ctl_call_quietly(
		ctl, "TagResource",
		json_pack("{s:s, s:o}", "ResourceARN", args->operands[0], "Tags", tags));
}

int cmd_tag_remove(const struct ctl *ctl, const struct args *args)
{
	return ctl_call_quietly(ctl, "UntagResource",
				json_pack("{s:s, s:o}", "ResourceARN", args->operands[0],
					  "TagKeys", ctl_list_operands(args, 1)));
}

int cmd_call(const struct ctl *ctl, const struct args *args)
{
	const char *text = args->operand_count > 1 ? args->operands[1] : "{}";
	json_error_t err;
	json_t *input, *reply;
	int rc;

	if (strcmp(text, "-") == 0)
		input = json_loadf(stdin, JSON_ALLOW_NUL, &err);
	else
		input = json_loads(text, JSON_ALLOW_NUL, &err);
	if (!input) {
		ctl_report("the input is no JSON: line %d: %s", err.line, err.text);
		return CTL_USAGE;
	}
	if (client_call(&ctl->client, args->operands[0], input, &reply) != GAZ_OK)
		return CTL_FAILED;
	rc = ctl_print_json(reply);
	json_decref(reply);
	return rc;
}
