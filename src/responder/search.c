/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/search.h"

#include <string.h>

#include "dns/name.h"
#include "dns/rrset.h"
#include "dns/wire.h"
#include "forward/forward.h"
#include "responder/additional.h"
#include "responder/alias.h"
#include "responder/answerjob.h"
#include "zone/lookup.h"
#include "zone/view.h"

enum step { /* what one look into a zone leads to */
	STEP_NOERROR = DNS_NOERROR,
	STEP_NXDOMAIN = DNS_NXDOMAIN,
	STEP_YXDOMAIN = DNS_YXDOMAIN,
	STEP_FOLLOW = -1, /* a CNAME was added: look for its target */
};

/* Where the reply holds the last `labels` labels of the name. */
static size_t suffix_at(const struct answer_job *s, unsigned labels)
{
	size_t offset = s->name->offsets[s->name->labels - labels];

	return offset < s->name_head ? s->name_at + offset
				     : s->name_tail + offset - s->name_head;
}

static void add_negative_soa(struct answer_job *s, const struct zone *zone)
{
	const struct answer_config *config = s->ctx->config;
	const struct rrset *soa = lookup_negative_soa(zone);
	size_t at = 0;

	if (soa)
		at = reply_add_rrset(&s->reply, REPLY_AUTHORITY, soa,
				     suffix_at(s, lookup_apex_labels(zone)),
				     &s->ctx->rng);
	if (at && config && config->has_negative_ttl)
		reply_set_ttl(&s->reply, at, config->negative_ttl_s);
}

/* Go on with the CNAME target that stands at `at` in the reply. */
static enum step follow(struct answer_job *s, size_t at)
{
	const uint8_t *wire = s->reply.wire;
	size_t head = 0;

	s->seen[s->hops++] = s->hashes.of[s->name->labels];
	if (!reply_read_name(&s->reply, at, &s->target))
		return STEP_NOERROR;
	while (wire[at + head] != 0 && wire[at + head] < 0xc0)
		head += 1u + wire[at + head];
	s->name = &s->target;
	s->name_at = at;
	s->name_head = head;
	s->name_tail = wire[at + head] == 0
			       ? at + head
			       : wire_get_u16(wire + at + head) & REPLY_POINTER_MAX;
	return STEP_FOLLOW;
}

/* The chain is at its end: it is long enough, or has come back to a name. Who wants to
 * know more asks for the last target. */
