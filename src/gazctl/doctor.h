/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "gazctl/ctl.h"
#include "gazctl/doctor_dns.h"
#include "gazctl/resolver_state.h"

/* What "gazctl doctor" knows of the machine and of the daemon, gathered once, and the
 * checks that look at it. */

enum {
	DOCTOR_SERVERS_MAX = 16,
	DOCTOR_ZONES_MAX = 32,
	DOCTOR_NAME_SIZE = 1280, /* room for any service and namespace */
	DOCTOR_VPC_SIZE = 260,	 /* 64 characters at most, of four octets */
};

struct doctor_zone {
	char name[PLAN_DOMAIN_SIZE]; /* of a namespace with DNS */
	bool is_private;
	char vpc[DOCTOR_VPC_SIZE];   /* of a private one */
	bool is_seen;		     /* the daemon answers for it when asked from here */
	char primary[DNS_TEXT_SIZE]; /* with this MNAME in its SOA record */
};

struct doctor_resolv {
	struct sockaddr_storage servers[DOCTOR_SERVERS_MAX];
	size_t server_count;
	size_t search_count;
	unsigned ndots;
};

struct doctor {
	const struct ctl *ctl;
	const struct tree *tree;
	json_t *status; /* GetStatus; NULL: the daemon cannot be reached */
	struct sockaddr_storage
		own[DOCTOR_SERVERS_MAX]; /* where the daemon answers DNS */
	size_t own_count;
	struct sockaddr_storage server; /* whom we ask in the daemon's stead */
	bool has_server;
	bool is_silent; /* it did not answer: not to be asked again and again */
	struct doctor_zone zones[DOCTOR_ZONES_MAX];
	size_t zone_count;
	char probe[DOCTOR_NAME_SIZE]; /* a name with a private IPv4 address, or "" */
	struct doctor_resolv resolv;
	const struct plan_method *method; /* that rules resolv.conf */
	struct state state;		  /* of "resolver install" */
	json_t *findings;
	const struct doctor_check *check; /* that is under way */
};

/** Looks for one fault, and reports each instance of it. */
typedef void doctor_look(struct doctor *d);

struct doctor_check {
	const char *name;
	doctor_look *look;
	const char *remedy;
};

extern const struct doctor_check doctor_checks[]; /* ends with a NULL name */

/** Report a fault; its remedy is the check's. */
void doctor_find(struct doctor *d, const char *fmt, ...) GAZ_PRINTF(2, 3);

/** Fill in all but tree, ctl and findings.
 *  @param server  of --server, or NULL  @return an exit code */
int doctor_gather(struct doctor *d, const char *server);
void doctor_fini(struct doctor *d);

/** Is that one of the daemon's addresses (port 53 for one of resolv.conf)? */
bool doctor_is_own(const struct doctor *d, const struct sockaddr_storage *addr);
