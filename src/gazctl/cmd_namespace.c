/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gazctl/command.h"
#include "gazctl/listing.h"
#include "gazctl/table.h"

static const struct column namespace_columns[] = {
	{"ID", "Id"},
	{"NAME", "Name"},
	{"TYPE", "Type"},
	{"VPC", "Vpc"},
	{"SERVICES", "ServiceCount"},
	{"DESCRIPTION", "Description"},
	{0},
};

static const struct column namespace_lines[] = {
	{"Id", "Id"},
	{"Name", "Name"},
	{"Type", "Type"},
	{"Description", "Description"},
	{"SOA TTL", "Properties.DnsProperties.SOA.TTL"},
	{"Hosted zone", "Properties.DnsProperties.HostedZoneId"},
	{"HTTP name", "Properties.HttpProperties.HttpName"},
	{"Services", "ServiceCount"},
	{"Created", "CreateDate"},
	{"ARN", "Arn"},
	{0},
};

static int show_namespace(const struct ctl *ctl, const char *id)
{
	json_t *reply;
	int rc = CTL_OK;

	if (client_call(&ctl->client, "GetNamespace", json_pack("{s:s}", "Id", id),
			&reply) != GAZ_OK)
		return CTL_FAILED;
	if (ctl->json)
		rc = ctl_print_json(reply);
	else
		table_print_object(json_object_get(reply, "Namespace"), namespace_lines);
	json_decref(reply);
	return rc;
}

/* What people want to see after a change; programs got the operation's JSON. */
static int show_changed(const struct ctl *ctl, const json_t *operation)
{
	if (!operation || ctl->json)
		return CTL_OK;
	return show_namespace(ctl, table_text(operation, "Targets.NAMESPACE"));
}

/* {"Properties": {"DnsProperties": {"SOA": {"TTL": n}}}} into `object`. */
static int set_soa_ttl(json_t *object, const char *text)
{
	unsigned long ttl;
	json_t *soa;

	if (args_parse_number(text, 0xffffffff, &ttl) != GAZ_OK) {
		ctl_report("--soa-ttl wants a number of seconds");
		return CTL_USAGE;
	}
	soa = json_pack("{s:{s:{s:I}}}", "DnsProperties", "SOA", "TTL", (json_int_t)ttl);
	return json_object_set_new(object, "Properties", soa) == 0
		       ? CTL_OK
		       : ctl_report("out of memory");
}

/* Exactly one of the three kinds, and a VPC only for private ones. */
static const char *choose_create(const struct args *args)
{
	int kinds = (args_value(args, "private") != NULL) +
		    (args_value(args, "public") != NULL) +
		    (args_value(args, "http") != NULL);
	bool is_private = args_value(args, "private") != NULL;

	if (kinds != 1)
		ctl_report("name one of --private, --public and --http");
	else if (is_private != (args_value(args, "vpc") != NULL))
		ctl_report("--private and --vpc ID go together");
	else if (args_value(args, "http") && args_value(args, "soa-ttl"))
		ctl_report("an HTTP namespace has no SOA record");
	else if (is_private)
		return "CreatePrivateDnsNamespace";
	else
		return args_value(args, "public") ? "CreatePublicDnsNamespace"
						  : "CreateHttpNamespace";
	return NULL;
}

int cmd_namespace_create(const struct ctl *ctl, const struct args *args)
{
	const char *call = choose_create(args), *ttl = args_value(args, "soa-ttl");
	json_t *input, *tags = NULL, *operation;
	int rc;

	if (!call || ctl_read_tags(args, &tags) != CTL_OK)
		return CTL_USAGE;
	input = json_pack("{s:s, s:s*, s:s*, s:s*, s:o*}", "Name", args->operands[0],
			  "CreatorRequestId", args_value(args, "request-id"), "Vpc",
			  args_value(args, "vpc"), "Description",
			  args_value(args, "description"), "Tags", tags);
	if (input && ttl && (rc = set_soa_ttl(input, ttl)) != CTL_OK) {
		json_decref(input);
		return rc;
	}
	rc = ctl_run_operation(ctl, call, input, &operation);
	if (rc == CTL_OK)
		rc = show_changed(ctl, operation);
	json_decref(operation);
	return rc;
}

int cmd_namespace_list(const struct ctl *ctl, const struct args *args)
{
	static const struct listing_filter filters[] = {
		{"type", "TYPE", true},
		{"name", "NAME", true},
		{"http-name", "HTTP_NAME", true},
		{"owner", "RESOURCE_OWNER", false},
		{0},
	};
	json_t *input = json_object();
	int rc = listing_add_filters(args, filters, input);

	/* AWS's own tells no VPC, and several private namespaces may have one name. */
	if (rc == CTL_OK)
		return listing_print(ctl, args, "Gazetteer.ListNamespaces", input,
				     "Namespaces", namespace_columns);
	json_decref(input);
	return rc;
}

int cmd_namespace_show(const struct ctl *ctl, const struct args *args)
{
	char *id = NULL;
	int rc = ctl_find_namespace(ctl, args->operands[0], &id);

	if (rc == CTL_OK)
		rc = show_namespace(ctl, id);
	free(id);
	return rc;
}

/* There is one update call for each type of namespace. */
static int find_update_call(const struct ctl *ctl, const char *id, const char **out)
{
	json_t *reply;
	const char *type;

	if (client_call(&ctl->client, "GetNamespace", json_pack("{s:s}", "Id", id),
			&reply) != GAZ_OK)
		return CTL_FAILED;
	type = table_text(reply, "Namespace.Type");
	if (strcmp(type, "HTTP") == 0)
		*out = "UpdateHttpNamespace";
	else
		*out = strcmp(type, "DNS_PUBLIC") == 0 ? "UpdatePublicDnsNamespace"
						       : "UpdatePrivateDnsNamespace";
	json_decref(reply);
	return CTL_OK;
}

int cmd_namespace_update(const struct ctl *ctl, const struct args *args)
{
	const char *description = args_value(args, "description");
	const char *ttl = args_value(args, "soa-ttl"), *call;
	json_t *change, *operation = NULL;
	char *id = NULL;
	int rc;

	if (!description && !ttl) {
		ctl_report("nothing to change: give --description or --soa-ttl");
		return CTL_USAGE;
	}
	change = json_pack("{s:s*}", "Description", description);
	if (change && ttl && (rc = set_soa_ttl(change, ttl)) != CTL_OK)
		goto out;
	if ((rc = ctl_find_namespace(ctl, args->operands[0], &id)) != CTL_OK ||
	    (rc = find_update_call(ctl, id, &call)) != CTL_OK ||
	    (rc = ctl_run_operation(
		     ctl, call,
		     json_pack("{s:s, s:s*, s:O}", "Id", id, "UpdaterRequestId",
			       args_value(args, "request-id"), "Namespace", change),
		     &operation)) != CTL_OK ||
	    (rc = show_changed(ctl, operation)) != CTL_OK)
		goto out;
out:
	json_decref(operation);
	json_decref(change);
	free(id);
	return rc;
}

int cmd_namespace_delete(const struct ctl *ctl, const struct args *args)
{
	json_t *operation = NULL;
	char *id = NULL;
	int rc;

	if ((rc = ctl_find_namespace(ctl, args->operands[0], &id)) == CTL_OK)
		rc = ctl_run_operation(ctl, "DeleteNamespace",
				       json_pack("{s:s}", "Id", id), &operation);
	if (rc == CTL_OK && operation && !ctl->json)
		ctl_print_line("deleted %s", id);
	json_decref(operation);
	free(id);
	return rc;
}
