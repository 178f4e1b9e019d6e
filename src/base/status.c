/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

const char *gaz_status_text(gaz_status st)
{
	static const char *const texts[] = {
		[GAZ_OK] = "ok",
		[GAZ_ENOMEM] = "out of memory",
		[GAZ_EFORMAT] = "malformed input",
		[GAZ_EEXISTS] = "exists already",
		[GAZ_ENOTFOUND] = "not found",
		[GAZ_ELIMIT] = "limit exceeded",
		[GAZ_ESTORE] = "store error",
		[GAZ_EIO] = "input/output error",
		[GAZ_EBUSY] = "busy",
		[GAZ_EREFUSED] = "refused",
	};

	return (size_t)st < sizeof texts / sizeof *texts ? texts[st] : "unknown error";
}

gaz_status gaz_error_set(struct gaz_error *err, gaz_status st, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return st;
	err->status = st;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	return st;
}
