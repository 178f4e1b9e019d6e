/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/attribute.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "dns/name.h"
#include "registry/registry-internal.h"

enum {
	TOTAL_SIZE_MAX = 5000, /* of all keys and values */
};

static const char IPV4[] = "AWS_INSTANCE_IPV4";
static const char IPV6[] = "AWS_INSTANCE_IPV6";
static const char PORT[] = "AWS_INSTANCE_PORT";
static const char CNAME[] = "AWS_INSTANCE_CNAME";
static const char ALIAS[] = "AWS_ALIAS_DNS_NAME";
static const char EC2_ID[] = "AWS_EC2_INSTANCE_ID";
static const char INIT_HEALTH[] = "AWS_INIT_HEALTH_STATUS";

/* ---- the form of each value ---- */

static bool is_ipv4(const char *value)
{
	struct in_addr addr;

	return inet_pton(AF_INET, value, &addr) == 1;
}

static bool is_ipv6(const char *value)
{
	struct in6_addr addr;

	return inet_pton(AF_INET6, value, &addr) == 1;
}

static bool is_port(const char *value)
{
	size_t len = strlen(value);
	unsigned long port = strtoul(value, NULL, 10);

	return len >= 1 && len <= 5 && strspn(value, "0123456789") == len && port >= 1 &&
	       port <= 65535;
}

static bool is_domain_name(const char *value)
{
	uint8_t wire[DNAME_MAX];
	size_t len;

	return strlen(value) <= 255 && dname_from_text(value, wire, &len) == GAZ_OK &&
	       len > 1;
}

bool attribute_is_ec2_id(const char *value)
{
	size_t len = strlen(value);

	return strncmp(value, "i-", 2) == 0 && len > 2 && len <= 64 &&
	       strspn(value + 2, "0123456789abcdef") == len - 2;
}

static bool is_health(const char *value)
{
	return strcmp(value, "HEALTHY") == 0 || strcmp(value, "UNHEALTHY") == 0;
}

static const struct well_known {
	const char *key;
	bool (*is_valid)(const char *value);
	const char *form;
} well_known[] = {
	{IPV4, is_ipv4, "an IPv4 address"},
	{IPV6, is_ipv6, "an IPv6 address"},
	{PORT, is_port, "a port number from 1 to 65535"},
	{CNAME, is_domain_name, "a domain name"},
	{ALIAS, is_domain_name, "a domain name"},
	{EC2_ID, attribute_is_ec2_id, "an EC2 instance id, i- and hexadecimal digits"},
	{INIT_HEALTH, is_health, "HEALTHY or UNHEALTHY"},
};

static const struct well_known *find_well_known(const char *key)
{
	for (size_t i = 0; i < sizeof well_known / sizeof *well_known; i++) {
		if (strcmp(well_known[i].key, key) == 0)
			return &well_known[i];
	}
	return NULL;
}

static const char *value_of(const struct pair_list *attributes, const char *key)
{
	for (size_t i = 0; i < attributes->count; i++) {
		if (strcmp(attributes->items[i].key, key) == 0)
			return attributes->items[i].value;
	}
	return NULL;
}

static gaz_status check_each(struct call *call, const struct pair_list *attributes)
{
	const uint32_t custom_max = call->registry->config.max_custom_attributes;
	size_t custom = 0;
	size_t total = 0;

	for (size_t i = 0; i < attributes->count; i++) {
		const struct text_pair *pair = &attributes->items[i];
		const struct well_known *known = find_well_known(pair->key);

		total += strlen(pair->key) + strlen(pair->value);
		custom += known == NULL;
		if (known && !known->is_valid(pair->value))
			return fault_set(&call->fault, FAULT_INVALID_INPUT,
					 "The attribute %s must be %s, not '%.255s'",
					 pair->key, known->form, pair->value);
	}
	if (custom_max > 0 && custom > custom_max)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "An instance can have %u custom attributes at most",
				 custom_max);
	if (total > TOTAL_SIZE_MAX)
		return fault_set(
			&call->fault, FAULT_INVALID_INPUT,
			"The attributes of an instance can have %d characters at "
			"most, keys and values together",
			TOTAL_SIZE_MAX);
	return GAZ_OK;
}

/* ---- what goes together ---- */

/* An alias stands for addresses, so it needs a service of them, and none of its own. */
static gaz_status check_alias(struct call *call, const struct service_record *svc,
			      const struct pair_list *attributes)
{
	static const char excluded[] = "AWS_INSTANCE_";

	if (!value_of(attributes, ALIAS))
		return GAZ_OK;
	if (svc->dns_record_count == 0 || svc->routing_policy != ROUTING_WEIGHTED ||
	    (svc->dns_records[0].type != RECORD_A &&
	     svc->dns_records[0].type != RECORD_AAAA))
		return fault_set(
			&call->fault, FAULT_INVALID_INPUT,
			"The attribute %s needs a service of A or AAAA records with "
			"the routing policy WEIGHTED",
			ALIAS);
	for (size_t i = 0; i < attributes->count; i++) {
		const char *key = attributes->items[i].key;

		if (strncmp(key, excluded, sizeof excluded - 1) == 0)
			return fault_set(&call->fault, FAULT_INVALID_INPUT,
					 "The attribute %s cannot stand beside %s", key,
					 ALIAS);
	}
	return GAZ_OK;
}

