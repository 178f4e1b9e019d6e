/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/answer.h"

#include <string.h>

#include "dns/name.h"
#include "dns/rrset.h"
#include "dns/wire.h"
#include "responder/alias.h"
#include "responder/chaos.h"
#include "responder/whoami.h"

_Static_assert((int)ANSWER_NO_VPC == (int)VIEW_NO_VPC, "one value for no VPC");
_Static_assert((int)ANSWER_UDP_CAP == (int)REPLY_UDP_MAX, "one limit for UDP");
_Static_assert((int)ANSWER_TCP_CAP == (int)REPLY_TCP_MAX, "one limit for TCP");

enum step { /* what one look into a zone leads to */
	STEP_NOERROR = DNS_NOERROR,
	STEP_NXDOMAIN = DNS_NXDOMAIN,
	STEP_YXDOMAIN = DNS_YXDOMAIN,
	STEP_FOLLOW = -1, /* a CNAME was added: look for its target */
};

/* Where the reply holds the last `labels` labels of the name. */
static size_t suffix_at(const struct answer_job *s, unsigned labels)
{
	return s->name_at + s->name->offsets[s->name->labels - labels];
}

static void add_negative_soa(struct answer_job *s, const struct zone *zone)
{
	const struct rrset *soa = lookup_negative_soa(zone);

	if (soa)
		(void)reply_add_rrset(&s->reply, REPLY_AUTHORITY, soa,
				      suffix_at(s, lookup_apex_labels(zone)),
				      &s->ctx->rng);
}

/* Go on with the CNAME target that stands at `at` in the reply. */
static enum step follow(struct answer_job *s, size_t at)
{
	s->seen[s->hops++] = s->name_at;
	if (dname_parse(s->reply.wire + at, s->reply.len - at, &s->target) == 0)
		return STEP_NOERROR;
	s->name = &s->target;
	s->name_at = at;
	return STEP_FOLLOW;
}

/* The chain is at its end: it is long enough, or has come back to a name. The
 * names stand whole in the reply, as owners point to the targets before them. */
static bool is_chain_over(const struct answer_job *s)
{
	for (unsigned i = 0; i < s->hops; i++) {
		if (dname_equal(s->reply.wire + s->seen[i], s->reply.wire + s->name_at))
			return true;
	}
	return s->hops == ANSWER_CHAIN_MAX;
}

static enum step add_cname(struct answer_job *s, const struct rrset *cname)
{
	size_t at;

	if (is_chain_over(s))
		return STEP_NOERROR;
	at = reply_add_rrset(&s->reply, REPLY_ANSWER, cname, s->name_at, &s->ctx->rng);
	return at ? follow(s, at + RRSET_RDATA_AT) : STEP_NOERROR;
}

/* For ANY one RRset is enough (RFC 8482, section 4.1). */
static const struct rrset *choose_any(const struct node *node)
{
	const struct rrset *set = node_first_rrset(node);

	for (unsigned i = 0; i < node->rrset_count; i++, set = rrset_next(set)) {
		if (dns_type_is_data(set->type))
			return set;
	}
	return NULL;
}

/* Addresses of another name, or of this one beside its aliases. */
static bool add_aliased(struct answer_job *s, const struct node *node)
{
	struct alias_answer found = alias_find(s->ctx, &s->tags, node, s->qtype);
	size_t at;

	if (!found.set)
		return false;
	at = reply_add_rrset(&s->reply, REPLY_ANSWER, found.set, s->name_at,
			     &s->ctx->rng);
	if (at && found.ttl < rrset_ttl(found.set))
		reply_set_ttl(&s->reply, at, found.ttl);
	return true;
}

static bool is_address(uint16_t qtype)
{
	return qtype == DNS_TYPE_A || qtype == DNS_TYPE_AAAA;
}

static enum step add_node(struct answer_job *s, const struct zone *zone,
			  const struct node *node)
{
	uint16_t qtype = s->qtype;
	const struct rrset *set =
		qtype == DNS_TYPE_ANY ? choose_any(node) : node_find_rrset(node, qtype);

	if (node->flags & NODE_ALIAS && is_address(qtype)) {
		if (add_aliased(s, node))
			return STEP_NOERROR;
		set = NULL;
	}
	if (set) {
		(void)reply_add_rrset(&s->reply, REPLY_ANSWER, set, s->name_at,
				      &s->ctx->rng);
		return STEP_NOERROR;
	}
	set = node_find_rrset(node, DNS_TYPE_CNAME);
	if (set)
		return add_cname(s, set);
	add_negative_soa(s, zone);
	return STEP_NOERROR;
}

