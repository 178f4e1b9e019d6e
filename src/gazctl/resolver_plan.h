/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <sys/socket.h>

#include "gazctl/resolver_tree.h"

/* How a machine is told to ask a name server: a table of methods, one row each. A plan
 * is what a method would change; nothing here changes anything. */

enum {
	PLAN_CHANGES_MAX = 2,
	PLAN_DOMAINS_MAX = 64,
	PLAN_DOMAIN_SIZE = 256,
};

struct plan_request {
	struct sockaddr_storage server;
	char domains[PLAN_DOMAINS_MAX]
		    [PLAN_DOMAIN_SIZE]; /* checked, without dots around */
	size_t domain_count;
};

struct plan_change {
	const char *path; /* borrowed: static */
	struct tree_entry before;
	struct tree_entry after;
};

struct plan_method;

struct plan {
	const struct plan_method *method;
	struct plan_change changes[PLAN_CHANGES_MAX];
	size_t change_count;
};

struct plan_method {
	const char *name; /* of --method */
	bool routes;	  /* only the domains go to the server; else everything does */
	bool (*is_in_force)(const struct tree *tree);
	gaz_status (*make)(const struct tree *tree, const struct plan_request *request,
			   struct plan *plan, struct gaz_error *err);
	const char *const *command; /* makes a change take effect; NULL: none is needed */
};

/** The method of that name, or NULL. */
const struct plan_method *plan_find_method(const char *name);

/** The method that rules the machine's resolv.conf; never NULL. */
const struct plan_method *plan_detect_method(const struct tree *tree);

/** A domain without "~", "*." and outer dots, in lower case.
 *  @return GAZ_OK, GAZ_EFORMAT (not one that may stand in a configuration file) */
GAZ_MUST_CHECK gaz_status plan_read_domain(const char *text, char out[PLAN_DOMAIN_SIZE]);

/**
 * @param out  for plan_fini()
 * @return GAZ_OK, GAZ_EREFUSED (err says why this method cannot do it, and what can),
 *         GAZ_EIO, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status plan_make(const struct tree *tree,
				    const struct plan_method *method,
				    const struct plan_request *request, struct plan *out,
				    struct gaz_error *err);
void plan_fini(struct plan *plan);
