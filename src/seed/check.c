/* SPDX-License-Identifier: BSD-2-Clause */
#include "seed/check-internal.h"

#include <stdio.h>
#include <string.h>

#include "seed/call-internal.h"
#include "seed/reply.h"
#include "seed/type-internal.h"

/* The first pass over a document: each item's calls are tried, which are checked by the
 * API and not made. What is checked here is the frame around the items. */

/* Ids that are not there yet, in their form. */
static const char some_namespace[] = "ns-aaaaaaaaaaaaaaaa";
static const char some_service[] = "srv-aaaaaaaaaaaaaaaa";

typedef gaz_status check_item(struct seed *s, const char *path, const json_t *item,
			      json_t *seen);

static bool is_absent(const json_t *value)
{
	return !value || json_is_null(value);
}

/* Each object of a list; their keys are collected in one set. */
static gaz_status check_list(struct seed *s, const char *path, const json_t *object,
			     const char *name, check_item *check)
{
	const json_t *list = json_object_get(object, name);
	const char *dot = *path ? "." : "";
	char place[SEED_PATH_SIZE];
	json_t *seen = json_object();
	gaz_status st = GAZ_OK;
	json_t *item;
	size_t i;

	(void)snprintf(place, sizeof place, "%s%s%s", path, dot, name);
	if (!is_absent(list) && !json_is_array(list))
		seed_fault(s, place, "The value must be a list");
	json_array_foreach((json_t *)list, i, item)
	{
		(void)snprintf(place, sizeof place, "%s%s%s[%zu]", path, dot, name, i);
		s->total++;
		if (!json_is_object(item))
			seed_fault(s, place, "The value must be an object");
		else if (st == GAZ_OK)
			st = check(s, place, item, seen);
	}
	json_decref(seen);
	return st;
}

/* Two items that are one resource would each undo the other at every start. */
static void check_unique(struct seed *s, const char *path, const char *member,
			 json_t *seen, const char *key)
{
	char place[SEED_PATH_SIZE];

	if (*key && json_object_get(seen, key)) {
		(void)snprintf(place, sizeof place, "%s.%s", path, member);
		seed_fault(s, place, "It is there already, as %s",
			   json_string_value(json_object_get(seen, key)));
	}
	(void)json_object_set_new(seen, key, json_string(path));
}

/* A member that the place in the document stands for. */
static void set_owner(struct seed *s, const char *path, json_t *input, const char *member,
		      const char *id)
{
	char place[SEED_PATH_SIZE];

	if (json_object_get(input, member)) {
		(void)snprintf(place, sizeof place, "%s.%s", path, member);
		seed_fault(s, place, "Member must be one that exists here");
	}
	(void)json_object_set_new(input, member, json_string(id));
}

static gaz_status check_vpc(struct seed *s, const char *path, const json_t *vpc,
			    json_t *seen)
{
	json_t *input = json_copy((json_t *)vpc);
	json_t *id = json_object_get(vpc, "Id");

	check_unique(s, path, "Id", seen, reply_text(vpc, "Id"));
	if (id)
		(void)json_object_set(input, "VpcId", id);
	json_object_del(input, "Id");
	return seed_send_trial(s, path, "Gazetteer.PutVpc", input);
}

static gaz_status check_instance(struct seed *s, const char *path, const json_t *instance,
				 json_t *seen)
{
	json_t *input = json_copy((json_t *)instance);

	check_unique(s, path, "InstanceId", seen, reply_text(instance, "InstanceId"));
	set_owner(s, path, input, "ServiceId", some_service);
	return seed_send_trial(s, path, "RegisterInstance", input);
}

static gaz_status check_service(struct seed *s, const char *path, const json_t *service,
				json_t *seen)
{
	json_t *attributes = json_object_get(service, "Attributes");
	json_t *input = json_copy((json_t *)service);
	gaz_status st;

	check_unique(s, path, "Name", seen, reply_text(service, "Name"));
	json_object_del(input, "Attributes");
	json_object_del(input, "Instances");
	set_owner(s, path, input, "NamespaceId", some_namespace);
	st = seed_send_trial(s, path, "CreateService", input);
	if (st == GAZ_OK && !is_absent(attributes))
		st = seed_send_trial(s, path, "UpdateServiceAttributes",
				     json_pack("{s:s, s:O}", "ServiceId", some_service,
					       "Attributes", attributes));
	return st == GAZ_OK ? check_list(s, path, service, "Instances", check_instance)
			    : st;
}

static gaz_status check_namespace(struct seed *s, const char *path,
				  const json_t *namespace, json_t *seen)
{
	const char *type_name = reply_text(namespace, "Type");
	const struct seed_type *type = seed_find_type(type_name);
	char place[SEED_PATH_SIZE];
	char key[2048];
	json_t *input;
	gaz_status st = GAZ_OK;

	if (!type) {
		(void)snprintf(place, sizeof place, "%s.Type", path);
		seed_fault(s, place, "Type must be HTTP, DNS_PRIVATE or DNS_PUBLIC");
	} else {
		(void)snprintf(key, sizeof key, "%s %s %s", type_name,
			       reply_text(namespace, "Vpc"),
			       reply_text(namespace, "Name"));
		check_unique(s, path, "Name", seen, key);
		input = json_copy((json_t *)namespace);
		json_object_del(input, "Type");
		json_object_del(input, "Services");
		st = seed_send_trial(s, path, type->create, input);
	}
	return st == GAZ_OK ? check_list(s, path, namespace, "Services", check_service)
			    : st;
}

gaz_status seed_check(struct seed *s, const json_t *document)
{
	gaz_status st;
	const char *name;
	json_t *value;

	if (!json_is_object(document)) {
		seed_fault(s, "", "The document must be an object");
		return GAZ_EREFUSED;
	}
	json_object_foreach((json_t *)document, name, value)
	{
		if (strcmp(name, "Vpcs") != 0 && strcmp(name, "Namespaces") != 0)
			seed_fault(s, name, "Member must be Vpcs or Namespaces");
	}
	st = check_list(s, "", document, "Vpcs", check_vpc);
	if (st == GAZ_OK)
		st = check_list(s, "", document, "Namespaces", check_namespace);
	if (st == GAZ_OK)
		st = seed_drain(s);
	return st == GAZ_OK && s->faults > 0 ? GAZ_EREFUSED : st;
}
