/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/answer.h"

#include <string.h>

#include "dns/name.h"
#include "dns/rrset.h"
#include "dns/wire.h"
#include "responder/alias.h"

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
	struct alias_answer found = alias_find(s->ctx, &s->tags, node, s->query.qtype);
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
	uint16_t qtype = s->query.qtype;
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
	if (!at || s->query.qtype == DNS_TYPE_CNAME || s->query.qtype == DNS_TYPE_ANY)
		return STEP_NOERROR;
	return follow(s, at + RRSET_RDATA_AT);
}

static enum step look_into_zone(struct answer_job *s, const struct zone *zone)
{
	struct lookup_found found =
		lookup_node(s->ctx->db, zone, s->name, &s->hashes, s->query.qtype);

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

static unsigned rcode_of(enum query_verdict verdict)
{
	switch (verdict) {
	case QUERY_NOTIMP:
		return DNS_NOTIMP;
	case QUERY_BADVERS:
		return DNS_BADVERS;
	default:
		return DNS_FORMERR;
	}
}

static bool is_for_zones(const struct query *query)
{
	return query->qclass == DNS_CLASS_IN &&
	       (dns_type_is_data(query->qtype) || query->qtype == DNS_TYPE_ANY);
}

void answer_begin(struct answer_context *ctx, struct answer_job *s)
{
	s->ctx = ctx;
	s->zone = NULL;
	s->verdict = query_parse(s->req.query, s->req.len, &s->query);
	if (s->verdict != QUERY_OK || !is_for_zones(&s->query))
		return;
	view_find(ctx->db, &s->req.source, s->req.listener_vpc, &s->tags);
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
	reply_begin(&s->reply, &s->query, reply, limit < cap ? limit : cap);
	rcode = s->verdict == QUERY_OK ? search_zones(s) : rcode_of(s->verdict);

	counters->answered++;
	counters->truncated += (s->reply.flags & DNS_FLAG_TC) != 0;
	counters->rcodes[rcode & 15]++;
	return reply_end(&s->reply, rcode);
}

size_t answer_query(struct answer_context *ctx, const struct answer_request *req,
		    uint8_t *reply, size_t cap)
{
	struct answer_job job;

	job.req = *req;
	answer_begin(ctx, &job);
	return answer_finish(&job, reply, cap);
}
