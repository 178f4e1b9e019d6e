/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>

#include "daemon/option-internal.h"
#include "registry/attribute.h"

/* The options that say what the emulated AWS would: the records at the apex of
 * namespaces, quotas and rates, addresses of EC2. */

enum {
	SOA_FIELDS_MAX = 6,
	TTL_MAX = 2147483647, /* as in the API, and in RFC 2181 */
};

/* ---- the apex of namespaces ---- */

static gaz_status check_name(const char *option, const char *name, struct gaz_error *err)
{
	if (strchr(name, '@'))
		return gaz_error_set(err, GAZ_EFORMAT,
				     "%s: write a dot for the @ of '%.255s'", option,
				     name);
	if (!apex_is_name(name))
		return gaz_error_set(err, GAZ_EFORMAT,
				     "%s: '%.255s' is not a domain name such as "
				     "ns1.example.com",
				     option, name);
	return GAZ_OK;
}

static gaz_status set_text(const char **at, const char *text, struct gaz_error *err)
{
	char *copy = strdup(text);

	if (!copy)
		return out_of_memory(err);
	free((char *)(uintptr_t)*at);
	*at = copy;
	return GAZ_OK;
}

/* The default is nobody's memory. */
static void own_rname(struct options *c)
{
	if (c->apex.rname == apex_route53.rname)
		c->apex.rname = NULL;
}

static gaz_status set_soa_fields(struct options *c, char *const fields[SOA_FIELDS_MAX],
				 size_t count, struct gaz_error *err)
{
	uint32_t *const numbers[SOA_FIELDS_MAX - 2] = {&c->apex.refresh, &c->apex.retry,
						       &c->apex.expire, &c->apex.minimum};
	gaz_status st = check_name("--soa", fields[0], err);

	if (st == GAZ_OK)
		st = check_name("--soa", fields[1], err);
	for (size_t i = 2; st == GAZ_OK && i < count; i++) {
		uint64_t number;

		st = set_number("--soa", fields[i], TTL_MAX, &number, err);
		if (st == GAZ_OK)
			*numbers[i - 2] = (uint32_t)number;
	}
	if (st != GAZ_OK)
		return st;
	own_rname(c);
	st = set_text(&c->apex.mname, fields[0], err);
	return st == GAZ_OK ? set_text(&c->apex.rname, fields[1], err) : st;
}

gaz_status option_set_soa(struct options *c, const char *value, struct gaz_error *err)
{
	static const char blanks[] = " \t";
	char *copy = strdup(value);
	char *fields[SOA_FIELDS_MAX];
	char *rest = NULL;
	size_t count = 0;
	gaz_status st;

	if (!copy)
		return out_of_memory(err);
	for (char *field = strtok_r(copy, blanks, &rest);
	     field && count <= SOA_FIELDS_MAX; field = strtok_r(NULL, blanks, &rest)) {
		if (count < SOA_FIELDS_MAX)
			fields[count] = field;
		count++;
	}
	if (count < 2 || count > SOA_FIELDS_MAX)
		st = gaz_error_set(err, GAZ_EFORMAT,
				   "--soa: '%.255s' is not \"MNAME RNAME [REFRESH [RETRY "
				   "[EXPIRE [MINIMUM]]]]\"; there is no serial, see "
				   "--soa-serial",
				   value);
	else
		st = set_soa_fields(c, fields, count, err);
	free(copy);
	return st;
}

gaz_status option_set_ns(struct options *c, const char *value, struct gaz_error *err)
{
	const char **item;
	gaz_status st = check_name("--ns", value, err);

	if (st != GAZ_OK)
		return st;
	if (c->apex.server_count == APEX_SERVERS_MAX)
		return gaz_error_set(err, GAZ_EFORMAT, "--ns: %d name servers at most",
				     APEX_SERVERS_MAX);
	for (size_t i = 0; i < c->apex.server_count; i++) {
		if (strcmp(c->apex.servers[i], value) == 0)
			return gaz_error_set(err, GAZ_EFORMAT,
					     "--ns: '%.255s' is given twice", value);
	}
	item = grow((void **)(uintptr_t)&c->apex.servers, c->apex.server_count,
		    sizeof *item);
	if (!item)
		return out_of_memory(err);
	st = set_text(item, value, err);
	if (st == GAZ_OK)
		c->apex.server_count++;
	return st;
}

gaz_status option_set_soa_ttl(struct options *c, const char *value, struct gaz_error *err)
{
	uint64_t number;
	gaz_status st = set_number("--soa-ttl", value, TTL_MAX, &number, err);

	if (st == GAZ_OK)
		c->apex.ttl = (uint32_t)number;
	return st;
}

gaz_status option_set_soa_serial(struct options *c, const char *value,
				 struct gaz_error *err)
{
	bool counting = strcmp(value, "counting") == 0;

	if (!counting && strcmp(value, "fixed") != 0)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--soa-serial: '%.100s' is not fixed or counting",
				     value);
	c->apex.counting = counting;
	return GAZ_OK;
}

/* ---- instances ---- */

gaz_status option_set_discover_health(struct options *c, const char *value,
				      struct gaz_error *err)
{
	if (strcmp(value, "HEALTHY") == 0)
		c->discover_health = HEALTH_FILTER_HEALTHY;
	else if (strcmp(value, "HEALTHY_OR_ELSE_ALL") == 0)
		c->discover_health = HEALTH_FILTER_HEALTHY_OR_ELSE_ALL;
	else
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--discover-health: '%.100s' is not HEALTHY or "
				     "HEALTHY_OR_ELSE_ALL",
				     value);
	return GAZ_OK;
}

