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

/* What the API says may be meant for the terminal: none of it is printed but by these. */

/** The octets of the control character that UTF-8 text begins with, DELETE and U+0080 to
 *  U+009F among them; 0: it begins with none. */
size_t ctl_control_len(const char *text);

/** Text from the API on a terminal: control characters become "?". */
void ctl_print_text(FILE *file, const char *text);

/** One line of such text on stdout. */
void ctl_print_line(const char *fmt, ...) GAZ_PRINTF(1, 2);
