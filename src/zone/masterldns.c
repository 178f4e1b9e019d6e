/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/masterldns.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dns/name.h"
#include "dns/wire.h"
#include "zone/masterfields.h"

enum {
	TYPE_LOC = 29,
	TYPE_APL = 42,
	TYPE_CDS = 59,
	TYPE_CAA = 257,
};

/* ---- what ldns takes for numbers and digits ---- */

/* The largest number of a field, 0 for fields that are no numbers. Some may also be a
 * mnemonic, which ldns knows. */
static uint64_t largest_number(ldns_rdf_type field)
{
	switch (field) {
	case LDNS_RDF_TYPE_INT8:
	case LDNS_RDF_TYPE_ALG:
	case LDNS_RDF_TYPE_CERTIFICATE_USAGE:
	case LDNS_RDF_TYPE_SELECTOR:
	case LDNS_RDF_TYPE_MATCHING_TYPE:
		return UINT8_MAX;
	case LDNS_RDF_TYPE_INT16:
	case LDNS_RDF_TYPE_CERT_ALG:
		return UINT16_MAX;
	case LDNS_RDF_TYPE_INT32:
		return UINT32_MAX;
	default:
		return 0;
	}
}

static bool is_number_in_range(const char *word, size_t len, uint64_t max)
{
	bool is_numeric = len > 0 && strspn(word, "+-0123456789") == len;
	uint64_t value;

	return !is_numeric || masterfields_number(word, len, max, &value);
}

/* There is no certificate of type 0 (RFC 4398, section 2.1), and ldns, which says so
 * too, loses memory over it. */
static bool is_reserved(ldns_rdf_type field, const char *word, size_t len)
{
	uint64_t value;

	return field == LDNS_RDF_TYPE_CERT_ALG &&
	       masterfields_number(word, len, UINT16_MAX, &value) && value == 0;
}

/* Hexadecimal digits go on over all words that are left. */
static bool has_whole_octets(const struct masterfields *f, size_t from)
{
	size_t digits = 0;

	for (size_t i = from; i < f->count; i++)
		digits += f->words[i].len;
	return digits % 2 == 0;
}

/* A port over 65535 is one that ldns cuts (RFC 9460, section 7.2). */
static bool has_port_in_range(const struct masterfields *f)
{
	for (size_t i = 2; i < f->count; i++) {
		const char *word = masterfields_word(f, i);
		size_t skip = strncasecmp(word, "port=\"", 6) == 0 ? 6 : 5;

		if (strncasecmp(word, "port=", 5) == 0 &&
		    strtoul(word + skip, NULL, 10) > UINT16_MAX)
			return false;
	}
	return true;
}

static bool is_direction(const char *word)
{
	return strcasecmp(word, "E") == 0 || strcasecmp(word, "W") == 0;
}

/* The altitude is not optional (RFC 1876, section 3). */
static bool has_altitude(const struct masterfields *f)
{
	for (size_t i = 0; i + 1 < f->count; i++) {
		if (is_direction(masterfields_word(f, i)))
			return true;
	}
	return false;
}

/* ldns takes \# for the mark of RFC 3597 in front of any field. */
static bool has_stray_mark(const struct masterfields *f)
{
	for (size_t i = 0; i < f->count; i++) {
		if (!f->words[i].is_quoted && strcmp(masterfields_word(f, i), "\\#") == 0)
			return true;
	}
	return false;
}

static const char *check_words(uint16_t type, const struct masterfields *f)
{
	const ldns_rr_descriptor *fields = ldns_rr_descript(type);
	size_t count = ldns_rr_descriptor_minimum(fields);

	if (has_stray_mark(f))
		return "\\# stands before all data of a record or nowhere; write \"#\"";
	for (size_t i = 0; i < f->count && i < count; i++) {
		ldns_rdf_type field = ldns_rr_descriptor_field_type(fields, i);
		uint64_t max = largest_number(field);

		if (max &&
		    !is_number_in_range(masterfields_word(f, i), f->words[i].len, max))
			return "a number is too large for its field; correct it";
		if (is_reserved(field, masterfields_word(f, i), f->words[i].len))
			return "the certificate type 0 is reserved; correct it";
		if (field == LDNS_RDF_TYPE_HEX && !has_whole_octets(f, i))
			return "an odd number of hexadecimal digits; correct it";
	}
	if ((type == DNS_TYPE_SVCB || type == DNS_TYPE_HTTPS) && !has_port_in_range(f))
		return "a port is over 65535; correct it";
	if (type == TYPE_LOC && !has_altitude(f))
		return "the altitude is missing; add it";
	return NULL;
}

