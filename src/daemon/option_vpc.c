/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "daemon/option-internal.h"

/* The options that say where questions come in, and from which VPC. */

enum {
	DNS_PORT_DEFAULT = 10053,
	VPC_ID_MAX = 64, /* as in the API */
};

static gaz_status check_vpc_id(const char *id, struct gaz_error *err)
{
	if (*id != '\0' && strlen(id) <= VPC_ID_MAX)
		return GAZ_OK;
	return gaz_error_set(err, GAZ_EFORMAT,
			     "--vpc and --listen: a VPC id has 1 to %d characters, not "
			     "'%.100s'",
			     VPC_ID_MAX, id);
}

gaz_status option_set_listen(struct options *c, const char *value, struct gaz_error *err)
{
	const char *equals = strchr(value, '=');
	char addr[128];
	size_t len = equals ? (size_t)(equals - value) : strlen(value);
	struct responder_endpoint *item;

	if (len >= sizeof addr || (equals && equals[1] == '\0'))
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--listen: '%s' is not ADDR[:PORT][=VPC]", value);
	memcpy(addr, value, len);
	addr[len] = '\0';
	item = grow((void **)&c->listen, c->listen_count, sizeof *item);
	if (!item)
		return out_of_memory(err);
	if (netaddr_parse_endpoint(addr, DNS_PORT_DEFAULT, &item->addr) != GAZ_OK)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--listen: '%s' is not ADDR[:PORT][=VPC], such as "
				     "127.0.0.1:10053 or [::1]:10053",
				     value);
	if (equals) {
		if (check_vpc_id(equals + 1, err) != GAZ_OK)
			return GAZ_EFORMAT;
		item->vpc_id = strdup(equals + 1);
		if (!item->vpc_id)
			return out_of_memory(err);
	}
	c->listen_count++;
	return GAZ_OK;
}

static struct registry_vpc *find_or_add_vpc(struct options *c, const char *id)
{
	struct registry_vpc *vpc;

	for (size_t i = 0; i < c->vpc_count; i++) {
		if (strcmp(c->vpcs[i].id, id) == 0)
			return &c->vpcs[i];
	}
	vpc = grow((void **)&c->vpcs, c->vpc_count, sizeof *vpc);
	if (!vpc)
		return NULL;
	vpc->id = strdup(id);
	if (!vpc->id)
		return NULL;
	c->vpc_count++;
	return vpc;
}

static gaz_status add_prefix(struct registry_vpc *vpc, const char *text,
			     struct gaz_error *err)
{
	struct netprefix *prefix = grow((void **)(uintptr_t)&vpc->prefixes,
					vpc->prefix_count, sizeof *prefix);

	if (!prefix)
		return out_of_memory(err);
	if (netaddr_parse_prefix(text, prefix) != GAZ_OK)
		return gaz_error_set(
			err, GAZ_EFORMAT,
			"--vpc: '%s' is not an address prefix such as 10.0.0.0/16; "
			"bits behind the length must be zero",
			text);
	vpc->prefix_count++;
	return GAZ_OK;
}

gaz_status option_set_vpc(struct options *c, const char *value, struct gaz_error *err)
{
	char *copy = strdup(value);
	char *equals = copy ? strchr(copy, '=') : NULL;
	struct registry_vpc *vpc = NULL;
	gaz_status st;

	if (!equals || equals[1] == '\0') {
		free(copy);
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--vpc: '%s' is not ID=CIDR[,CIDR...]", value);
	}
	*equals = '\0';
	st = check_vpc_id(copy, err);
	if (st == GAZ_OK) {
		vpc = find_or_add_vpc(c, copy);
		st = vpc ? GAZ_OK : out_of_memory(err);
	}
	for (char *rest = equals + 1; st == GAZ_OK && rest;) {
		const char *text = strsep(&rest, ",");

		st = add_prefix(vpc, text, err);
	}
	free(copy);
	return st;
}

gaz_status option_set_strict_vpcs(struct options *c, const char *value,
				  struct gaz_error *err)
{
	(void)err;
	c->strict_vpcs = value != NULL;
	return GAZ_OK;
}

gaz_status option_declare_listener_vpcs(struct options *c)
{
	for (size_t i = 0; i < c->listen_count; i++) {
		if (c->listen[i].vpc_id && !find_or_add_vpc(c, c->listen[i].vpc_id))
			return GAZ_ENOMEM;
	}
	return GAZ_OK;
}
