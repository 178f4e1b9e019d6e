/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/node.h"

#include <stdlib.h>

size_t node_count_stores(const struct node *node)
{
	const struct rrset *set = node_first_rrset(node);
	size_t count = 0;

	for (unsigned i = 0; i < node->rrset_count; i++, set = rrset_next(set))
		count += (set->flags & RRSET_IS_APART) != 0;
	return count;
}

static bool has_store(const struct node *node, const struct rrset_store *store)
{
	const struct rrset *set = node_first_rrset(node);

	for (unsigned i = 0; i < node->rrset_count; i++, set = rrset_next(set)) {
		if (rrset_store_of(set) == store)
			return true;
	}
	return false;
}

void node_leave_stores(const struct node *node, const struct node *heir,
		       void (*leave)(void *store, void *arg), void *arg)
{
	const struct rrset *set = node_first_rrset(node);

	for (unsigned i = 0; i < node->rrset_count; i++, set = rrset_next(set)) {
		struct rrset_store *store = rrset_store_of(set);

		if (store && !(heir && has_store(heir, store)))
			leave(store, arg);
	}
}

static void free_store(void *store, void *arg)
{
	(void)arg;
	free(store);
}

void node_free(struct node *node, const struct node *heir)
{
	if (!node)
		return;
	node_leave_stores(node, heir, free_store, NULL);
	free(node);
}
