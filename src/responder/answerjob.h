/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/netaddr.h"
#include "base/rng.h"
#include "dns/cookie.h"
#include "dns/message.h"
#include "dns/reply.h"
#include "responder/recursion.h"
#include "zone/lookup.h"
#include "zone/view.h"

/* What answering works on: a worker's context, a request, and the job that leads from it
 * to the reply. answer.h begins and ends a job; chaos, whoami, search and what that calls
 * (alias, additional) each do a part of it. */

struct forward_desk;
struct zonedb;

enum {
	ANSWER_UDP_CAP = 4096,	/* the largest UDP reply, whatever is configured */
	ANSWER_TCP_CAP = 65535, /* the largest TCP reply, without its length field */
	ANSWER_NO_VPC = -1,
};

struct answer_counters { /* one per worker, written by it alone */
	uint64_t answered;
	uint64_t dropped;
	uint64_t truncated;
	uint64_t rcodes[16];
};

struct answer_text {
	const uint8_t *octets;
	uint8_t len; /* 0: nothing is said */
};

/* Of all workers: what the server says about itself, and whom it believes. */
struct answer_config {
	struct answer_text nsid;	   /* EDNS_NSID_MAX octets at most (RFC 5001) */
	struct answer_text identity;	   /* id.server, hostname.bind (RFC 4892) */
	struct answer_text version;	   /* version.server, version.bind */
	struct netprefix_list subnet_from; /* their client subnets choose the view */
	struct netprefix_list proxy_from;  /* their queries begin with a PROXY header */
	uint16_t udp_size;   /* the largest UDP reply, and what OPT records offer: 512 to
			      ANSWER_UDP_CAP; 0: REPLY_UDP_DEFAULT */
	bool denies_unknown; /* NXDOMAIN, not REFUSED, for names in none of our zones */
	bool has_negative_ttl;	 /* the TTL of SOA records in negative answers is */
	uint32_t negative_ttl_s; /* this one, whatever the zones say */
};

struct answer_context { /* one per worker */
	const struct zonedb *db;
	const struct answer_config *config; /* NULL: all empty */
	struct cookie_jar cookies;	    /* the caller sets its time */
	struct forward_desk *desk;	    /* NULL: names of others are refused */
	struct recursion recursion;	    /* for those who may ask for them */
	struct rng rng;
	struct answer_counters counters;
};

struct answer_request {
	const uint8_t *query;
	size_t len;
	struct netaddr source;
	int listener_vpc; /* from view_intern_vpc(), or ANSWER_NO_VPC */
	bool tcp;
	uint32_t idle_ms; /* over TCP: how long the connection may be idle */
};

enum {
	ANSWER_CHAIN_MAX = 8, /* CNAMEs in one answer */
	ANSWER_HOSTS_MAX =
		32, /* hosts, but for glue, that are looked for in one answer */
};

enum answer_way {
	ANSWER_RCODE = 0, /* an rcode and nothing else */
	ANSWER_ZONES,	  /* what the zones have */
	ANSWER_TRANSFER,  /* a zone transfer */
	ANSWER_CHAOS,	  /* the server itself is asked about */
};

/* One query's way to its reply. Needs no initialisation, and has none: it is large.
 * The caller fills in the request; the rest is for answer.c alone. */
struct answer_job {
	struct answer_request req;
	struct answer_context *ctx;
	enum query_verdict verdict;
	enum answer_way way;
	unsigned rcode;		  /* of what is not looked for in any zone */
	uint16_t qtype;		  /* the type of records to look for */
	uint16_t authority;	  /* DNS_FLAG_AA, or 0: none for this class */
	const struct zone *zone;  /* the one that the name at work lies in, or NULL */
	const struct dname *name; /* at work: the question's, then CNAME targets */
	size_t name_at;		  /* where the reply holds its first labels, */
	size_t name_head;	  /* so many octets of them, */
	size_t name_tail;	  /* and where the others */
	unsigned hops;		  /* CNAMEs followed */
	bool heeds_subnet;	  /* the client subnet chose the view */
	unsigned lookups;	  /* names looked up: what the work is bounded by */
	bool may_recurse;	  /* the client may ask for names of others */
	bool is_later;		  /* an upstream is to be asked for the name */
	struct view_tags tags;
	struct reply reply;
	struct query query;
	struct edns_reply opt; /* if the query has an OPT record */
	struct name_hashes hashes;
	uint64_t seen[ANSWER_CHAIN_MAX]; /* the hashes of CNAMEs' owners */
	unsigned dname_count;
	const struct rrset *dnames[ANSWER_CHAIN_MAX]; /* those in the reply */
	struct dname target;
};