/* ---- what the data says ---- */

/* Of the digest types that there are (RFC 4034, 4509, 6605). */
static bool is_digest(const uint8_t *rdata, size_t len)
{
	static const uint8_t lengths[] = {0, 20, 32, 32, 48};

	return len < 4 || rdata[3] >= sizeof lengths || lengths[rdata[3]] == 0 ||
	       len - 4 == lengths[rdata[3]];
}

static bool is_degrees(uint32_t thousandths, uint32_t degrees)
{
	uint32_t most = degrees * 3600 * 1000;

	return thousandths >= (UINT32_C(1) << 31) - most &&
	       thousandths <= (UINT32_C(1) << 31) + most;
}

static bool is_place(const uint8_t *rdata, size_t len)
{
	return len < 16 || (is_degrees(wire_get_u32(rdata + 4), 90) &&
			    is_degrees(wire_get_u32(rdata + 8), 180));
}

/* RFC 3123, section 4 */
static bool is_address_list(const uint8_t *rdata, size_t len)
{
	for (size_t at = 0; at + 4 <= len; at += 4u + (rdata[at + 3] & 0x7f)) {
		unsigned family = wire_get_u16(rdata + at);

		if (rdata[at + 2] > (family == 1 ? 32 : 128))
			return false;
	}
	return true;
}

static bool has_key(const uint8_t *keys, size_t len, unsigned wanted)
{
	for (size_t at = 0; at + 4 <= len; at += 4u + wire_get_u16(keys + at + 2)) {
		if (wire_get_u16(keys + at) == wanted)
			return true;
	}
	return false;
}

/* The value of the key "mandatory" */
static bool has_mandatory(const uint8_t *keys, size_t len, const uint8_t *value,
			  size_t value_len)
{
	for (size_t i = 0; i + 2 <= value_len; i += 2) {
		unsigned wanted = wire_get_u16(value + i);

		if (wanted == 0 || !has_key(keys, len, wanted))
			return false;
	}
	return true;
}

/* Each key once, in ascending order, and those that are mandatory are there (RFC 9460,
 * sections 2.2 and 8). */
static bool is_service(const uint8_t *rdata, size_t len)
{
	size_t skip = 2 + (len > 2 ? dname_check(rdata + 2, len - 2) : 0);
	const uint8_t *keys = rdata + skip;
	int last = -1;

	if (skip == 2)
		return false;
	len -= skip;
	for (size_t at = 0; at < len;) {
		size_t value_len = at + 4 <= len ? wire_get_u16(keys + at + 2) : len;
		int key = at + 4 <= len ? wire_get_u16(keys + at) : -1;

		if (key <= last || value_len > len - at - 4)
			return false;
		if (key == 0 && !has_mandatory(keys, len, keys + at + 4, value_len))
			return false;
		last = key;
		at += 4 + value_len;
	}
	return true;
}

static const char *check_data(uint16_t type, const uint8_t *rdata, size_t len)
{
	switch (type) {
	case DNS_TYPE_DS:
	case TYPE_CDS:
		return is_digest(rdata, len) ? NULL
					     : "the digest is not as long as its type "
					       "wants; correct it";
	case TYPE_LOC:
		return is_place(rdata, len)
			       ? NULL
			       : "there is no such latitude or longitude; correct it";
	case TYPE_APL:
		return is_address_list(rdata, len)
			       ? NULL
			       : "a prefix is longer than an address; "
				 "correct it";
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		return is_service(rdata, len) ? NULL
					      : "a key is malformed, there twice, or "
						"mandatory and missing; "
						"correct it";
	default:
		return NULL;
	}
}

