/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "seed/work-internal.h"

enum {
	SEED_ID_SIZE = 65, /* the API's longest, and NUL */
};

/* An item of the document that is being applied. Calls that are under way hold it. */
struct seed_node {
	struct seed_node *parent; /* what it lies in; NULL: nothing */
	unsigned refs;
	const json_t *want; /* the document's. Borrowed */
	const char *kind;   /* "vpc", "namespace", "service", "instance" */
	const char *name;   /* within its parent */
	enum seed_action action;
	char path[SEED_PATH_SIZE];
	char id[SEED_ID_SIZE]; /* of what is there; "": nothing, in a dry run */
};

/** What is done with an item; to keep it, seed_node_ref(). @param have  see below
 *  @return GAZ_EREFUSED: a fault was told, and the next item's turn comes */
typedef gaz_status seed_apply_item(struct seed *s, struct seed_node *node,
				   const json_t *have);

/* A list of items. */
struct seed_list {
	const char *name; /* of the member, "Services" */
	const char *kind; /* of the items, "service" */
	const char *key;  /* the member that tells them apart, "Name" */
	seed_apply_item *apply;

	/* How to ask for those that lie below a node. */
	const char *operation;
	json_t *(*ask)(const struct seed_node *parent); /* a new reference */
	const char *have_key;				/* what tells them apart there */
};

/**
 * Apply each item of a list.
 *
 * @param owner  the object that has the list
 * @param have   what is there, for `apply`
 * @return GAZ_OK, or what ended the work
 */
GAZ_MUST_CHECK gaz_status seed_apply_list(struct seed *s, const struct seed_list *list,
					  const json_t *owner, struct seed_node *parent,
					  const json_t *have);

/**
 * The same with what lies below a node. `have` is the map of what is there, by its key.
 *
 * @param is_new  nothing is there: does not wait, and may be used while a reply is handled
 * @return GAZ_OK; GAZ_EREFUSED: cannot be asked for; or what ended the work
 */
GAZ_MUST_CHECK gaz_status seed_apply_below(struct seed *s, const struct seed_list *list,
					   struct seed_node *node, bool is_new);

struct seed_node *seed_node_ref(struct seed_node *node);
void seed_node_unref(struct seed_node **node);

/** Tell that a node is as it shall be. @return as seed_tell() */
GAZ_MUST_CHECK gaz_status seed_node_tell(struct seed *s, const struct seed_node *node);
