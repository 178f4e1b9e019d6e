/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/ctl_report.h"

#include <stdarg.h>
#include <stdlib.h>

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

size_t ctl_control_len(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
		return 2;
	return c[0] < 0x20 || c[0] == 0x7f;
}

void ctl_print_text(FILE *file, const char *text)
{
	while (*text) {
		size_t len = ctl_control_len(text);

		fputc(len > 0 ? '?' : *text, file);
		text += len > 0 ? len : 1;
	}
}

void ctl_print_line(const char *fmt, ...)
{
	char *text;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		ctl_report("out of memory");
		return;
	}
	ctl_print_text(stdout, text);
	putchar('\n');
	free(text);
}
