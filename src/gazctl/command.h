/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "gazctl/args.h"
#include "gazctl/ctl.h"

/* The table of commands: it drives parsing and --help, and the man page is
 * checked against it. A new command is one row and one function. */

/** Runs a command whose operands have the right number. @return an exit code. */
typedef int command_run(const struct ctl *ctl, const struct args *args);

struct command {
	const char *words; /* "namespace create", one to three of them */
	const char *
		operands; /* "SERVICE ID"; "CIDR..." takes several, "[JSON]" is optional */
	const struct arg_option *options; /* NULL: none of its own */
	const char *help;
	command_run *run;
};

extern const struct command command_table[]; /* ends with NULL words */
extern const struct arg_option command_no_options[];

/** The command that these operands begin with, and how many of them are its
 *  words; NULL while there is none. */
const struct command *command_find(const char *const *operands, size_t count,
				   size_t *words_out);

/** Does the command take that many operands? */
bool command_takes(const struct command *command, size_t count);

/** Options as help text. */
void command_print_options(FILE *file, const struct arg_option *options);

/** One command, all its options. */
void command_print_help(FILE *file, const struct command *command);

/* cmd_namespace.c */
command_run cmd_namespace_create;
command_run cmd_namespace_list;
command_run cmd_namespace_show;
command_run cmd_namespace_update;
command_run cmd_namespace_delete;
/* cmd_service.c */
command_run cmd_service_create;
command_run cmd_service_list;
command_run cmd_service_show;
command_run cmd_service_update;
command_run cmd_service_delete;
command_run cmd_service_attributes_show;
command_run cmd_service_attributes_set;
command_run cmd_service_attributes_remove;
/* cmd_instance.c */
command_run cmd_instance_register;
command_run cmd_instance_deregister;
command_run cmd_instance_list;
command_run cmd_instance_show;
command_run cmd_instance_health;
/* cmd_discover.c */
command_run cmd_discover;
command_run cmd_watch;
/* cmd_explain.c */
command_run cmd_explain;
/* cmd_operation.c */
command_run cmd_operation_show;
command_run cmd_operation_list;
command_run cmd_tag_list;
command_run cmd_tag_add;
command_run cmd_tag_remove;
command_run cmd_call;
/* cmd_local.c: calls of our own, which AWS does not have */
command_run cmd_vpc_put;
command_run cmd_vpc_list;
command_run cmd_vpc_delete;
command_run cmd_zone_list;
command_run cmd_zone_show;
command_run cmd_zone_reload;
command_run cmd_zone_export;
command_run cmd_cache_flush;
command_run cmd_status;
/* cmd_seed.c */
command_run cmd_apply;
command_run cmd_export;
/* cmd_backup.c */
command_run cmd_backup;
command_run cmd_restore;
/* cmd_doctor.c */
command_run cmd_doctor;
/* cmd_resolver.c */
command_run cmd_resolver_install;
command_run cmd_resolver_remove;
command_run cmd_resolver_status;
