/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gazctl/command.h"
#include "gazctl/listing.h"
#include "gazctl/table.h"

enum {
	RECORD_TTL_DEFAULT_S = 60,
	RECORD_TTL_REQUIRED = -1,
};

/* "Records" is not the API's: describe_records() adds it. */
static const struct column service_columns[] = {
	{"ID", "Id"},
	{"NAME", "Name"},
	{"TYPE", "Type"},
	{"RECORDS", "Records"},
	{"INSTANCES", "InstanceCount"},
	{"DESCRIPTION", "Description"},
	{0},
};

static const struct column service_lines[] = {
	{"Id", "Id"},
	{"Name", "Name"},
	{"Namespace", "NamespaceId"},
	{"Type", "Type"},
	{"Description", "Description"},
	{"Records", "Records"},
	{"Routing", "DnsConfig.RoutingPolicy"},
	{"Health check", "HealthCheckConfig"},
	{"Custom health", "HealthCheckCustomConfig"},
	{"Instances", "InstanceCount"},
	{"Created", "CreateDate"},
	{"ARN", "Arn"},
	{0},
};

/* Records for people, as --record takes them: "A:60, AAAA:60". */
static void describe_records(json_t *service)
{
	json_t *records =
		json_object_get(json_object_get(service, "DnsConfig"), "DnsRecords");
	json_t *record;
	char text[128] = "";
	size_t used = 0, i;

	json_array_foreach(records, i, record)
	{
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%s:%" JSON_INTEGER_FORMAT,
			i > 0 ? ", " : "", table_text(record, "Type"),
			json_integer_value(json_object_get(record, "TTL")));
		if (used >= sizeof(text))
			break;
	}
	json_object_set_new(service, "Records", json_string(text));
}

static int print_service(const struct ctl *ctl, json_t *take)
{
	json_t *service = json_object_get(take, "Service");
	int rc = CTL_OK;

	if (ctl->json) {
		rc = ctl_print_json(take);
	} else {
		describe_records(service);
		table_print_object(service, service_lines);
	}
	json_decref(take);
	return rc;
}

static int show_service(const struct ctl *ctl, const char *id)
{
	json_t *reply;

	if (client_call(&ctl->client, "GetService", json_pack("{s:s}", "Id", id),
			&reply) != GAZ_OK)
		return CTL_FAILED;
	return print_service(ctl, reply);
}

/* "A:60", or "A" when there is a default TTL. */
static json_t *parse_record(const char *text, int default_ttl)
{
	size_t len = strcspn(text, ":");
	unsigned long ttl = (unsigned long)default_ttl;

	if (text[len] ? args_parse_number(text + len + 1, 0xffffffff, &ttl) != GAZ_OK
		      : default_ttl == RECORD_TTL_REQUIRED) {
		ctl_report("--record wants %s, not %s",
			   default_ttl == RECORD_TTL_REQUIRED ? "TYPE:TTL"
							      : "TYPE or TYPE:TTL",
			   text);
		return NULL;
	}
	return json_pack("{s:s#, s:I}", "Type", text, (int)len, "TTL", (json_int_t)ttl);
}

/* DnsConfig, NULL when no record was asked for. */
static int read_dns_config(const struct args *args, int default_ttl, json_t **out)
{
	json_t *records = json_array();
	const char *text;
	size_t at = 0;

	while ((text = args_next_value(args, "record", &at))) {
		if (json_array_append_new(records, parse_record(text, default_ttl)) !=
		    0) {
			json_decref(records);
			return CTL_USAGE;
		}
	}
	*out = NULL;
	if (json_array_size(records) > 0 || args_value(args, "routing"))
		*out = json_pack("{s:O, s:s*}", "DnsRecords", records, "RoutingPolicy",
				 args_value(args, "routing"));
	json_decref(records);
	return CTL_OK;
}

/* HealthCheckConfig, or the part of it that was given; NULL without any. */
static int read_health_check(const struct args *args, json_t **out)
{
	const char *type = args_value(args, "health-check");
	const char *path = args_value(args, "health-path");
	const char *threshold = args_value(args, "failure-threshold");
	unsigned long number = 0;

	*out = NULL;
	if (threshold && args_parse_number(threshold, 0x7fffffff, &number) != GAZ_OK) {
		ctl_report("--failure-threshold wants a number");
		return CTL_USAGE;
	}
	if (type || path || threshold)
		*out = json_pack("{s:s*, s:s*, s:o*}", "Type", type, "ResourcePath", path,
				 "FailureThreshold",
				 threshold ? json_integer((json_int_t)number) : NULL);
	return CTL_OK;
}

