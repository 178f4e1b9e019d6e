/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "seed/call-internal.h"
#include "seed/compare-internal.h"
#include "seed/reply.h"

/* What is there, as a document that makes it again. */

static void copy_member(json_t *to, const char *name, const json_t *from)
{
	json_t *value = json_object_get(from, name);

	if (value)
		(void)json_object_set(to, name, value);
}

/* Takes the list; an empty one is left out. */
static void set_list(json_t *to, const char *name, json_t *take)
{
	if (json_array_size(take) > 0)
		(void)json_object_set(to, name, take);
	json_decref(take);
}

static gaz_status export_tags(struct seed *s, const json_t *have, json_t *out)
{
	json_t *reply;
	gaz_status st = seed_call(
		s, "", "ListTagsForResource",
		json_pack("{s:s}", "ResourceARN", reply_text(have, "Arn")), &reply);

	if (st == GAZ_OK)
		set_list(out, "Tags", json_incref(json_object_get(reply, "Tags")));
	json_decref(reply);
	return st;
}

/* ---- services ---- */

/* The API adds the address of an EC2 instance, and takes none beside its id. */
static json_t *instance_attributes(const json_t *have)
{
	json_t *attributes = json_copy(json_object_get(have, "Attributes"));

	if (json_object_get(attributes, "AWS_EC2_INSTANCE_ID"))
		json_object_del(attributes, "AWS_INSTANCE_IPV4");
	return attributes;
}

static gaz_status export_instances(struct seed *s, const char *service_id, json_t *out)
{
	json_t *list, *have, *instances = json_array();
	gaz_status st = seed_list(s, "", "ListInstances",
				  json_pack("{s:s}", "ServiceId", service_id),
				  "Instances", &list);
	size_t i;

	if (st == GAZ_OK) {
		json_array_foreach(list, i, have)(void) json_array_append_new(
			instances,
			json_pack("{s:s, s:o}", "InstanceId", reply_text(have, "Id"),
				  "Attributes", instance_attributes(have)));
		json_decref(list);
	}
	set_list(out, "Instances", instances);
	return st;
}

static gaz_status export_attributes(struct seed *s, const char *service_id, json_t *out)
{
	json_t *reply, *attributes;
	gaz_status st = seed_call(s, "", "GetServiceAttributes",
				  json_pack("{s:s}", "ServiceId", service_id), &reply);

	attributes = json_object_get(json_object_get(reply, "ServiceAttributes"),
				     "Attributes");
	if (json_object_size(attributes) > 0)
		(void)json_object_set(out, "Attributes", attributes);
	json_decref(reply);
	return st;
}

/* CreateService takes Type only where it says more than the rest does. */
static void copy_type(json_t *out, const json_t *have, const char *namespace_type)
{
	if (strcmp(reply_text(have, "Type"), "HTTP") == 0 &&
	    strcmp(namespace_type, "HTTP") != 0)
		copy_member(out, "Type", have);
}

static void copy_dns_config(json_t *out, const json_t *have)
{
	const json_t *dns = json_object_get(have, "DnsConfig");
	json_t *copy;

	if (!json_object_get(dns, "DnsRecords"))
		return;
	copy = json_object();
	copy_member(copy, "RoutingPolicy", dns);
	copy_member(copy, "DnsRecords", dns);
	(void)json_object_set_new(out, "DnsConfig", copy);
}

static gaz_status export_service(struct seed *s, const json_t *have,
				 const char *namespace_type, json_t *list)
{
	const char *id = reply_text(have, "Id");
	json_t *out = json_object();
	gaz_status st;

	copy_member(out, "Name", have);
	copy_member(out, "Description", have);
	copy_type(out, have, namespace_type);
	copy_dns_config(out, have);
	copy_member(out, "HealthCheckConfig", have);
	copy_member(out, "HealthCheckCustomConfig", have);
	st = export_tags(s, have, out);
	if (st == GAZ_OK)
		st = export_attributes(s, id, out);
	if (st == GAZ_OK)
		st = export_instances(s, id, out);
	(void)json_array_append_new(list, out);
	return st;
}