static bool is_chain_over(const struct answer_job *s)
{
	for (unsigned i = 0; i < s->hops; i++) {
		if (s->seen[i] == s->hashes.of[s->name->labels])
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
static bool add_aliased(struct answer_job *s, const struct node *node, uint16_t qtype)
{
	struct alias_answer found = alias_find(s->ctx, &s->tags, node, qtype);
	size_t at;

	if (!found.set)
		return false;
	at = reply_add_rrset(&s->reply, REPLY_ANSWER, found.set, s->name_at,
			     &s->ctx->rng);
	if (at && found.ttl < rrset_ttl(found.set))
		reply_set_ttl(&s->reply, at, found.ttl);
	return true;
}

/* A name with aliases has no addresses but those that they lead to, beside its own. */
static bool add_addresses(struct answer_job *s, const struct node *node)
{
	switch (s->qtype) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		return add_aliased(s, node, s->qtype);
	case DNS_TYPE_ANY:
		return add_aliased(s, node, DNS_TYPE_A) ||
		       add_aliased(s, node, DNS_TYPE_AAAA);
	default:
		return false;
	}
}

static const struct rrset *choose_set(const struct answer_job *s, const struct node *node)
{
	if (s->qtype == DNS_TYPE_ANY)
		return choose_any(node);
	if (node->flags & NODE_ALIAS &&
	    (s->qtype == DNS_TYPE_A || s->qtype == DNS_TYPE_AAAA))
		return NULL;
	return node_find_rrset(node, s->qtype);
}

/* A DNAME may lead to itself or below, but a reply has it once. */
static bool has_dname(const struct answer_job *s, const struct rrset *set)
{
	for (unsigned i = 0; i < s->dname_count; i++) {
		if (s->dnames[i] == set)
			return true;
	}
	return false;
}

static enum step add_set(struct answer_job *s, const struct zone *zone,
			 const struct rrset *set)
{
	size_t at;

	if (has_dname(s, set))
		return STEP_NOERROR;
	at = reply_add_rrset(&s->reply, REPLY_ANSWER, set, s->name_at, &s->ctx->rng);
	if (set->flags & RRSET_HAS_HOSTS && at)
		additional_add_hosts(s, zone, at);
	return STEP_NOERROR;
}

static enum step add_node(struct answer_job *s, const struct zone *zone,
			  const struct node *node)
{
	const struct rrset *set = choose_set(s, node);

	if (set)
		return add_set(s, zone, set);
	if (node->flags & NODE_ALIAS && add_addresses(s, node))
		return STEP_NOERROR;
	set = node_find_rrset(node, DNS_TYPE_CNAME);
	if (set)
		return add_cname(s, set);
	add_negative_soa(s, zone);
	return STEP_NOERROR;
}

static enum step add_referral(struct answer_job *s, const struct zone *zone,
			      const struct lookup_found *cut)
{
	const struct rrset *ns = node_find_rrset(cut->node, DNS_TYPE_NS);
	size_t owner = suffix_at(s, cut->labels);
	size_t at;

	if (s->hops == 0)
		s->reply.flags &= (uint16_t)~DNS_FLAG_AA;
	at = reply_add_rrset(&s->reply, REPLY_AUTHORITY, ns, owner, &s->ctx->rng);
	if (at)
		additional_add_glue(s, zone, at, cut->labels);
	return STEP_NOERROR;
}

/* The octets of the name at work before those of its last `labels` labels, in the case
 * in which they stand in the reply. */
static size_t copy_prefix(const struct answer_job *s, unsigned labels, uint8_t *out)
{
	size_t len = s->name->offsets[s->name->labels - labels];
	size_t head = len < s->name_head ? len : s->name_head;

	memcpy(out, s->reply.wire + s->name_at, head);
	memcpy(out + head, s->reply.wire + s->name_tail, len - head);
	return len;
}

/* The DNAME, unless the reply has it already. False: it does not fit. */
static bool add_dname_once(struct answer_job *s, const struct rrset *dname, size_t owner)
{
	size_t at;

	if (has_dname(s, dname))
		return true;
	s->dnames[s->dname_count++] = dname;
	at = reply_add_rrset(&s->reply, REPLY_ANSWER, dname, owner, &s->ctx->rng);
	if (at)
		reply_note_name(&s->reply, at + RRSET_RDATA_AT);
	return at != 0;
}

/* The DNAME and the CNAME that follows from it (RFC 6672, section 3.1). That one is
 * followed for ANY too: it is not what the name has, but a step of the way. */
static enum step add_dname(struct answer_job *s, const struct lookup_found *found)
{
	const struct rrset *dname = node_find_rrset(found->node, DNS_TYPE_DNAME);
	uint8_t target[2 * DNAME_MAX];
	size_t prefix_len;
	uint32_t len;
	const uint8_t *rdata = rrset_record(dname, 0, &len) + RRSET_RDATA_AT;
	size_t at;

	len -= RRSET_RDATA_AT;
	if (is_chain_over(s) || !add_dname_once(s, dname, suffix_at(s, found->labels)))
		return STEP_NOERROR;
	prefix_len = copy_prefix(s, found->labels, target);
	if (prefix_len + len > DNAME_MAX)
		return STEP_YXDOMAIN;
	memcpy(target + prefix_len, rdata, len);
	at = reply_add_record(&s->reply, REPLY_ANSWER, DNS_TYPE_CNAME, rrset_ttl(dname),
			      s->name_at, target, prefix_len + len);
	if (!at || s->qtype == DNS_TYPE_CNAME)
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

/* The DS records of a name that is delegated are its parent's, also when both zones are
 * ours (RFC 4035, section 3.1.4.1). The parent is asked if it has a delegation. */
static void prefer_parent(struct answer_job *s)
{
	const struct dname *name = s->name;
	const struct zone *zone;
	struct lookup_found found;
	struct dname parent;

	if (name->labels == 0 || lookup_apex_labels(s->zone) != name->labels ||
	    dname_parse(name->wire + name->offsets[1],
			(size_t)(name->len - name->offsets[1]), &parent) == 0)
		return;
	zone = lookup_zone(s->ctx->db, &s->tags, &parent, &s->hashes);
	if (!zone)
		return;
	found = lookup_node(s->ctx->db, zone, name, &s->hashes, s->qtype);
	if (found.kind == LOOKUP_NODE && found.node->flags & NODE_CUT)
		s->zone = zone;
}

static void find_zone(struct answer_job *s)
{
	s->lookups++;
	namehash_make(s->ctx->db, s->name, &s->hashes);
	s->zone = lookup_zone(s->ctx->db, &s->tags, s->name, &s->hashes);
	if (s->qtype == DNS_TYPE_DS && s->zone)
		prefer_parent(s);
}

void search_begin(struct answer_job *s)
{
	s->name = &s->query.name;
	s->name_at = DNS_HEADER_LEN;
	s->name_head = s->query.name.len;
	s->name_tail = 0;
	s->hops = 0;
	s->dname_count = 0;
	s->lookups = 0;
	find_zone(s);
}

/* Who has no other server to ask may prefer to hear that there is no such name: some stub
 * resolvers take REFUSED for a broken server, and the whole search for failed. */
static unsigned refusal(const struct answer_job *s)
{
	const struct answer_config *config = s->ctx->config;

	return config && config->denies_unknown ? DNS_NXDOMAIN : DNS_REFUSED;
}

/* The name lies in none of the zones that the client sees. Whether upstreams are asked
 * depends on the client alone, not on zones that it does not see. */
static unsigned search_elsewhere(struct answer_job *s)
{
	const struct forward_question question = {&s->reply, &s->query, s->name,
						  s->name_at};
	unsigned rcode = s->hops == 0 ? refusal(s) : DNS_NOERROR;

	if (!s->may_recurse || !(s->query.flags & DNS_FLAG_RD))
		return rcode;
	s->reply.flags |= s->query.flags & DNS_FLAG_CD;
	s->is_later = forward_look(s->ctx->desk, &question, &rcode) == FORWARD_LATER;
	return rcode;
}

/* The rcode is that of the last name that lies in our zones (RFC 2308, section 2.1), or of
 * what upstreams say. */
unsigned search_zones(struct answer_job *s)
{
	while (s->zone) {
		const struct zone *held = s->zone;
		enum step step;

		s->reply.flags |= s->authority;
		step = look_into_zone(s, s->zone);
		if (step != STEP_FOLLOW)
			return (unsigned)step;
		find_zone(s);
		s->zone = lookup_hold_version(held, s->zone);
	}
	return search_elsewhere(s);
}
