/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/option.h"

/* What the setters of options share. */

/* Make room for one more item at the end of a list. */
static inline void *grow(void **items, size_t count, size_t size)
{
	char *more = realloc(*items, (count + 1) * size);

	if (!more)
		return NULL;
	*items = more;
	return memset(more + count * size, 0, size);
}

static inline gaz_status out_of_memory(struct gaz_error *err)
{
	return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
}

static inline gaz_status set_number(const char *name, const char *value, uint64_t max,
				    uint64_t *out, struct gaz_error *err)
{
	char *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || number > max) {
		gaz_error_set(err, GAZ_EFORMAT, "%s: '%s' is not a number from 0 to %llu",
			      name, value, (unsigned long long)max);
		return GAZ_EFORMAT;
	}
	*out = number;
	return GAZ_OK;
}
