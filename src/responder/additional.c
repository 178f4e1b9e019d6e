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
	unsigned tries;
	unsigned count;			 /* of those found, at most that many */
	uint64_t seen[ANSWER_HOSTS_MAX]; /* hashes of their names */
};

/* A name that several records have is looked up for each, but added once. Its node does
 * not tell: several names may have one wildcard's. */
static bool is_seen(struct hosts *h, const struct dname *name)
{
	uint64_t hash = h->job->hashes.of[name->labels];

	for (unsigned i = 0; i < h->count; i++) {
		if (h->seen[i] == hash)
			return true;
	}
	h->seen[h->count++] = hash;
	return false;
}

/* The node with a host's addresses. Below a cut the zone knows a name server's for this
 * very purpose only; all else is what a query for the host itself would find. */
static const struct node *find_host(struct hosts *h, const struct dname *name,
				    uint16_t type)
{
	struct answer_job *job = h->job;
	const struct zonedb *db = job->ctx->db;
	const struct node *node = NULL;
	const struct zone *zone;
	struct lookup_found found;

	h->tries++;
	job->lookups++;
	lookup_hash(db, name, &job->hashes);
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

/* The addresses of the host whose name stands at `at`. False: one did not fit. */
static bool add_host(struct hosts *h, const struct dname *name, size_t at, uint16_t type)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
	const struct node *node = find_host(h, name, type);
	bool all = true;

	/* Those of an alias would have to be looked for far and wide. */
	if (!node || node->flags & NODE_ALIAS || is_seen(h, name))
		return true;
	for (int i = 0; i < 2; i++) {
		const struct rrset *set = node_find_rrset(node, types[i]);

		if (set && !reply_add_rrset(&h->job->reply, REPLY_ADDITIONAL, set, at,
					    &h->job->ctx->rng))
			all = false;
	}
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

/* One look at the records between two places: for servers below the cut if there is one
 * and `glue` is set, else for all others. */
static void add_hosts(struct hosts *h, size_t at, size_t end, bool glue)
{
	struct reply *r = &h->job->reply;

	while (at < end && h->tries < ANSWER_HOSTS_MAX) {
		uint16_t type = wire_get_u16(r->wire + at + 2);
		size_t name_at = at + RRSET_RDATA_AT + (size_t)rdata_host_at(type);
		struct dname name;

		at += RRSET_RDATA_AT + wire_get_u16(r->wire + at + 10);
		/* The root is no host but says that there is none (RFC 2782, RFC 7505). */
		if (name_at > REPLY_POINTER_MAX || !reply_read_name(r, name_at, &name) ||
		    name.labels == 0 || (h->cut && is_below_cut(h, &name) != glue))
			continue;
		if (!add_host(h, &name, name_at, type) && glue)
			r->flags |= DNS_FLAG_TC;
	}
	/* Over TCP there is no more to be had. */
	if (glue && at < end && !h->job->req.tcp)
		r->flags |= DNS_FLAG_TC;
}

void additional_add_hosts(struct answer_job *job, const struct zone *zone, size_t at)
{
	struct hosts hosts;

	hosts.job = job;
	hosts.zone = zone;
	hosts.cut = NULL;
	hosts.tries = 0;
	hosts.count = 0;
	add_hosts(&hosts, at, job->reply.len, false);
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
	add_hosts(&hosts, at, end, true);
	add_hosts(&hosts, at, end, false);
}
