/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/alias.h"

#include <string.h>

#include "dns/name.h"
#include "dns/rrset.h"
#include "dns/wire.h"
#include "responder/answerjob.h"
#include "zone/host.h"
#include "zone/lookup.h"
#include "zone/view.h"

enum {
	STEPS_MAX = 8,	   /* CNAMEs and aliases on the way to an address */
	LOOKUPS_MAX = 256, /* for one query */
	DRAWS_MAX = 8,	   /* before all aliases of a name are looked at */
};

static const struct alias_answer NONE = {NULL, UINT32_MAX};

/* One query's way through aliases. Not initialised as a whole: it is large. */
struct walk {
	struct answer_context *ctx;
	const struct view_tags *tags;
	uint16_t qtype;
	uint16_t alias_type;
	unsigned lookups; /* left */
	unsigned depth;	  /* nodes on the way, the first included */
	const struct node *path[STEPS_MAX + 1];
	struct dname name; /* the one looked up last */
	struct name_hashes hashes;
};

static struct alias_answer choose(struct walk *w, const struct node *node);

/* Make `name` the target that a DNAME gives it (RFC 6672, section 2.2). */
static bool apply_dname(struct dname *name, const struct rrset *dname, unsigned labels)
{
	uint8_t target[2 * DNAME_MAX];
	size_t prefix_len = name->offsets[name->labels - labels];
	uint32_t len;
	const uint8_t *record = rrset_record(dname, 0, &len);

	len -= RRSET_RDATA_AT;
	if (prefix_len + len > DNAME_MAX)
		return false;
	memcpy(target, name->wire, prefix_len);
	memcpy(target + prefix_len, record + RRSET_RDATA_AT, len);
	return dname_parse(target, prefix_len + len, name) != 0;
}

static void lower_ttl(uint32_t *ttl, const struct rrset *set)
{
	if (rrset_ttl(set) < *ttl)
		*ttl = rrset_ttl(set);
}

/* Make the target of record i the name at work. */
static void go_to(struct walk *w, const struct rrset *set, uint32_t i)
{
	uint32_t len;
	const uint8_t *record = rrset_record(set, i, &len);

	(void)dname_parse(record + RRSET_RDATA_AT, len - RRSET_RDATA_AT, &w->name);
}

/* What one name of our zones leads to. True: to another one, the name at work. */
static bool look_into_node(struct walk *w, const struct lookup_found *found,
			   struct alias_answer *answer)
{
	const struct rrset *cname;

	if (found->kind == LOOKUP_DNAME) {
		const struct rrset *dname = node_find_rrset(found->node, DNS_TYPE_DNAME);

		lower_ttl(&answer->ttl, dname);
		return apply_dname(&w->name, dname, found->labels);
	}
	cname = node_find_rrset(found->node, DNS_TYPE_CNAME);
	if (cname) {
		lower_ttl(&answer->ttl, cname);
		go_to(w, cname,
		      rrset_weighted(cname,
				     rng_below(&w->ctx->rng, rrset_weight(cname))));
		return true;
	}
	if (found->node->flags & NODE_ALIAS) {
		struct alias_answer further = choose(w, found->node);

		answer->set = further.set;
		if (further.ttl < answer->ttl)
			answer->ttl = further.ttl;
	} else {
		answer->set = node_find_rrset(found->node, w->qtype);
	}
	return false;
}

/* A node that stands on the way already leads nowhere new. */
static bool is_loop(const struct walk *w, const struct node *node)
{
	for (unsigned i = 0; i < w->depth; i++) {
		if (w->path[i] == node)
			return true;
	}
	return false;
}

/* Look up the name at work. True: that leads to another one. */
static bool take_step(struct walk *w, struct alias_answer *answer)
{
	struct lookup_found found = {LOOKUP_MISSING, NULL, 0};
	const struct zone *zone;

	if (w->depth > STEPS_MAX || w->lookups == 0)
		return false;
	w->lookups--;
	namehash_make(w->ctx->db, &w->name, &w->hashes);
	zone = lookup_zone(w->ctx->db, w->tags, &w->name, &w->hashes);
	if (zone)
		found = lookup_node(w->ctx->db, zone, &w->name, &w->hashes, w->qtype);
	/* An empty non-terminal, and what lies behind a delegation, is not known
	 * here: who configured or resolves the host may know more. */
	if ((found.kind != LOOKUP_NODE && found.kind != LOOKUP_DNAME) ||
	    found.node->rrset_count == 0) {
		answer->set =
			host_find_addresses(w->ctx->db, &w->name, &w->hashes, w->qtype);
		return false;
	}
	if (is_loop(w, found.node))
		return false;
	w->path[w->depth++] = found.node;
	return look_into_node(w, &found, answer);
}

