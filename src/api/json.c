/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/json.h"

#include <stddef.h>
#include <string.h>

void json_init(struct json_out *w)
{
	memset(w, 0, sizeof *w);
	bytes_init(&w->text);
}

void json_fini(struct json_out *w)
{
	bytes_fini(&w->text);
}

void json_reset(struct json_out *w)
{
	if (w->text.cap > JSON_KEEP_MAX)
		bytes_fini(&w->text);
	bytes_reset(&w->text);
	w->comma = false;
	w->malformed = false;
}

gaz_status json_status(const struct json_out *w)
{
	if (w->text.failed)
		return GAZ_ENOMEM;
	return w->malformed ? GAZ_EFORMAT : GAZ_OK;
}

static void put_char(struct json_out *w, char c)
{
	struct bytes *text = &w->text;

	if (text->len < text->cap)
		text->data[text->len++] = (uint8_t)c;
	else
		bytes_put_u8(text, (uint8_t)c);
}

static void put_literal(struct json_out *w, const char *literal)
{
	bytes_put(&w->text, literal, strlen(literal));
}

static void begin_value(struct json_out *w)
{
	if (w->comma)
		put_char(w, ',');
	w->comma = true;
}

/* Objects and arrays */

static void open_with(struct json_out *w, char bracket)
{
	begin_value(w);
	put_char(w, bracket);
	w->comma = false;
}

static void close_with(struct json_out *w, char bracket)
{
	put_char(w, bracket);
	w->comma = true;
}

void json_begin_object(struct json_out *w)
{
	open_with(w, '{');
}

void json_end_object(struct json_out *w)
{
	close_with(w, '}');
}

void json_begin_array(struct json_out *w)
{
	open_with(w, '[');
}

void json_end_array(struct json_out *w)
{
	close_with(w, ']');
}

/* Texts */

/* The length of the character of several bytes that begins here; 0: none does. */
static size_t sequence_length(const uint8_t *at, size_t left)
{
	static const uint32_t least[] = {[2] = 0x80, [3] = 0x800, [4] = 0x10000};
	size_t len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	uint32_t point = at[0] & (0xffu >> (len + 1));

	if (at[0] < 0xc0 || at[0] > 0xf7 || left < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (at[i] & 0x3f);
	}
	if (point < least[len] || point > 0x10ffff || (point & ~0x7ffu) == 0xd800)
		return 0;
	return len;
}

/* How many bytes from here on go out as they are. */
static size_t plain_length(const uint8_t *at, size_t left)
{
	size_t i = 0;
	size_t len = 1;

	while (i < left && len > 0) {
		if (at[i] >= 0x80)
			len = sequence_length(at + i, left - i);
		else
			len = at[i] >= ' ' && at[i] != '"' && at[i] != '\\';
		i += len;
	}
	return i;
}

/* A character below 0x80 that cannot stand for itself. */
static void put_escaped(struct json_out *w, uint8_t c)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	const char *found = memchr(shorts, c, sizeof shorts - 1);

	put_char(w, '\\');
	if (found) {
		put_char(w, found[1]);
		return;
	}
	put_literal(w, "u00");
	put_char(w, digits[c >> 4]);
	put_char(w, digits[c & 0xf]);
}

/* @return false: this is not UTF-8; the text ends before that. */
static bool put_quoted(struct json_out *w, const char *text)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t left = strlen(text);
	size_t run = plain_length(at, left);

	begin_value(w);
	put_char(w, '"');
	bytes_put(&w->text, at, run);
	while (run < left && at[run] < 0x80) {
		put_escaped(w, at[run]);
		at += run + 1;
		left -= run + 1;
		run = plain_length(at, left);
		bytes_put(&w->text, at, run);
	}
	put_char(w, '"');
	return run == left;
}

void json_put_text(struct json_out *w, const char *text)
{
	if (!text || !put_quoted(w, text))
		w->malformed = true;
}

void json_put_cut_text(struct json_out *w, const char *text)
{
	(void)put_quoted(w, text);
}

void json_name(struct json_out *w, const char *name)
{
	json_put_text(w, name);
	put_char(w, ':');
	w->comma = false;
}

/* Numbers */

static void put_decimal(struct json_out *w, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	bytes_put(&w->text, digits + at, sizeof digits - at);
}

void json_put_uint(struct json_out *w, uint64_t value)
{
	begin_value(w);
	put_decimal(w, value);
}

void json_put_bool(struct json_out *w, bool value)
{
	begin_value(w);
	put_literal(w, value ? "true" : "false");
}

/* Without a double, which could not hold every millisecond. */
void json_put_seconds(struct json_out *w, int64_t ms)
{
	uint64_t size = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
	unsigned fraction = (unsigned)(size % 1000);

	begin_value(w);
	if (ms < 0)
		put_char(w, '-');
	put_decimal(w, size / 1000);
	put_char(w, '.');
	do {
		put_char(w, (char)('0' + fraction / 100));
		fraction = fraction % 100 * 10;
	} while (fraction > 0);
}

/* Members */

void json_member_object(struct json_out *w, const char *name)
{
	json_name(w, name);
	json_begin_object(w);
}

void json_member_array(struct json_out *w, const char *name)
{
	json_name(w, name);
	json_begin_array(w);
}

void json_member_text(struct json_out *w, const char *name, const char *text)
{
	json_name(w, name);
	json_put_text(w, text);
}

void json_member_uint(struct json_out *w, const char *name, uint64_t value)
{
	json_name(w, name);
	json_put_uint(w, value);
}

void json_member_seconds(struct json_out *w, const char *name, int64_t ms)
{
	json_name(w, name);
	json_put_seconds(w, ms);
}

void json_member_optional(struct json_out *w, const char *name, const char *text)
{
	if (text)
		json_member_text(w, name, text);
}
