/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/model.h"

#include "api/model-internal.h"
#include "registry/explain.h"
#include "registry/namespace.h"
#include "registry/operation.h"
#include "registry/tag.h"
#include "registry/vpc.h"
#include "registry/zone.h"

SHAPE_ASSERT_LIST(struct text_list);
SHAPE_ASSERT_LIST(struct pair_list);
SHAPE_ASSERT_LIST(struct filter_list);

/* Patterns */

const char *const model_patterns[PATTERN_COUNT] = {
	[PATTERN_NAMESPACE_ANY] = "^[!-~]{1,1024}$",
	[PATTERN_NAMESPACE_HTTP] = "^(?!arn:)[!-~]{1,1024}$",
	[PATTERN_NAMESPACE_PRIVATE] = "^(?!arn:)[!-~]{1,253}$",
	[PATTERN_NAMESPACE_PUBLIC] =
		"^([a-zA-Z0-9]([a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9])?\\.)+"
		"[a-zA-Z0-9]([a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9])?$",
	[PATTERN_SERVICE_NAME] = "((?=^.{1,127}$)^([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}[a-zA-"
				 "Z0-9_]|[a-zA-Z0-9])"
				 "(\\.([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}[a-zA-Z0-9_]|[a-zA-"
				 "Z0-9]))*$)|(^\\.$)",
	[PATTERN_INSTANCE_ID] = "^[0-9a-zA-Z_/:.@-]+$",
	[PATTERN_ATTRIBUTE_KEY] = "^[a-zA-Z0-9!-~]+$",
	[PATTERN_ATTRIBUTE_VALUE] =
		"^([a-zA-Z0-9!-~][ \\ta-zA-Z0-9!-~]*){0,1}[a-zA-Z0-9!-~]{0,1}$",
};

const size_t model_pattern_count = PATTERN_COUNT;

/* Simple shapes, by their names in the model */

const struct shape model_arn = STRING(0, 255);
const struct shape model_resource_id = STRING(0, 64);
const struct shape model_resource_description = STRING(0, 1024);
static const struct shape amazon_resource_name = STRING(1, 1011);
const struct shape model_next_token = STRING(0, 4096);
const struct shape model_max_results = INTEGER(1, 100);
const struct shape model_record_ttl = INTEGER(0, 2147483647);
const struct shape model_account_id = STRING(12, 12);

/* Tags */

static const struct shape tag_key = STRING(1, 128);
static const struct shape tag_value = STRING(0, 256);
static const struct shape_member tag_members[] = {
	REQUIRED("Key", &tag_key, struct text_pair, key),
	REQUIRED("Value", &tag_value, struct text_pair, value),
};
static const struct shape tag = STRUCTURE(struct text_pair, tag_members);
const struct shape model_tags = LIST(0, 200, &tag);
static const struct shape tag_key_list = LIST(0, 200, &tag_key);

static const struct shape_member tag_resource_members[] = {
	REQUIRED("ResourceARN", &amazon_resource_name, struct tag_resource_in,
		 resource_arn),
	REQUIRED("Tags", &model_tags, struct tag_resource_in, tags),
};
const struct shape model_tag_resource =
	STRUCTURE(struct tag_resource_in, tag_resource_members);

static const struct shape_member untag_resource_members[] = {
	REQUIRED("ResourceARN", &amazon_resource_name, struct untag_resource_in,
		 resource_arn),
	REQUIRED("TagKeys", &tag_key_list, struct untag_resource_in, tag_keys),
};
const struct shape model_untag_resource =
	STRUCTURE(struct untag_resource_in, untag_resource_members);

static const struct shape_member list_tags_members[] = {
	REQUIRED("ResourceARN", &amazon_resource_name, struct list_tags_in, resource_arn),
};
const struct shape model_list_tags_for_resource =
	STRUCTURE(struct list_tags_in, list_tags_members);

/* Namespaces */

static const struct shape namespace_name_http = STRING_LIKE(1024, PATTERN_NAMESPACE_HTTP);
static const struct shape namespace_name_private =
	STRING_LIKE(253, PATTERN_NAMESPACE_PRIVATE);
static const struct shape namespace_name_public =
	STRING_LIKE(253, PATTERN_NAMESPACE_PUBLIC);

/* The private and the public properties, and their changes, are alike. */
static const struct shape_member soa_members[] = {
	REQUIRED("TTL", &model_record_ttl, struct soa_in, ttl),
};
static const struct shape soa = STRUCTURE(struct soa_in, soa_members);
static const struct shape_member dns_properties_members[] = {
	REQUIRED("SOA", &soa, struct dns_properties_in, soa),
};
static const struct shape dns_properties =
	STRUCTURE(struct dns_properties_in, dns_properties_members);
