/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/* Cloud Map's AWS_ALIAS_DNS_NAME: the addresses of another name, as this client
 * sees it, under the name asked for. */

struct answer_context;
struct node;
struct rrset;
struct view_tags;

struct alias_answer {
	const struct rrset *set; /* to be answered by its own policy; NULL: none */
	uint32_t ttl;		 /* at most this; UINT32_MAX: the set's own */
};

/**
 * What a name with aliases answers to a query for addresses. Its own addresses and
 * its aliases are one weighted set: each instance is as likely as any other. An
 * alias is healthy when it was registered so and leads to an address; those that
 * are not healthy answer only if none is.
 *
 * An alias leads to the addresses of its host in the zones that the client sees, by
 * way of CNAMEs and other aliases if need be; of a host that has no records there,
 * to those that are known otherwise (zone/host.h). The work is bounded: a name is
 * up to eight steps away, and one query looks up 256 names at most.
 *
 * Needs the RCU read lock.
 *
 * @param node   has NODE_ALIAS
 * @param qtype  A or AAAA
 */
struct alias_answer alias_find(struct answer_context *ctx, const struct view_tags *tags,
			       const struct node *node, uint16_t qtype);
