/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/arn.h"

#include <string.h>

static const char *partition_of(const char *region)
{
	if (strncmp(region, "cn-", 3) == 0)
		return "aws-cn";
	if (strncmp(region, "us-gov-", 7) == 0)
		return "aws-us-gov";
	return "aws";
}

/* Piece by piece, not by arena_printf(): every call makes some. */
const char *arn_print(struct arena *arena, const struct arn *arn)
{
	const char *const parts[] = {"arn:",
				     partition_of(arn->region),
				     ":servicediscovery:",
				     arn->region,
				     ":",
				     arn->account,
				     ":",
				     arn->kind,
				     "/",
				     arn->id};
	size_t len = 0;
	char *text;
	char *at;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		len += strlen(parts[i]);
	text = arena_alloc(arena, len + 1);
	at = text;
	for (size_t i = 0; text && i < sizeof parts / sizeof *parts; i++)
		at = stpcpy(at, parts[i]);
	return text;
}

bool arn_is_one(const char *text)
{
	return strncmp(text, "arn:", 4) == 0;
}

gaz_status arn_parse(struct arena *arena, const char *text, struct arn *out)
{
	enum {
		FIELDS = 6
	};
	char *copy = arena_strdup(arena, text);
	char *fields[FIELDS];
	char *slash;

	if (!copy)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < FIELDS; i++) {
		fields[i] = copy;
		if (i == FIELDS - 1)
			break;
		copy = strchr(copy, ':');
		if (!copy)
			return GAZ_EFORMAT;
		*copy++ = '\0';
	}
	slash = strchr(fields[5], '/');
	if (!slash || strcmp(fields[0], "arn") != 0 ||
	    strcmp(fields[1], partition_of(fields[3])) != 0 ||
	    strcmp(fields[2], "servicediscovery") != 0)
		return GAZ_EFORMAT;
	*slash = '\0';
	if (strcmp(fields[5], "namespace") != 0 && strcmp(fields[5], "service") != 0)
		return GAZ_EFORMAT;
	*out = (struct arn){fields[3], fields[4], fields[5], slash + 1};
	return GAZ_OK;
}
