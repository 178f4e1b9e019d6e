/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* The log: one event is one line on stderr, a stable event word, then
 * key=value pairs. Safe from any thread. The sink is the one global of the
 * project beside the signal flag. */

enum log_level {
	LOG_LEVEL_ERROR = 0, /* an operator must act */
	LOG_LEVEL_WARN,	     /* degraded */
	LOG_LEVEL_INFO,	     /* state changed */
	LOG_LEVEL_DEBUG,
};

/** Lines above this level are dropped. Default: info. */
void log_set_level(enum log_level level);

/** "error", "warn", "info" or "debug". @return GAZ_OK or GAZ_EFORMAT. */
GAZ_MUST_CHECK gaz_status log_level_parse(const char *text, enum log_level *out);

void log_line(enum log_level level, const char *event, const char *fmt, ...)
	GAZ_PRINTF(3, 4);

#define log_error(event, ...) log_line(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  log_line(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...)  log_line(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_line(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

/* For events that hostile input can cause: at most one line a second for each
 * limit. Zero-initialise one static instance per kind of event. */
struct log_limit {
	_Atomic uint64_t last_s;
	_Atomic uint32_t dropped;
};

/** True when a line may be written now; the number of lines that were
 *  suppressed since the last one goes to `suppressed_out`. */
_Bool log_limit_pass(struct log_limit *limit, uint32_t *suppressed_out);

/**
 * Make bytes from the network printable: everything outside printable ASCII,
 * and the backslash, becomes \xHH. Cuts with "..." when `out` is too small.
 * @return out
 */
char *log_escape(const void *bytes, size_t len, char *out, size_t cap);
