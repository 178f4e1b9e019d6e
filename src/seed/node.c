/* SPDX-License-Identifier: BSD-2-Clause */
#include "seed/node-internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "seed/call-internal.h"
#include "seed/compare-internal.h"
#include "seed/reply.h"

enum {
	NAME_SIZE = 4096, /* "NAMESPACE/SERVICE/INSTANCE" for people, cut to fit */
};

struct seed_node *seed_node_ref(struct seed_node *node)
{
	if (node)
		node->refs++;
	return node;
}

void seed_node_unref(struct seed_node **node)
{
	struct seed_node *n = *node;

	*node = NULL;
	if (!n || --n->refs > 0)
		return;
	seed_node_unref(&n->parent);
	free(n);
}

static struct seed_node *node_new(const struct seed_list *list, struct seed_node *parent,
				  size_t index, const json_t *want)
{
	struct seed_node *node = calloc(1, sizeof *node);
	int len;

	if (!node)
		return NULL;
	node->parent = seed_node_ref(parent);
	node->refs = 1;
	node->want = want;
	node->kind = list->kind;
	node->name = reply_text(want, list->key);
	len = snprintf(node->path, sizeof node->path, "%s%s%s[%zu]",
		       parent ? parent->path : "", parent ? "." : "", list->name, index);
	assert(len < (int)sizeof node->path);
	return node;
}

gaz_status seed_apply_list(struct seed *s, const struct seed_list *list,
			   const json_t *owner, struct seed_node *parent,
			   const json_t *have)
{
	gaz_status st = GAZ_OK;
	json_t *want;
	size_t i;

	json_array_foreach(json_object_get(owner, list->name), i, want)
	{
		struct seed_node *node = node_new(list, parent, i, want);

		if (!node) {
			seed_fault(s, parent ? parent->path : "", "out of memory");
			return GAZ_ENOMEM;
		}
		st = list->apply(s, node, have);
		seed_node_unref(&node);
		if (!seed_may_go_on(st))
			return st;
	}
	return GAZ_OK;
}

gaz_status seed_apply_below(struct seed *s, const struct seed_list *list,
			    struct seed_node *node, bool is_new)
{
	const bool is_empty =
		json_array_size(json_object_get(node->want, list->name)) == 0;
	json_t *all = NULL, *by_key = NULL;
	gaz_status st = GAZ_OK;

	if (!is_new && !is_empty)
		st = seed_list(s, node->path, list->operation, list->ask(node),
			       list->name, &all);
	if (st != GAZ_OK)
		return st;
	if (all)
		by_key = seed_by_key(all, list->have_key);
	st = seed_apply_list(s, list, node->want, node, by_key);
	json_decref(by_key);
	json_decref(all);
	return st;
}

static size_t print_name(const struct seed_node *node, char out[NAME_SIZE])
{
	size_t len = node->parent ? print_name(node->parent, out) : 0;

	len += (size_t)snprintf(out + len, NAME_SIZE - len, "%s%s",
				node->parent ? "/" : "", node->name);
	return len < NAME_SIZE ? len : NAME_SIZE - 1;
}

gaz_status seed_node_tell(struct seed *s, const struct seed_node *node)
{
	char name[NAME_SIZE];

	(void)print_name(node, name);
	return seed_tell(s, node->action, node->kind, name, node->path);
}
