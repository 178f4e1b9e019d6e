/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "gazctl/command.h"
#include "gazctl/table.h"

static const struct column vpc_columns[] = {
	{"ID", "VpcId"},
	{"PREFIXES", "Cidrs"},
	{"FIXED", "Fixed"},
	{0},
};

/* @param about  what it was done to; NULL: that goes without saying */
static int call_and_say(const struct ctl *ctl, const char *operation, json_t *input,
			const char *done, const char *about)
{
	int rc = ctl_call_quietly(ctl, operation, input);

	if (rc == CTL_OK && !ctl->json)
		printf("%s%s%s\n", done, about ? " " : "", about ? about : "");
	return rc;
}

int cmd_vpc_put(const struct ctl *ctl, const struct args *args)
{
	return call_and_say(ctl, "Gazetteer.PutVpc",
			    json_pack("{s:s, s:o}", "VpcId", args->operands[0], "Cidrs",
				      ctl_list_operands(args, 1)),
			    "declared", args->operands[0]);
}

int cmd_vpc_list(const struct ctl *ctl, const struct args *args)
{
	(void)args;
	return ctl_print_list(ctl, "Gazetteer.ListVpcs", json_object(), "Vpcs",
			      vpc_columns);
}

int cmd_vpc_delete(const struct ctl *ctl, const struct args *args)
{
	return call_and_say(ctl, "Gazetteer.DeleteVpc",
			    json_pack("{s:s}", "VpcId", args->operands[0]), "deleted",
			    args->operands[0]);
}

int cmd_cache_flush(const struct ctl *ctl, const struct args *args)
{
	(void)args;
	return call_and_say(ctl, "Gazetteer.FlushCache", json_object(), "flushed", NULL);
}

int cmd_status(const struct ctl *ctl, const struct args *args)
{
	json_t *reply;
	int rc = CTL_OK;

	(void)args;
	if (client_call(&ctl->client, "Gazetteer.GetStatus", json_object(), &reply) !=
	    GAZ_OK)
		return CTL_FAILED;
	if (ctl->json)
		rc = ctl_print_json(reply);
	else
		table_print_members(json_object_get(reply, "Status"));
	json_decref(reply);
	return rc;
}
