/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/present.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* "name<TAB>ttl<TAB>..." and a line feed: one blank each, and no line feed. */
static const char *copy_line(struct arena *arena, const char *text)
{
	char *copy = arena_strndup(arena, text, strcspn(text, "\n"));

	for (char *at = copy; at && *at; at++) {
		if (*at == '\t')
			*at = ' ';
	}
	return copy;
}

static gaz_status present_section(const ldns_rr_list *list, struct arena *arena,
				  const char ***out, size_t *count_out)
{
	size_t count = ldns_rr_list_rr_count(list);
	const char **lines = arena_alloc(arena, (count + 1) * sizeof *lines);

	for (size_t i = 0; lines && i < count; i++) {
		char *text = ldns_rr2str(ldns_rr_list_rr(list, i));

		if (!text)
			return GAZ_ENOMEM;
		lines[i] = copy_line(arena, text);
		free(text);
	}
	*out = lines;
	*count_out = count;
	return arena->failed ? GAZ_ENOMEM : GAZ_OK;
}

gaz_status present_reply(const uint8_t *wire, size_t len, struct arena *arena,
			 struct present_reply *out)
{
	ldns_pkt *pkt = NULL;
	char *rcode = NULL;
	gaz_status st = GAZ_ENOMEM;

	if (ldns_wire2pkt(&pkt, wire, len) != LDNS_STATUS_OK)
		return GAZ_EFORMAT;
	rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(pkt));
	out->rcode = rcode ? arena_strdup(arena, rcode) : NULL;
	if (out->rcode &&
	    (st = present_section(ldns_pkt_answer(pkt), arena,
				  &out->records[PRESENT_ANSWER],
				  &out->counts[PRESENT_ANSWER])) == GAZ_OK &&
	    (st = present_section(ldns_pkt_authority(pkt), arena,
				  &out->records[PRESENT_AUTHORITY],
				  &out->counts[PRESENT_AUTHORITY])) == GAZ_OK)
		st = present_section(ldns_pkt_additional(pkt), arena,
				     &out->records[PRESENT_ADDITIONAL],
				     &out->counts[PRESENT_ADDITIONAL]);
	free(rcode);
	ldns_pkt_free(pkt);
	return st;
}

gaz_status present_parse_type(const char *text, uint16_t *out)
{
	ldns_rr_type type = ldns_get_rr_type_by_name(text);

	/* ldns takes any text that begins with TYPE, and says 0 where it is lost. */
	if (type == 0 || (unsigned)type > UINT16_MAX)
		return GAZ_EFORMAT;
	*out = (uint16_t)type;
	return GAZ_OK;
}
