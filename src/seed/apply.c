/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "seed/seed-internal.h"

/* The second pass: VPCs and namespaces; service.c has what lies below. */

static bool may_go_on(gaz_status st)
{
	return st == GAZ_OK || st == GAZ_EREFUSED;
}

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

static gaz_status apply_vpc(struct seed *s, const char *path, json_t *want)
{
	const char *id = seed_text(want, "Id");
	json_t *cidrs = json_object_get(want, "Cidrs");
	json_t *have = json_object_get(seed_find(s->vpcs, "VpcId", id), "Cidrs");
	json_t *reply = NULL;
	bool is_same = have && seed_is_within(cidrs, have);
	gaz_status st = GAZ_OK;

	if (!is_same && !s->options.dry_run) {
		st = seed_call(s, path, "Gazetteer.PutVpc",
			       json_pack("{s:s, s:O}", "VpcId", id, "Cidrs", cidrs),
			       &reply);
		/* A prefix may be written in several ways. */
		is_same = have &&
			  json_equal(have, json_object_get(json_object_get(reply, "Vpc"),
							   "Cidrs"));
		json_decref(reply);
	}
	if (st != GAZ_OK)
		return st;
	return seed_tell(s,
			 is_same ? SEED_UNCHANGED
			 : have	 ? SEED_CHANGED
				 : SEED_CREATED,
			 "vpc", id, path);
}

static gaz_status apply_vpcs(struct seed *s, const json_t *list)
{
	char path[SEED_PATH_SIZE];
	gaz_status st = GAZ_OK;
	json_t *vpc;
	size_t i;

	json_array_foreach((json_t *)list, i, vpc)
	{
		(void)snprintf(path, sizeof path, "Vpcs[%zu]", i);
		st = apply_vpc(s, path, vpc);
		if (!may_go_on(st))
			return st;
	}
	return GAZ_OK;
}

/* ---- namespaces ---- */

gaz_status seed_apply_tags(struct seed *s, const char *path, const json_t *want,
			   const char *arn, bool *changed_out)
{
	json_t *wanted, *have = NULL, *change, *list, *value, *reply;
	const char *key;
	gaz_status st;

	if (json_array_size(want) == 0)
		return GAZ_OK;
	st = seed_list_tags(s, path, arn, &have);
	if (st != GAZ_OK)
		return st;
	wanted = seed_tags_as_map(want);
	change = seed_pairs_to_change(wanted, have);
	if (change) {
		*changed_out = true;
		list = json_array();
		json_object_foreach(change, key, value)(void) json_array_append_new(
			list, json_pack("{s:s, s:O}", "Key", key, "Value", value));
		if (s->options.dry_run) {
			json_decref(list);
		} else {
			st = seed_call(
				s, path, "TagResource",
				json_pack("{s:s, s:o}", "ResourceARN", arn, "Tags", list),
				&reply);
			json_decref(reply);
		}
	}
	json_decref(change);
	json_decref(wanted);
	json_decref(have);
	return st;
}

/* A namespace is known by its type, its name, and a private one by its VPC. */
static json_t *find_namespace(const struct seed *s, const json_t *want)
{
	const char *type = seed_text(want, "Type");
	const char *name = seed_text(want, "Name");
	json_t *have;
	size_t i;

	json_array_foreach(s->namespaces, i, have)
	{
		bool is_http = strcmp(type, "HTTP") == 0;
		int (*compare)(const char *, const char *) =
			is_http ? strcmp : strcasecmp;

		if (strcmp(seed_text(have, "Type"), type) == 0 &&
		    compare(seed_text(have, "Name"), name) == 0 &&
		    strcmp(seed_text(have, "Vpc"), seed_text(want, "Vpc")) == 0)
			return have;
	}
	return NULL;
}

static gaz_status create_namespace(struct seed *s, const char *path, const json_t *want,
				   char id_out[SEED_PATH_SIZE])
{
	const struct seed_type *type = seed_find_type(seed_text(want, "Type"));
	json_t *input = json_copy((json_t *)want);
	json_t *started, *operation = NULL;
	gaz_status st;

	json_object_del(input, "Type");
	json_object_del(input, "Services");
	st = seed_call(s, path, type->create, input, &started);
	if (st == GAZ_OK)
		st = seed_await(s, path, started, &operation);
	(void)snprintf(id_out, SEED_PATH_SIZE, "%s",
		       seed_text(json_object_get(operation, "Targets"), "NAMESPACE"));
	json_decref(operation);
	json_decref(started);
	return st;
}

