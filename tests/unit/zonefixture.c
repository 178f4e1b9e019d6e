/* SPDX-License-Identifier: BSD-2-Clause */
#include "zonefixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>
#include <urcu.h>

#include "dns/name.h"
#include "dns/wire.h"
#include "zone/view.h"

void fixture_open(struct fixture *f)
{
	memset(f, 0, sizeof *f);
	assert_int_equal(zonedb_new(&f->db), GAZ_OK);
	f->ctx.db = f->db;
	rng_seed(&f->ctx.rng, 42);
}

void fixture_close(struct fixture *f)
{
	zonedit_free(&f->edit);
	zonedb_free(&f->db);
}

struct zonedit *fixture_edit(struct fixture *f)
{
	if (!f->edit)
		assert_int_equal(zonedit_new(f->db, &f->edit), GAZ_OK);
	return f->edit;
}

void fixture_publish(struct fixture *f)
{
	assert_int_equal(zonedit_prepare(fixture_edit(f)), GAZ_OK);
	zonedit_publish(&f->edit);
	assert_null(f->edit);
}

struct zone *fixture_zone(struct fixture *f, const char *id, const char *apex,
			  const char *vpc, int64_t created_ms)
{
	uint8_t wire[DNAME_MAX];
	size_t len;
	struct zone_spec spec = {id, wire, ZONE_PUBLIC, vpc, created_ms};
	struct zone *zone = NULL;

	if (vpc)
		spec.kind = *vpc ? ZONE_PRIVATE : ZONE_STATIC;
	assert_int_equal(dname_from_text(apex, wire, &len), GAZ_OK);
	assert_int_equal(zonedit_add_zone(fixture_edit(f), &spec, &zone), GAZ_OK);
	return zone;
}

struct zone *fixture_full_zone(struct fixture *f, const char *id, const char *apex,
			       const char *vpc, int64_t created_ms)
{
	struct zone *zone = fixture_zone(f, id, apex, vpc, created_ms);
	char text[512];

	(void)snprintf(text, sizeof text,
		       "%s 15 IN SOA ns.%s hostmaster.%s 1 7200 900 1209600 86400", apex,
		       id, apex);
	fixture_add(f, zone, text);
	(void)snprintf(text, sizeof text, "%s 172800 IN NS ns.elsewhere.test.", apex);
	fixture_add(f, zone, text);
	return zone;
}

void line_parse(struct line *line, const char *text)
{
	ldns_rr *rr = NULL;
	ldns_buffer *buffer = ldns_buffer_new(4096);
	ldns_buffer *owner = ldns_buffer_new(256);

	assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
	assert_int_equal(ldns_dname2buffer_wire(owner, ldns_rr_owner(rr)),
			 LDNS_STATUS_OK);
	assert_int_equal(ldns_rr_rdata2buffer_wire(buffer, rr), LDNS_STATUS_OK);
	memset(line, 0, sizeof *line);
	memcpy(line->owner, ldns_buffer_begin(owner), ldns_buffer_position(owner));
	line->record.rdata_len = (uint16_t)ldns_buffer_position(buffer);
	memcpy(line->rdata, ldns_buffer_begin(buffer), line->record.rdata_len);
	line->record.rdata = line->rdata;
	line->record.type = (uint16_t)ldns_rr_get_type(rr);
	line->record.ttl = ldns_rr_ttl(rr);
	line->record.healthy = true;
	ldns_buffer_free(buffer);
	ldns_buffer_free(owner);
	ldns_rr_free(rr);
}

gaz_status fixture_try(struct fixture *f, struct zone *zone, const char *text,
		       enum rrset_policy policy, bool healthy)
{
	struct line line;

	line_parse(&line, text);
	line.record.policy = policy;
	line.record.healthy = healthy;
	return zonedit_add_record(fixture_edit(f), zone, line.owner, &line.record);
}

void fixture_add(struct fixture *f, struct zone *zone, const char *text)
{
	assert_int_equal(fixture_try(f, zone, text, RRSET_ALL, true), GAZ_OK);
}

void fixture_remove(struct fixture *f, struct zone *zone, const char *text)
{
	struct line line;

	line_parse(&line, text);
	assert_int_equal(
		zonedit_remove_record(fixture_edit(f), zone, line.owner, &line.record),
		GAZ_OK);
}

