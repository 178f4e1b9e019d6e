/* SPDX-License-Identifier: BSD-2-Clause */
#include "seed/service-internal.h"

#include <stdio.h>
#include <string.h>

#include "seed/compare-internal.h"
#include "seed/instance-internal.h"
#include "seed/operation-internal.h"
#include "seed/reply.h"
#include "seed/tag-internal.h"

static json_t *attributes_input(const struct seed_node *svc, json_t *attributes)
{
	return json_pack("{s:s, s:O}", "ServiceId", svc->id, "Attributes", attributes);
}

/* ---- a service that is not there: replies lead from one call to the next ---- */

static gaz_status go_into(struct seed *s, struct seed_node *svc, bool is_new)
{
	gaz_status st = seed_node_tell(s, svc);

	return st == GAZ_OK ? seed_apply_instances(s, svc, is_new) : st;
}

static gaz_status on_attributes(struct seed *s, void *arg, gaz_status st,
				const json_t *reply)
{
	struct seed_node *svc = arg;

	(void)reply;
	if (st == GAZ_OK)
		st = go_into(s, svc, true);
	seed_node_unref(&svc);
	return st;
}

static gaz_status on_created(struct seed *s, void *arg, gaz_status st,
			     const json_t *reply)
{
	struct seed_node *svc = arg;
	json_t *attributes = json_object_get(svc->want, "Attributes");

	(void)snprintf(svc->id, sizeof svc->id, "%s",
		       reply_text(json_object_get(reply, "Service"), "Id"));
	if (st != GAZ_OK || json_object_size(attributes) == 0)
		return on_attributes(s, svc, st, NULL);
	return seed_send(s, svc->path, "UpdateServiceAttributes",
			 attributes_input(svc, attributes), on_attributes, svc);
}

static gaz_status create_service(struct seed *s, struct seed_node *svc)
{
	json_t *input = json_copy((json_t *)svc->want);

	json_object_del(input, "Attributes");
	json_object_del(input, "Instances");
	(void)json_object_set_new(input, "NamespaceId", json_string(svc->parent->id));
	return seed_send(s, svc->path, "CreateService", input, on_created,
			 seed_node_ref(svc));
}

/* ---- one that is there ---- */

/* What UpdateService does not know. */
static gaz_status check_fixed(struct seed *s, const char *path, const json_t *want,
			      const json_t *have)
{
	static const char *const members[] = {"Type", "HealthCheckCustomConfig"};
	const json_t *dns = json_object_get(want, "DnsConfig");
	const char *now = reply_text(json_object_get(have, "DnsConfig"), "RoutingPolicy");
	const char *then = reply_text(dns, "RoutingPolicy");
	const size_t faults = s->faults;
	char place[SEED_PATH_SIZE + 32];

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

static gaz_status update_service(struct seed *s, const struct seed_node *svc,
				 const json_t *have, bool *changed_out)
{
	static const char *const members[] = {"Description", "HealthCheckConfig",
					      "DnsConfig"};
	gaz_status st = check_fixed(s, svc->path, svc->want, have);
	bool is_same = true;

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		is_same =
			is_same && seed_is_within(json_object_get(svc->want, members[i]),
						  json_object_get(have, members[i]));
	if (st != GAZ_OK || is_same)
		return st;
	*changed_out = true;
	if (s->options.dry_run)
		return GAZ_OK;
	return seed_run(s, svc->path, "UpdateService",
			json_pack("{s:s, s:o}", "Id", svc->id, "Service",
				  make_change(svc->want, have)));
}

static gaz_status update_attributes(struct seed *s, const struct seed_node *svc,
				    bool *changed_out)
{
	const json_t *want = json_object_get(svc->want, "Attributes");
	json_t *reply, *change;
	gaz_status st;

	if (json_object_size(want) == 0)
		return GAZ_OK;
	st = seed_call(s, svc->path, "GetServiceAttributes",
		       json_pack("{s:s}", "ServiceId", svc->id), &reply);
	if (st != GAZ_OK)
		return st;
	change = seed_pairs_to_change(
		want, json_object_get(json_object_get(reply, "ServiceAttributes"),
				      "Attributes"));
	json_decref(reply);
	reply = NULL;
	if (change) {
		*changed_out = true;
		if (!s->options.dry_run)
			st = seed_call(s, svc->path, "UpdateServiceAttributes",
				       attributes_input(svc, change), &reply);
	}
	json_decref(reply);
	json_decref(change);
	return st;
}

static gaz_status change_service(struct seed *s, struct seed_node *svc,
				 const json_t *have)
{
	bool changed = false;
	gaz_status st;

	(void)snprintf(svc->id, sizeof svc->id, "%s", reply_text(have, "Id"));
	st = update_service(s, svc, have, &changed);
	if (st == GAZ_OK)
		st = seed_apply_tags(s, svc->path, json_object_get(svc->want, "Tags"),
				     reply_text(have, "Arn"), &changed);
	if (st == GAZ_OK)
		st = update_attributes(s, svc, &changed);
	svc->action = changed ? SEED_CHANGED : SEED_UNCHANGED;
	return st == GAZ_OK ? go_into(s, svc, false) : st;
}

static gaz_status apply_service(struct seed *s, struct seed_node *svc, const json_t *have)
{
	const json_t *before = json_object_get(have, svc->name);

	if (before)
		return change_service(s, svc, before);
	svc->action = SEED_CREATED;
	return s->options.dry_run ? go_into(s, svc, true) : create_service(s, svc);
}

static json_t *ask(const struct seed_node *namespace)
{
	return json_pack("{s:[{s:s, s:[s]}]}", "Filters", "Name", "NAMESPACE_ID",
			 "Values", namespace->id);
}

gaz_status seed_apply_services(struct seed *s, struct seed_node *namespace, bool is_new)
{
	static const struct seed_list list = {
		.name = "Services",
		.kind = "service",
		.key = "Name",
		.apply = apply_service,
		.operation = "ListServices",
		.ask = ask,
		.have_key = "Name",
	};

	return seed_apply_below(s, &list, namespace, is_new);
}