static const struct shape_member properties_members[] = {
	REQUIRED("DnsProperties", &dns_properties, struct namespace_properties_in,
		 dns_properties),
};
static const struct shape properties =
	STRUCTURE(struct namespace_properties_in, properties_members);

static const struct shape_member create_http_members[] = {
	REQUIRED("Name", &namespace_name_http, struct create_namespace_in, name),
	OPTIONAL("CreatorRequestId", &model_resource_id, struct create_namespace_in,
		 creator_request_id),
	OPTIONAL("Description", &model_resource_description, struct create_namespace_in,
		 description),
	OPTIONAL("Tags", &model_tags, struct create_namespace_in, tags),
};
const struct shape model_create_http_namespace =
	STRUCTURE(struct create_namespace_in, create_http_members);

static const struct shape_member create_private_members[] = {
	REQUIRED("Name", &namespace_name_private, struct create_namespace_in, name),
	OPTIONAL("CreatorRequestId", &model_resource_id, struct create_namespace_in,
		 creator_request_id),
	OPTIONAL("Description", &model_resource_description, struct create_namespace_in,
		 description),
	REQUIRED("Vpc", &model_resource_id, struct create_namespace_in, vpc),
	OPTIONAL("Tags", &model_tags, struct create_namespace_in, tags),
	OPTIONAL("Properties", &properties, struct create_namespace_in, properties),
};
const struct shape model_create_private_dns_namespace =
	STRUCTURE(struct create_namespace_in, create_private_members);

static const struct shape_member create_public_members[] = {
	REQUIRED("Name", &namespace_name_public, struct create_namespace_in, name),
	OPTIONAL("CreatorRequestId", &model_resource_id, struct create_namespace_in,
		 creator_request_id),
	OPTIONAL("Description", &model_resource_description, struct create_namespace_in,
		 description),
	OPTIONAL("Tags", &model_tags, struct create_namespace_in, tags),
	OPTIONAL("Properties", &properties, struct create_namespace_in, properties),
};
const struct shape model_create_public_dns_namespace =
	STRUCTURE(struct create_namespace_in, create_public_members);

const struct shape_member model_id_members[MODEL_ID_MEMBERS] = {
	REQUIRED("Id", &model_arn, struct id_in, id),
};
const struct shape model_get_namespace = STRUCTURE(struct id_in, model_id_members);
const struct shape model_delete_namespace = STRUCTURE(struct id_in, model_id_members);

static const struct shape_member http_change_members[] = {
	REQUIRED("Description", &model_resource_description, struct namespace_change_in,
		 description),
};
static const struct shape http_change =
	STRUCTURE(struct namespace_change_in, http_change_members);
static const struct shape_member update_http_members[] = {
	REQUIRED("Id", &model_arn, struct update_namespace_in, id),
	OPTIONAL("UpdaterRequestId", &model_resource_id, struct update_namespace_in,
		 updater_request_id),
	REQUIRED("Namespace", &http_change, struct update_namespace_in, change),
};
const struct shape model_update_http_namespace =
	STRUCTURE(struct update_namespace_in, update_http_members);

static const struct shape_member dns_change_members[] = {
	OPTIONAL("Description", &model_resource_description, struct namespace_change_in,
		 description),
	OPTIONAL("Properties", &properties, struct namespace_change_in, properties),
};
static const struct shape dns_change =
	STRUCTURE(struct namespace_change_in, dns_change_members);
static const struct shape_member update_dns_members[] = {
	REQUIRED("Id", &model_arn, struct update_namespace_in, id),
	OPTIONAL("UpdaterRequestId", &model_resource_id, struct update_namespace_in,
		 updater_request_id),
	REQUIRED("Namespace", &dns_change, struct update_namespace_in, change),
};
const struct shape model_update_dns_namespace =
	STRUCTURE(struct update_namespace_in, update_dns_members);

/* Filters and pages */

static const struct shape filter_value = STRING(1, 255);
const struct shape model_filter_values = LIST(0, 0, &filter_value);
static const struct shape_enum_value filter_conditions[] = {
	{"EQ", CONDITION_EQ},
	{"IN", CONDITION_IN},
	{"BETWEEN", CONDITION_BETWEEN},
	{"BEGINS_WITH", CONDITION_BEGINS_WITH},
};
const struct shape model_filter_condition = ENUM(filter_conditions);

