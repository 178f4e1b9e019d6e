/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/fault.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

gaz_status fault_set(struct fault *fault, enum fault_code code, const char *fmt, ...)
{
	va_list ap;

	fault->code = code;
	fault->extra_count = 0;
	va_start(ap, fmt);
	(void)vsnprintf(fault->message, sizeof fault->message, fmt, ap);
	va_end(ap);
	return GAZ_EREFUSED;
}

gaz_status fault_add(struct fault *fault, const char *member, const char *value)
{
	struct fault_extra *extra = &fault->extra[fault->extra_count];

	assert(fault->extra_count < FAULT_EXTRA_MAX);
	if (!value)
		return GAZ_EREFUSED;
	extra->member = member;
	(void)snprintf(extra->value, sizeof extra->value, "%s", value);
	fault->extra_count++;
	return GAZ_EREFUSED;
}
