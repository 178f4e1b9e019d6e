/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

/* What test_churn's zone database holds after each of its edits, and which replies
 * that allows. The model knows nothing of the code it judges: a world is a few
 * flags and numbers, an answer is derived from them by the rules of the DNS. */

enum churn_kind { /* a zone of each kind may stand at every place */
	CHURN_PUBLIC,
	CHURN_IN_A,
	CHURN_IN_B,
	CHURN_KINDS
};

enum churn_place { /* the second lies below the first */
	CHURN_EXAMPLE,
	CHURN_SUB_EXAMPLE,
	CHURN_OTHER,
	CHURN_PLACES
};

enum churn_label {     /* the names below a zone's own */
	CHURN_WWW,     /* one address, of a new version at each change */
	CHURN_WEB,     /* a multivalue set of up to eight */
	CHURN_CNAME,   /* to www of the same place */
	CHURN_ALIAS,   /* to web of the same place */
	CHURN_FAR,     /* an alias to a host of no zone */
	CHURN_APEX,    /* the zone's own: an address or none */
	CHURN_BIG,     /* a multivalue set of which eight are shown */
	CHURN_BIG_TXT, /* another at that name, its records differ in length */
	CHURN_MANY,    /* one of many names that come and go together */
	CHURN_MISSING, /* nowhere: only a wildcard answers it */
	CHURN_LABELS
};

enum churn_source {
	CHURN_OUTSIDE,
	CHURN_DECLARED, /* its prefix is given to one VPC, then to the other */
	CHURN_LISTENER, /* asks at a listener of VPC A */
	CHURN_SOURCES
};

enum {
	CHURN_MANY_NAMES = 100,
	CHURN_BIG_MAX = 200,
	CHURN_NO_VPC = 0, /* else enum churn_kind */
};

struct churn_zone {
	bool exists;
	bool cname;
	bool alias;
	bool far;
	bool many;
	uint8_t www;  /* its version; 0: not there */
	uint8_t wild; /* so of the wildcard */
	uint8_t apex; /* so of the zone's own address */
	uint8_t web;  /* a bit for each instance */
	uint8_t big;  /* records of both sets, numbered from 0 */
};

struct churn_world {
	struct churn_zone zones[CHURN_PLACES][CHURN_KINDS];
	uint8_t declared; /* the VPC of CHURN_DECLARED */
};

/* The last octets of addresses: 10.ZONE.LABEL.VERSION, the zone being place *
 * CHURN_KINDS + kind. Learned addresses of the far host are 192.0.2.N. */
enum {
	CHURN_NET = 10,
	CHURN_FAR_NET = 192,
	CHURN_WILD = CHURN_LABELS, /* in the place of the label */
};

struct churn_question {
	enum churn_place place;
	enum churn_label label;
	enum churn_source source;
};

enum {
	CHURN_ADDRESSES_MAX = 8
};

struct churn_reply { /* a reply, or what one may be */
	uint8_t rcode;
	bool has_cname;
	uint8_t count;
	uint8_t addresses[CHURN_ADDRESSES_MAX][4]; /* sorted */
};

/** Make the next world: one that differs in a single thing. */
void churn_advance(const struct churn_world *from, struct rng *rng,
		   struct churn_world *to);

enum churn_verdict {
	CHURN_WRONG,
	CHURN_RIGHT,
	CHURN_PLAUSIBLE, /* asked for too long: each part was true at some time */
};

/**
 * May this reply have been given while the database went through these worlds? The
 * view, each zone on the way up and the node are read one after the other, so each
 * as it was then or later.
 */
enum churn_verdict churn_judge(const struct churn_world *worlds, size_t count,
			       const struct churn_question *question,
			       const struct churn_reply *reply);