static const struct shape_enum_value namespace_filter_names[] = {
	{"TYPE", NAMESPACE_FILTER_TYPE},
	{"NAME", NAMESPACE_FILTER_NAME},
	{"HTTP_NAME", NAMESPACE_FILTER_HTTP_NAME},
	{"RESOURCE_OWNER", NAMESPACE_FILTER_RESOURCE_OWNER},
};
static const struct shape namespace_filter_name = ENUM(namespace_filter_names);
static const struct shape_member namespace_filter_members[] = {
	REQUIRED("Name", &namespace_filter_name, struct filter, name),
	REQUIRED("Values", &model_filter_values, struct filter, values),
	OPTIONAL("Condition", &model_filter_condition, struct filter, condition),
};
static const struct shape namespace_filter =
	STRUCTURE(struct filter, namespace_filter_members);
static const struct shape namespace_filters = LIST(0, 0, &namespace_filter);

static const struct shape_member list_namespaces_members[] = {
	OPTIONAL("NextToken", &model_next_token, struct page_in, next_token),
	OPTIONAL("MaxResults", &model_max_results, struct page_in, max_results),
	OPTIONAL("Filters", &namespace_filters, struct page_in, filters),
};
const struct shape model_list_namespaces =
	STRUCTURE(struct page_in, list_namespaces_members);

/* Operations */

static const struct shape operation_id = STRING(0, 255);

static const struct shape_member get_operation_members[] = {
	REQUIRED("OperationId", &operation_id, struct get_operation_in, operation_id),
	OPTIONAL("OwnerAccount", &model_account_id, struct get_operation_in,
		 owner_account),
};
const struct shape model_get_operation =
	STRUCTURE(struct get_operation_in, get_operation_members);

static const struct shape_enum_value operation_filter_names[] = {
	{"NAMESPACE_ID", OPERATION_FILTER_NAMESPACE_ID},
	{"SERVICE_ID", OPERATION_FILTER_SERVICE_ID},
	{"STATUS", OPERATION_FILTER_STATUS},
	{"TYPE", OPERATION_FILTER_TYPE},
	{"UPDATE_DATE", OPERATION_FILTER_UPDATE_DATE},
};
static const struct shape operation_filter_name = ENUM(operation_filter_names);
static const struct shape_member operation_filter_members[] = {
	REQUIRED("Name", &operation_filter_name, struct filter, name),
	REQUIRED("Values", &model_filter_values, struct filter, values),
	OPTIONAL("Condition", &model_filter_condition, struct filter, condition),
};
static const struct shape operation_filter =
	STRUCTURE(struct filter, operation_filter_members);
static const struct shape operation_filters = LIST(0, 0, &operation_filter);

static const struct shape_member list_operations_members[] = {
	OPTIONAL("NextToken", &model_next_token, struct page_in, next_token),
	OPTIONAL("MaxResults", &model_max_results, struct page_in, max_results),
	OPTIONAL("Filters", &operation_filters, struct page_in, filters),
};
const struct shape model_list_operations =
	STRUCTURE(struct page_in, list_operations_members);

/* Our own operations */

static const struct shape vpc_id = STRING(1, 64);
static const struct shape cidr = STRING(0, 64);
static const struct shape cidr_list = LIST(1, 256, &cidr);

static const struct shape_member put_vpc_members[] = {
	REQUIRED("VpcId", &vpc_id, struct put_vpc_in, vpc_id),
	REQUIRED("Cidrs", &cidr_list, struct put_vpc_in, cidrs),
};
const struct shape model_put_vpc = STRUCTURE(struct put_vpc_in, put_vpc_members);

static const struct shape_member delete_vpc_members[] = {
	REQUIRED("VpcId", &vpc_id, struct vpc_id_in, vpc_id),
};
const struct shape model_delete_vpc = STRUCTURE(struct vpc_id_in, delete_vpc_members);

static const struct shape explain_name = STRING(1, 1024);
static const struct shape explain_text = STRING(1, 64);

static const struct shape_member explain_answer_members[] = {
	REQUIRED("Name", &explain_name, struct explain_in, name),
	OPTIONAL("Type", &explain_text, struct explain_in, type),
	OPTIONAL("From", &explain_text, struct explain_in, from),
	OPTIONAL("To", &explain_text, struct explain_in, to),
};
const struct shape model_explain_answer =
	STRUCTURE(struct explain_in, explain_answer_members);

static const struct shape zone_name = STRING(1, 1100);

static const struct shape_member zone_members[] = {
	OPTIONAL("Zone", &zone_name, struct zone_in, zone),
};
const struct shape model_zone = STRUCTURE(struct zone_in, zone_members);

static const struct shape_member one_zone_members[] = {
	REQUIRED("Zone", &zone_name, struct zone_in, zone),
};
const struct shape model_one_zone = STRUCTURE(struct zone_in, one_zone_members);

const struct shape model_nothing = {.kind = SHAPE_STRUCTURE, .size = 1};
