/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/encode-internal.h"
#include "registry/discovery.h"
#include "registry/health.h"
#include "registry/instance.h"
#include "registry/service.h"

/* Services */

static void put_dns_records(struct json_out *w, const struct service_record *service)
{
	static const char *const types[] = {
		[RECORD_SRV] = "SRV",
		[RECORD_A] = "A",
		[RECORD_AAAA] = "AAAA",
		[RECORD_CNAME] = "CNAME",
	};

	json_member_array(w, "DnsRecords");
	for (size_t i = 0; i < service->dns_record_count; i++) {
		json_begin_object(w);
		json_member_text(w, "Type", NAME_OF(types, service->dns_records[i].type));
		json_member_uint(w, "TTL", service->dns_records[i].ttl);
		json_end_object(w);
	}
	json_end_array(w);
}

/* Lists leave out the namespace, here and in the service itself. */
static void put_dns_config(struct json_out *w, const struct service_record *service,
			   bool in_list)
{
	static const char *const policies[] = {
		[ROUTING_MULTIVALUE] = "MULTIVALUE",
		[ROUTING_WEIGHTED] = "WEIGHTED",
	};

	json_member_object(w, "DnsConfig");
	if (service->dns_record_count > 0 && !service->dns_deleted) {
		if (!in_list)
			json_member_optional(w, "NamespaceId", service->namespace_id);
		json_member_optional(w, "RoutingPolicy",
				     NAME_OF(policies, service->routing_policy));
		put_dns_records(w, service);
	}
	json_end_object(w);
}

static void put_health_check(struct json_out *w, const struct service_record *service)
{
	static const char *const types[] = {
		[HEALTH_CHECK_HTTP] = "HTTP",
		[HEALTH_CHECK_HTTPS] = "HTTPS",
		[HEALTH_CHECK_TCP] = "TCP",
	};

	if (service->has_custom_health) {
		json_member_object(w, "HealthCheckCustomConfig");
		/* AWS answers 1 whatever threshold was sent. */
		json_member_uint(w, "FailureThreshold", 1);
		json_end_object(w);
	}
	if (service->health_check) {
		json_member_object(w, "HealthCheckConfig");
		json_member_optional(w, "Type", NAME_OF(types, service->health_check));
		json_member_optional(w, "ResourcePath", service->resource_path);
		json_member_uint(w, "FailureThreshold", service->failure_threshold);
		json_end_object(w);
	}
}

static void put_service(struct json_out *w, const struct service_record *service,
			bool in_list)
{
	static const char *const types[] = {
		[SERVICE_HTTP] = "HTTP",
		[SERVICE_DNS_HTTP] = "DNS_HTTP",
	};

	json_begin_object(w);
	json_member_text(w, "Id", service->id);
	json_member_text(w, "Arn", service->arn);
	json_member_text(w, "Name", service->name);
	if (!in_list)
		json_member_optional(w, "NamespaceId", service->namespace_id);
	json_member_text(w, "ResourceOwner", service->account);
	json_member_text(w, "CreatedByAccount", service->account);
	json_member_uint(w, "InstanceCount", service->instance_count);
	json_member_optional(w, "Type", NAME_OF(types, service->type));
	put_dns_config(w, service, in_list);
	json_member_seconds(w, "CreateDate", service->create_ms);
	json_member_optional(w, "Description", service->description);
	if (!in_list)
		json_member_optional(w, "CreatorRequestId", service->creator_request_id);
	put_health_check(w, service);
	json_end_object(w);
}

void encode_service(const struct call *call, const void *out, struct json_out *w)
{
	(void)call;
	json_begin_object(w);
	json_name(w, "Service");
	put_service(w, out, false);
	json_end_object(w);
}

void encode_service_page(const struct call *call, const void *out, struct json_out *w)
{
	const struct service_page_out *page = out;

	(void)call;
	json_begin_object(w);
	json_member_array(w, "Services");
	for (size_t i = 0; i < page->count; i++)
		put_service(w, &page->items[i], true);
	json_end_array(w);
	json_member_optional(w, "NextToken", page->next_token);
	json_end_object(w);
}