/* The addresses of a name server whose name stands at `at` in the reply. */
static void add_glue(struct answer_job *s, const struct zone *zone, size_t at)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
	const struct node *node;
	struct dname server;

	if (at > REPLY_POINTER_MAX ||
	    dname_parse(s->reply.wire + at, s->reply.len - at, &server) == 0)
		return;
	lookup_hash(s->ctx->db, &server, &s->hashes);
	node = lookup_glue(s->ctx->db, zone, &server, &s->hashes);
	for (int i = 0; node && i < 2; i++) {
		const struct rrset *set = node_find_rrset(node, types[i]);

		/* One that does not fit sets TC (RFC 9471, section 3.1). */
		if (set)
			(void)reply_add_rrset(&s->reply, REPLY_ADDITIONAL, set, at,
					      &s->ctx->rng);
	}
}

static enum step add_referral(struct answer_job *s, const struct zone *zone,
			      const struct lookup_found *cut)
{
	const struct rrset *ns = node_find_rrset(cut->node, DNS_TYPE_NS);
	size_t end;
	size_t at;

	if (s->hops == 0)
		s->reply.flags &= (uint16_t)~DNS_FLAG_AA;
	at = reply_add_rrset(&s->reply, REPLY_AUTHORITY, ns, suffix_at(s, cut->labels),
			     &s->ctx->rng);
	end = s->reply.len;
	while (at != 0 && at < end) {
		add_glue(s, zone, at + RRSET_RDATA_AT);
		at += RRSET_RDATA_AT + wire_get_u16(s->reply.wire + at + 10);
	}
	return STEP_NOERROR;
}

/* The DNAME and the CNAME that follows from it (RFC 6672, section 2.2). */
static enum step add_dname(struct answer_job *s, const struct lookup_found *found)
{
	const struct rrset *dname = node_find_rrset(found->node, DNS_TYPE_DNAME);
	size_t owner = suffix_at(s, found->labels);
	size_t prefix_len = owner - s->name_at;
	uint8_t target[2 * DNAME_MAX];
	uint32_t len;
	const uint8_t *rdata = rrset_record(dname, 0, &len) + RRSET_RDATA_AT;
	size_t at;

	len -= RRSET_RDATA_AT;
	if (is_chain_over(s) ||
	    !reply_add_rrset(&s->reply, REPLY_ANSWER, dname, owner, &s->ctx->rng))
		return STEP_NOERROR;
	if (prefix_len + len > DNAME_MAX)
		return STEP_YXDOMAIN;
	memcpy(target, s->reply.wire + s->name_at, prefix_len);
	memcpy(target + prefix_len, rdata, len);
	at = reply_add_record(&s->reply, REPLY_ANSWER, DNS_TYPE_CNAME, rrset_ttl(dname),
			      s->name_at, target, prefix_len + len);
	if (!at || s->qtype == DNS_TYPE_CNAME || s->qtype == DNS_TYPE_ANY)
		return STEP_NOERROR;
	return follow(s, at + RRSET_RDATA_AT);
}

static enum step look_into_zone(struct answer_job *s, const struct zone *zone)
{
	struct lookup_found found =
		lookup_node(s->ctx->db, zone, s->name, &s->hashes, s->qtype);

	switch (found.kind) {
	case LOOKUP_NODE:
		return add_node(s, zone, found.node);
	case LOOKUP_CUT:
		return add_referral(s, zone, &found);
	case LOOKUP_DNAME:
		return add_dname(s, &found);
	case LOOKUP_MISSING:
		break;
	}
	add_negative_soa(s, zone);
	return STEP_NXDOMAIN;
}

static void find_zone(struct answer_job *s)
{
	lookup_hash(s->ctx->db, s->name, &s->hashes);
	s->zone = lookup_zone(s->ctx->db, &s->tags, s->name, &s->hashes);
}

/* The rcode is that of the last name that lies in our zones. */
static unsigned search_zones(struct answer_job *s)
{
	if (!s->zone)
		return DNS_REFUSED;
	while (s->zone) {
		enum step step;

		s->reply.flags |= DNS_FLAG_AA;
		step = look_into_zone(s, s->zone);
		if (step != STEP_FOLLOW)
			return (unsigned)step;
		find_zone(s);
	}
	return DNS_NOERROR;
}

/* Of NOTIFY, UPDATE and the other opcodes none is implemented, and NOTIMP is what says
 * so (RFC 2136, section 2.2; RFC 8906, section 3.1.4); REFUSED and NOTAUTH would say
 * that the opcode is known. The zones are not looked at: it tells nothing about them. */
