/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/table.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gazctl/ctl_report.h"

enum {
	CELL_SIZE = 1100, /* the longest text of the API is 1024 characters */
	COLUMNS_MAX = 16,
};

static json_t *find_value(const json_t *object, const char *path)
{
	json_t *at = (json_t *)object;

	while (at && *path) {
		char name[64];
		size_t len = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		at = json_object_get(at, name);
		path += len + (path[len] == '.');
	}
	return at;
}

const char *table_text(const json_t *object, const char *path)
{
	const char *text = json_string_value(find_value(object, path));

	return text ? text : "";
}

/* Dates are the only members of the API with "Date" at their end. */
static bool is_date(const char *name)
{
	size_t len = strlen(name);

	return len >= 4 && strcmp(name + len - 4, "Date") == 0;
}

static void print_date(double seconds, char *out, size_t cap)
{
	time_t whole = (time_t)seconds;
	struct tm tm;

	strftime(out, cap, "%Y-%m-%d %H:%M:%SZ", gmtime_r(&whole, &tm));
}

static void print_cell(const json_t *value, const char *name, char out[CELL_SIZE]);

/* Between two characters: continuation bytes of UTF-8 go with their first. */
static void mark_cut(char out[CELL_SIZE])
{
	size_t at = CELL_SIZE - sizeof("...");

	while (at > 0 && ((unsigned char)out[at] & 0xc0) == 0x80)
		at--;
	memcpy(out + at, "...", sizeof("..."));
}

/* Lists and objects on one line: "a, b" and "key=value, key=value". */
static void print_many(const json_t *value, char out[CELL_SIZE])
{
	size_t used = 0, i;
	const char *key;
	json_t *item;
	char cell[CELL_SIZE];

	json_array_foreach(value, i, item)
	{
		print_cell(item, "", cell);
		used += (size_t)snprintf(out + used, CELL_SIZE - used, "%s%s",
					 i > 0 ? ", " : "", cell);
		if (used >= CELL_SIZE) {
			mark_cut(out);
			return;
		}
	}
	json_object_foreach((json_t *)value, key, item)
	{
		print_cell(item, key, cell);
		used += (size_t)snprintf(out + used, CELL_SIZE - used, "%s%s=%s",
					 used > 0 ? ", " : "", key, cell);
		if (used >= CELL_SIZE) {
			mark_cut(out);
			return;
		}
	}
}

static void print_cell(const json_t *value, const char *name, char out[CELL_SIZE])
{
	out[0] = '\0';
	if (json_is_string(value))
		snprintf(out, CELL_SIZE, "%s", json_string_value(value));
	else if (json_is_number(value) && is_date(name))
		print_date(json_number_value(value), out, CELL_SIZE);
	else if (json_is_integer(value))
		snprintf(out, CELL_SIZE, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
	else if (json_is_real(value))
		snprintf(out, CELL_SIZE, "%.3f", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(out, CELL_SIZE, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_array(value) || json_is_object(value))
		print_many(value, out);
}

/* Characters, not bytes: continuation bytes of UTF-8 do not count. */
static int text_width(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void print_padded(const char *text, int width)
{
	ctl_print_text(stdout, text);
	if (width > 0) /* 0: the last column */
		printf("%*s", width - text_width(text) + 2, "");
}

void table_print_list(const json_t *array, const struct column *columns)
{
	int widths[COLUMNS_MAX] = {0};
	char cell[CELL_SIZE];
	size_t i;
	json_t *row;

	for (size_t c = 0; columns[c].title; c++)
		widths[c] = text_width(columns[c].title);
	json_array_foreach(array, i, row)
	{
		for (size_t c = 0; columns[c].title; c++) {
			int width;

			print_cell(find_value(row, columns[c].path), columns[c].path,
				   cell);
			width = text_width(cell);
			widths[c] = width > widths[c] ? width : widths[c];
		}
	}
	for (size_t c = 0; columns[c].title; c++)
		print_padded(columns[c].title, columns[c + 1].title ? widths[c] : 0);
	putchar('\n');
	json_array_foreach(array, i, row)
	{
		for (size_t c = 0; columns[c].title; c++) {
			print_cell(find_value(row, columns[c].path), columns[c].path,
				   cell);
			print_padded(cell, columns[c + 1].title ? widths[c] : 0);
		}
		putchar('\n');
	}
}

void table_print_row(const json_t *object, const struct column *columns)
{
	char cell[CELL_SIZE];

	for (size_t c = 0; columns[c].title; c++) {
		print_cell(find_value(object, columns[c].path), columns[c].path, cell);
		print_padded(cell, columns[c + 1].title ? text_width(cell) : 0);
	}
	putchar('\n');
}

void table_print_object(const json_t *object, const struct column *columns)
{
	char cell[CELL_SIZE];
	int width = 0;

	for (size_t c = 0; columns[c].title; c++)
		width = text_width(columns[c].title) > width
				? text_width(columns[c].title)
				: width;
	for (size_t c = 0; columns[c].title; c++) {
		const json_t *value = find_value(object, columns[c].path);

		print_cell(value, columns[c].path, cell);
		if (!cell[0])
			continue;
		print_padded(columns[c].title, width);
		ctl_print_text(stdout, cell);
		putchar('\n');
	}
}

void table_print_members(const json_t *object)
{
	const char *key;
	json_t *value;
	int width = 0;
	char cell[CELL_SIZE];

	json_object_foreach((json_t *)object, key, value) width =
		text_width(key) > width ? text_width(key) : width;
	json_object_foreach((json_t *)object, key, value)
	{
		print_cell(value, key, cell);
		print_padded(key, width);
		ctl_print_text(stdout, cell);
		putchar('\n');
	}
}
