/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "gazctl/command.h"
#include "gazctl/table.h"

/* Why a client gets the answer that it gets. */

static const struct column instance_columns[] = {
	{"ID", "Id"},
	{"DATA", "Data"},
	{"HEALTH", "HealthStatus"},
	{"MAY ANSWER", "Eligible"},
	{0},
};

/* What the words of the API mean. */
static const struct meaning {
	const char *word;
	const char *text;
} meanings[] = {
	{"LISTENER", "the address that was asked belongs to this VPC, whoever asks"},
	{"PREFIX", "the longest declared prefix that holds the source"},
	{"UNDECLARED_VPCS",
	 "a loopback source is in every VPC that nobody declared (gazctl vpc put)"},
	{"NO_VPC", "the source is in no VPC: it sees public namespaces and static zones"},
	{"NO_ZONE", "no zone that the source sees holds the name"},
	{"MISSING", "the zone does not have the name: NXDOMAIN"},
	{"EXACT", "the name itself"},
	{"EMPTY_NON_TERMINAL", "no records here, but names below: no data"},
	{"WILDCARD", "a wildcard stands for the name"},
	{"DELEGATION", "another server's part of the tree begins here: a referral"},
	{"DNAME", "a DNAME above the name leads elsewhere"},
	{0},
};

static const char *meaning_of(const char *word)
{
	const struct meaning *m = meanings;

	while (m->word && strcmp(m->word, word) != 0)
		m++;
	return m->word ? m->text : "";
}

static void print_list(const char *title, const json_t *list)
{
	size_t i;
	json_t *item;

	if (json_array_size(list) == 0)
		return;
	printf("%-9s", title);
	json_array_foreach(list, i, item)
	{
		fputs(i ? ", " : "", stdout);
		ctl_print_text(stdout, table_text(item, ""));
	}
	putchar('\n');
}

static void print_source(const json_t *source)
{
	const char *rule = table_text(source, "Rule");
	const char *prefix = table_text(source, "Prefix");
	const char *listener = table_text(source, "Listener");

	ctl_print_line("source   %s%s%s", table_text(source, "Address"),
		       listener[0] ? " to " : "", listener);
	print_list("vpc", json_object_get(source, "VpcIds"));
	ctl_print_line("         %s%s%s", meaning_of(rule), prefix[0] ? ": " : "",
		       prefix);
}

static void print_zone(const char *title, const json_t *zone)
{
	const char *vpc = table_text(zone, "VpcId");

	ctl_print_line("%-9s%s %s %s%s%s", title, table_text(zone, "Name"),
		       table_text(zone, "Type"), table_text(zone, "Id"),
		       vpc[0] ? " of " : "", vpc);
}

static void print_zones(const json_t *e)
{
	const json_t *zone = json_object_get(e, "Zone");
	const char *cname = table_text(e, "Cname");
	size_t i;
	json_t *other;

	if (zone)
		print_zone("zone", zone);
	ctl_print_line("%-9s%s%s%s", "match", table_text(e, "Owner"),
		       table_text(e, "Owner")[0] ? ": " : "",
		       meaning_of(table_text(e, "Match")));
	if (cname[0])
		ctl_print_line("%-9s%s", "cname", cname);
	json_array_foreach(json_object_get(e, "OtherZones"), i, other)
		print_zone(i ? "" : "not this", other);
}

static void print_service(const json_t *e)
{
	const json_t *service = json_object_get(e, "Service");
	const char *policy = table_text(service, "RoutingPolicy");
	const json_t *instances = json_object_get(e, "Instances");

	if (!service)
		return;
	ctl_print_line("service  %s %s, %s: %s", table_text(service, "Name"),
		       table_text(service, "Id"), policy,
		       strcmp(policy, "WEIGHTED") == 0 ? "one at random"
						       : "up to eight at random");
	if (json_is_true(json_object_get(e, "FailOpen")))
		printf("         none is healthy, so that all may answer\n");
	if (json_array_size(instances) > 0)
		table_print_list(instances, instance_columns);
}

static void print_section(const json_t *reply, const char *name)
{
	size_t i;
	json_t *record;

	json_array_foreach(json_object_get(reply, name), i, record)
		ctl_print_line("         %-11s%s", i ? "" : name, table_text(record, ""));
}

static void print_reply(const json_t *e)
{
	const json_t *reply = json_object_get(e, "Reply");

	if (json_is_true(json_object_get(e, "Forwarded")))
		printf("reply    an upstream is asked (--forward), its answer is not "
		       "cached\n");
	if (json_is_true(json_object_get(e, "Special")))
		printf("reply    answered here and told to no upstream: a name with a "
		       "special meaning (RFC 6303, RFC 6761)\n");
	if (!reply)
		return;
	ctl_print_line("reply    %s", table_text(reply, "Rcode"));
	print_section(reply, "Answer");
	print_section(reply, "Authority");
	print_section(reply, "Additional");
}

int cmd_explain(const struct ctl *ctl, const struct args *args)
{
	const char *type = args->operand_count > 1 ? args->operands[1] : NULL;
	const json_t *e;
	json_t *reply;
	int rc = CTL_OK;

	if (client_call(&ctl->client, "Gazetteer.ExplainAnswer",
			json_pack("{s:s, s:s*, s:s*, s:s*}", "Name", args->operands[0],
				  "Type", type, "From", args_value(args, "from"), "To",
				  args_value(args, "to")),
			&reply) != GAZ_OK)
		return CTL_FAILED;
	e = json_object_get(reply, "Explanation");
	if (ctl->json) {
		rc = ctl_print_json(reply);
	} else {
		ctl_print_line("question %s %s", table_text(e, "Name"),
			       table_text(e, "Type"));
		print_source(json_object_get(e, "Source"));
		print_zones(e);
		print_service(e);
		print_reply(e);
	}
	json_decref(reply);
	return rc;
}
