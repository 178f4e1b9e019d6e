/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "seed/seed-internal.h"

/* The second pass: services and instances. */

enum {
	NAME_SIZE = 2048, /* "NAMESPACE/SERVICE/INSTANCE" for people, cut to fit */
};

struct service {
	const char *path;
	char name[NAME_SIZE];
	char id[SEED_PATH_SIZE]; /* "": not created, in a dry run */
	json_t *instances;	 /* as ListInstances has them */
	json_t *pending;	 /* registrations under way, see register_instance() */
};

/* ---- instances ---- */

static gaz_status tell_instance(struct seed *s, const struct service *svc,
				enum seed_action action, const char *id, const char *path)
{
	char name[2 * NAME_SIZE];

	(void)snprintf(name, sizeof name, "%s/%s", svc->name, id);
	return seed_tell(s, action, "instance", name, path);
}

/* Registrations are started one after the other, and waited for together. */
static gaz_status register_instance(struct seed *s, struct service *svc, const char *path,
				    enum seed_action action, json_t *want)
{
	const char *id = seed_text(want, "InstanceId");
	json_t *input = json_copy(want);
	json_t *started;
	gaz_status st;

	(void)json_object_set_new(input, "ServiceId", json_string(svc->id));
	st = seed_call(s, path, "RegisterInstance", input, &started);
	if (st == GAZ_OK &&
	    json_array_append_new(svc->pending,
				  json_pack("{s:s, s:s, s:i, s:O}", "Id", id, "Path",
					    path, "Action", (int)action, "Started",
					    started)) != 0)
		st = GAZ_ENOMEM;
	json_decref(started);
	return st;
}

static gaz_status apply_instance(struct seed *s, struct service *svc, size_t index,
				 json_t *want)
{
	const char *id = seed_text(want, "InstanceId");
	const json_t *have = seed_find(svc->instances, "Id", id);
	const json_t *attributes = json_object_get(want, "Attributes");
	enum seed_action action = have ? SEED_CHANGED : SEED_CREATED;
	char path[SEED_PATH_SIZE];

	(void)snprintf(path, sizeof path, "%s.Instances[%zu]", svc->path, index);
	if (have && seed_has_attributes(attributes, json_object_get(have, "Attributes")))
		return tell_instance(s, svc, SEED_UNCHANGED, id, path);
	if (s->options.dry_run)
		return tell_instance(s, svc, action, id, path);
	return register_instance(s, svc, path, action, want);
}

static gaz_status await_instances(struct seed *s, struct service *svc)
{
	gaz_status st = GAZ_OK;
	json_t *one;
	size_t i;

	json_array_foreach(svc->pending, i, one)
	{
		const char *path = seed_text(one, "Path");
		json_int_t action = json_integer_value(json_object_get(one, "Action"));

		st = seed_await(s, path, json_object_get(one, "Started"), NULL);
		if (st == GAZ_OK)
			st = tell_instance(s, svc, (enum seed_action)action,
					   seed_text(one, "Id"), path);
		if (st != GAZ_OK && st != GAZ_EREFUSED)
			return st;
	}
	return GAZ_OK;
}

static gaz_status apply_instances(struct seed *s, struct service *svc, json_t *list,
				  bool is_new)
{
	gaz_status st = GAZ_OK;
	json_t *want;
	size_t i;

	if (json_array_size(list) > 0 && !is_new)
		st = seed_list(s, svc->path, "ListInstances",
			       json_pack("{s:s}", "ServiceId", svc->id), "Instances",
			       &svc->instances);
	if (st != GAZ_OK)
		return st;
	svc->pending = json_array();
	json_array_foreach(list, i, want)
	{
		st = apply_instance(s, svc, i, want);
		if (st != GAZ_OK && st != GAZ_EREFUSED)
			break;
	}
	if (st == GAZ_OK || st == GAZ_EREFUSED)
		st = await_instances(s, svc);
	json_decref(svc->pending);
	json_decref(svc->instances);
	return st;
}

/* ---- services ---- */

static gaz_status create_service(struct seed *s, const char *namespace_id,
				 struct service *svc, const json_t *want)
{
	json_t *input = json_copy((json_t *)want);
	json_t *reply;
	gaz_status st;

	json_object_del(input, "Attributes");
	json_object_del(input, "Instances");
	(void)json_object_set_new(input, "NamespaceId", json_string(namespace_id));
	st = seed_call(s, svc->path, "CreateService", input, &reply);
	(void)snprintf(svc->id, sizeof svc->id, "%s",
		       seed_text(json_object_get(reply, "Service"), "Id"));
	json_decref(reply);
	return st;
}

