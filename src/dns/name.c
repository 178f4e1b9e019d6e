/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/name.h"

#include <string.h>

/* Sixteen octets at once: the comparison gives 0xff for each one in 'A'..'Z'. */
typedef uint8_t octets __attribute__((vector_size(16)));

static void lower_sixteen(uint8_t *out, const uint8_t *in)
{
	octets chunk;

	memcpy(&chunk, in, sizeof chunk);
	chunk |= (octets)(chunk - 'A' <= 'Z' - 'A') & 0x20;
	memcpy(out, &chunk, sizeof chunk);
}

void dname_lower(uint8_t *out, const uint8_t *in, size_t len)
{
	if (len < sizeof(octets)) {
		for (size_t i = 0; i < len; i++)
			out[i] = in[i] >= 'A' && in[i] <= 'Z' ? in[i] | 0x20 : in[i];
		return;
	}
	for (size_t i = 0; i + sizeof(octets) < len; i += sizeof(octets))
		lower_sixteen(out + i, in + i);
	/* The last step may lower some octets twice: that changes nothing. */
	lower_sixteen(out + len - sizeof(octets), in + len - sizeof(octets));
}

size_t dname_parse(const uint8_t *wire, size_t left, struct dname *out)
{
	size_t at = 0;
	unsigned labels = 0;

	if (left > DNAME_MAX)
		left = DNAME_MAX;
	for (;;) {
		if (at >= left || wire[at] > DNAME_LABEL_MAX)
			return 0;
		/* 255 octets hold at most 127 labels and the root. */
		out->offsets[labels] = (uint8_t)at;
		if (wire[at] == 0)
			break;
		labels++;
		at += 1u + wire[at];
	}
	out->labels = (uint8_t)labels;
	out->len = (uint8_t)(at + 1);
	dname_lower(out->wire, wire, at + 1);
	return at + 1;
}

size_t dname_check(const uint8_t *wire, size_t left)
{
	size_t at = 0;

	if (left > DNAME_MAX)
		left = DNAME_MAX;
	while (at < left && wire[at] != 0) {
		if (wire[at] > DNAME_LABEL_MAX)
			return 0;
		at += 1u + wire[at];
	}
	return at < left ? at + 1 : 0;
}

size_t dname_len(const uint8_t *name)
{
	const uint8_t *at = name;

	while (*at != 0)
		at += 1 + *at;
	return (size_t)(at - name) + 1;
}

bool dname_equal(const uint8_t *a, const uint8_t *b)
{
	uint8_t lower_a[DNAME_MAX];
	uint8_t lower_b[DNAME_MAX];
	size_t len = dname_len(a);

	if (len != dname_len(b))
		return false;
	dname_lower(lower_a, a, len);
	dname_lower(lower_b, b, len);
	return memcmp(lower_a, lower_b, len) == 0;
}