static gaz_status export_services(struct seed *s, const json_t *namespace, json_t *out)
{
	json_t *list, *have, *services = json_array();
	gaz_status st = seed_list(s, "", "ListServices",
				  json_pack("{s:[{s:s, s:[s]}]}", "Filters", "Name",
					    "NAMESPACE_ID", "Values",
					    reply_text(namespace, "Id")),
				  "Services", &list);
	size_t i;

	if (st == GAZ_OK) {
		json_array_foreach(list, i, have)
		{
			if (st == GAZ_OK)
				st = export_service(
					s, have, reply_text(namespace, "Type"), services);
		}
		json_decref(list);
	}
	set_list(out, "Services", services);
	return st;
}

/* ---- namespaces and VPCs ---- */

static gaz_status export_namespace(struct seed *s, const json_t *have, json_t *list)
{
	const json_t *dns =
		json_object_get(json_object_get(have, "Properties"), "DnsProperties");
	json_t *ttl = json_object_get(json_object_get(dns, "SOA"), "TTL");
	json_t *out = json_object();
	gaz_status st;

	copy_member(out, "Name", have);
	copy_member(out, "Type", have);
	copy_member(out, "Vpc", have);
	copy_member(out, "Description", have);
	if (ttl)
		(void)json_object_set_new(
			out, "Properties",
			json_pack("{s:{s:{s:O}}}", "DnsProperties", "SOA", "TTL", ttl));
	st = export_tags(s, have, out);
	if (st == GAZ_OK)
		st = export_services(s, have, out);
	(void)json_array_append_new(list, out);
	return st;
}

static gaz_status export_namespaces(struct seed *s, const char *which, json_t *list)
{
	gaz_status st = GAZ_OK;
	size_t found = 0, i;
	json_t *have;

	json_array_foreach(s->namespaces, i, have)
	{
		if (which && strcmp(which, reply_text(have, "Id")) != 0 &&
		    strcmp(which, reply_text(have, "Arn")) != 0 &&
		    strcmp(which, reply_text(have, "Name")) != 0)
			continue;
		found++;
		if (st == GAZ_OK)
			st = export_namespace(s, have, list);
	}
	if (which && found == 0) {
		seed_fault(s, "", "no namespace is called %s; see: gazctl namespace list",
			   which);
		st = GAZ_EREFUSED;
	}
	return st;
}

/* A VPC that only a listener belongs to has no prefixes, and cannot be declared. */
static void export_vpcs(const struct seed *s, const json_t *namespaces, bool whole,
			json_t *out)
{
	json_t *vpcs = json_array();
	json_t *have;
	size_t i;

	json_array_foreach(s->vpcs, i, have)
	{
		const char *id = reply_text(have, "VpcId");
		json_t *cidrs = json_object_get(have, "Cidrs");

		if (json_array_size(cidrs) == 0 ||
		    (!whole && !seed_find(namespaces, "Vpc", id)))
			continue;
		(void)json_array_append_new(
			vpcs, json_pack("{s:s, s:O}", "Id", id, "Cidrs", cidrs));
	}
	set_list(out, "Vpcs", vpcs);
}

gaz_status seed_export(const struct seed_api *api, const struct seed_observer *observer,
		       int64_t timeout_ms, const char *namespace, json_t **out)
{
	const struct seed_options options = {.timeout_ms = timeout_ms};
	struct seed s = seed_begin(api, observer, &options);
	json_t *document = json_object();
	json_t *list = json_array();
	gaz_status st =
		seed_list(&s, "", "Gazetteer.ListVpcs", json_object(), "Vpcs", &s.vpcs);

	if (st == GAZ_OK)
		st = seed_list(&s, "", "Gazetteer.ListNamespaces", json_object(),
			       "Namespaces", &s.namespaces);
	if (st == GAZ_OK)
		st = export_namespaces(&s, namespace, list);
	export_vpcs(&s, list, namespace == NULL, document);
	(void)json_object_set_new(document, "Namespaces", list);
	json_decref(s.vpcs);
	json_decref(s.namespaces);
	if (st == GAZ_OK)
		*out = document;
	else
		json_decref(document);
	return st;
}
