/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "dns/wire.h"
#include "zone/masterdata.h"
#include "zone/masterldns.h"

/* Record data back to the form that master files have. */

enum {
	NUMBERS_SIZE = 80,
};

static const struct {
	uint16_t type;
	const char *name;
} common_names[] = {
	{DNS_TYPE_A, "A"},	   {DNS_TYPE_AAAA, "AAAA"}, {DNS_TYPE_SRV, "SRV"},
	{DNS_TYPE_CNAME, "CNAME"}, {DNS_TYPE_NS, "NS"},	    {DNS_TYPE_PTR, "PTR"},
	{DNS_TYPE_MX, "MX"},	   {DNS_TYPE_TXT, "TXT"},   {DNS_TYPE_SOA, "SOA"},
	{DNS_TYPE_DNAME, "DNAME"},
};

char *masterdata_print_type(uint16_t type, char out[MASTERDATA_TYPE_SIZE])
{
	const ldns_rr_descriptor *known;

	for (size_t i = 0; i < sizeof common_names / sizeof *common_names; i++) {
		if (common_names[i].type == type)
			return strcpy(out, common_names[i].name);
	}
	known = ldns_rr_descript(type);
	if (known && known->_type == (ldns_rr_type)type && known->_name)
		(void)snprintf(out, MASTERDATA_TYPE_SIZE, "%s", known->_name);
	else
		(void)snprintf(out, MASTERDATA_TYPE_SIZE, "TYPE%u", type);
	return out;
}

static char *print_address(int family, const uint8_t *rdata)
{
	char text[INET6_ADDRSTRLEN];

	return strdup(inet_ntop(family, rdata, text, sizeof text));
}

/* So many 16-bit numbers, then a name. */
static char *print_numbers_and_name(const uint8_t *rdata, size_t numbers)
{
	char name[DNAME_TEXT_SIZE];
	char *out = malloc(NUMBERS_SIZE + DNAME_TEXT_SIZE);
	char *at = out;

	if (!out)
		return NULL;
	for (size_t i = 0; i < numbers; i++)
		at += sprintf(at, "%u ", wire_get_u16(rdata + 2 * i));
	strcpy(at, dname_to_text(rdata + 2 * numbers, name));
	return out;
}

static char *print_soa(const uint8_t *rdata)
{
	const size_t size = NUMBERS_SIZE + 2 * DNAME_TEXT_SIZE;
	const uint8_t *rname = rdata + dname_len(rdata);
	const uint8_t *numbers = rname + dname_len(rname);
	char names[2][DNAME_TEXT_SIZE];
	char *out = malloc(size);

	if (!out)
		return NULL;
	(void)snprintf(out, size, "%s %s %u %u %u %u %u", dname_to_text(rdata, names[0]),
		       dname_to_text(rname, names[1]), wire_get_u32(numbers),
		       wire_get_u32(numbers + 4), wire_get_u32(numbers + 8),
		       wire_get_u32(numbers + 12), wire_get_u32(numbers + 16));
	return out;
}

static char *print_string(char *at, const uint8_t *string)
{
	*at++ = '"';
	for (unsigned i = 1; i <= *string; i++) {
		uint8_t c = string[i];

		if (c < ' ' || c >= 0x7f) {
			at += sprintf(at, "\\%03u", c);
			continue;
		}
		if (c == '"' || c == '\\')
			*at++ = '\\';
		*at++ = (char)c;
	}
	*at++ = '"';
	return at;
}

static char *print_strings(const uint8_t *rdata, size_t len)
{
	char *out = malloc(4 * len + 1); /* a length octet pays for quotes and blank */
	char *at = out;

	for (size_t i = 0; out && i < len; i += 1u + rdata[i]) {
		if (i > 0)
			*at++ = ' ';
		at = print_string(at, rdata + i);
	}
	if (out)
		*at = '\0';
	return out;
}

/* RFC 3597, section 5: every type can be written so. */
static char *print_generic(const uint8_t *rdata, size_t len)
{
	char *out = malloc(NUMBERS_SIZE + 2 * len);
	char *at = out;

	if (!out)
		return NULL;
	at += sprintf(at, "\\# %zu", len);
	if (len > 0)
		*at++ = ' ';
	for (size_t i = 0; i < len; i++)
		at += sprintf(at, "%02x", rdata[i]);
	*at = '\0';
	return out;
}

/* What ldns makes of it: the words behind owner, TTL, class and type, without comments. */
static char *print_with_ldns(uint16_t type, const uint8_t *rdata, size_t len)
{
	uint8_t *wire = malloc(len + 11);
	char *line = NULL;
	char *data = NULL;
	ldns_rr *rr = NULL;
	size_t at = 0;

	if (!wire)
		return NULL;
	wire[0] = 0;
	wire_put_u16(wire + 1, type);
	wire_put_u16(wire + 3, DNS_CLASS_IN);
	wire_put_u32(wire + 5, 0);
	wire_put_u16(wire + 9, (uint16_t)len);
	memcpy(wire + 11, rdata, len);
	if (ldns_wire2rr(&rr, wire, len + 11, &at, LDNS_SECTION_ANSWER) ==
	    LDNS_STATUS_OK) {
		line = ldns_rr2str_fmt(ldns_output_format_nocomments, rr);
		ldns_rr_free(rr);
	}
	free(wire);
	data = line;
	for (int i = 0; data && i < 4; i++) {
		data = strchr(data, '\t');
		data = data ? data + 1 : NULL;
	}
	if (data)
		data[strcspn(data, "\n")] = '\0';
	data = data ? strdup(data) : NULL;
	free(line);
	return data;
}

/* Are its words what they seem? ldns leaves quotes in names as they are. */
static bool is_plain(const char *text)
{
	bool is_quoted = false;

	for (const char *at = text; *at; at++) {
		bool is_start = at == text || at[-1] == ' ';

		if (*at == '\\' && at[1]) {
			at++;
		} else if (*at == '"') {
			if (is_quoted ? at[1] && at[1] != ' ' : !is_start)
				return false;
			is_quoted = !is_quoted;
		} else if (!is_quoted && strchr(";()", *at)) {
			return false;
		}
	}
	return !is_quoted;
}

/* Text of ldns is taken only if it leads back to the same data. */
static char *print_other(uint16_t type, const uint8_t *rdata, size_t len)
{
	char *text = print_with_ldns(type, rdata, len);

	if (text && !(is_plain(text) && masterldns_is_text_of(type, text, rdata, len))) {
		free(text);
		text = NULL;
	}
	return text ? text : print_generic(rdata, len);
}

gaz_status masterdata_print(uint16_t type, const uint8_t *rdata, size_t len, char **out)
{
	char *text;

	switch (type) {
	case DNS_TYPE_A:
		text = print_address(AF_INET, rdata);
		break;
	case DNS_TYPE_AAAA:
		text = print_address(AF_INET6, rdata);
		break;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME:
		text = print_numbers_and_name(rdata, 0);
		break;
	case DNS_TYPE_MX:
		text = print_numbers_and_name(rdata, 1);
		break;
	case DNS_TYPE_SRV:
		text = print_numbers_and_name(rdata, 3);
		break;
	case DNS_TYPE_SOA:
		text = print_soa(rdata);
		break;
	case DNS_TYPE_TXT:
		text = print_strings(rdata, len);
		break;
	default:
		text = print_other(type, rdata, len);
		break;
	}
	if (!text)
		return GAZ_ENOMEM;
	*out = text;
	return GAZ_OK;
}