bool dname_is_within(const uint8_t *name, const uint8_t *apex)
{
	size_t len = dname_len(name);
	size_t apex_len = dname_len(apex);

	while (len > apex_len) {
		len -= 1u + *name;
		name += 1 + *name;
	}
	return len == apex_len && dname_equal(name, apex);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Read one octet of a label, undoing an escape. Returns how many characters
 * of the text it took, 0 when the escape is broken. */
static size_t read_octet(const char *text, uint8_t *out)
{
	int value;

	if (text[0] != '\\') {
		*out = (uint8_t)text[0];
		return 1;
	}
	if (text[1] == '\0')
		return 0;
	if (!is_digit(text[1])) {
		*out = (uint8_t)text[1];
		return 2;
	}
	if (!is_digit(text[2]) || !is_digit(text[3]))
		return 0;
	value = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
	if (value > 255)
		return 0;
	*out = (uint8_t)value;
	return 4;
}

gaz_status dname_below(const char *text, const uint8_t *suffix, uint8_t out[DNAME_MAX],
		       size_t *len_out)
{
	uint8_t name[DNAME_MAX];
	size_t suffix_len = dname_len(suffix);
	size_t label = 0; /* where the length of the label that grows will stand */
	size_t at = 1;

	if (strcmp(text, ".") == 0)
		text++;
	else if (*text == '\0')
		return GAZ_EFORMAT;
	while (*text != '\0') {
		if (*text != '.') {
			uint8_t octet;
			size_t took = read_octet(text, &octet);

			if (took == 0)
				return GAZ_EFORMAT;
			if (at - label > DNAME_LABEL_MAX || at >= DNAME_MAX)
				return GAZ_ELIMIT;
			name[at++] = octet;
			text += took;
			if (*text != '.' && *text != '\0')
				continue;
		}
		if (at - label == 1)
			return GAZ_EFORMAT;
		name[label] = (uint8_t)(at - label - 1);
		label = at++;
		if (*text == '.')
			text++;
	}
	if (label + suffix_len > DNAME_MAX)
		return GAZ_ELIMIT;
	memmove(out + label, suffix, suffix_len);
	memcpy(out, name, label);
	*len_out = label + suffix_len;
	return GAZ_OK;
}

gaz_status dname_from_text(const char *text, uint8_t out[DNAME_MAX], size_t *len_out)
{
	static const uint8_t root[1] = {0};

	return dname_below(text, root, out, len_out);
}

/* The octet that an escape at the beginning of `text` stands for; *take_len the length
 * of the escape. @return false: it is broken */
static bool read_escape(const char *text, size_t left, uint8_t *out, size_t *take_len)
{
	char copy[5] = "";

	memcpy(copy, text, left < 4 ? left : 4);
	*take_len = read_octet(copy, out);
	return *take_len > 0;
}

gaz_status dname_from_master(const char *text, size_t len, const uint8_t *origin,
			     size_t origin_len, uint8_t out[DNAME_MAX], size_t *len_out)
{
	const char *end = text + len;
	size_t label = 0; /* where the length of the label that grows stands */
	size_t at = 1;

	if (len == 1 && *text == '@')
		text = end;
	else if (len == 1 && *text == '.')
		origin = memset(out, 0, 1), origin_len = 1, text = end;
	else if (len == 0)
		return GAZ_EFORMAT;
	while (text < end) {
		uint8_t octet = (uint8_t)*text;
		size_t took = 1;

		if (octet == '.') {
			if (at - label == 1)
				return GAZ_EFORMAT;
			out[label] = (uint8_t)(at - label - 1);
			label = at++;
			if (++text < end)
				continue;
			if (label >= DNAME_MAX)
				return GAZ_ELIMIT;
			out[label] = 0;
			*len_out = label + 1;
			return GAZ_OK;
		}
		if (octet == '\\' &&
		    !read_escape(text, (size_t)(end - text), &octet, &took))
			return GAZ_EFORMAT;
		if (at - label > DNAME_LABEL_MAX || at >= DNAME_MAX)
			return GAZ_ELIMIT;
		out[at++] = octet;
		text += took;
	}
	if (at - label > 1) {
		out[label] = (uint8_t)(at - label - 1);
		label = at;
	}
	if (label + origin_len > DNAME_MAX)
		return GAZ_ELIMIT;
	memmove(out + label, origin, origin_len);
	*len_out = label + origin_len;
	return GAZ_OK;
}

char *dname_to_text(const uint8_t *name, char out[DNAME_TEXT_SIZE])
{
	char *at = out;

	if (*name == 0)
		*at++ = '.';
	for (; *name != 0; name += 1 + *name) {
		for (unsigned i = 1; i <= *name; i++) {
			uint8_t c = name[i];

			if (c <= ' ' || c >= 0x7f) {
				*at++ = '\\';
				*at++ = (char)('0' + c / 100);
				*at++ = (char)('0' + c / 10 % 10);
				*at++ = (char)('0' + c % 10);
				continue;
			}
			if (strchr(".\\\"();@$", c))
				*at++ = '\\';
			*at++ = (char)c;
		}
		*at++ = '.';
	}
	*at = '\0';
	return out;
}