static gaz_status check_combinations(struct call *call, const struct namespace_record *ns,
				     const struct service_record *svc,
				     const struct pair_list *attributes)
{
	gaz_status st = check_alias(call, svc, attributes);

	if (st != GAZ_OK)
		return st;
	if (value_of(attributes, INIT_HEALTH) && !svc->has_custom_health)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "The attribute %s needs a service with "
				 "HealthCheckCustomConfig",
				 INIT_HEALTH);
	if (!value_of(attributes, EC2_ID))
		return GAZ_OK;
	if (ns->type != NAMESPACE_HTTP)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "The attribute %s is possible in HTTP namespaces only",
				 EC2_ID);
	for (size_t i = 0; i < attributes->count; i++) {
		const char *key = attributes->items[i].key;

		if (find_well_known(key) && strcmp(key, EC2_ID) != 0 &&
		    strcmp(key, INIT_HEALTH) != 0)
			return fault_set(&call->fault, FAULT_INVALID_INPUT,
					 "The attribute %s cannot stand beside %s", key,
					 EC2_ID);
	}
	return GAZ_OK;
}

static gaz_status require(struct call *call, const struct pair_list *attributes,
			  const char *key)
{
	if (value_of(attributes, key))
		return GAZ_OK;
	return fault_set(&call->fault, FAULT_INVALID_INPUT,
			 "The attribute %s is required by the service's configuration",
			 key);
}

static gaz_status require_address(struct call *call, const struct pair_list *attributes)
{
	if (value_of(attributes, IPV4) || value_of(attributes, IPV6))
		return GAZ_OK;
	return fault_set(
		&call->fault, FAULT_INVALID_INPUT,
		"The attribute %s or %s is required by the service's configuration", IPV4,
		IPV6);
}

static gaz_status check_required(struct call *call, const struct service_record *svc,
				 const struct pair_list *attributes)
{
	gaz_status st = GAZ_OK;

	if (value_of(attributes, ALIAS))
		return GAZ_OK;
	for (size_t i = 0; st == GAZ_OK && i < svc->dns_record_count; i++) {
		switch (svc->dns_records[i].type) {
		case RECORD_A:
			st = require(call, attributes, IPV4);
			break;
		case RECORD_AAAA:
			st = require(call, attributes, IPV6);
			break;
		case RECORD_CNAME:
			st = require(call, attributes, CNAME);
			break;
		case RECORD_SRV:
			st = require(call, attributes, PORT);
			if (st == GAZ_OK)
				st = require_address(call, attributes);
			break;
		}
	}
	if (st == GAZ_OK && svc->health_check && !value_of(attributes, EC2_ID)) {
		st = require(call, attributes, PORT);
		if (st == GAZ_OK)
			st = require_address(call, attributes);
	}
	return st;
}

gaz_status attribute_check(struct call *call, const struct namespace_record *ns,
			   const struct service_record *svc,
			   const struct pair_list *attributes)
{
	gaz_status st = check_each(call, attributes);

	if (st == GAZ_OK)
		st = check_combinations(call, ns, svc, attributes);
	return st == GAZ_OK ? check_required(call, svc, attributes) : st;
}

/* There is no EC2 to ask: the configured address, or one made from the id. */
static const char *find_ec2_address(struct call *call, const char *id)
{
	const struct registry_config *config = &call->registry->config;
	uint8_t digest[ID_DIGEST_LEN];

	for (size_t i = 0; i < config->ec2_count; i++) {
		if (strcmp(config->ec2[i].id, id) == 0)
			return arena_strdup(call->arena, config->ec2[i].ipv4);
	}
	if (id_digest(id, strlen(id), digest) != GAZ_OK)
		return NULL;
	return arena_printf(call->arena, "10.%u.%u.%u", digest[0], digest[1],
			    digest[2] % 254u + 1u);
}

gaz_status attribute_complete(struct call *call, struct pair_list *attributes)
{
	const char *ec2_id = value_of(attributes, EC2_ID);
	struct text_pair *items;

	if (!ec2_id)
		return GAZ_OK;
	items = arena_alloc(call->arena, (attributes->count + 1) * sizeof *items);
	if (!items)
		return GAZ_ENOMEM;
	memcpy(items, attributes->items, attributes->count * sizeof *items);
	items[attributes->count].key = IPV4;
	items[attributes->count].value = find_ec2_address(call, ec2_id);
	if (!items[attributes->count].value)
		return GAZ_ENOMEM;
	attributes->items = items;
	attributes->count++;
	return GAZ_OK;
}
