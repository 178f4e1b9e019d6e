/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "api/action.h"

/* The results of operations as AWS JSON: absent members are left out, empty
 * lists are not, timestamps are seconds with at most three decimals. */

action_encode encode_nothing;		 /* {} */
action_encode encode_operation_started;	 /* operation_started_out */
action_encode encode_namespace;		 /* namespace_record: GetNamespace */
action_encode encode_namespace_page;	 /* namespace_page_out */
action_encode encode_our_namespace_page; /* the same, with the VPCs */
action_encode encode_service;		 /* service_record: CreateService, GetService */
action_encode encode_service_page;	 /* service_page_out */
action_encode encode_service_attributes; /* service_attributes_out */
action_encode encode_instance;		 /* instance_out: GetInstance */
action_encode encode_instance_page;	 /* instance_page_out */
action_encode encode_health_page;	 /* health_page_out */
action_encode encode_discovery;		 /* discover_out: DiscoverInstances */
action_encode encode_revision;		 /* discover_out: DiscoverInstancesRevision */
action_encode encode_no_body;		 /* a body of no bytes at all */
action_encode encode_operation;		 /* operation_record: GetOperation */
action_encode encode_operation_page;	 /* operation_page_out */
action_encode encode_tags;		 /* tags_out */
action_encode encode_vpc;		 /* vpc_record */
action_encode encode_vpc_page;		 /* vpc_page_out */
action_encode encode_explanation;	 /* explain_out */
action_encode encode_zone_page;		 /* zone_page_out */
action_encode encode_status;		 /* api_status */
