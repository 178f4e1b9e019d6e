/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/masterdata.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <string.h>
#include <strings.h>

#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/wire.h"
#include "zone/masterfields.h"
#include "zone/masterldns.h"

enum {
	DNS_TYPE_SPF = 99,
	STRING_MAX = 255,
};

/* What a type's data consists of, for those that are read here. */
enum form {
	FORM_OTHER = 0,
	FORM_A,
	FORM_AAAA,
	FORM_NAME,
	FORM_MX,
	FORM_SRV,
	FORM_SOA,
	FORM_STRINGS,
};

static const struct common_type {
	const char *name;
	uint16_t type;
	enum form form;
} common_types[] = {
	{"A", DNS_TYPE_A, FORM_A},
	{"AAAA", DNS_TYPE_AAAA, FORM_AAAA},
	{"CNAME", DNS_TYPE_CNAME, FORM_NAME},
	{"NS", DNS_TYPE_NS, FORM_NAME},
	{"PTR", DNS_TYPE_PTR, FORM_NAME},
	{"MX", DNS_TYPE_MX, FORM_MX},
	{"TXT", DNS_TYPE_TXT, FORM_STRINGS},
	{"SRV", DNS_TYPE_SRV, FORM_SRV},
	{"SOA", DNS_TYPE_SOA, FORM_SOA},
	{"DNAME", DNS_TYPE_DNAME, FORM_NAME},
	{"SPF", DNS_TYPE_SPF, FORM_STRINGS},
};

enum {
	COMMON_TYPES = sizeof common_types / sizeof *common_types,
};

static enum form form_of(uint16_t type)
{
	for (size_t i = 0; i < COMMON_TYPES; i++) {
		if (common_types[i].type == type)
			return common_types[i].form;
	}
	return FORM_OTHER;
}

/* ---- types and numbers ---- */

uint16_t masterdata_type(const char *text, size_t len)
{
	uint64_t number;
	char name[32];

	for (size_t i = 0; i < COMMON_TYPES; i++) {
		if (strlen(common_types[i].name) == len &&
		    strncasecmp(common_types[i].name, text, len) == 0)
			return common_types[i].type;
	}
	if (len >= sizeof name)
		return 0;
	if (len > 4 && strncasecmp(text, "TYPE", 4) == 0)
		return masterfields_number(text + 4, len - 4, UINT16_MAX, &number)
			       ? (uint16_t)number
			       : 0;
	memcpy(name, text, len);
	name[len] = '\0';
	return (uint16_t)ldns_get_rr_type_by_name(name);
}

static uint32_t unit_seconds(char unit)
{
	switch (unit | 0x20) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 604800;
	default:
		return 0;
	}
}

bool masterdata_ttl(const char *text, size_t len, uint32_t *out)
{
	uint64_t total = 0;
	uint64_t value;

	if (masterfields_number(text, len, UINT32_MAX, &total)) {
		*out = (uint32_t)total;
		return true;
	}
	for (size_t at = 0; at < len; at++) {
		size_t from = at;

		while (at < len && text[at] >= '0' && text[at] <= '9')
			at++;
		if (at == len || unit_seconds(text[at]) == 0 ||
		    !masterfields_number(text + from, at - from, UINT32_MAX, &value))
			return false;
		total += value * unit_seconds(text[at]);
		if (total > UINT32_MAX)
			return false;
	}
	*out = (uint32_t)total;
	return len > 0;
}

/* ---- data ---- */

/* The number in word i, from 0 to 65535. */
static bool put_number(const struct masterfields *f, size_t i, uint8_t *out)
{
	uint64_t value;

	if (!masterfields_number(masterfields_word(f, i), f->words[i].len, UINT16_MAX,
				 &value))
		return false;
	wire_put_u16(out, (uint16_t)value);
	return true;
}

static bool put_name(const struct masterfields *f, size_t i, uint8_t *out, size_t *len)
{
	size_t name_len = 0;

	if (dname_from_master(masterfields_word(f, i), f->words[i].len, f->origin,
			      f->origin_len, out, &name_len) != GAZ_OK)
		return false;
	*len += name_len;
	return true;
}

/* So many numbers, then a name. */
static const char *put_numbers_and_name(const struct masterfields *f, size_t numbers,
					uint8_t *out, size_t *len)
{
	for (size_t i = 0; i < numbers; i++) {
		if (!put_number(f, i, out + 2 * i))
			return "not a number from 0 to 65535; correct it";
	}
	*len = 2 * numbers;
	return put_name(f, numbers, out + *len, len)
		       ? NULL
		       : "the name is malformed or too long; correct it";
}

static const char *put_soa(const struct masterfields *f, uint8_t *out, size_t *len)
{
	if (!put_name(f, 0, out, len) || !put_name(f, 1, out + *len, len))
		return "a name is malformed or too long; correct it";
	for (size_t i = 2; i < 7; i++, *len += 4) {
		uint32_t value;

		if (!masterdata_ttl(masterfields_word(f, i), f->words[i].len, &value))
			return "not a number of 32 bits; correct it";
		wire_put_u32(out + *len, value);
	}
	return NULL;
}

