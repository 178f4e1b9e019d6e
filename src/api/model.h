/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "api/shape.h"

/* The inputs of all operations: AWS Cloud Map's service model (2017-03-14) as
 * tables, member for member in its order, and those of our own operations.
 * The structs they decode into are the registry's (src/registry). */

extern const struct shape model_create_http_namespace;
extern const struct shape model_create_private_dns_namespace;
extern const struct shape model_create_public_dns_namespace;
extern const struct shape model_get_namespace;
extern const struct shape model_list_namespaces;
extern const struct shape model_update_http_namespace;
extern const struct shape model_update_dns_namespace; /* private and public */
extern const struct shape model_delete_namespace;
extern const struct shape model_create_service;
extern const struct shape model_get_service;
extern const struct shape model_delete_service;
extern const struct shape model_register_instance;
extern const struct shape model_deregister_instance;
extern const struct shape model_update_service;
extern const struct shape model_list_services;
extern const struct shape model_get_service_attributes;
extern const struct shape model_update_service_attributes;
extern const struct shape model_delete_service_attributes;
extern const struct shape model_get_instance;
extern const struct shape model_list_instances;
extern const struct shape model_update_instance_custom_health_status;
extern const struct shape model_get_instances_health_status;
extern const struct shape model_discover_instances;
extern const struct shape model_discover_instances_revision;
extern const struct shape model_get_operation;
extern const struct shape model_list_operations;
extern const struct shape model_tag_resource;
extern const struct shape model_untag_resource;
extern const struct shape model_list_tags_for_resource;

extern const struct shape model_put_vpc;
extern const struct shape model_delete_vpc;
extern const struct shape model_explain_answer;
extern const struct shape model_zone;	  /* Zone is optional */
extern const struct shape model_one_zone; /* it is not */
extern const struct shape model_nothing;  /* no members at all */

/** The patterns that the shapes name by number, for shape_patterns_new(). */
extern const char *const model_patterns[];
extern const size_t model_pattern_count;