void fixture_vpcs(struct fixture *f, const char *text)
{
	char copy[1024];
	struct netprefix prefixes[64];
	struct vpc_decl decls[16];
	size_t prefix_count = 0;
	size_t count = 0;
	char *save = NULL;

	(void)snprintf(copy, sizeof copy, "%s", text);
	for (char *word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		char *list = strchr(word, '=');
		struct vpc_decl *decl = &decls[count++];
		char *save_prefix = NULL;

		*list++ = '\0';
		*decl = (struct vpc_decl){word, prefixes + prefix_count, 0};
		for (char *p = strtok_r(list, ",", &save_prefix); p;
		     p = strtok_r(NULL, ",", &save_prefix), decl->count++)
			assert_int_equal(
				netaddr_parse_prefix(p, &prefixes[prefix_count++]),
				GAZ_OK);
	}
	assert_int_equal(zonedit_set_vpcs(fixture_edit(f), decls, count, false), GAZ_OK);
}

size_t query_make(uint8_t *out, const char *name, const char *type, unsigned edns)
{
	size_t len;

	memset(out, 0, 12);
	out[0] = 0x12;
	out[1] = 0x34;
	out[2] = 1; /* RD */
	out[5] = 1;
	assert_int_equal(dname_from_text(name, out + 12, &len), GAZ_OK);
	len += 12;
	wire_put_u16(out + len, (uint16_t)ldns_get_rr_type_by_name(type));
	wire_put_u16(out + len + 2, 1);
	len += 4;
	if (edns) {
		out[11] = 1;
		memset(out + len, 0, DNS_OPT_LEN);
		wire_put_u16(out + len + 1, DNS_TYPE_OPT);
		wire_put_u16(out + len + 3, (uint16_t)edns);
		len += DNS_OPT_LEN;
	}
	return len;
}

struct answer_request request_make(const char *source, const uint8_t *query, size_t len)
{
	struct answer_request req = {
		.query = query, .len = len, .listener_vpc = ANSWER_NO_VPC};

	assert_int_equal(netaddr_parse(source, &req.source), GAZ_OK);
	return req;
}

static void print_section(const ldns_rr_list *list, char *out, size_t cap)
{
	char *text = ldns_rr_list2str(list);
	size_t at = 0;

	for (const char *c = text; *c && at + 1 < cap; c++)
		out[at++] = *c == '\t' ? ' ' : *c;
	out[at] = '\0';
	free(text);
}

void ask_wire(struct fixture *f, const struct answer_request *req, struct answer *out)
{
	ldns_pkt *pkt = NULL;

	memset(out, 0, sizeof *out);
	rcu_read_lock();
	out->len = answer_query(&f->ctx, req, out->wire, sizeof out->wire);
	rcu_read_unlock();
	if (out->len == 0)
		return;
	assert_int_equal(ldns_wire2pkt(&pkt, out->wire, out->len), LDNS_STATUS_OK);
	out->rcode = (unsigned)ldns_pkt_get_rcode(pkt) |
		     (unsigned)ldns_pkt_edns_extended_rcode(pkt) << 4;
	out->aa = ldns_pkt_aa(pkt);
	out->tc = ldns_pkt_tc(pkt);
	out->rd = ldns_pkt_rd(pkt);
	out->has_edns = ldns_pkt_edns(pkt);
	assert_true(ldns_pkt_qr(pkt));
	assert_false(ldns_pkt_ra(pkt));
	print_section(ldns_pkt_answer(pkt), out->sections[0], sizeof out->sections[0]);
	print_section(ldns_pkt_authority(pkt), out->sections[1], sizeof out->sections[1]);
	print_section(ldns_pkt_additional(pkt), out->sections[2],
		      sizeof out->sections[2]);
	ldns_pkt_free(pkt);
}

void ask(struct fixture *f, const char *source, const char *name, const char *type,
	 struct answer *out)
{
	uint8_t query[512];
	size_t len = query_make(query, name, type, 0);
	struct answer_request req = request_make(source, query, len);

	ask_wire(f, &req, out);
}