/* Of the properties only the SOA's TTL can be told; the API knows. */
static gaz_status update_namespace(struct seed *s, const char *path, const json_t *want,
				   const json_t *have, bool *changed_out)
{
	const struct seed_type *type = seed_find_type(seed_text(want, "Type"));
	json_t *change = json_object();
	json_t *description = json_object_get(want, "Description");
	json_t *properties = json_object_get(want, "Properties");
	gaz_status st = GAZ_OK;

	if (!seed_is_within(description, json_object_get(have, "Description")))
		(void)json_object_set(change, "Description", description);
	if (!seed_is_within(properties, json_object_get(have, "Properties")))
		(void)json_object_set(change, "Properties", properties);
	if (json_object_size(change) > 0) {
		*changed_out = true;
		if (!s->options.dry_run)
			st = seed_run(s, path, type->update,
				      json_pack("{s:s, s:O}", "Id", seed_text(have, "Id"),
						"Namespace", change));
	}
	json_decref(change);
	return st;
}

static gaz_status apply_services(struct seed *s, const char *path, const json_t *want,
				 const char *id, bool is_new)
{
	struct seed_place place = {
		.path = path,
		.name = seed_text(want, "Name"),
		.id = *id ? id : NULL,
	};
	json_t *list = json_object_get(want, "Services");
	json_t *service;
	gaz_status st = GAZ_OK;
	size_t i;

	if (json_array_size(list) > 0 && !is_new)
		st = seed_list(s, path, "ListServices",
			       json_pack("{s:[{s:s, s:[s]}]}", "Filters", "Name",
					 "NAMESPACE_ID", "Values", id),
			       "Services", &place.services);
	if (st != GAZ_OK)
		return st;
	json_array_foreach(list, i, service)
	{
		st = seed_apply_service(s, &place, i, service);
		if (!may_go_on(st))
			break;
	}
	json_decref(place.services);
	return may_go_on(st) ? GAZ_OK : st;
}

static gaz_status apply_namespace(struct seed *s, const char *path, const json_t *want)
{
	const json_t *have = find_namespace(s, want);
	enum seed_action action = have ? SEED_UNCHANGED : SEED_CREATED;
	char id[SEED_PATH_SIZE] = "";
	bool changed = false;
	gaz_status st = GAZ_OK;

	if (have) {
		(void)snprintf(id, sizeof id, "%s", seed_text(have, "Id"));
		st = update_namespace(s, path, want, have, &changed);
		if (st == GAZ_OK)
			st = seed_apply_tags(s, path, json_object_get(want, "Tags"),
					     seed_text(have, "Arn"), &changed);
	} else if (!s->options.dry_run) {
		st = create_namespace(s, path, want, id);
	}
	if (changed)
		action = SEED_CHANGED;
	if (st == GAZ_OK)
		st = seed_tell(s, action, "namespace", seed_text(want, "Name"), path);
	return st == GAZ_OK ? apply_services(s, path, want, id, !have) : st;
}

static gaz_status apply_namespaces(struct seed *s, const json_t *list)
{
	char path[SEED_PATH_SIZE];
	gaz_status st = GAZ_OK;
	json_t *namespace;
	size_t i;

	json_array_foreach((json_t *)list, i, namespace)
	{
		(void)snprintf(path, sizeof path, "Namespaces[%zu]", i);
		st = apply_namespace(s, path, namespace);
		if (!may_go_on(st))
			return st;
	}
	return GAZ_OK;
}

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
			st = seed_settle(s, seed_text(operation, "Id"));
	}
	json_decref(operations);
	return st;
}

gaz_status seed_apply(const struct seed_api *api, const struct seed_observer *observer,
		      const struct seed_options *options, const json_t *document)
{
	struct seed s = {.api = api, .observer = observer, .options = *options};
	gaz_status st = seed_check(&s, document);

	if (st == GAZ_OK && !options->dry_run)
		st = settle(&s);
	if (st == GAZ_OK)
		st = seed_list(&s, "", "Gazetteer.ListVpcs", json_object(), "Vpcs",
			       &s.vpcs);
	if (st == GAZ_OK)
		st = seed_list(&s, "", "Gazetteer.ListNamespaces", json_object(),
			       "Namespaces", &s.namespaces);
	if (st == GAZ_OK)
		st = apply_vpcs(&s, json_object_get(document, "Vpcs"));
	if (st == GAZ_OK)
		st = apply_namespaces(&s, json_object_get(document, "Namespaces"));
	json_decref(s.vpcs);
	json_decref(s.namespaces);
	return st == GAZ_OK && s.faults > 0 ? GAZ_EREFUSED : st;
}