/* ---- ldns ---- */

/* ". 0 IN TYPE DATA", the words as they were. */
static char *join_words(uint16_t type, bool generic, const struct masterfields *f)
{
	size_t size = 64;
	char *line;
	char *at;

	for (size_t i = 0; i < f->count; i++)
		size += f->words[i].len + 3;
	line = malloc(size);
	if (!line)
		return NULL;
	at = line + sprintf(line, ". 0 IN TYPE%u", type);
	for (size_t i = 0; i < f->count; i++) {
		/* CAA's value need not be quoted (RFC 8659, section 4.1.1). */
		bool quoted =
			f->words[i].is_quoted || (type == TYPE_CAA && !generic && i == 2);
		const char *quote = quoted ? "\"" : "";

		at += sprintf(at, " %s%s%s", quote, masterfields_word(f, i), quote);
	}
	return line;
}

static gaz_status copy_data(const ldns_rr *rr, uint8_t *out, size_t *len_out)
{
	ldns_buffer *buffer = ldns_buffer_new(LDNS_MIN_BUFLEN);
	gaz_status st = GAZ_EFORMAT;

	if (!buffer)
		return GAZ_ENOMEM;
	if (ldns_rr_rdata2buffer_wire(buffer, rr) == LDNS_STATUS_OK &&
	    ldns_buffer_position(buffer) <= MASTERFIELDS_DATA_MAX) {
		*len_out = ldns_buffer_position(buffer);
		memcpy(out, ldns_buffer_begin(buffer), *len_out);
		st = GAZ_OK;
	}
	ldns_buffer_free(buffer);
	return st;
}

static gaz_status parse(uint16_t type, bool generic, const struct masterfields *f,
			uint8_t *out, size_t *len_out, const char **what_out)
{
	ldns_rdf *origin = ldns_dname_new_frm_data((uint16_t)f->origin_len, f->origin);
	char *line = join_words(type, generic, f);
	ldns_rr *rr = NULL;
	ldns_status parsed = LDNS_STATUS_MEM_ERR;
	gaz_status st;

	if (origin && line)
		parsed = ldns_rr_new_frm_str(&rr, line, 0, origin, NULL);
	*what_out = ldns_get_errorstr_by_id(parsed);
	if (parsed == LDNS_STATUS_OK)
		st = copy_data(rr, out, len_out);
	else
		st = parsed == LDNS_STATUS_MEM_ERR ? GAZ_ENOMEM : GAZ_EFORMAT;
	if (parsed == LDNS_STATUS_OK && st == GAZ_EFORMAT)
		*what_out = "the data is too long; shorten it";
	if (parsed == LDNS_STATUS_OK)
		ldns_rr_free(rr);
	free(line);
	ldns_rdf_deep_free(origin);
	return st;
}

bool masterldns_is_text_of(uint16_t type, const char *text, const uint8_t *rdata,
			   size_t len)
{
	size_t size = strlen(text) + 64;
	char *line = malloc(size);
	ldns_rr *rr = NULL;
	uint8_t *read = malloc(MASTERFIELDS_DATA_MAX);
	size_t read_len = 0;
	bool is_same = false;

	if (line && read) {
		(void)snprintf(line, size, ". 0 IN TYPE%u %s", type, text);
		is_same =
			ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL) == LDNS_STATUS_OK &&
			copy_data(rr, read, &read_len) == GAZ_OK && read_len == len &&
			memcmp(read, rdata, len) == 0;
	}
	if (rr)
		ldns_rr_free(rr);
	free(line);
	free(read);
	return is_same;
}

gaz_status masterldns_read(uint16_t type, bool generic, const struct masterfields *fields,
			   uint8_t *rdata_out, size_t *len_out, const char **what_out)
{
	gaz_status st;

	if (!generic && (*what_out = check_words(type, fields)))
		return GAZ_EFORMAT;
	st = parse(type, generic, fields, rdata_out, len_out, what_out);
	if (st == GAZ_OK && (*what_out = check_data(type, rdata_out, *len_out)))
		return GAZ_EFORMAT;
	return st;
}
