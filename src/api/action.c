/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/action.h"

#include <string.h>

#include "api/model.h"
#include "api/server.h"
#include "registry/discovery.h"
#include "registry/explain.h"
#include "registry/health.h"
#include "registry/instance.h"
#include "registry/namespace.h"
#include "registry/operation.h"
#include "registry/service.h"
#include "registry/tag.h"
#include "registry/vpc.h"
#include "registry/zone.h"

#define CLOUD_MAP "Route53AutoNaming_v20170314."
#define OURS	  "Gazetteer."

#define READ	 ACTION_READ
#define MUTATION ACTION_MUTATION

#define STARTED sizeof(struct operation_started_out)
#define NOTHING 0

/* clang-format off */
static const struct action actions[] = {
	{CLOUD_MAP "CreateHttpNamespace", &model_create_http_namespace, STARTED, MUTATION,
	 namespace_create_http, encode_operation_started},
	{CLOUD_MAP "CreatePrivateDnsNamespace", &model_create_private_dns_namespace, STARTED, MUTATION,
	 namespace_create_private_dns, encode_operation_started},
	{CLOUD_MAP "CreatePublicDnsNamespace", &model_create_public_dns_namespace, STARTED, MUTATION,
	 namespace_create_public_dns, encode_operation_started},
	{CLOUD_MAP "GetNamespace", &model_get_namespace, sizeof(struct namespace_record), READ,
	 namespace_get, encode_namespace},
	{CLOUD_MAP "ListNamespaces", &model_list_namespaces, sizeof(struct namespace_page_out), READ,
	 namespace_list, encode_namespace_page},
	{CLOUD_MAP "UpdateHttpNamespace", &model_update_http_namespace, STARTED, MUTATION,
	 namespace_update_http, encode_operation_started},
	{CLOUD_MAP "UpdatePrivateDnsNamespace", &model_update_dns_namespace, STARTED, MUTATION,
	 namespace_update_private_dns, encode_operation_started},
	{CLOUD_MAP "UpdatePublicDnsNamespace", &model_update_dns_namespace, STARTED, MUTATION,
	 namespace_update_public_dns, encode_operation_started},
	{CLOUD_MAP "DeleteNamespace", &model_delete_namespace, STARTED, MUTATION,
	 namespace_delete, encode_operation_started},
	{CLOUD_MAP "CreateService", &model_create_service, sizeof(struct service_record), MUTATION,
	 service_create, encode_service},
	{CLOUD_MAP "GetService", &model_get_service, sizeof(struct service_record), READ,
	 service_get, encode_service},
	{CLOUD_MAP "ListServices", &model_list_services, sizeof(struct service_page_out), READ,
	 service_list, encode_service_page},
	{CLOUD_MAP "UpdateService", &model_update_service, STARTED, MUTATION,
	 service_update, encode_operation_started},
	{CLOUD_MAP "GetServiceAttributes", &model_get_service_attributes,
	 sizeof(struct service_attributes_out), READ,
	 service_get_attributes, encode_service_attributes},
	{CLOUD_MAP "UpdateServiceAttributes", &model_update_service_attributes, NOTHING, MUTATION,
	 service_update_attributes, encode_nothing},
	{CLOUD_MAP "DeleteServiceAttributes", &model_delete_service_attributes, NOTHING, MUTATION,
	 service_delete_attributes, encode_nothing},
	{CLOUD_MAP "DeleteService", &model_delete_service, NOTHING, MUTATION,
	 service_delete, encode_nothing},
	{CLOUD_MAP "RegisterInstance", &model_register_instance, STARTED, MUTATION,
	 instance_register, encode_operation_started},
	{CLOUD_MAP "DeregisterInstance", &model_deregister_instance, STARTED, MUTATION,
	 instance_deregister, encode_operation_started},
	{CLOUD_MAP "GetInstance", &model_get_instance, sizeof(struct instance_out), READ,
	 instance_get, encode_instance},
	{CLOUD_MAP "ListInstances", &model_list_instances, sizeof(struct instance_page_out), READ,
	 instance_list, encode_instance_page},
	{CLOUD_MAP "DiscoverInstances", &model_discover_instances, sizeof(struct discover_out), READ,
	 discovery_find_instances, encode_discovery},
	{CLOUD_MAP "DiscoverInstancesRevision", &model_discover_instances_revision,
	 sizeof(struct discover_out), READ,
	 discovery_get_revision, encode_revision},
	{CLOUD_MAP "UpdateInstanceCustomHealthStatus",
	 &model_update_instance_custom_health_status, NOTHING, MUTATION,
	 health_update, encode_no_body},
	{CLOUD_MAP "GetInstancesHealthStatus", &model_get_instances_health_status,
	 sizeof(struct health_page_out), READ,
	 health_list, encode_health_page},
	{CLOUD_MAP "GetOperation", &model_get_operation, sizeof(struct operation_record), READ,
	 operation_get, encode_operation},
	{CLOUD_MAP "ListOperations", &model_list_operations, sizeof(struct operation_page_out), READ,
	 operation_list, encode_operation_page},
	{CLOUD_MAP "TagResource", &model_tag_resource, NOTHING, MUTATION,
	 tag_add, encode_nothing},
	{CLOUD_MAP "UntagResource", &model_untag_resource, NOTHING, MUTATION,
	 tag_remove, encode_nothing},
	{CLOUD_MAP "ListTagsForResource", &model_list_tags_for_resource, sizeof(struct tags_out), READ,
	 tag_list, encode_tags},

	{OURS "PutVpc", &model_put_vpc, sizeof(struct vpc_record), MUTATION,
	 vpc_put, encode_vpc},
	{OURS "DeleteVpc", &model_delete_vpc, NOTHING, MUTATION,
	 vpc_delete, encode_nothing},
	{OURS "ListVpcs", &model_nothing, sizeof(struct vpc_page_out), READ,
	 vpc_list, encode_vpc_page},
	{OURS "ExplainAnswer", &model_explain_answer, sizeof(struct explain_out), READ,
	 explain_answer, encode_explanation},
	{OURS "ListNamespaces", &model_list_namespaces, sizeof(struct namespace_page_out), ACTION_READ,
	 namespace_list, encode_our_namespace_page},
	{OURS "GetStatus", &model_nothing, sizeof(struct api_status), ACTION_STATUS,
	 NULL, encode_status},
	{OURS "FlushCache", &model_nothing, NOTHING, ACTION_FLUSH,
	 NULL, encode_nothing},
	{OURS "Backup", &model_nothing, NOTHING, ACTION_FILE,
	 registry_copy, NULL},
	{OURS "ListZones", &model_zone, sizeof(struct zone_page_out), ACTION_LOCAL_READ,
	 zone_list, encode_zone_page},
	{OURS "ReloadZones", &model_zone, sizeof(struct zone_page_out), ACTION_RELOAD,
	 zone_list, encode_zone_page},
	{OURS "ExportZone", &model_one_zone, NOTHING, ACTION_FILE,
	 zone_export, NULL},
};
/* clang-format on */

const struct action *action_find(const char *target)
{
	for (size_t i = 0; target && i < sizeof actions / sizeof *actions; i++) {
		if (strcmp(actions[i].target, target) == 0)
			return &actions[i];
	}
	return NULL;
}

bool action_rate(const struct action *action, enum rate_kind *out)
{
	*out = action->run == discovery_find_instances ? RATE_DISCOVER_INSTANCES
	       : action->run == discovery_get_revision ? RATE_DISCOVER_INSTANCES_REVISION
						       : RATE_OTHER;
	return strncmp(action->target, OURS, strlen(OURS)) != 0;
}

const struct action *action_table(size_t *count_out)
{
	*count_out = sizeof actions / sizeof *actions;
	return actions;
}