static int check_create(const struct args *args)
{
	if (!args_value(args, "namespace"))
		ctl_report("--namespace is required; see: gazctl namespace list");
	else if (!args_value(args, "health-check") && args_value(args, "health-path"))
		ctl_report("--health-path wants --health-check");
	else if (!args_value(args, "health-check") &&
		 !args_value(args, "custom-health") &&
		 args_value(args, "failure-threshold"))
		ctl_report("--failure-threshold wants --health-check or --custom-health");
	else
		return CTL_OK;
	return CTL_USAGE;
}

/* HealthCheckCustomConfig, NULL without. A threshold belongs to the check if there is
 * one, and if not, to this. */
static int read_custom_health(const struct args *args, json_t **health, json_t **out)
{
	if (!args_value(args, "custom-health"))
		return CTL_OK;
	if (*health && !args_value(args, "health-check")) {
		*out = *health;
		*health = NULL;
	} else {
		*out = json_object();
	}
	return CTL_OK;
}

int cmd_service_create(const struct ctl *ctl, const struct args *args)
{
	json_t *dns = NULL, *health = NULL, *tags = NULL, *custom = NULL, *input, *reply;
	char *id = NULL;
	int rc;

	if ((rc = check_create(args)) != CTL_OK ||
	    (rc = read_dns_config(args, RECORD_TTL_DEFAULT_S, &dns)) != CTL_OK ||
	    (rc = read_health_check(args, &health)) != CTL_OK ||
	    (rc = read_custom_health(args, &health, &custom)) != CTL_OK ||
	    (rc = ctl_read_tags(args, &tags)) != CTL_OK ||
	    (rc = ctl_find_namespace(ctl, args_value(args, "namespace"), &id)) != CTL_OK)
		goto out;
	input = json_pack("{s:s, s:s, s:s*, s:s*, s:s*, s:O*, s:O*, s:O*, s:O*}", "Name",
			  args->operands[0], "NamespaceId", id, "CreatorRequestId",
			  args_value(args, "request-id"), "Description",
			  args_value(args, "description"), "Type",
			  args_value(args, "type"), "DnsConfig", dns, "HealthCheckConfig",
			  health, "HealthCheckCustomConfig", custom, "Tags", tags);
	if (client_call(&ctl->client, "CreateService", input, &reply) == GAZ_OK)
		rc = print_service(ctl, reply);
	else
		rc = CTL_FAILED;
out:
	json_decref(dns);
	json_decref(health);
	json_decref(custom);
	json_decref(tags);
	free(id);
	return rc;
}

/* In any of the namespaces that are named. */
static int read_filters(const struct ctl *ctl, const struct args *args, json_t *input)
{
	static const struct listing_filter filters[] = {
		{"owner", "RESOURCE_OWNER", false},
		{0},
	};
	const char *namespace;
	size_t at = 0;
	int rc = CTL_OK;

	while (rc == CTL_OK && (namespace = args_next_value(args, "namespace", &at))) {
		char *id = NULL;

		rc = ctl_find_namespace(ctl, namespace, &id);
		if (rc == CTL_OK)
			rc = ctl_add_filter(input, "NAMESPACE_ID", id);
		free(id);
	}
	return rc == CTL_OK ? listing_add_filters(args, filters, input) : rc;
}

int cmd_service_list(const struct ctl *ctl, const struct args *args)
{
	json_t *input = json_object(), *reply, *service;
	size_t i;
	int rc = read_filters(ctl, args, input);

	if (rc != CTL_OK) {
		json_decref(input);
		return rc;
	}
	rc = listing_read(ctl, args, "ListServices", input, "Services", &reply);
	if (rc != CTL_OK)
		return rc;
	if (ctl->json) {
		rc = ctl_print_json(reply);
	} else {
		json_array_foreach(json_object_get(reply, "Services"), i, service)
			describe_records(service);
		table_print_list(json_object_get(reply, "Services"), service_columns);
		listing_print_next(reply);
	}
	json_decref(reply);
	return rc;
}

int cmd_service_show(const struct ctl *ctl, const struct args *args)
{
	char *id = NULL;
	int rc = ctl_find_service(ctl, args->operands[0], &id);

	if (rc == CTL_OK)
		rc = show_service(ctl, id);
	free(id);
	return rc;
}

static int check_update(const struct args *args)
{
	bool has_records = args_value(args, "record") != NULL;
	bool has_health = args_value(args, "health-check") ||
			  args_value(args, "health-path") ||
			  args_value(args, "failure-threshold");

	if (has_records && args_value(args, "no-records"))
		ctl_report("--record and --no-records exclude each other");
	else if (has_health && args_value(args, "no-health-check"))
		ctl_report("--no-health-check excludes the other health options");
	else if (args->given_count == 0 ||
		 !(has_records || has_health || args_value(args, "description") ||
		   args_value(args, "no-records") || args_value(args, "no-health-check")))
		ctl_report("nothing to change: give --description, --record or another "
			   "option");
	else
		return CTL_OK;
	return CTL_USAGE;
}

