/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Arguments of a command, parsed by tables: long options and operands in any
 * order, "--" ends the options. -h, which people try first, is --help; no other option
 * has a letter. All texts are borrowed from argv. */

struct arg_option {
	const char *name;  /* "soa-ttl": given as --soa-ttl */
	const char *value; /* what the help calls its value; NULL: it takes none */
	bool repeatable;
	const char *help;
};

struct args {
	const char **operands;
	size_t operand_count;
	struct arg_given {
		const struct arg_option *option;
		const char *value; /* "" for an option without one */
	} * given;
	size_t given_count;
};

/** Room for what `argc` arguments can hold. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status args_init(struct args *args, int argc);
void args_fini(struct args *args);

/**
 * Take the next argument, and its value if it has one.
 *
 * @param tables  tables of options, each ended by a NULL name; NULL ends all
 * @param index   of the argument in argv; moved behind what was taken
 * @return GAZ_OK, GAZ_EFORMAT (err says why)
 */
GAZ_MUST_CHECK gaz_status args_take(struct args *args, char **argv, int *index,
				    const struct arg_option *const *tables,
				    struct gaz_error *err);

/** The value of an option, NULL when it was not given. */
const char *args_value(const struct args *args, const char *name);

/** The value of the next one of a repeatable option; *at starts at 0. */
const char *args_next_value(const struct args *args, const char *name, size_t *at);

/** A whole decimal number in a range. @return GAZ_OK, GAZ_EFORMAT. */
GAZ_MUST_CHECK gaz_status args_parse_number(const char *text, unsigned long max,
					    unsigned long *out);