static gaz_status add_ec2(struct options *c, const char *id, const char *ipv4,
			  struct gaz_error *err)
{
	struct registry_ec2 *item;

	for (size_t i = 0; i < c->ec2_count; i++) {
		if (strcmp(c->ec2[i].id, id) == 0)
			return gaz_error_set(err, GAZ_EFORMAT, "--ec2: %s is given twice",
					     id);
	}
	item = grow((void **)&c->ec2, c->ec2_count, sizeof *item);
	if (!item)
		return out_of_memory(err);
	c->ec2_count++;
	item->id = strdup(id);
	item->ipv4 = strdup(ipv4);
	return item->id && item->ipv4 ? GAZ_OK : out_of_memory(err);
}

gaz_status option_set_ec2(struct options *c, const char *value, struct gaz_error *err)
{
	const char *equals = strchr(value, '=');
	struct in_addr addr;
	char *id;
	gaz_status st;

	if (!equals || inet_pton(AF_INET, equals + 1, &addr) != 1)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--ec2: '%.100s' is not ID=IPV4, such as "
				     "i-0123abcd=10.0.0.7",
				     value);
	id = strndup(value, (size_t)(equals - value));
	if (!id)
		return out_of_memory(err);
	if (attribute_is_ec2_id(id))
		st = add_ec2(c, id, equals + 1, err);
	else
		st = gaz_error_set(err, GAZ_EFORMAT,
				   "--ec2: '%.100s' is not i- and hexadecimal digits in "
				   "lower case",
				   id);
	free(id);
	return st;
}

/* ---- quotas and rates ---- */

gaz_status option_set_quota(struct options *c, const char *value, struct gaz_error *err)
{
	const struct {
		const char *name;
		uint32_t *at;
	} quotas[] = {
		{"namespaces=", &c->quota_namespaces},
		{"services-per-namespace=", &c->quota_services_per_namespace},
		{"instances-per-service=", &c->quota_instances_per_service},
		{"instances-per-namespace=", &c->quota_instances_per_namespace},
		{"attributes-per-instance=", &c->quota_custom_attributes},
		{"attributes-per-service=", &c->quota_service_attributes},
		{"tags-per-resource=", &c->quota_tags},
	};

	for (size_t i = 0; i < sizeof quotas / sizeof *quotas; i++) {
		size_t len = strlen(quotas[i].name);
		uint64_t number;
		gaz_status st;

		if (strncmp(value, quotas[i].name, len) != 0)
			continue;
		st = set_number("--quota", value + len, UINT32_MAX, &number, err);
		if (st == GAZ_OK)
			*quotas[i].at = (uint32_t)number;
		return st;
	}
	return gaz_error_set(
		err, GAZ_EFORMAT,
		"--quota: '%s' is not NAME=N with one of the names namespaces, "
		"services-per-namespace, instances-per-service, "
		"instances-per-namespace, attributes-per-instance, "
		"attributes-per-service, tags-per-resource",
		value);
}

/* N[:BURST]; N 0 takes the limit away. */
static gaz_status read_rate(const char *text, struct rate_limit *out,
			    struct gaz_error *err)
{
	const char *colon = strchr(text, ':');
	char number[16] = "";
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	uint64_t per_second = 0;
	uint64_t burst;
	gaz_status st;

	(void)snprintf(number, sizeof number, "%.*s", (int)(len < 15 ? len : 15), text);
	st = set_number("--rate", number, 1000000, &per_second, err);
	burst = 2 * per_second;
	if (st == GAZ_OK && colon)
		st = set_number("--rate", colon + 1, 1000000000, &burst, err);
	if (st == GAZ_OK && colon && burst == 0)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--rate: the BURST must be at least 1");
	if (st == GAZ_OK)
		*out = (struct rate_limit){(uint32_t)per_second, (uint32_t)burst};
	return st;
}

gaz_status option_set_rate(struct options *c, const char *value, struct gaz_error *err)
{
	static const char *const names[RATE_KIND_COUNT] = {
		[RATE_DISCOVER_INSTANCES] = "DiscoverInstances=",
		[RATE_DISCOVER_INSTANCES_REVISION] = "DiscoverInstancesRevision=",
		[RATE_OTHER] = "other=",
	};

	for (size_t i = 0; i < RATE_KIND_COUNT; i++) {
		size_t len = strlen(names[i]);

		if (strncmp(value, names[i], len) == 0)
			return read_rate(value + len, &c->rates[i], err);
	}
	return gaz_error_set(err, GAZ_EFORMAT,
			     "--rate: '%.100s' is not NAME=N[:BURST] with one of the "
			     "names DiscoverInstances, DiscoverInstancesRevision, other",
			     value);
}

void option_free_cloudmap(struct options *c)
{
	own_rname(c);
	free((char *)(uintptr_t)c->apex.mname);
	free((char *)(uintptr_t)c->apex.rname);
	for (size_t i = 0; i < c->apex.server_count; i++)
		free((char *)(uintptr_t)c->apex.servers[i]);
	free((const char **)(uintptr_t)c->apex.servers);
	for (size_t i = 0; i < c->ec2_count; i++) {
		free((char *)(uintptr_t)c->ec2[i].id);
		free((char *)(uintptr_t)c->ec2[i].ipv4);
	}
	free(c->ec2);
}
