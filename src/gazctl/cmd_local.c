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

int cmd_vpc_put(const struct ctl *ctl, const struct args *args)
{
	json_t *reply;
	int rc = CTL_OK;

	if (client_call(&ctl->client, "Gazetteer.PutVpc",
			json_pack("{s:s, s:o}", "VpcId", args->operands[0], "Cidrs",
				  ctl_list_operands(args, 1)),
			&reply) != GAZ_OK)
		return CTL_FAILED;
	if (ctl->json)
		rc = ctl_print_json(reply);
	else
		printf("declared %s\n", args->operands[0]);
	json_decref(reply);
	return rc;
}

int cmd_vpc_list(const struct ctl *ctl, const struct args *args)
{
	(void)args;
	return ctl_print_list(ctl, "Gazetteer.ListVpcs", json_object(), "Vpcs",
			      vpc_columns);
}

int cmd_vpc_delete(const struct ctl *ctl, const struct args *args)
{
	json_t *reply;
	int rc = CTL_OK;

	if (client_call(&ctl->client, "Gazetteer.DeleteVpc",
			json_pack("{s:s}", "VpcId", args->operands[0]), &reply) != GAZ_OK)
		return CTL_FAILED;
	if (ctl->json)
		rc = ctl_print_json(reply);
	else
		printf("deleted %s\n", args->operands[0]);
	json_decref(reply);
	return rc;
}

int cmd_cache_flush(const struct ctl *ctl, const struct args *args)
{
	json_t *reply;
	int rc = CTL_OK;

	(void)args;
	if (client_call(&ctl->client, "Gazetteer.FlushCache", json_object(), &reply) !=
	    GAZ_OK)
		return CTL_FAILED;
	if (ctl->json)
		rc = ctl_print_json(reply);
	else
		puts("flushed");
	json_decref(reply);
	return rc;
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
