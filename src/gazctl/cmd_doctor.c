/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "gazctl/command.h"
#include "gazctl/doctor.h"

/* Runs the table of checks, and prints what they find. */

enum {
	PATIENCE_S = 10, /* for the API: it is on this machine, mostly */
};

void doctor_find(struct doctor *d, const char *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	json_array_append_new(d->findings,
			      json_pack("{s:s, s:s, s:s}", "Check", d->check->name,
					"Finding", text, "Remedy", d->check->remedy));
}

static void print_findings(const struct doctor *d, size_t checks)
{
	size_t count = json_array_size(d->findings), i;
	const json_t *item;

	json_array_foreach(d->findings, i, item)
	{
		printf("%s: ", table_text(item, "Check"));
		ctl_print_text(stdout, table_text(item, "Finding"));
		printf("\n    remedy: %s\n", table_text(item, "Remedy"));
	}
	if (count == 0)
		printf("nothing found in %zu checks\n", checks);
}

static int examine(struct doctor *d, const struct args *args)
{
	int rc = doctor_gather(d, args_value(args, "server"));
	size_t checks = 0;
	json_t *result;

	if (rc != CTL_OK)
		return rc;
	for (d->check = doctor_checks; d->check->name; d->check++, checks++)
		d->check->look(d);
	if (json_array_size(d->findings) > 0)
		rc = CTL_FAILED;
	if (!d->ctl->json) {
		print_findings(d, checks);
		return rc;
	}
	result = json_pack("{s:O, s:I}", "Findings", d->findings, "Checks",
			   (json_int_t)checks);
	if (ctl_print_json(result) != CTL_OK)
		rc = CTL_FAILED;
	json_decref(result);
	return rc;
}

int cmd_doctor(const struct ctl *ctl, const struct args *args)
{
	static struct doctor d; /* too large for the stack */
	struct ctl own = *ctl;
	struct gaz_error err;
	struct tree tree;
	int rc;

	if (own.client.timeout_s > PATIENCE_S)
		own.client.timeout_s = PATIENCE_S;
	if (tree_open(args_value(args, "root"), &tree, &err) != GAZ_OK)
		return ctl_report("%s", err.text);
	d = (struct doctor){.ctl = &own, .tree = &tree, .findings = json_array()};
	rc = d.findings ? examine(&d, args) : ctl_report("out of memory");
	doctor_fini(&d);
	tree_close(&tree);
	return rc;
}
