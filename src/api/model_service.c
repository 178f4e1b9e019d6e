/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/model-internal.h"
#include "registry/discovery.h"
#include "registry/health.h"
#include "registry/instance.h"
#include "registry/service.h"

SHAPE_ASSERT_LIST(struct dns_record_list);
_Static_assert(sizeof(enum record_type) == sizeof(int), "enums are decoded as int");

/* Services */

static const struct shape service_name = STRING_LIKE(0, PATTERN_SERVICE_NAME);
static const struct shape resource_path = STRING(0, 255);
static const struct shape failure_threshold = INTEGER(1, 10);

static const struct shape_enum_value record_types[] = {
	{"SRV", RECORD_SRV},
	{"A", RECORD_A},
	{"AAAA", RECORD_AAAA},
	{"CNAME", RECORD_CNAME},
};
static const struct shape record_type = ENUM(record_types);
static const struct shape_enum_value routing_policies[] = {
	{"MULTIVALUE", ROUTING_MULTIVALUE},
	{"WEIGHTED", ROUTING_WEIGHTED},
};
static const struct shape routing_policy = ENUM(routing_policies);
static const struct shape_enum_value health_check_types[] = {
	{"HTTP", HEALTH_CHECK_HTTP},
	{"HTTPS", HEALTH_CHECK_HTTPS},
	{"TCP", HEALTH_CHECK_TCP},
};
static const struct shape health_check_type = ENUM(health_check_types);
static const struct shape_enum_value service_type_options[] = {
	{"HTTP", SERVICE_HTTP},
};
static const struct shape service_type_option = ENUM(service_type_options);

static const struct shape_member dns_record_members[] = {
	REQUIRED("Type", &record_type, struct dns_record_in, type),
	REQUIRED("TTL", &model_record_ttl, struct dns_record_in, ttl),
};
static const struct shape dns_record =
	STRUCTURE(struct dns_record_in, dns_record_members);
static const struct shape dns_record_list = LIST(0, 0, &dns_record);
static const struct shape_member dns_config_members[] = {
	OPTIONAL("NamespaceId", &model_resource_id, struct dns_config_in, namespace_id),
	OPTIONAL("RoutingPolicy", &routing_policy, struct dns_config_in, routing_policy),
	REQUIRED("DnsRecords", &dns_record_list, struct dns_config_in, dns_records),
};
static const struct shape dns_config =
	STRUCTURE(struct dns_config_in, dns_config_members);

static const struct shape_member health_check_members[] = {
	REQUIRED("Type", &health_check_type, struct health_check_in, type),
	OPTIONAL("ResourcePath", &resource_path, struct health_check_in, resource_path),
	OPTIONAL("FailureThreshold", &failure_threshold, struct health_check_in,
		 failure_threshold),
};
static const struct shape health_check =
	STRUCTURE(struct health_check_in, health_check_members);
static const struct shape_member custom_health_members[] = {
	OPTIONAL("FailureThreshold", &failure_threshold, struct custom_health_in,
		 failure_threshold),
};
static const struct shape custom_health =
	STRUCTURE(struct custom_health_in, custom_health_members);

static const struct shape_member create_service_members[] = {
	REQUIRED("Name", &service_name, struct create_service_in, name),
	OPTIONAL("NamespaceId", &model_arn, struct create_service_in, namespace_id),
	OPTIONAL("CreatorRequestId", &model_resource_id, struct create_service_in,
		 creator_request_id),
	OPTIONAL("Description", &model_resource_description, struct create_service_in,
		 description),
	OPTIONAL("DnsConfig", &dns_config, struct create_service_in, dns_config),
	OPTIONAL("HealthCheckConfig", &health_check, struct create_service_in,
		 health_check),
	OPTIONAL("HealthCheckCustomConfig", &custom_health, struct create_service_in,
		 custom_health),
	OPTIONAL("Tags", &model_tags, struct create_service_in, tags),
	OPTIONAL("Type", &service_type_option, struct create_service_in, type),
};
const struct shape model_create_service =
	STRUCTURE(struct create_service_in, create_service_members);
const struct shape model_get_service = STRUCTURE(struct id_in, model_id_members);
const struct shape model_delete_service = STRUCTURE(struct id_in, model_id_members);

