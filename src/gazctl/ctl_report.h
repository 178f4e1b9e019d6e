/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdio.h>

#include "base/status.h"

/* What every part of gazctl says, and how it ends. */

enum { /* exit codes */
	CTL_OK = 0,
	CTL_FAILED = 1, /* the call failed */
	CTL_USAGE = 2,
};

/** One line on stderr. @return CTL_FAILED, so that a command can `return` it. */
int ctl_report(const char *fmt, ...) GAZ_PRINTF(1, 2);

/** Text from the API on a terminal: control characters become "?". */
void ctl_print_text(FILE *file, const char *text);