static unsigned rcode_of(enum query_verdict verdict)
{
	switch (verdict) {
	case QUERY_NOTIMP:
		return DNS_NOTIMP;
	case QUERY_BADVERS:
		return DNS_BADVERS;
	case QUERY_COOKIE:
		return DNS_NOERROR;
	default:
		return DNS_FORMERR;
	}
}

/* Types that only questions have, or no question. */
static enum answer_way sort_type(struct answer_job *s)
{
	switch (s->query.qtype) {
	case DNS_TYPE_IXFR:
	case DNS_TYPE_AXFR:
		return ANSWER_TRANSFER;
	case DNS_TYPE_MAILB: /* obsolete (RFC 973), and nobody has them */
	case DNS_TYPE_MAILA:
	case DNS_TYPE_TKEY: /* needs a key exchange (RFC 2930) */
		s->rcode = DNS_NOTIMP;
		return ANSWER_RCODE;
	case DNS_TYPE_OPT: /* parts of a message, which no name has */
	case DNS_TYPE_TSIG:
		s->rcode = DNS_FORMERR;
		return ANSWER_RCODE;
	default:
		/* A number that no record can have is a type that no name has: NODATA,
		 * as for any unknown type (RFC 8906, section 3.1.2). */
		s->qtype = DNS_TYPE_NONE;
		return ANSWER_ZONES;
	}
}

static enum answer_way sort_question(struct answer_job *s)
{
	uint16_t qtype = s->query.qtype;

	s->qtype = qtype;
	/* Class ANY has the only class there are zones of (RFC 1035, section 3.2.5). */
	if (s->query.qclass == DNS_CLASS_IN || s->query.qclass == DNS_CLASS_ANY)
		return dns_type_is_data(qtype) || qtype == DNS_TYPE_ANY ? ANSWER_ZONES
									: sort_type(s);
	s->rcode = DNS_REFUSED;
	return s->query.qclass == DNS_CLASS_CH ? ANSWER_CHAOS : ANSWER_RCODE;
}

static bool is_believed(const struct answer_job *s)
{
	const struct answer_config *config = s->ctx->config;

	return config && netprefix_list_holds(&config->subnet_from, &s->req.source);
}

/* The client subnet of somebody whom we believe comes before the listener, and that
 * before the source. False: it is malformed. */
static bool choose_view(struct answer_job *s)
{
	const struct netaddr *viewer = &s->req.source;
	int listener_vpc = s->req.listener_vpc;
	struct netaddr subnet;

	if (s->query.has_edns && s->query.edns.subnet && is_believed(s)) {
		gaz_status st = edns_read_subnet(&s->query.edns, &subnet);

		if (st == GAZ_EFORMAT)
			return false;
		s->heeds_subnet = st == GAZ_OK;
	}
	if (s->heeds_subnet) {
		viewer = &subnet;
		listener_vpc = ANSWER_NO_VPC;
	}
	view_find(s->ctx->db, viewer, listener_vpc, &s->tags);
	return true;
}

void answer_begin(struct answer_context *ctx, struct answer_job *s)
{
	s->ctx = ctx;
	s->zone = NULL;
	s->heeds_subnet = false;
	s->verdict = query_parse(s->req.query, s->req.len, &s->query);
	if (s->verdict != QUERY_OK) {
		s->way = ANSWER_RCODE;
		s->rcode = rcode_of(s->verdict);
		return;
	}
	s->way = sort_question(s);
	if (s->way != ANSWER_ZONES && s->way != ANSWER_TRANSFER)
		return;
	if (!choose_view(s)) {
		s->way = ANSWER_RCODE;
		s->rcode = DNS_FORMERR;
		return;
	}
	s->name = &s->query.name;
	s->name_at = DNS_HEADER_LEN;
	s->hops = 0;
	find_zone(s);
	if (s->zone)
		lookup_prefetch_bucket(ctx->db, s->zone, s->name, &s->hashes);
}

void answer_locate(const struct answer_job *s)
{
	if (s->zone)
		lookup_prefetch_node(s->ctx->db, s->zone, s->name, &s->hashes);
}

/* There are no transfers: REFUSED at the apex of a zone that the client sees, NOTAUTH
 * for names that are none (RFC 5936, section 2.2.1); a hidden zone is none. */
static unsigned refuse_transfer(const struct answer_job *s)
{
	return s->zone && lookup_apex_labels(s->zone) == s->name->labels ? DNS_REFUSED
									 : DNS_NOTAUTH;
}

