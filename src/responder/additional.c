/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/additional.h"

#include <string.h>

#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/rrset.h"
#include "dns/wire.h"
#include "responder/answerjob.h"
#include "zone/lookup.h"
#include "zone/node.h"

/* The hosts of one reply. */
struct hosts {
	struct answer_job *job;
	const struct zone *zone;
	const struct dname *cut; /* NULL: no referral */
	unsigned cut_labels;
	unsigned tries;			 /* but for glue */
	unsigned count;			 /* of those found, at most that many */
	uint64_t seen[ANSWER_HOSTS_MAX]; /* hashes of their names */
};

/* A name that several records have is looked up once. Its node does not tell: several
 * names may have one wildcard's. Makes the name's hashes. */
static bool is_seen(struct hosts *h, const struct dname *name)
{
	uint64_t hash;

	namehash_make(h->job->ctx->db, name, &h->job->hashes);
	hash = h->job->hashes.of[name->labels];

	for (unsigned i = 0; i < h->count; i++) {
		if (h->seen[i] == hash)
			return true;
	}
	h->seen[h->count++] = hash;
	return false;
}

/* The node with a host's addresses, its name's hashes made. Below a cut the zone knows a
 * name server's for this very purpose only; all else is what a query for the host itself
 * would find. */
static const struct node *find_host(struct hosts *h, const struct dname *name,
				    uint16_t type)
{
	struct answer_job *job = h->job;
	const struct zonedb *db = job->ctx->db;
	const struct node *node = NULL;
	const struct zone *zone;
	struct lookup_found found;

	job->lookups++;
	if (type == DNS_TYPE_NS)
		node = lookup_glue(db, h->zone, name, &job->hashes);
	if (node)
		return node;
	zone = lookup_zone(db, &job->tags, name, &job->hashes);
	zone = lookup_hold_version(h->zone, zone);
	if (!zone)
		return NULL;
	found = lookup_node(db, zone, name, &job->hashes, DNS_TYPE_A);
	return found.kind == LOOKUP_NODE ? found.node : NULL;
}

/* A set that the node may have. False: it did not fit. */
static bool add_set(struct hosts *h, const struct node *node, uint16_t type, size_t at)
{
	const struct rrset *set = node_find_rrset(node, type);

	return !set || reply_add_rrset(&h->job->reply, REPLY_ADDITIONAL, set, at,
				       &h->job->ctx->rng) != 0;
}

static bool is_service(uint16_t type)
{
	return type == DNS_TYPE_SVCB || type == DNS_TYPE_HTTPS;
}

/* Services under the name that was asked for: whoever wants its addresses knows it. */
static bool is_own_target(const struct hosts *h, uint16_t type, const struct dname *name)
{
	const struct dname *answered = h->job->name;

	return is_service(type) && name->len == answered->len &&
	       memcmp(name->wire, answered->wire, name->len) == 0;
}

/* The addresses of the host whose name stands at `at`. False: one did not fit. */
static bool add_host(struct hosts *h, const struct dname *name, size_t at, uint16_t type)
{
	const struct node *node = find_host(h, name, type);
	bool all;

	/* Those of an alias would have to be looked for far and wide. */
	if (!node || node->flags & NODE_ALIAS)
		return true;
	all = add_set(h, node, DNS_TYPE_A, at);
	all &= add_set(h, node, DNS_TYPE_AAAA, at);
	/* A service may lead to another one (RFC 9460, section 4.1). */
	if (is_service(type))
		(void)add_set(h, node, type, at);
	return all;
}

static bool is_below_cut(const struct hosts *h, const struct dname *name)
{
	unsigned cut_at = h->cut->offsets[h->cut->labels - h->cut_labels];
	unsigned len = h->cut->len - cut_at;
	unsigned at;

	if (name->labels < h->cut_labels)
		return false;
	at = name->offsets[name->labels - h->cut_labels];
	return name->len - at == len &&
	       memcmp(name->wire + at, h->cut->wire + cut_at, len) == 0;
}

/* The next record before `end` with a host. @return where its name stands, 0: none */
static size_t next_host(struct hosts *h, size_t *at, size_t end, uint16_t *type_out,
			struct dname *name_out)
{
	const struct reply *r = &h->job->reply;

	while (*at < end) {
		uint16_t type = wire_get_u16(r->wire + *at + 2);
		size_t name_at = *at + RRSET_RDATA_AT + (size_t)rdata_host_at(type);

		*at += RRSET_RDATA_AT + wire_get_u16(r->wire + *at + 10);
		*type_out = type;
		/* The root is no host but says that there is none (RFC 2782, RFC 7505,
		 * RFC 9460), or the owner itself. */
		if (name_at <= REPLY_POINTER_MAX &&
		    reply_read_name(r, name_at, name_out) && name_out->labels > 0)
			return name_at;
	}
	return 0;
}

static void add_hosts(struct hosts *h, size_t at, size_t end)
{
	struct dname name;
	size_t name_at;
	uint16_t type;

	while (h->tries < ANSWER_HOSTS_MAX &&
	       (name_at = next_host(h, &at, end, &type, &name)) != 0) {
		if ((h->cut && is_below_cut(h, &name)) || is_own_target(h, type, &name))
			continue;
		h->tries++;
		if (!is_seen(h, &name))
			(void)add_host(h, &name, name_at, type);
	}
}

/* There are as many as the zone says: each NS record names another one. */
static void add_glue(struct hosts *h, size_t at, size_t end)
{
	struct reply *r = &h->job->reply;
	struct dname name;
	size_t name_at;
	uint16_t type;

	while (!(r->flags & DNS_FLAG_TC) &&
	       (name_at = next_host(h, &at, end, &type, &name)) != 0) {
		if (!is_below_cut(h, &name))
			continue;
		namehash_make(h->job->ctx->db, &name, &h->job->hashes);
		if (!add_host(h, &name, name_at, type))
			r->flags |= DNS_FLAG_TC;
	}
}

void additional_add_hosts(struct answer_job *job, const struct zone *zone, size_t at)
{
	struct hosts hosts;

	hosts.job = job;
	hosts.zone = zone;
	hosts.cut = NULL;
	hosts.tries = 0;
	hosts.count = 0;
	add_hosts(&hosts, at, job->reply.len);
}

void additional_add_glue(struct answer_job *job, const struct zone *zone, size_t at,
			 unsigned cut_labels)
{
	const size_t end = job->reply.len;
	struct hosts hosts;

	hosts.job = job;
	hosts.zone = zone;
	hosts.cut = job->name;
	hosts.cut_labels = cut_labels;
	hosts.tries = 0;
	hosts.count = 0;
	add_glue(&hosts, at, end);
	add_hosts(&hosts, at, end);
}
