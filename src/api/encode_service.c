/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/encode-internal.h"
#include "registry/discovery.h"
#include "registry/health.h"
#include "registry/instance.h"
#include "registry/service.h"

/* Services */

static json_t *encode_dns_records(const struct service_record *service)
{
	static const char *const types[] = {
		[RECORD_SRV] = "SRV",
		[RECORD_A] = "A",
		[RECORD_AAAA] = "AAAA",
		[RECORD_CNAME] = "CNAME",
	};
	json_t *list = json_array();

	for (size_t i = 0; list && i < service->dns_record_count; i++) {
		json_t *record =
			json_pack("{s:s, s:I}", "Type",
				  NAME_OF(types, service->dns_records[i].type), "TTL",
				  (json_int_t)service->dns_records[i].ttl);

		if (json_array_append_new(list, record) < 0)
			return encode_finish(list, false);
	}
	return list;
}

/* Lists leave out the namespace, here and in the service itself. */
static json_t *encode_dns_config(const struct service_record *service, bool in_list)
{
	static const char *const policies[] = {
		[ROUTING_MULTIVALUE] = "MULTIVALUE",
		[ROUTING_WEIGHTED] = "WEIGHTED",
	};

	if (service->dns_record_count == 0 || service->dns_deleted)
		return json_object();
	return json_pack("{s:s*, s:s*, s:o}", "NamespaceId",
			 in_list ? NULL : service->namespace_id, "RoutingPolicy",
			 NAME_OF(policies, service->routing_policy), "DnsRecords",
			 encode_dns_records(service));
}

static bool add_health_check(json_t *object, const struct service_record *service)
{
	static const char *const types[] = {
		[HEALTH_CHECK_HTTP] = "HTTP",
		[HEALTH_CHECK_HTTPS] = "HTTPS",
		[HEALTH_CHECK_TCP] = "TCP",
	};

	/* AWS answers 1 whatever threshold was sent. */
	if (service->has_custom_health &&
	    json_object_set_new(object, "HealthCheckCustomConfig",
				json_pack("{s:i}", "FailureThreshold", 1)) < 0)
		return false;
	if (!service->health_check)
		return true;
	return json_object_set_new(
		       object, "HealthCheckConfig",
		       json_pack("{s:s*, s:s*, s:I}", "Type",
				 NAME_OF(types, service->health_check), "ResourcePath",
				 service->resource_path, "FailureThreshold",
				 (json_int_t)service->failure_threshold)) == 0;
}

static json_t *encode_service_record(const struct service_record *service, bool in_list)
{
	static const char *const types[] = {
		[SERVICE_HTTP] = "HTTP",
		[SERVICE_DNS_HTTP] = "DNS_HTTP",
	};
	json_t *object = json_pack(
		"{s:s, s:s, s:s, s:s*, s:s, s:s, s:I, s:s*, s:o, s:f}", "Id", service->id,
		"Arn", service->arn, "Name", service->name, "NamespaceId",
		in_list ? NULL : service->namespace_id, "ResourceOwner", service->account,
		"CreatedByAccount", service->account, "InstanceCount",
		(json_int_t)service->instance_count, "Type",
		NAME_OF(types, service->type), "DnsConfig",
		encode_dns_config(service, in_list), "CreateDate",
		encode_seconds(service->create_ms));

	if (!object)
		return NULL;
	return encode_finish(
		object,
		encode_add_optional(object, "Description", service->description) &&
			encode_add_optional(object, "CreatorRequestId",
					    in_list ? NULL
						    : service->creator_request_id) &&
			add_health_check(object, service));
}

json_t *encode_service(const struct call *call, const void *out)
{
	(void)call;
	return json_pack("{s:o}", "Service", encode_service_record(out, false));
}

static json_t *encode_service_summary(const void *item)
{
	return encode_service_record(item, true);
}

json_t *encode_service_page(const struct call *call, const void *out)
{
	const struct service_page_out *page = out;

	(void)call;
	return encode_with_next_token(
		json_pack("{s:o}", "Services",
			  encode_list(page->items, page->count, sizeof *page->items,
				      encode_service_summary)),
		page->next_token);
}

