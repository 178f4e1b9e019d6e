/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

gaz_status args_init(struct args *args, int argc)
{
	size_t room = (size_t)argc + 1;

	*args = (struct args){
		.operands = calloc(room, sizeof(*args->operands)),
		.given = calloc(room, sizeof(*args->given)),
	};
	if (args->operands && args->given)
		return GAZ_OK;
	args_fini(args);
	return GAZ_ENOMEM;
}

void args_fini(struct args *args)
{
	free(args->operands);
	free(args->given);
	*args = (struct args){0};
}

static const struct arg_option *find_option(const struct arg_option *const *tables,
					    const char *name, size_t len)
{
	for (; *tables; tables++) {
		for (const struct arg_option *o = *tables; o->name; o++) {
			if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
				return o;
		}
	}
	return NULL;
}

/* `name` is the argument at the index, without its dashes. */
static gaz_status take_option(struct args *args, char **argv, int *index,
			      const char *name, const struct arg_option *const *tables,
			      struct gaz_error *err)
{
	const char *value = strchr(name, '=');
	size_t len = value ? (size_t)(value - name) : strlen(name);
	const struct arg_option *option = find_option(tables, name, len);

	if (!option)
		return gaz_error_set(err, GAZ_EFORMAT, "unknown option --%.*s", (int)len,
				     name);
	if (value && !option->value)
		return gaz_error_set(err, GAZ_EFORMAT, "--%s takes no value",
				     option->name);
	if (!option->repeatable && args_value(args, option->name))
		return gaz_error_set(err, GAZ_EFORMAT, "--%s was given twice",
				     option->name);
	(*index)++;
	if (value)
		value++;
	else if (!option->value)
		value = "";
	else if (argv[*index])
		value = argv[(*index)++];
	else
		return gaz_error_set(err, GAZ_EFORMAT, "--%s wants a value: %s",
				     option->name, option->value);
	args->given[args->given_count++] = (struct arg_given){option, value};
	return GAZ_OK;
}

gaz_status args_take(struct args *args, char **argv, int *index,
		     const struct arg_option *const *tables, struct gaz_error *err)
{
	const char *text = argv[*index];

	if (strcmp(text, "--") == 0) {
		while (argv[++*index])
			args->operands[args->operand_count++] = argv[*index];
		return GAZ_OK;
	}
	if (strncmp(text, "--", 2) == 0)
		return take_option(args, argv, index, text + 2, tables, err);
	if (strcmp(text, "-h") == 0)
		return take_option(args, argv, index, "help", tables, err);
	if (text[0] == '-' && text[1] != '\0')
		return gaz_error_set(err, GAZ_EFORMAT, "unknown option %s", text);
	args->operands[args->operand_count++] = text;
	(*index)++;
	return GAZ_OK;
}

const char *args_value(const struct args *args, const char *name)
{
	size_t at = 0;

	return args_next_value(args, name, &at);
}

const char *args_next_value(const struct args *args, const char *name, size_t *at)
{
	while (*at < args->given_count) {
		const struct arg_given *given = &args->given[(*at)++];

		if (strcmp(given->option->name, name) == 0)
			return given->value;
	}
	return NULL;
}

gaz_status args_parse_number(const char *text, unsigned long max, unsigned long *out)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno != 0 || value > max)
		return GAZ_EFORMAT;
	*out = value;
	return GAZ_OK;
}