static const struct shape_member dns_config_change_members[] = {
	REQUIRED("DnsRecords", &dns_record_list, struct dns_config_in, dns_records),
};
static const struct shape dns_config_change =
	STRUCTURE(struct dns_config_in, dns_config_change_members);
static const struct shape_member service_change_members[] = {
	OPTIONAL("Description", &model_resource_description, struct service_change_in,
		 description),
	OPTIONAL("DnsConfig", &dns_config_change, struct service_change_in, dns_config),
	OPTIONAL("HealthCheckConfig", &health_check, struct service_change_in,
		 health_check),
};
static const struct shape service_change =
	STRUCTURE(struct service_change_in, service_change_members);
static const struct shape_member update_service_members[] = {
	REQUIRED("Id", &model_arn, struct update_service_in, id),
	REQUIRED("Service", &service_change, struct update_service_in, change),
};
const struct shape model_update_service =
	STRUCTURE(struct update_service_in, update_service_members);

static const struct shape_enum_value service_filter_names[] = {
	{"NAMESPACE_ID", SERVICE_FILTER_NAMESPACE_ID},
	{"RESOURCE_OWNER", SERVICE_FILTER_RESOURCE_OWNER},
};
static const struct shape service_filter_name = ENUM(service_filter_names);
static const struct shape_member service_filter_members[] = {
	REQUIRED("Name", &service_filter_name, struct filter, name),
	REQUIRED("Values", &model_filter_values, struct filter, values),
	OPTIONAL("Condition", &model_filter_condition, struct filter, condition),
};
static const struct shape service_filter =
	STRUCTURE(struct filter, service_filter_members);
static const struct shape service_filters = LIST(0, 0, &service_filter);
static const struct shape_member list_services_members[] = {
	OPTIONAL("NextToken", &model_next_token, struct page_in, next_token),
	OPTIONAL("MaxResults", &model_max_results, struct page_in, max_results),
	OPTIONAL("Filters", &service_filters, struct page_in, filters),
};
const struct shape model_list_services = STRUCTURE(struct page_in, list_services_members);

/* Service attributes */

static const struct shape service_attribute_key = STRING(0, 255);
static const struct shape service_attribute_value = STRING(0, 1024);
static const struct shape service_attributes = {
	.kind = SHAPE_MAP,
	.min = 1,
	.max = 30,
	.key = &service_attribute_key,
	.element = &service_attribute_value,
};
static const struct shape service_attribute_keys = LIST(1, 30, &service_attribute_key);

static const struct shape_member get_service_attributes_members[] = {
	REQUIRED("ServiceId", &model_arn, struct service_id_in, service_id),
};
const struct shape model_get_service_attributes =
	STRUCTURE(struct service_id_in, get_service_attributes_members);

static const struct shape_member update_service_attributes_members[] = {
	REQUIRED("ServiceId", &model_arn, struct update_service_attributes_in,
		 service_id),
	REQUIRED("Attributes", &service_attributes, struct update_service_attributes_in,
		 attributes),
};
const struct shape model_update_service_attributes =
	STRUCTURE(struct update_service_attributes_in, update_service_attributes_members);

static const struct shape_member delete_service_attributes_members[] = {
	REQUIRED("ServiceId", &model_arn, struct delete_service_attributes_in,
		 service_id),
	REQUIRED("Attributes", &service_attribute_keys,
		 struct delete_service_attributes_in, attributes),
};
const struct shape model_delete_service_attributes =
	STRUCTURE(struct delete_service_attributes_in, delete_service_attributes_members);

/* Instances */

static const struct shape instance_id = STRING_LIKE(64, PATTERN_INSTANCE_ID);
static const struct shape attribute_key = STRING_LIKE(255, PATTERN_ATTRIBUTE_KEY);
static const struct shape attribute_value = STRING_LIKE(1024, PATTERN_ATTRIBUTE_VALUE);
static const struct shape attributes = {
	.kind = SHAPE_MAP,
	.key = &attribute_key,
	.element = &attribute_value,
};