/* UpdateService takes away what it is not given, but for the description: what
 * shall stay is read from the service and sent again. */

static json_t *choose_dns_config(const struct args *args, json_t *given,
				 const json_t *service)
{
	json_t *present =
		json_object_get(json_object_get(service, "DnsConfig"), "DnsRecords");

	if (given)
		return json_incref(given);
	if (!present || args_value(args, "no-records"))
		return NULL;
	return json_pack("{s:O}", "DnsRecords", present);
}

static json_t *choose_health_check(const struct args *args, json_t *given,
				   const json_t *service)
{
	json_t *present = json_object_get(service, "HealthCheckConfig"), *merged;

	if (args_value(args, "no-health-check") || (!given && !present))
		return NULL;
	merged = present ? json_copy(present) : json_object();
	if (given)
		json_object_update(merged, given);
	return merged;
}

static int update_service(const struct ctl *ctl, const struct args *args, const char *id,
			  json_t *dns, json_t *health, json_t **operation)
{
	json_t *reply, *service, *change;

	if (client_call(&ctl->client, "GetService", json_pack("{s:s}", "Id", id),
			&reply) != GAZ_OK)
		return CTL_FAILED;
	service = json_object_get(reply, "Service");
	change = json_pack("{s:s*, s:o*, s:o*}", "Description",
			   args_value(args, "description"), "DnsConfig",
			   choose_dns_config(args, dns, service), "HealthCheckConfig",
			   choose_health_check(args, health, service));
	json_decref(reply);
	return ctl_run_operation(ctl, "UpdateService",
				 json_pack("{s:s, s:o}", "Id", id, "Service", change),
				 operation);
}

int cmd_service_update(const struct ctl *ctl, const struct args *args)
{
	json_t *dns = NULL, *health = NULL, *operation = NULL;
	char *id = NULL;
	int rc;

	if ((rc = check_update(args)) == CTL_OK &&
	    (rc = read_dns_config(args, RECORD_TTL_REQUIRED, &dns)) == CTL_OK &&
	    (rc = read_health_check(args, &health)) == CTL_OK &&
	    (rc = ctl_find_service(ctl, args->operands[0], &id)) == CTL_OK)
		rc = update_service(ctl, args, id, dns, health, &operation);
	if (rc == CTL_OK && operation && !ctl->json)
		rc = show_service(ctl, id);
	json_decref(dns);
	json_decref(health);
	json_decref(operation);
	free(id);
	return rc;
}

int cmd_service_delete(const struct ctl *ctl, const struct args *args)
{
	char *id = NULL;
	int rc = ctl_find_service(ctl, args->operands[0], &id);

	if (rc == CTL_OK)
		rc = ctl_call_quietly(ctl, "DeleteService", json_pack("{s:s}", "Id", id));
	if (rc == CTL_OK && !ctl->json)
		ctl_print_line("deleted %s", id);
	free(id);
	return rc;
}

int cmd_service_attributes_show(const struct ctl *ctl, const struct args *args)
{
	json_t *reply;
	char *id = NULL;
	int rc = ctl_find_service(ctl, args->operands[0], &id);

	if (rc == CTL_OK &&
	    client_call(&ctl->client, "GetServiceAttributes",
			json_pack("{s:s}", "ServiceId", id), &reply) != GAZ_OK)
		rc = CTL_FAILED;
	free(id);
	if (rc != CTL_OK)
		return rc;
	if (ctl->json)
		rc = ctl_print_json(reply);
	else
		table_print_members(json_object_get(
			json_object_get(reply, "ServiceAttributes"), "Attributes"));
	json_decref(reply);
	return rc;
}

static int change_attributes(const struct ctl *ctl, const struct args *args,
			     const char *operation, json_t *take)
{
	char *id = NULL;
	int rc = ctl_find_service(ctl, args->operands[0], &id);

	if (rc == CTL_OK)
		rc = ctl_call_quietly(
			ctl, operation,
			json_pack("{s:s, s:O}", "ServiceId", id, "Attributes", take));
	json_decref(take);
	free(id);
	return rc;
}

int cmd_service_attributes_set(const struct ctl *ctl, const struct args *args)
{
	json_t *attributes = json_object();
	int rc = CTL_OK;

	for (size_t i = 1; rc == CTL_OK && i < args->operand_count; i++)
		rc = ctl_set_pair(attributes, args->operands[i],
				  "service attributes set");
	if (rc == CTL_OK)
		return change_attributes(ctl, args, "UpdateServiceAttributes",
					 attributes);
	json_decref(attributes);
	return rc;
}

int cmd_service_attributes_remove(const struct ctl *ctl, const struct args *args)
{
	return change_attributes(ctl, args, "DeleteServiceAttributes",
				 ctl_list_operands(args, 1));
}