static unsigned write_answer(struct answer_job *s)
{
	unsigned rcode = s->rcode;

	if (s->way == ANSWER_ZONES)
		rcode = search_zones(s);
	else if (s->way == ANSWER_TRANSFER)
		rcode = refuse_transfer(s);
	else if (s->way == ANSWER_CHAOS && whoami_is_asked(&s->query))
		rcode = whoami_answer(s);
	else if (s->way == ANSWER_CHAOS)
		rcode = chaos_answer(s->ctx->config, &s->query, &s->reply);
	if (s->query.qclass == DNS_CLASS_ANY) /* never (RFC 1034, section 3.7.1) */
		s->reply.flags &= (uint16_t)~DNS_FLAG_AA;
	return rcode;
}

/* The options that the reply's OPT record has, before anything is written. */
static void choose_options(struct answer_job *s)
{
	const struct answer_config *config = s->ctx->config;
	const struct edns_query *asked = &s->query.edns;
	struct edns_reply *opt = &s->opt;

	opt->subnet = s->heeds_subnet ? asked->subnet : NULL;
	opt->subnet_len = asked->subnet_len;
	opt->nsid_len = 0;
	if (asked->wants_nsid && config) {
		opt->nsid = config->nsid.octets;
		opt->nsid_len = config->nsid.len;
	}
	/* Clients are answered with and without a valid cookie; a fresh one each time
	 * spares checking theirs (RFC 7873, section 5.2.3; RFC 9018, section 4.3). */
	opt->has_cookie = asked->cookie && s->ctx->cookies.secrets;
	if (opt->has_cookie)
		cookie_make(&s->ctx->cookies, &s->req.source, asked->cookie, opt->cookie);
	/* Over UDP it means nothing (RFC 7828, section 3.2.1). */
	opt->has_keepalive = asked->wants_keepalive && s->req.tcp;
	if (opt->has_keepalive)
		opt->keepalive_ds = (uint16_t)(s->req.idle_ms / 100);
}

/* Who asks for a cookie alone is told whether the old one was good (RFC 7873, 5.4). */
static bool is_bad_cookie(const struct answer_job *s)
{
	const struct edns_query *asked = &s->query.edns;

	return s->verdict == QUERY_COOKIE && asked->cookie_len > COOKIE_CLIENT_LEN &&
	       !cookie_is_valid(&s->ctx->cookies, &s->req.source, asked->cookie,
				asked->cookie_len);
}

/* What a person who asks with dig is told beside the rcode. */
static enum edns_error explain(const struct answer_job *s, unsigned rcode)
{
	switch (rcode) {
	case DNS_NOTIMP:
		return EDNS_ERROR_NOT_SUPPORTED;
	case DNS_NOTAUTH:
		return EDNS_ERROR_NOT_AUTHORITATIVE;
	case DNS_REFUSED:
		return s->zone ? EDNS_ERROR_PROHIBITED : EDNS_ERROR_NOT_AUTHORITATIVE;
	default:
		return EDNS_ERROR_NONE;
	}
}

size_t answer_finish(struct answer_job *s, uint8_t *reply, size_t cap)
{
	struct answer_counters *counters = &s->ctx->counters;
	size_t limit;
	unsigned rcode;

	if (s->verdict == QUERY_DROP) {
		counters->dropped++;
		return 0;
	}
	limit = reply_limit(&s->query, s->req.tcp);
	if (s->query.has_edns)
		choose_options(s);
	reply_begin(&s->reply, &s->query, s->query.has_edns ? &s->opt : NULL, reply,
		    limit < cap ? limit : cap);
	rcode = write_answer(s);
	if (s->query.has_edns) {
		if (is_bad_cookie(s))
			rcode = DNS_BADCOOKIE;
		s->reply.error = explain(s, rcode);
	}

	counters->answered++;
	counters->truncated += (s->reply.flags & DNS_FLAG_TC) != 0;
	counters->rcodes[rcode & 15]++;
	return reply_end(&s->reply, rcode);
}

bool answer_is_elsewhere(const struct answer_job *s)
{
	return s->way == ANSWER_ZONES && !s->zone && s->query.qclass == DNS_CLASS_IN;
}

size_t answer_query(struct answer_context *ctx, const struct answer_request *req,
		    uint8_t *reply, size_t cap)
{
	struct answer_job job;

	job.req = *req;
	answer_begin(ctx, &job);
	return answer_finish(&job, reply, cap);
}
