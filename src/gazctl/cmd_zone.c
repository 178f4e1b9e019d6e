/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gazctl/command.h"

/* The zones that DNS answers from: namespaces and zone files. */

static const struct column list_columns[] = {
	{"ZONE", "Name"},   {"ID", "Id"},	    {"TYPE", "Type"},
	{"VPC", "VpcId"},   {"SERIAL", "Serial"},   {"RECORDS", "Records"},
	{"STATE", "Shown"}, {"LOADED", "LoadDate"}, {"SOURCE", "Source"},
	{"ERROR", "Error"}, {NULL, NULL},
};

static const struct column show_columns[] = {
	{"Zone", "Name"},	   {"Id", "Id"},
	{"Type", "Type"},	   {"VPC", "VpcId"},
	{"Source", "Source"},	   {"State", "Shown"},
	{"Serial", "Serial"},	   {"Records", "Records"},
	{"Names", "Names"},	   {"Loaded", "LoadDate"},
	{"Last read", "ReadDate"}, {"Warnings", "Warnings"},
	{"Error", "Error"},	   {NULL, NULL},
};

static json_t *zone_input(const struct args *args)
{
	return args->operand_count > 0 ? json_pack("{s:s}", "Zone", args->operands[0])
				       : json_object();
}

/* In a word: whether it is served, and whether that is what the file says. */
static const char *state_of(const json_t *zone)
{
	bool is_served = json_is_true(json_object_get(zone, "Served"));
	bool has_failed = strcmp(table_text(zone, "State"), "FAILED") == 0;

	if (has_failed)
		return is_served ? "old version" : "not served";
	return is_served ? "served" : "not served";
}

static json_t *zones_of(json_t *reply)
{
	json_t *zones = json_object_get(reply, "Zones"), *zone;
	size_t i;

	json_array_foreach(zones, i, zone)
	{
		json_object_set_new(zone, "Shown", json_string(state_of(zone)));
	}
	return zones;
}

int cmd_zone_list(const struct ctl *ctl, const struct args *args)
{
	json_t *reply;
	int rc = CTL_OK;

	if (client_call(&ctl->client, "Gazetteer.ListZones", zone_input(args), &reply) !=
	    GAZ_OK)
		return CTL_FAILED;
	if (ctl->json)
		rc = ctl_print_json(reply);
	else
		table_print_list(zones_of(reply), list_columns);
	json_decref(reply);
	return rc;
}

int cmd_zone_show(const struct ctl *ctl, const struct args *args)
{
	json_t *reply, *zone;
	size_t i;
	int rc = CTL_OK;

	if (client_call(&ctl->client, "Gazetteer.ListZones", zone_input(args), &reply) !=
	    GAZ_OK)
		return CTL_FAILED;
	if (ctl->json) {
		rc = ctl_print_json(reply);
	} else {
		json_array_foreach(zones_of(reply), i, zone)
		{
			if (i > 0)
				putchar('\n');
			table_print_object(zone, show_columns);
		}
	}
	json_decref(reply);
	return rc;
}

/* What did not load is an error of the command, though the rest has loaded. */
int cmd_zone_reload(const struct ctl *ctl, const struct args *args)
{
	size_t i, loaded = 0;
	json_t *reply, *zone;
	int rc = CTL_OK;

	if (client_call(&ctl->client, "Gazetteer.ReloadZones", zone_input(args),
			&reply) != GAZ_OK)
		return CTL_FAILED;
	if (ctl->json)
		rc = ctl_print_json(reply);
	json_array_foreach(json_object_get(reply, "Zones"), i, zone)
	{
		const char *state = table_text(zone, "State");

		loaded += strcmp(state, "LOADED") == 0;
		if (strcmp(state, "FAILED") != 0)
			continue;
		fputs("gazctl: ", stderr);
		ctl_print_text(stderr, table_text(zone, "Error"));
		fputs("\n", stderr);
		rc = CTL_FAILED;
	}
	if (!ctl->json)
		printf("loaded %zu zone%s\n", loaded, loaded == 1 ? "" : "s");
	json_decref(reply);
	return rc;
}

static int export_to(int fd, const struct ctl *ctl, const struct args *args)
{
	return client_download(&ctl->client, "Gazetteer.ExportZone", zone_input(args), fd,
			       NULL) == GAZ_OK
		       ? CTL_OK
		       : CTL_FAILED;
}

/* A zone file has nothing but printable ASCII, tabs and line ends: no other octet of what is
 * said to be one is for a terminal. */
static void show_file(FILE *file)
{
	int c;

	rewind(file);
	while ((c = fgetc(file)) != EOF)
		putchar((c >= ' ' && c < 0x7f) || c == '\n' || c == '\t' ? c : '?');
}

int cmd_zone_export(const struct ctl *ctl, const struct args *args)
{
	FILE *file;
	int rc;

	if (!isatty(STDOUT_FILENO))
		return export_to(STDOUT_FILENO, ctl, args);
	file = tmpfile();
	if (!file)
		return ctl_report("cannot make a file: %s", strerror(errno));
	rc = export_to(fileno(file), ctl, args);
	if (rc == CTL_OK)
		show_file(file);
	(void)fclose(file);
	return rc;
}
