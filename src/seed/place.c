/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seed/place-internal.h"

/* The API's messages name a member by its place in the input of a call, such as
 * dnsConfig.dnsRecords.1.member.tTL. Here it becomes the place in the document. */

enum {
	PLACE_SIZE = SEED_PATH_SIZE + 1024,
};

struct place {
	char text[PLACE_SIZE];
	size_t len;
};

static void append(struct place *p, const char *text, size_t len)
{
	const size_t room = sizeof p->text - 1 - p->len;
	const size_t n = len < room ? len : room;

	memcpy(p->text + p->len, text, n);
	p->len += n;
	p->text[p->len] = '\0';
}

/* Does the rest of a place begin with this name? Of members the first letter is small. */
static bool begins_with(const char *at, const char *name)
{
	const size_t len = strlen(name);

	return len > 0 &&
	       (at[0] == name[0] || at[0] == tolower((unsigned char)name[0])) &&
	       strncmp(at + 1, name + 1, len - 1) == 0 &&
	       (at[len] == '.' || at[len] == '\0');
}

/* Keys of maps may have dots in them: the longest that fits. */
static const char *find_name(const json_t *object, const char *at, json_t **value_out)
{
	const char *found = NULL, *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		if (!begins_with(at, name) || (found && strlen(name) < strlen(found)))
			continue;
		found = name;
		*value_out = value;
	}
	return found;
}

static void append_name(struct place *p, const char *name, size_t len)
{
	char first = (char)toupper((unsigned char)name[0]);

	/* The one member that bears another name in a document. */
	if (len == 5 && strncmp(name + 1, "pcId", 4) == 0) {
		append(p, ".Id", 3);
		return;
	}
	append(p, ".", 1);
	append(p, &first, 1);
	append(p, name + 1, len - 1);
}

static void translate(const json_t *value, const char *at, struct place *p)
{
	char index[24];

	while (*at) {
		const char *name;
		json_t *member = NULL;
		size_t len = strcspn(at, ".");

		if (strspn(at, "0123456789") == len) {
			unsigned long number = strtoul(at, NULL, 10);

			snprintf(index, sizeof index, "[%lu]", number - 1);
			append(p, index, strlen(index));
			member = json_array_get(value, number - 1);
		} else if ((name = find_name(value, at, &member))) {
			len = strlen(name);
			if (begins_with(at, name) && at[0] == name[0]) {
				append(p, ".", 1); /* the key of a map, as it is */
				append(p, name, len);
			} else {
				append_name(p, name, len);
			}
		} else if (strncmp(at, "member", len) == 0) {
			member = (json_t *)value;
		} else {
			append_name(p, at, len);
		}
		value = member;
		at += len;
		at += *at == '.';
	}
}

/* What is before the place and what is behind it, in one text. */
static void tell(struct seed *s, const char *path, const json_t *input, const char *lead,
		 size_t lead_len, const char *place, size_t place_len, const char *tail,
		 size_t tail_len)
{
	struct place p = {.len = 0};
	char *copy = strndup(place, place_len);

	append(&p, path, strlen(path));
	translate(input, copy ? copy : "", &p);
	free(copy);
	seed_fault(s, p.text, "%.*s%.*s", (int)lead_len, lead, (int)tail_len, tail);
}

static const char *find_last(const char *from, const char *to, const char *text)
{
	const size_t len = strlen(text);

	for (size_t at = (size_t)(to - from); at-- > 0;) {
		if (strncmp(from + at, text, len) == 0 && from + at + len <= to)
			return from + at;
	}
	return NULL;
}

/* "Value 'x' at 'PLACE' failed to satisfy constraint: ...; Value ..." */
static const char *tell_one(struct seed *s, const char *path, const json_t *input,
			    const char *entry)
{
	static const char failed[] = "' failed to satisfy constraint: ";
	static const char at[] = " at '";
	const char *tail = strstr(entry, failed);
	const char *place = tail ? find_last(entry, tail, at) : NULL;
	const char *next;

	if (!place)
		return NULL;
	next = strstr(tail, "; Value ");
	tell(s, path, input, entry, (size_t)(place - entry), place + strlen(at),
	     (size_t)(tail - place) - strlen(at), tail + 1,
	     next ? (size_t)(next - tail) - 1 : strlen(tail + 1));
	return next ? next + 2 : "";
}

/* "The value at 'PLACE' must be an object" */
static bool tell_wrong_type(struct seed *s, const char *path, const json_t *input,
			    const char *message)
{
	static const char start[] = "The value at '";
	const char *place = message + strlen(start);
	const char *end;

	if (strncmp(message, start, strlen(start)) != 0 ||
	    !(end = strstr(place, "' must be ")))
		return false;
	tell(s, path, input, "The value", 9, place, (size_t)(end - place), end + 1,
	     strlen(end + 1));
	return true;
}

bool seed_tell_violations(struct seed *s, const char *path, const json_t *input,
			  const char *message)
{
	const char *entry = strstr(message, " detected: ");
	const size_t faults = s->faults;

	if (tell_wrong_type(s, path, input, message))
		return true;
	if (!entry || !strstr(message, " validation error"))
		return false;
	entry += strlen(" detected: ");
	while (entry && *entry)
		entry = tell_one(s, path, input, entry);
	return s->faults > faults;
}
