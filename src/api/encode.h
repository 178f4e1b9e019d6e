/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* The results of operations as AWS JSON: absent members are left out, empty
 * lists are not, timestamps are seconds with at most three decimals. */

struct call;
struct json_out;

/** Write an operation's result as its JSON object, or nothing where the response has no
 *  body. Errors are latched in the writer. */
typedef void encode_function(const struct call *call, const void *out,
			     struct json_out *w);

encode_function encode_nothing;		   /* {} */
encode_function encode_operation_started;  /* operation_started_out */
encode_function encode_namespace;	   /* namespace_record: GetNamespace */
encode_function encode_namespace_page;	   /* namespace_page_out */
encode_function encode_our_namespace_page; /* the same, with the VPCs */
encode_function encode_service;		   /* service_record: CreateService, GetService */
encode_function encode_service_page;	   /* service_page_out */
encode_function encode_service_attributes; /* service_attributes_out */
encode_function encode_instance;	   /* instance_out: GetInstance */
encode_function encode_instance_page;	   /* instance_page_out */
encode_function encode_health_page;	   /* health_page_out */
encode_function encode_discovery;	   /* discover_out: DiscoverInstances */
encode_function encode_revision;	   /* discover_out: DiscoverInstancesRevision */
encode_function encode_no_body;		   /* a body of no bytes at all */
encode_function encode_operation;	   /* operation_record: GetOperation */
encode_function encode_operation_page;	   /* operation_page_out */
encode_function encode_tags;		   /* tags_out */
encode_function encode_vpc;		   /* vpc_record */
encode_function encode_vpc_page;	   /* vpc_page_out */
encode_function encode_explanation;	   /* explain_out */
encode_function encode_zone_page;	   /* zone_page_out */
encode_function encode_status;		   /* api_status */
