/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/ctl_report.h"

#include <stdarg.h>
#include <stdbool.h>

int ctl_report(const char *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fputs("gazctl: ", stderr);
	ctl_print_text(stderr, text);
	fputc('\n', stderr);
	return CTL_FAILED;
}

void ctl_print_text(FILE *file, const char *text)
{
	for (; *text; text++) {
		const unsigned char *c = (const unsigned char *)text;
		bool is_c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;

		fputc(*c < 0x20 || *c == 0x7f || is_c1 ? '?' : *c, file);
		text += is_c1;
	}
}
