/* SPDX-License-Identifier: BSD-2-Clause */
#include "prober/statusline.h"

#include <string.h>

enum {
	CODE_AT = 9, /* in "HTTP/1.1 200" */
	CODE_END = 12,
};

/* 'd' is a digit, and the octet after the code ends it. */
static const char form[] = "HTTP/d.d ddd";

static int is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static enum statusline_verdict parse_line(const uint8_t *data, size_t len,
					  unsigned *code_out)
{
	for (size_t i = 0; i < len && i < CODE_END; i++) {
		if (form[i] == 'd' ? !is_digit(data[i]) : data[i] != (uint8_t)form[i])
			return STATUSLINE_BAD;
	}
	if (len <= CODE_END)
		return STATUSLINE_MORE;
	if (!strchr(" \r\n", data[CODE_END]) || data[CODE_END] == '\0')
		return STATUSLINE_BAD;
	*code_out = 0;
	for (size_t i = CODE_AT; i < CODE_END; i++)
		*code_out = *code_out * 10 + (unsigned)(data[i] - '0');
	return STATUSLINE_FOUND;
}

/* Where the headers end: behind the empty line. 0: not yet. */
static size_t find_end(const uint8_t *data, size_t len)
{
	size_t line = 0; /* the length of the line so far, without its CR */

	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n' && line == 0)
			return i + 1;
		if (data[i] == '\n')
			line = 0;
		else if (data[i] != '\r')
			line++;
	}
	return 0;
}

enum statusline_verdict statusline_parse(const uint8_t *data, size_t len,
					 unsigned *code_out)
{
	for (;;) {
		unsigned code = 0;
		enum statusline_verdict verdict = parse_line(data, len, &code);
		size_t end;

		if (verdict != STATUSLINE_FOUND)
			return verdict;
		if (code < 100 || code > 599)
			return STATUSLINE_BAD;
		if (code >= 200) {
			*code_out = code;
			return STATUSLINE_FOUND;
		}
		end = find_end(data, len);
		if (end == 0)
			return STATUSLINE_MORE;
		data += end;
		len -= end;
	}
}
