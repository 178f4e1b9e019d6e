/* SPDX-License-Identifier: BSD-2-Clause */
#include "seed/namespace-internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "seed/compare-internal.h"
#include "seed/operation-internal.h"
#include "seed/reply.h"
#include "seed/service-internal.h"
#include "seed/tag-internal.h"
#include "seed/type-internal.h"

/* A namespace is known by its type, its name, and a private one by its VPC. */
static json_t *find_namespace(const json_t *all, const json_t *want)
{
	const char *type = reply_text(want, "Type");
	const char *name = reply_text(want, "Name");
	json_t *have;
	size_t i;

	json_array_foreach((json_t *)all, i, have)
	{
		bool is_http = strcmp(type, "HTTP") == 0;
		int (*compare)(const char *, const char *) =
			is_http ? strcmp : strcasecmp;

		if (strcmp(reply_text(have, "Type"), type) == 0 &&
		    compare(reply_text(have, "Name"), name) == 0 &&
		    strcmp(reply_text(have, "Vpc"), reply_text(want, "Vpc")) == 0)
			return have;
	}
	return NULL;
}

static gaz_status go_into(struct seed *s, struct seed_node *ns, bool is_new)
{
	gaz_status st = seed_node_tell(s, ns);

	return st == GAZ_OK ? seed_apply_services(s, ns, is_new) : st;
}

static gaz_status on_created(struct seed *s, void *arg, gaz_status st,
			     const json_t *operation)
{
	struct seed_node *ns = arg;

	(void)snprintf(ns->id, sizeof ns->id, "%s",
		       reply_text(json_object_get(operation, "Targets"), "NAMESPACE"));
	if (st == GAZ_OK)
		st = go_into(s, ns, true);
	seed_node_unref(&ns);
	return st;
}

static gaz_status create_namespace(struct seed *s, struct seed_node *ns)
{
	const struct seed_type *type = seed_find_type(reply_text(ns->want, "Type"));
	json_t *input = json_copy((json_t *)ns->want);

	json_object_del(input, "Type");
	json_object_del(input, "Services");
	return seed_send_run(s, ns->path, type->create, input, on_created,
			     seed_node_ref(ns));
}

/* Of the properties only the SOA's TTL can be told; the API knows. */
static gaz_status update_namespace(struct seed *s, const struct seed_node *ns,
				   bool *changed_out, const json_t *have)
{
	static const char *const members[] = {"Description", "Properties"};
	const struct seed_type *type = seed_find_type(reply_text(ns->want, "Type"));
	json_t *change = json_object();
	gaz_status st = GAZ_OK;

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		json_t *want = json_object_get(ns->want, members[i]);

		if (!seed_is_within(want, json_object_get(have, members[i])))
			(void)json_object_set(change, members[i], want);
	}
	if (json_object_size(change) > 0) {
		*changed_out = true;
		if (!s->options.dry_run)
			st = seed_run(s, ns->path, type->update,
				      json_pack("{s:s, s:O}", "Id", ns->id, "Namespace",
						change));
	}
	json_decref(change);
	return st;
}

static gaz_status change_namespace(struct seed *s, struct seed_node *ns,
				   const json_t *have)
{
	bool changed = false;
	gaz_status st;

	(void)snprintf(ns->id, sizeof ns->id, "%s", reply_text(have, "Id"));
	st = update_namespace(s, ns, &changed, have);
	if (st == GAZ_OK)
		st = seed_apply_tags(s, ns->path, json_object_get(ns->want, "Tags"),
				     reply_text(have, "Arn"), &changed);
	ns->action = changed ? SEED_CHANGED : SEED_UNCHANGED;
	return st == GAZ_OK ? go_into(s, ns, false) : st;
}

static gaz_status apply_namespace(struct seed *s, struct seed_node *ns,
				  const json_t *have)
{
	const json_t *before = find_namespace(have, ns->want);

	if (before)
		return change_namespace(s, ns, before);
	ns->action = SEED_CREATED;
	return s->options.dry_run ? go_into(s, ns, true) : create_namespace(s, ns);
}

gaz_status seed_apply_namespaces(struct seed *s, const json_t *document)
{
	static const struct seed_list list = {
		.name = "Namespaces",
		.kind = "namespace",
		.key = "Name",
		.apply = apply_namespace,
	};

	return seed_apply_list(s, &list, document, NULL, s->namespaces);
}