/* One <character-string>, its length before it. */
static const char *put_string(const char *text, size_t len, uint8_t *out,
			      size_t *taken_out)
{
	size_t count = 0;

	for (size_t at = 0; at < len; at++) {
		uint64_t octet = (uint8_t)text[at];

		if (octet == '\\') { /* never the last: mastertext has seen to it */
			octet = (uint8_t)text[++at];
			if (octet >= '0' && octet <= '9') {
				if (len - at < 3 ||
				    !masterfields_number(text + at, 3, 255, &octet))
					return "a backslash before digits wants three of "
					       "them, up to 255; correct it";
				at += 2;
			}
		}
		if (count == STRING_MAX)
			return "a string is longer than 255 octets; split it";
		out[1 + count++] = (uint8_t)octet;
	}
	out[0] = (uint8_t)count;
	*taken_out = 1 + count;
	return NULL;
}

static const char *put_strings(const struct masterfields *f, uint8_t *out, size_t *len)
{
	for (size_t i = 0; i < f->count; i++) {
		size_t taken;
		const char *what;

		if (*len + 1 + STRING_MAX > MASTERFIELDS_DATA_MAX)
			return "the strings are too long together; shorten them";
		what = put_string(masterfields_word(f, i), f->words[i].len, out + *len,
				  &taken);
		if (what)
			return what;
		*len += taken;
	}
	return NULL;
}

/* How many words each form has; 0: one or more. */
static const uint8_t word_counts[] = {
	[FORM_A] = 1,	[FORM_AAAA] = 1, [FORM_NAME] = 1,    [FORM_MX] = 2,
	[FORM_SRV] = 4, [FORM_SOA] = 7,	 [FORM_STRINGS] = 0,
};

static const char *put_common(enum form form, const struct masterfields *f, uint8_t *out,
			      size_t *len)
{
	if (word_counts[form] != 0 ? f->count != word_counts[form] : f->count == 0)
		return "the data has too few or too many words for its type; correct it";
	switch (form) {
	case FORM_A:
		*len = 4;
		return inet_pton(AF_INET, masterfields_word(f, 0), out) == 1
			       ? NULL
			       : "not an IPv4 address; correct it";
	case FORM_AAAA:
		*len = 16;
		return inet_pton(AF_INET6, masterfields_word(f, 0), out) == 1
			       ? NULL
			       : "not an IPv6 address; correct it";
	case FORM_NAME:
		return put_numbers_and_name(f, 0, out, len);
	case FORM_MX:
		return put_numbers_and_name(f, 1, out, len);
	case FORM_SRV:
		return put_numbers_and_name(f, 3, out, len);
	case FORM_SOA:
		return put_soa(f, out, len);
	default:
		return put_strings(f, out, len);
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_generic(const struct masterfields *f)
{
	return f->count > 0 && !f->words[0].is_quoted &&
	       strcmp(masterfields_word(f, 0), "\\#") == 0;
}

/* "\# LENGTH HEX..." (RFC 3597, section 5) */
static const char *put_generic(const struct masterfields *f, uint8_t *out, size_t *len)
{
	static const char what[] =
		"\\# wants the number of octets and twice as many hexadecimal digits; "
		"correct it";
	uint64_t count = 0;
	size_t digits = 0;

	if (f->count < 2 || !masterfields_number(masterfields_word(f, 1), f->words[1].len,
						 MASTERFIELDS_DATA_MAX, &count))
		return what;
	for (size_t i = 2; i < f->count; i++) {
		for (const char *at = masterfields_word(f, i); *at; at++, digits++) {
			int value = hex_digit(*at);

			if (value < 0 || digits == 2 * count)
				return what;
			if (digits % 2 == 0)
				out[digits / 2] = (uint8_t)(value << 4);
			else
				out[digits / 2] |= (uint8_t)value;
		}
	}
	*len = (size_t)count;
	return digits == 2 * count ? NULL : what;
}

gaz_status masterdata_read(uint16_t type, const struct masterfields *fields,
			   uint8_t *rdata_out, size_t *len_out, const char **what_out)
{
	enum form form = form_of(type);
	bool generic = is_generic(fields);

	*len_out = 0;
	if (!generic && form == FORM_OTHER)
		return masterldns_read(type, generic, fields, rdata_out, len_out,
				       what_out);
	*what_out = generic ? put_generic(fields, rdata_out, len_out)
			    : put_common(form, fields, rdata_out, len_out);
	if (*what_out)
		return GAZ_EFORMAT;
	if (!rdata_is_valid(type, rdata_out, *len_out)) {
		*what_out = "the data does not have the form of its type; correct it";
		return GAZ_EFORMAT;
	}
	/* ldns knows whether this is what the type's data looks like. */
	if (form == FORM_OTHER && ldns_rr_descript(type)->_type == (ldns_rr_type)type)
		return masterldns_read(type, generic, fields, rdata_out, len_out,
				       what_out);
	return GAZ_OK;
}
