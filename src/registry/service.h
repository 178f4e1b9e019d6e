/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/input.h"
#include "registry/namespace.h"
#include "registry/registry.h"

/* Services and their attributes: AWS Cloud Map API Reference, the operations
 * named below. */

enum record_type { /* RecordType */
	RECORD_SRV = 1,
	RECORD_A,
	RECORD_AAAA,
	RECORD_CNAME,
};

enum routing_policy { /* RoutingPolicy */
	ROUTING_MULTIVALUE = 1,
	ROUTING_WEIGHTED,
};

enum health_check_type { /* HealthCheckType */
	HEALTH_CHECK_HTTP = 1,
	HEALTH_CHECK_HTTPS,
	HEALTH_CHECK_TCP,
};

enum service_type { /* ServiceType */
	SERVICE_HTTP = 1,
	SERVICE_DNS_HTTP,
};

struct dns_record_in {
	enum record_type type;
	struct opt_int ttl;
};

struct dns_record_list {
	struct dns_record_in *items;
	size_t count;
	bool present;
};

struct dns_config_in {
	const char *namespace_id;
	enum routing_policy routing_policy;
	struct dns_record_list dns_records;
};

struct health_check_in { /* HealthCheckConfig */
	enum health_check_type type;
	const char *resource_path;
	struct opt_int failure_threshold;
};

struct custom_health_in { /* HealthCheckCustomConfig */
	struct opt_int failure_threshold;
};

struct create_service_in {
	const char *name;
	const char *namespace_id;
	const char *creator_request_id;
	const char *description;
	struct dns_config_in *dns_config;
	struct health_check_in *health_check;
	struct custom_health_in *custom_health;
	struct pair_list tags;
	enum service_type type; /* only SERVICE_HTTP can be asked for */
};

enum {
	SERVICE_RECORDS_MAX = 2, /* A and AAAA is the largest set allowed */
};

struct service_record {
	enum service_type type;
	const char *id;
	const char *arn;
	const char *region;
	const char *account;
	const char *name;
	const char *namespace_id;
	const char *description; /* NULL: none */
	const char *creator_request_id;
	const char *request_digest; /* of the request that created it */
	int64_t create_ms;
	uint32_t instance_count;
	uint64_t revision; /* InstancesRevision */

	size_t dns_record_count;
	bool dns_deleted; /* DnsConfig is {}: an update took it away; the types are kept */
	struct {
		enum record_type type;
		uint32_t ttl;
	} dns_records[SERVICE_RECORDS_MAX];
	enum routing_policy routing_policy;

	enum health_check_type health_check; /* 0: none */
	const char *resource_path;	     /* NULL for TCP */
	uint32_t failure_threshold;
	bool has_custom_health;
};

/* UpdateService */
struct service_change_in {
	const char *description;
	struct dns_config_in *dns_config; /* only its records */
	struct health_check_in *health_check;
};

struct update_service_in {
	const char *id;
	struct service_change_in *change;
};

struct service_page_out {
	struct service_record *items;
	size_t count;
	const char *next_token;
};

enum service_filter { /* ServiceFilterName */
	SERVICE_FILTER_NAMESPACE_ID = 1,
	SERVICE_FILTER_RESOURCE_OWNER,
};

struct service_id_in {
	const char *service_id;
};

struct update_service_attributes_in {
	const char *service_id;
	struct pair_list attributes;
};

struct delete_service_attributes_in {
	const char *service_id;
	struct text_list attributes;
};

struct service_attributes_out {
	const char *service_arn;
	const char *account;
	struct pair_list attributes;
};

registry_run service_create; /* create_service_in -> service_record */
registry_run service_get;    /* id_in -> service_record; a read */
registry_run service_list;   /* page_in -> service_page_out; a read */
registry_run service_update; /* update_service_in -> operation_started_out */
registry_run service_delete; /* id_in -> nothing */

registry_run service_get_attributes; /* service_id_in -> service_attributes_out; a read */
registry_run service_update_attributes; /* update_service_attributes_in -> nothing */
registry_run service_delete_attributes; /* delete_service_attributes_in -> nothing */