static const struct shape_member register_instance_members[] = {
	REQUIRED("ServiceId", &model_arn, struct register_instance_in, service_id),
	REQUIRED("InstanceId", &instance_id, struct register_instance_in, instance_id),
	OPTIONAL("CreatorRequestId", &model_resource_id, struct register_instance_in,
		 creator_request_id),
	REQUIRED("Attributes", &attributes, struct register_instance_in, attributes),
};
const struct shape model_register_instance =
	STRUCTURE(struct register_instance_in, register_instance_members);

static const struct shape_member instance_members[] = {
	REQUIRED("ServiceId", &model_arn, struct instance_in, service_id),
	REQUIRED("InstanceId", &model_resource_id, struct instance_in, instance_id),
};
const struct shape model_deregister_instance =
	STRUCTURE(struct instance_in, instance_members);
const struct shape model_get_instance = STRUCTURE(struct instance_in, instance_members);

static const struct shape_member list_instances_members[] = {
	REQUIRED("ServiceId", &model_arn, struct list_instances_in, service_id),
	OPTIONAL("NextToken", &model_next_token, struct list_instances_in,
		 page.next_token),
	OPTIONAL("MaxResults", &model_max_results, struct list_instances_in,
		 page.max_results),
};
const struct shape model_list_instances =
	STRUCTURE(struct list_instances_in, list_instances_members);

/* Health */

static const struct shape_enum_value custom_health_statuses[] = {
	{"HEALTHY", HEALTH_HEALTHY},
	{"UNHEALTHY", HEALTH_UNHEALTHY},
};
static const struct shape custom_health_status = ENUM(custom_health_statuses);
static const struct shape_member update_health_members[] = {
	REQUIRED("ServiceId", &model_arn, struct update_health_in, service_id),
	REQUIRED("InstanceId", &model_resource_id, struct update_health_in, instance_id),
	REQUIRED("Status", &custom_health_status, struct update_health_in, status),
};
const struct shape model_update_instance_custom_health_status =
	STRUCTURE(struct update_health_in, update_health_members);

static const struct shape instance_ids = LIST(1, 0, &model_resource_id);
static const struct shape_member get_health_members[] = {
	REQUIRED("ServiceId", &model_arn, struct get_health_in, service_id),
	OPTIONAL("Instances", &instance_ids, struct get_health_in, instances),
	OPTIONAL("MaxResults", &model_max_results, struct get_health_in,
		 page.max_results),
	OPTIONAL("NextToken", &model_next_token, struct get_health_in, page.next_token),
};
const struct shape model_get_instances_health_status =
	STRUCTURE(struct get_health_in, get_health_members);

/* Discovery */

static const struct shape namespace_name_any = STRING_LIKE(1024, PATTERN_NAMESPACE_ANY);
static const struct shape discover_max_results = INTEGER(1, 1000);
static const struct shape_enum_value health_filters[] = {
	{"HEALTHY", HEALTH_FILTER_HEALTHY},
	{"UNHEALTHY", HEALTH_FILTER_UNHEALTHY},
	{"ALL", HEALTH_FILTER_ALL},
	{"HEALTHY_OR_ELSE_ALL", HEALTH_FILTER_HEALTHY_OR_ELSE_ALL},
};
static const struct shape health_filter = ENUM(health_filters);
static const struct shape_member discover_members[] = {
	REQUIRED("NamespaceName", &namespace_name_any, struct discover_in,
		 namespace_name),
	REQUIRED("ServiceName", &service_name, struct discover_in, service_name),
	OPTIONAL("MaxResults", &discover_max_results, struct discover_in, max_results),
	OPTIONAL("QueryParameters", &attributes, struct discover_in, query_parameters),
	OPTIONAL("OptionalParameters", &attributes, struct discover_in,
		 optional_parameters),
	OPTIONAL("HealthStatus", &health_filter, struct discover_in, health_status),
	OPTIONAL("OwnerAccount", &model_account_id, struct discover_in, owner_account),
};
const struct shape model_discover_instances =
	STRUCTURE(struct discover_in, discover_members);

static const struct shape_member discover_revision_members[] = {
	REQUIRED("NamespaceName", &namespace_name_any, struct discover_in,
		 namespace_name),
	REQUIRED("ServiceName", &service_name, struct discover_in, service_name),
	OPTIONAL("OwnerAccount", &model_account_id, struct discover_in, owner_account),
};
const struct shape model_discover_instances_revision =
	STRUCTURE(struct discover_in, discover_revision_members);
