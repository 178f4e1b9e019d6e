/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/input.h"
#include "registry/registry.h"

/* Namespaces: AWS Cloud Map API Reference, the operations named below. */

enum namespace_type {
	NAMESPACE_HTTP = 1,
	NAMESPACE_DNS_PRIVATE,
	NAMESPACE_DNS_PUBLIC,
};

struct namespace_record {
	enum namespace_type type;
	const char *id;
	const char *arn; /* made from id, region and account when read */
	const char *region;
	const char *account;
	const char *name; /* exactly as the client gave it */
	const char *http_name;
	const char *description; /* NULL: none */
	const char *creator_request_id;
	const char *vpc_id;	    /* private only */
	const char *hosted_zone_id; /* DNS only */
	uint32_t soa_ttl;	    /* DNS only, seconds */
	uint32_t service_count;
	uint64_t zone_changes; /* how often the records of its zone have changed */
	int64_t create_ms;
};

struct soa_in {
	struct opt_int ttl;
};

struct dns_properties_in {
	struct soa_in *soa;
};

struct namespace_properties_in {
	struct dns_properties_in *dns_properties;
};

/* CreateHttpNamespace, CreatePrivateDnsNamespace, CreatePublicDnsNamespace */
struct create_namespace_in {
	const char *name;
	const char *vpc;
	const char *creator_request_id;
	const char *description;
	struct pair_list tags;
	struct namespace_properties_in *properties;
};

/* The change inside the three Update...Namespace calls. */
struct namespace_change_in {
	const char *description;
	struct namespace_properties_in *properties;
};

struct update_namespace_in {
	const char *id;
	const char *updater_request_id;
	struct namespace_change_in *change;
};

/* GetNamespace, DeleteNamespace, GetService, DeleteService */
struct id_in {
	const char *id; /* an id or an ARN */
};

struct operation_started_out {
	const char *operation_id;
};

struct namespace_page_out {
	struct namespace_record *items;
	size_t count;
	const char *next_token; /* NULL: the last page */
};

enum namespace_filter { /* NamespaceFilterName */
	NAMESPACE_FILTER_TYPE = 1,
	NAMESPACE_FILTER_NAME,
	NAMESPACE_FILTER_HTTP_NAME,
	NAMESPACE_FILTER_RESOURCE_OWNER,
};

registry_run namespace_create_http; /* create_namespace_in -> operation_started_out */
registry_run namespace_create_private_dns; /* the same */
registry_run namespace_create_public_dns;  /* the same */
registry_run namespace_update_http; /* update_namespace_in -> operation_started_out */
registry_run namespace_update_private_dns; /* the same */
registry_run namespace_update_public_dns;  /* the same */
registry_run namespace_delete;		   /* id_in -> operation_started_out */
registry_run namespace_get;		   /* id_in -> namespace_record; a read */
registry_run namespace_list;		   /* page_in -> namespace_page_out; a read */
