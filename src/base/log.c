/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Atomic int current_level = LOG_LEVEL_INFO;

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_set_level(enum log_level level)
{
	atomic_store(&current_level, (int)level);
}

gaz_status log_level_parse(const char *text, enum log_level *out)
{
	for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return GAZ_OK;
		}
	}
	return GAZ_EFORMAT;
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	char line[2048];
	struct timespec now;
	struct tm tm;
	int used;
	va_list ap;

	if ((int)level > atomic_load(&current_level))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	used = snprintf(line, sizeof line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s %s ",
			tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
			tm.tm_min, tm.tm_sec, (int)(now.tv_nsec / 1000000),
			level_names[level], event);
	if (used < 0)
		return;
	va_start(ap, fmt);
	int more = vsnprintf(line + used, sizeof line - (size_t)used - 1, fmt, ap);
	va_end(ap);
	if (more < 0)
		return;
	size_t len = strnlen(line, sizeof line - 1);
	line[len++] = '\n';
	/* One write call, so that lines of several threads do not mix. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

bool log_limit_pass(struct log_limit *limit, uint32_t *suppressed_out)
{
	struct timespec now;
	uint64_t last = atomic_load(&limit->last_s);

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (last == (uint64_t)now.tv_sec + 1 ||
	    !atomic_compare_exchange_strong(&limit->last_s, &last,
					    (uint64_t)now.tv_sec + 1)) {
		atomic_fetch_add(&limit->dropped, 1);
		return false;
	}
	*suppressed_out = atomic_exchange(&limit->dropped, 0);
	return true;
}

char *log_escape(const void *bytes, size_t len, char *out, size_t cap)
{
	const unsigned char *in = bytes;
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		bool plain = in[i] >= 0x20 && in[i] < 0x7f && in[i] != '\\';
		size_t need = plain ? 1 : 4;

		if (at + need + 4 > cap) {
			if (at + 4 <= cap)
				at += (size_t)snprintf(out + at, cap - at, "...");
			break;
		}
		if (plain)
			out[at++] = (char)in[i];
		else
			at += (size_t)snprintf(out + at, cap - at, "\\x%02x", in[i]);
	}
	if (cap > 0)
		out[at < cap ? at : cap - 1] = '\0';
	return out;
}
