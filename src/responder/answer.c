/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/answer.h"

#include "dns/wire.h"
#include "forward/forward.h"
#include "responder/chaos.h"
#include "responder/search.h"
#include "responder/whoami.h"

_Static_assert((int)ANSWER_NO_VPC == (int)VIEW_NO_VPC, "one value for no VPC");
_Static_assert((int)ANSWER_UDP_CAP == (int)REPLY_UDP_MAX, "one limit for UDP");
_Static_assert((int)ANSWER_TCP_CAP == (int)REPLY_TCP_MAX, "one limit for TCP");

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
	case QUERY_BADKEY: /* whatever is asked for (RFC 8945, section 5.2.1) */
		return DNS_NOTAUTH;
	case QUERY_COOKIE:
		return DNS_NOERROR;
	default:
		return DNS_FORMERR;
	}
}

/* Types that no record has. Who asks for OPT, TSIG or a number that means nothing gets
 * NODATA, as for any type that a name has not (RFC 8906, section 3.1.2). */
static enum answer_way sort_type(struct answer_job *s)
{
	switch (s->query.qtype) {
	case DNS_TYPE_AXFR:
		/* Over UDP there is no such thing (RFC 5936, section 4.2). */
		s->rcode = DNS_NOTIMP;
		return s->req.tcp ? ANSWER_TRANSFER : ANSWER_RCODE;
	case DNS_TYPE_IXFR:
		return ANSWER_TRANSFER;
	case DNS_TYPE_NXNAME: /* it is only for replies (RFC 9824, section 3.5) */
		s->rcode = DNS_FORMERR;
		return ANSWER_RCODE;
	default:
		s->qtype = DNS_TYPE_NONE;
		return ANSWER_ZONES;
	}
}

/* Classes: there are zones of IN alone, which is also among "any class", but not with
 * authority for all of them (RFC 1034, section 3.7.1). */
static enum answer_way sort_question(struct answer_job *s)
{
	uint16_t qtype = s->query.qtype;

	s->qtype = qtype;
	if (s->query.qclass != DNS_CLASS_IN && s->query.qclass != DNS_CLASS_ANY) {
		s->rcode = DNS_REFUSED;
		return s->query.qclass == DNS_CLASS_CH ? ANSWER_CHAOS : ANSWER_RCODE;
	}
	s->authority = s->query.qclass == DNS_CLASS_IN ? DNS_FLAG_AA : 0;
	return dns_type_is_data(qtype) || qtype == DNS_TYPE_ANY ? ANSWER_ZONES
								: sort_type(s);
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
	struct netprefix subnet;

	if (s->query.has_edns && s->query.edns.subnet && is_believed(s)) {
		gaz_status st = edns_read_subnet(&s->query.edns, &subnet);

		if (st == GAZ_EFORMAT)
			return false;
		s->heeds_subnet = st == GAZ_OK;
	}
	if (s->heeds_subnet)
		view_find_subnet(s->ctx->db, &subnet, &s->tags);
	else
		view_find(s->ctx->db, &s->req.source, s->req.listener_vpc, &s->tags);
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
	if (s->way == ANSWER_RCODE)
		return;
	if (!choose_view(s)) {
		s->way = ANSWER_RCODE;
		s->rcode = DNS_FORMERR;
		return;
	}
	if (s->way == ANSWER_CHAOS)
		return;
	search_begin(s);
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
	switch (s->way) {
	case ANSWER_ZONES:
		return search_zones(s);
	case ANSWER_TRANSFER:
		return refuse_transfer(s);
	case ANSWER_CHAOS:
		if (whoami_is_asked(&s->query))
			return whoami_answer(s);
		return chaos_answer(s->ctx->config, &s->query, &s->reply);
	case ANSWER_RCODE:
		break;
	}
	return s->rcode;
}

/* What goes over UDP, as far as it is up to us. */
static uint16_t udp_size_of(const struct answer_config *config)
{
	return config && config->udp_size ? config->udp_size : REPLY_UDP_DEFAULT;
}

/* What the reply's OPT record says, before anything is written. */
static void choose_options(struct answer_job *s, uint16_t udp_size)
{
	const struct answer_config *config = s->ctx->config;
	const struct edns_query *asked = &s->query.edns;
	struct edns_reply *opt = &s->opt;

	opt->udp_size = udp_size;
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
	if (s->verdict == QUERY_BADKEY)
		return EDNS_ERROR_NONE; /* there is a TSIG record for that */
	switch (rcode) {
	case DNS_NOTIMP:
		return EDNS_ERROR_NOT_SUPPORTED;
	case DNS_FORMERR:
		return s->verdict == QUERY_OK && s->query.qtype == DNS_TYPE_NXNAME
			       ? EDNS_ERROR_INVALID_QUERY_TYPE
			       : EDNS_ERROR_NONE;
	case DNS_NOTAUTH:
		return EDNS_ERROR_NOT_AUTHORITATIVE;
	case DNS_REFUSED:
		return s->zone ? EDNS_ERROR_PROHIBITED : EDNS_ERROR_NOT_AUTHORITATIVE;
	default:
		return EDNS_ERROR_NONE;
	}
}

/* Whether names of others may be looked for, for this client and its question. */
static bool may_recurse(const struct answer_job *s)
{
	return s->ctx->desk && s->way == ANSWER_ZONES && s->qtype == s->query.qtype &&
	       s->query.qclass == DNS_CLASS_IN &&
	       recursion_is_allowed(
		       &s->ctx->recursion, s->ctx->db, &s->req.source, &s->tags,
		       s->heeds_subnet ? ANSWER_NO_VPC : s->req.listener_vpc);
}

size_t answer_finish(struct answer_job *s, uint8_t *reply, size_t cap)
{
	struct answer_counters *counters = &s->ctx->counters;
	uint16_t udp_size = udp_size_of(s->ctx->config);
	size_t limit;
	unsigned rcode;

	if (s->verdict == QUERY_DROP) {
		counters->dropped++;
		return 0;
	}
	limit = reply_limit(&s->query, s->req.tcp, udp_size);
	if (s->query.has_edns)
		choose_options(s, udp_size);
	reply_begin(&s->reply, &s->query, s->query.has_edns ? &s->opt : NULL, reply,
		    limit < cap ? limit : cap);
	s->is_later = false;
	s->may_recurse = may_recurse(s);
	if (s->may_recurse)
		s->reply.flags |= DNS_FLAG_RA;
	rcode = write_answer(s);
	if (s->is_later)
		return ANSWER_LATER;
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

size_t answer_hand_over(struct answer_job *s, const struct forward_client *client)
{
	const struct forward_question question = {&s->reply, &s->query, s->name,
						  s->name_at};

	if (forward_hand_over(s->ctx->desk, &question, client))
		return 0;
	s->ctx->counters.answered++;
	s->ctx->counters.rcodes[DNS_SERVFAIL]++;
	return forward_fail(&s->reply, &s->query, EDNS_ERROR_OTHER);
}

size_t answer_query(struct answer_context *ctx, const struct answer_request *req,
		    uint8_t *reply, size_t cap)
{
	struct answer_job job;

	job.req = *req;
	answer_begin(ctx, &job);
	return answer_finish(&job, reply, cap);
}