static struct alias_answer resolve(struct walk *w, const struct rrset *aliases,
				   uint32_t i)
{
	struct alias_answer answer = NONE;
	unsigned depth = w->depth;

	go_to(w, aliases, i);
	while (take_step(w, &answer))
		;
	w->depth = depth;
	return answer;
}

/* A group of instances of one name: some addresses, and some aliases. */
struct group {
	const struct rrset *own;
	const struct rrset *aliases;
	uint32_t own_count;
	uint32_t alias_count;
	bool healthy;
};

/* Alias `i` of the group, as the RRset numbers it: health comes first there, but
 * behind those that are distinct stand their twins. */
static uint32_t alias_number(const struct group *g, uint32_t i)
{
	const struct rrset *set = g->aliases;
	uint32_t first = g->healthy ? 0 : set->healthy;
	uint32_t distinct =
		g->healthy ? set->healthy : (uint32_t)set->distinct - set->healthy;

	if (i < distinct)
		return first + i;
	return set->distinct + (g->healthy ? 0u : set->healthy_twins) + i - distinct;
}

/* Look at each alias: of the instances that answer, each has the same chance. */
static struct alias_answer choose_from_all(struct walk *w, const struct group *g)
{
	struct alias_answer chosen = {g->own_count ? g->own : NULL, UINT32_MAX};
	uint32_t alive = g->own_count;
	uint32_t start;

	if (g->alias_count == 0)
		return chosen;
	/* There may be more than one query looks at. */
	start = rng_below(&w->ctx->rng, g->alias_count);
	for (uint32_t i = 0; i < g->alias_count && w->lookups > 0; i++) {
		struct alias_answer answer = resolve(
			w, g->aliases, alias_number(g, (start + i) % g->alias_count));

		if (answer.set && rng_below(&w->ctx->rng, ++alive) == 0)
			chosen = answer;
	}
	return chosen;
}

/* Draw until an instance answers. Drawing again after a dead alias changes nothing
 * about the chances of the others; it only spares looking at all of them. */
static struct alias_answer choose_from(struct walk *w, const struct group *g)
{
	uint32_t count = g->own_count + g->alias_count;

	for (uint32_t i = 0; i < count / 2 && i < DRAWS_MAX && w->lookups > 0; i++) {
		uint32_t draw = rng_below(&w->ctx->rng, count);
		struct alias_answer answer;

		if (draw >= g->alias_count)
			return (struct alias_answer){g->own, UINT32_MAX};
		answer = resolve(w, g->aliases, alias_number(g, draw));
		if (answer.set)
			return answer;
	}
	return choose_from_all(w, g);
}

/* What a name answers that may have addresses, aliases, or both. */
static struct alias_answer choose(struct walk *w, const struct node *node)
{
	const struct rrset *own = node_find_rrset(node, w->qtype);
	const struct rrset *aliases = NULL;
	struct group g = {own, NULL, 0, 0, true};
	struct alias_answer answer;

	/* At the last step none leads any further, and trying would not count as work. */
	if (w->depth <= STEPS_MAX)
		aliases = node_find_rrset(node, w->alias_type);
	g.aliases = aliases;
	if (own && own->healthy)
		g.own_count = rrset_weight(own);
	if (aliases)
		g.alias_count = (uint32_t)aliases->healthy + aliases->healthy_twins;
	answer = choose_from(w, &g);
	if (answer.set)
		return answer;
	g.healthy = false;
	g.own_count = own ? rrset_weight(own) : 0;
	g.alias_count = aliases ? aliases->count - g.alias_count : 0;
	return choose_from(w, &g);
}

struct alias_answer alias_find(struct answer_context *ctx, const struct view_tags *tags,
			       const struct node *node, uint16_t qtype)
{
	struct walk w;

	w.ctx = ctx;
	w.tags = tags;
	w.qtype = qtype;
	w.alias_type = qtype == DNS_TYPE_A ? RRSET_ALIAS_A : RRSET_ALIAS_AAAA;
	w.lookups = LOOKUPS_MAX;
	w.depth = 1;
	w.path[0] = node;
	return choose(&w, node);
}
