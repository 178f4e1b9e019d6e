/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/shape-internal.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The texts of framework validation errors. Values and keys come from the
 * client: each is cut, so that a body of many megabytes makes a small message. */

enum {
	VALUE_SHOWN_MAX = 256, /* bytes of a value */
	KEY_SHOWN_MAX = 128,   /* bytes of a map key in a path */
	PATH_MAX_LEN = 768,
	ENTRY_MAX = VALUE_SHOWN_MAX + PATH_MAX_LEN + 512,
};

/* The longest prefix of at most `max` bytes that ends between code points. */
static size_t cut_utf8(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static void append(char *out, size_t cap, size_t *len, const char *text, size_t text_len)
{
	size_t room = cap - 1 - *len;
	size_t n = cut_utf8(text, text_len, room);

	memcpy(out + *len, text, n);
	*len += n;
	out[*len] = '\0';
}

static void append_text(char *out, size_t cap, size_t *len, const char *text)
{
	append(out, cap, len, text, strlen(text));
}

static void append_cut(char *out, size_t cap, size_t *len, const char *text, size_t max)
{
	size_t text_len = strlen(text);
	size_t n = cut_utf8(text, text_len, max);

	append(out, cap, len, text, n);
	if (n < text_len)
		append_text(out, cap, len, "...");
}

static void append_place(const struct place *at, char *out, size_t cap, size_t *len)
{
	char number[32];
	size_t start;

	if (at->up)
		append_place(at->up, out, cap, len);
	if (at->kind != PLACE_INPUT && *len > 0)
		append_text(out, cap, len, ".");
	start = *len;
	switch (at->kind) {
	case PLACE_INPUT:
		break;
	case PLACE_MEMBER:
		append_text(out, cap, len, at->name);
		out[start] = (char)tolower((unsigned char)out[start]);
		break;
	case PLACE_ELEMENT:
		(void)snprintf(number, sizeof number, "%zu.member", at->index);
		append_text(out, cap, len, number);
		break;
	case PLACE_ENTRY:
		append_cut(out, cap, len, at->name, KEY_SHOWN_MAX);
		append_text(out, cap, len, ".member");
		break;
	}
}

char *place_print(const struct place *at, char *out, size_t cap)
{
	size_t len = 0;

	out[0] = '\0';
	append_place(at, out, cap, &len);
	return out;
}

static void append_quoted(char *out, size_t cap, size_t *len, const char *text)
{
	append_text(out, cap, len, "'");
	append_cut(out, cap, len, text, VALUE_SHOWN_MAX);
	append_text(out, cap, len, "'");
}

static void append_value(char *out, size_t cap, size_t *len, const json_t *value)
{
	char *dump;

	if (!value || json_is_null(value)) {
		append_text(out, cap, len, "null");
	} else if (json_is_string(value) &&
		   strlen(json_string_value(value)) == json_string_length(value)) {
		append_quoted(out, cap, len, json_string_value(value));
	} else {
		dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		append_quoted(out, cap, len, dump ? dump : "");
		free(dump);
	}
}

static bool has_room(const struct violations *v)
{
	return v->len + ENTRY_MAX < sizeof v->text;
}

static void append_entry(struct violations *v, const char *value, const struct place *at,
			 const char *lead, const char *constraint, const char *tail)
{
	char path[PATH_MAX_LEN];
	const size_t cap = sizeof v->text;

	if (v->len > 0)
		append_text(v->text, cap, &v->len, "; ");
	append_text(v->text, cap, &v->len, "Value ");
	append_text(v->text, cap, &v->len, value);
	append_text(v->text, cap, &v->len, " at '");
	append_text(v->text, cap, &v->len, place_print(at, path, sizeof path));
	append_text(v->text, cap, &v->len, "' failed to satisfy constraint: ");
	append_text(v->text, cap, &v->len, lead);
	append_text(v->text, cap, &v->len, constraint);
	append_text(v->text, cap, &v->len, tail);
}

void violation_add(struct violations *v, const struct place *at, const json_t *value,
		   const char *fmt, ...)
{
	char shown[VALUE_SHOWN_MAX + 16] = "";
	char constraint[512];
	size_t len = 0;
	va_list ap;

	v->count++;
	if (!has_room(v))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(constraint, sizeof constraint, fmt, ap);
	va_end(ap);
	append_value(shown, sizeof shown, &len, value);
	append_entry(v, shown, at, "", constraint, "");
}

void violation_add_key(struct violations *v, const struct place *map, const char *key,
		       const char *fmt, ...)
{
	char shown[VALUE_SHOWN_MAX + 16] = "";
	char constraint[512];
	size_t len = 0;
	va_list ap;

	v->count++;
	if (!has_room(v))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(constraint, sizeof constraint, fmt, ap);
	va_end(ap);
	append_quoted(shown, sizeof shown, &len, key);
	append_entry(v, shown, map, "Map keys must satisfy constraint: [", constraint,
		     "]");
}

char *violations_message(const struct violations *v, struct arena *arena)
{
	return arena_printf(arena, "%zu validation error%s detected: %s", v->count,
			    v->count == 1 ? "" : "s", v->text);
}