static void put_attributes(struct json_out *w, const struct pair_list *attributes)
{
	json_member_object(w, "Attributes");
	for (size_t i = 0; i < attributes->count; i++)
		json_member_text(w, attributes->items[i].key, attributes->items[i].value);
	json_end_object(w);
}

void encode_service_attributes(const struct call *call, const void *out,
			       struct json_out *w)
{
	const struct service_attributes_out *result = out;

	(void)call;
	json_begin_object(w);
	json_member_object(w, "ServiceAttributes");
	json_member_text(w, "ServiceArn", result->service_arn);
	json_member_text(w, "ResourceOwner", result->account);
	put_attributes(w, &result->attributes);
	json_end_object(w);
	json_end_object(w);
}

/* Instances */

static void put_instance(struct json_out *w, const struct instance_out *inst,
			 bool in_list)
{
	json_begin_object(w);
	json_member_text(w, "Id", inst->id);
	if (!in_list)
		json_member_optional(w, "CreatorRequestId", inst->creator_request_id);
	put_attributes(w, &inst->attributes);
	json_member_text(w, "CreatedByAccount", inst->account);
	json_end_object(w);
}

void encode_instance(const struct call *call, const void *out, struct json_out *w)
{
	const struct instance_out *inst = out;

	(void)call;
	json_begin_object(w);
	json_member_text(w, "ResourceOwner", inst->account);
	json_name(w, "Instance");
	put_instance(w, inst, false);
	json_end_object(w);
}

void encode_instance_page(const struct call *call, const void *out, struct json_out *w)
{
	const struct instance_page_out *page = out;

	(void)call;
	json_begin_object(w);
	json_member_text(w, "ResourceOwner", page->account);
	json_member_array(w, "Instances");
	for (size_t i = 0; i < page->count; i++)
		put_instance(w, &page->items[i], true);
	json_end_array(w);
	json_member_optional(w, "NextToken", page->next_token);
	json_end_object(w);
}

/* Discovery and health */

const char *encode_health_name(enum health_status status)
{
	static const char *const names[] = {
		[HEALTH_HEALTHY] = "HEALTHY",
		[HEALTH_UNHEALTHY] = "UNHEALTHY",
		[HEALTH_UNKNOWN] = "UNKNOWN",
	};

	return NAME_OF(names, status);
}

void encode_discovery(const struct call *call, const void *out, struct json_out *w)
{
	const struct discover_out *result = out;

	(void)call;
	json_begin_object(w);
	json_member_array(w, "Instances");
	for (size_t i = 0; i < result->count; i++) {
		json_begin_object(w);
		json_member_text(w, "InstanceId", result->items[i].id);
		json_member_text(w, "NamespaceName", result->namespace_name);
		json_member_text(w, "ServiceName", result->service_name);
		json_member_text(w, "HealthStatus",
				 encode_health_name(result->items[i].health));
		put_attributes(w, &result->items[i].attributes);
		json_end_object(w);
	}
	json_end_array(w);
	json_member_uint(w, "InstancesRevision", result->revision);
	json_end_object(w);
}

void encode_revision(const struct call *call, const void *out, struct json_out *w)
{
	const struct discover_out *result = out;

	(void)call;
	json_begin_object(w);
	json_member_uint(w, "InstancesRevision", result->revision);
	json_end_object(w);
}

void encode_health_page(const struct call *call, const void *out, struct json_out *w)
{
	const struct health_page_out *page = out;

	(void)call;
	json_begin_object(w);
	json_member_object(w, "Status");
	for (size_t i = 0; i < page->count; i++)
		json_member_text(w, page->items[i].id,
				 encode_health_name(page->items[i].status));
	json_end_object(w);
	json_member_optional(w, "NextToken", page->next_token);
	json_end_object(w);
}