static json_t *encode_map(const struct pair_list *pairs)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < pairs->count; i++) {
		if (json_object_set_new(object, pairs->items[i].key,
					json_string(pairs->items[i].value)) < 0)
			return encode_finish(object, false);
	}
	return object;
}

json_t *encode_service_attributes(const struct call *call, const void *out)
{
	const struct service_attributes_out *result = out;

	(void)call;
	return json_pack("{s:{s:s, s:s, s:o}}", "ServiceAttributes", "ServiceArn",
			 result->service_arn, "ResourceOwner", result->account,
			 "Attributes", encode_map(&result->attributes));
}

/* Instances */

static json_t *encode_instance_common(const struct instance_out *inst,
				      const char *creator_request_id)
{
	return json_pack("{s:s, s:s*, s:o, s:s}", "Id", inst->id, "CreatorRequestId",
			 creator_request_id, "Attributes", encode_map(&inst->attributes),
			 "CreatedByAccount", inst->account);
}

json_t *encode_instance(const struct call *call, const void *out)
{
	const struct instance_out *inst = out;

	(void)call;
	return json_pack("{s:s, s:o}", "ResourceOwner", inst->account, "Instance",
			 encode_instance_common(inst, inst->creator_request_id));
}

static json_t *encode_instance_summary(const void *item)
{
	return encode_instance_common(item, NULL);
}

json_t *encode_instance_page(const struct call *call, const void *out)
{
	const struct instance_page_out *page = out;

	(void)call;
	return encode_with_next_token(
		json_pack("{s:s, s:o}", "ResourceOwner", page->account, "Instances",
			  encode_list(page->items, page->count, sizeof *page->items,
				      encode_instance_summary)),
		page->next_token);
}

/* Discovery and health */

static const char *health_name(enum health_status status)
{
	static const char *const names[] = {
		[HEALTH_HEALTHY] = "HEALTHY",
		[HEALTH_UNHEALTHY] = "UNHEALTHY",
		[HEALTH_UNKNOWN] = "UNKNOWN",
	};

	return NAME_OF(names, status);
}

/* Without json_pack(), and with the names made once for all: this is the call that
 * services make all the time. */
static json_t *encode_discovered(const struct discovered_instance *inst,
				 json_t *namespace_name, json_t *service_name)
{
	json_t *item = json_object();
	bool complete =
		json_object_set_new(item, "InstanceId", json_string(inst->id)) == 0 &&
		json_object_set(item, "NamespaceName", namespace_name) == 0 &&
		json_object_set(item, "ServiceName", service_name) == 0 &&
		json_object_set_new(item, "HealthStatus",
				    json_string(health_name(inst->health))) == 0 &&
		json_object_set_new(item, "Attributes", encode_map(&inst->attributes)) ==
			0;

	return encode_finish(item, complete);
}

json_t *encode_discovery(const struct call *call, const void *out)
{
	const struct discover_out *result = out;
	json_t *namespace_name = json_string(result->namespace_name);
	json_t *service_name = json_string(result->service_name);
	json_t *list = json_array();

	(void)call;
	for (size_t i = 0; list && i < result->count; i++) {
		if (json_array_append_new(list, encode_discovered(&result->items[i],
								  namespace_name,
								  service_name)) < 0)
			list = encode_finish(list, false);
	}
	json_decref(namespace_name);
	json_decref(service_name);
	return json_pack("{s:o, s:I}", "Instances", list, "InstancesRevision",
			 (json_int_t)result->revision);
}

json_t *encode_revision(const struct call *call, const void *out)
{
	const struct discover_out *result = out;

	(void)call;
	return json_pack("{s:I}", "InstancesRevision", (json_int_t)result->revision);
}

json_t *encode_health_page(const struct call *call, const void *out)
{
	const struct health_page_out *page = out;
	json_t *map = json_object();

	(void)call;
	for (size_t i = 0; map && i < page->count; i++) {
		if (json_object_set_new(map, page->items[i].id,
					json_string(health_name(page->items[i].status))) <
		    0)
			map = encode_finish(map, false);
	}
	return encode_with_next_token(json_pack("{s:o}", "Status", map),
				      page->next_token);
}