/* What UpdateService does not know. */
static gaz_status check_fixed(struct seed *s, const char *path, const json_t *want,
			      const json_t *have)
{
	static const char *const members[] = {"Type", "HealthCheckCustomConfig"};
	const json_t *dns = json_object_get(want, "DnsConfig");
	const char *now = seed_text(json_object_get(have, "DnsConfig"), "RoutingPolicy");
	const char *then = seed_text(dns, "RoutingPolicy");
	const size_t faults = s->faults;
	char place[SEED_PATH_SIZE];

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const json_t *value = json_object_get(have, members[i]);
		const json_t *wanted = json_object_get(want, members[i]);

		/* Of a custom health check only that there is one counts. */
		if (!wanted || json_is_null(wanted) ||
		    (i > 0 ? value != NULL : json_equal(wanted, value)))
			continue;
		(void)snprintf(place, sizeof place, "%s.%s", path, members[i]);
		seed_fault(s, place,
			   "The service that is there differs, and this cannot "
			   "be changed; delete the service first");
	}
	if (*then && *now && strcmp(then, now) != 0) {
		(void)snprintf(place, sizeof place, "%s.DnsConfig.RoutingPolicy", path);
		seed_fault(s, place,
			   "The service that is there has %s, and this cannot "
			   "be changed; delete the service first",
			   now);
	}
	return s->faults > faults ? GAZ_EREFUSED : GAZ_OK;
}

/* UpdateService removes what it is not given: all that stays must be named. */
static void take_over(json_t *change, const char *member, const json_t *want,
		      const json_t *have)
{
	json_t *value = json_object_get(want, member);

	if (!value || json_is_null(value))
		value = json_object_get(have, member);
	if (value)
		(void)json_object_set(change, member, value);
}

static json_t *make_change(const json_t *want, const json_t *have)
{
	const json_t *have_dns = json_object_get(have, "DnsConfig");
	json_t *change = json_object();
	json_t *dns = json_object();

	take_over(change, "Description", want, have);
	take_over(change, "HealthCheckConfig", want, have);
	take_over(dns, "DnsRecords", json_object_get(want, "DnsConfig"), have_dns);
	if (json_object_size(dns) > 0)
		(void)json_object_set(change, "DnsConfig", dns);
	json_decref(dns);
	return change;
}

static gaz_status update_service(struct seed *s, const struct service *svc,
				 const json_t *want, const json_t *have,
				 bool *changed_out)
{
	static const char *const members[] = {"Description", "HealthCheckConfig",
					      "DnsConfig"};
	gaz_status st = check_fixed(s, svc->path, want, have);
	bool is_same = true;

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		is_same = is_same && seed_is_within(json_object_get(want, members[i]),
						    json_object_get(have, members[i]));
	if (st != GAZ_OK || is_same)
		return st;
	*changed_out = true;
	if (s->options.dry_run)
		return GAZ_OK;
	return seed_run(s, svc->path, "UpdateService",
			json_pack("{s:s, s:o}", "Id", svc->id, "Service",
				  make_change(want, have)));
}

static gaz_status apply_attributes(struct seed *s, const struct service *svc,
				   const json_t *want, bool is_new, bool *changed_out)
{
	json_t *reply = NULL, *change, *have;
	gaz_status st = GAZ_OK;

	if (json_object_size(want) == 0)
		return GAZ_OK;
	if (!is_new)
		st = seed_call(s, svc->path, "GetServiceAttributes",
			       json_pack("{s:s}", "ServiceId", svc->id), &reply);
	have = json_object_get(json_object_get(reply, "ServiceAttributes"), "Attributes");
	change = st == GAZ_OK ? seed_pairs_to_change(want, have) : NULL;
	json_decref(reply);
	if (!change)
		return st;
	*changed_out = true;
	if (s->options.dry_run) {
		json_decref(change);
		return GAZ_OK;
	}
	st = seed_call(
		s, svc->path, "UpdateServiceAttributes",
		json_pack("{s:s, s:o}", "ServiceId", svc->id, "Attributes", change),
		&reply);
	json_decref(reply);
	return st;
}

static gaz_status apply_one(struct seed *s, const struct seed_place *ns,
			    struct service *svc, const json_t *want)
{
	const json_t *have = seed_find(ns->services, "Name", seed_text(want, "Name"));
	enum seed_action action = have ? SEED_UNCHANGED : SEED_CREATED;
	bool changed = false;
	gaz_status st = GAZ_OK;

	if (have) {
		(void)snprintf(svc->id, sizeof svc->id, "%s", seed_text(have, "Id"));
		st = update_service(s, svc, want, have, &changed);
		if (st == GAZ_OK)
			st = seed_apply_tags(s, svc->path, json_object_get(want, "Tags"),
					     seed_text(have, "Arn"), &changed);
	} else if (!s->options.dry_run) {
		st = create_service(s, ns->id, svc, want);
	}
	if (st == GAZ_OK)
		st = apply_attributes(s, svc, json_object_get(want, "Attributes"), !have,
				      &changed);
	if (have && changed)
		action = SEED_CHANGED;
	if (st == GAZ_OK)
		st = seed_tell(s, action, "service", svc->name, svc->path);
	return st == GAZ_OK ? apply_instances(s, svc, json_object_get(want, "Instances"),
					      !have)
			    : st;
}

gaz_status seed_apply_service(struct seed *s, const struct seed_place *ns, size_t index,
			      const json_t *want)
{
	char path[SEED_PATH_SIZE];
	struct service svc = {.path = path};

	(void)snprintf(path, sizeof path, "%s.Services[%zu]", ns->path, index);
	(void)snprintf(svc.name, sizeof svc.name, "%s/%s", ns->name,
		       seed_text(want, "Name"));
	return apply_one(s, ns, &svc, want);
}
