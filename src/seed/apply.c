/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "seed/check-internal.h"
#include "seed/compare-internal.h"
#include "seed/namespace-internal.h"
#include "seed/operation-internal.h"
#include "seed/reply.h"

gaz_status seed_read(const char *path, json_t **out, struct gaz_error *err)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	json_error_t error;
	json_t *document = is_stdin
				   ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &error)
				   : json_load_file(path, JSON_REJECT_DUPLICATES, &error);

	if (!document)
		return error.line < 0
			       ? gaz_error_set(err, GAZ_EIO, "%s", error.text)
			       : gaz_error_set(err, GAZ_EFORMAT, "%s:%d:%d: %s",
					       is_stdin ? "standard input" : path,
					       error.line, error.column, error.text);
	*out = document;
	return GAZ_OK;
}

/* ---- VPCs ---- */

static json_t *find_cidrs(const json_t *vpcs, const struct seed_node *vpc)
{
	return json_object_get(seed_find(vpcs, "VpcId", vpc->name), "Cidrs");
}

static gaz_status on_put(struct seed *s, void *arg, gaz_status st, const json_t *reply)
{
	const json_t *now = json_object_get(json_object_get(reply, "Vpc"), "Cidrs");
	struct seed_node *vpc = arg;

	/* A prefix may be written in several ways. */
	if (json_equal(find_cidrs(s->vpcs, vpc), now))
		vpc->action = SEED_UNCHANGED;
	if (st == GAZ_OK)
		st = seed_node_tell(s, vpc);
	seed_node_unref(&vpc);
	return st;
}

static gaz_status apply_vpc(struct seed *s, struct seed_node *vpc, const json_t *vpcs)
{
	json_t *cidrs = json_object_get(vpc->want, "Cidrs");
	const json_t *have = find_cidrs(vpcs, vpc);
	const bool is_same = have && seed_is_within(cidrs, have);

	vpc->action = is_same ? SEED_UNCHANGED : have ? SEED_CHANGED : SEED_CREATED;
	if (is_same || s->options.dry_run)
		return seed_node_tell(s, vpc);
	return seed_send(s, vpc->path, "Gazetteer.PutVpc",
			 json_pack("{s:s, s:O}", "VpcId", vpc->name, "Cidrs", cidrs),
			 on_put, seed_node_ref(vpc));
}

/* Namespaces may need them, so they are there before the first of those is sent. */
static gaz_status apply_vpcs(struct seed *s, const json_t *document)
{
	static const struct seed_list list = {
		.name = "Vpcs",
		.kind = "vpc",
		.key = "Id",
		.apply = apply_vpc,
	};
	gaz_status st = seed_apply_list(s, &list, document, NULL, s->vpcs);
	gaz_status end = seed_drain(s);

	return st == GAZ_OK ? end : st;
}

/* ---- the whole ---- */

/* What there is can be told only when nothing is under way, such as what a former start
 * had begun. How it ends does not matter. */
static gaz_status settle(struct seed *s)
{
	json_t *operations, *operation;
	gaz_status st = seed_list(s, "", "ListOperations",
				  json_pack("{s:[{s:s, s:s, s:[s, s]}]}", "Filters",
					    "Name", "STATUS", "Condition", "IN", "Values",
					    "SUBMITTED", "PENDING"),
				  "Operations", &operations);
	size_t i;

	if (st != GAZ_OK)
		return st;
	json_array_foreach(operations, i, operation)
	{
		if (st == GAZ_OK)
			st = seed_settle(s, reply_text(operation, "Id"));
	}
	json_decref(operations);
	return st;
}

/* The first pass, and what there is. */
static gaz_status prepare(struct seed *s, const json_t *document)
{
	gaz_status st = seed_check(s, document);

	if (st == GAZ_OK && !s->options.dry_run)
		st = settle(s);
	if (st == GAZ_OK)
		st = seed_list(s, "", "Gazetteer.ListVpcs", json_object(), "Vpcs",
			       &s->vpcs);
	if (st == GAZ_OK)
		st = seed_list(s, "", "Gazetteer.ListNamespaces", json_object(),
			       "Namespaces", &s->namespaces);
	return st;
}

gaz_status seed_apply(const struct seed_api *api, const struct seed_observer *observer,
		      const struct seed_options *options, const json_t *document)
{
	struct seed s = seed_begin(api, observer, options);
	gaz_status st = prepare(&s, document);
	gaz_status end;

	if (st == GAZ_OK)
		st = apply_vpcs(&s, document);
	if (st == GAZ_OK)
		st = seed_apply_namespaces(&s, document);
	/* What is under way comes to its end also when the work has ended. */
	if (st != GAZ_OK && s.status == GAZ_OK)
		s.status = st;
	end = seed_finish(&s);
	json_decref(s.vpcs);
	json_decref(s.namespaces);
	if (st == GAZ_OK)
		st = end;
	return st == GAZ_OK && s.faults > 0 ? GAZ_EREFUSED : st;
}
