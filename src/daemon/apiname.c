/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/apiname.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/option-internal.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/wire.h"
#include "zone/zonedit.h"

enum {
	TTL = 60,
	ADDRESSES_MAX = 16,
};

static const char twin_prefix[] = "data-";

/* Lower-case, absolute; the twin with its prefix. False: no such name. */
static bool make_name(const char *name, bool twin, uint8_t out[DNAME_MAX])
{
	char text[sizeof twin_prefix + DNAME_TEXT_SIZE];
	size_t len;

	if ((size_t)snprintf(text, sizeof text, "%s%s", twin ? twin_prefix : "", name) >=
		    sizeof text ||
	    dname_from_text(text, out, &len) != GAZ_OK || len == 1)
		return false;
	dname_lower(out, out, len);
	return true;
}

static gaz_status add_address(struct api_name *item, const char *text,
			      struct gaz_error *err)
{
	struct netaddr *addr =
		grow((void **)&item->addresses, item->address_count, sizeof *addr);

	if (!addr)
		return out_of_memory(err);
	if (item->address_count == ADDRESSES_MAX || netaddr_parse(text, addr) != GAZ_OK)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "--api-name: '%s' is not one of up to %d addresses, "
				     "such as 192.0.2.1 or 2001:db8::1",
				     text, ADDRESSES_MAX);
	item->address_count++;
	return GAZ_OK;
}

gaz_status apiname_add(struct api_names *names, const char *text, struct gaz_error *err)
{
	struct api_name *item = grow((void **)&names->items, names->count, sizeof *item);
	char *addresses;
	uint8_t wire[DNAME_MAX];
	gaz_status st = GAZ_OK;

	if (!item || !(item->name = strdup(text)))
		return out_of_memory(err);
	names->count++;
	addresses = strchr(item->name, '=');
	if (addresses)
		*addresses++ = '\0';
	if (!make_name(item->name, false, wire) || !make_name(item->name, true, wire))
		return gaz_error_set(
			err, GAZ_EFORMAT,
			"--api-name: '%s' is not a domain name with room for "
			"'%s' before it",
			item->name, twin_prefix);
	while (st == GAZ_OK && addresses)
		st = add_address(item, strsep(&addresses, ","), err);
	return st;
}

gaz_status apiname_add_region(struct api_names *names, const char *region,
			      struct gaz_error *err)
{
	char name[DNAME_MAX];

	if (strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region) ||
	    strlen(region) == 0 || strlen(region) > 32)
		return gaz_error_set(
			err, GAZ_EFORMAT,
			"--aws-names: '%s' is not the name of a region, such "
			"as eu-west-1",
			region);
	(void)snprintf(name, sizeof name, "servicediscovery.%s.amazonaws.com%s", region,
		       strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
	return apiname_add(names, name, err);
}

void apiname_free(struct api_names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		free(names->items[i].name);
		free(names->items[i].addresses);
	}
	free(names->items);
	*names = (struct api_names){NULL, 0};
}

/* ---- publishing ---- */

static gaz_status add_record(struct zonedit *edit, struct zone *zone,
			     const uint8_t *owner, uint16_t type, const uint8_t *rdata,
			     size_t len)
{
	const struct zone_record record = {
		.type = type,
		.rdata_len = (uint16_t)len,
		.ttl = TTL,
		.policy = RRSET_ALL,
		.healthy = true,
		.rdata = rdata,
	};

	return zonedit_add_record(edit, zone, owner, &record);
}

/* The name is its own name server. */
static gaz_status add_apex(struct zonedit *edit, struct zone *zone, const uint8_t *name)
{
	static const uint8_t nobody[] = "\6nobody\7invalid";
	uint8_t rdata[RDATA_SOA_MAX];
	size_t len =
		rdata_soa(rdata, sizeof rdata, name, nobody, 1, 7200, 900, 1209600, TTL);
	gaz_status st = add_record(edit, zone, name, DNS_TYPE_SOA, rdata, len);

	return st == GAZ_OK
		       ? add_record(edit, zone, name, DNS_TYPE_NS, name, dname_len(name))
		       : st;
}

static gaz_status add_host(struct zonedit *edit, struct zone *zone, const uint8_t *name,
			   const struct netaddr *addr)
{
	bool v4 = addr->family == AF_INET;

	return add_record(edit, zone, name, v4 ? DNS_TYPE_A : DNS_TYPE_AAAA, addr->bytes,
			  v4 ? 4 : 16);
}

static gaz_status add_zone(struct zonedit *edit, const char *text, bool twin,
			   const struct netaddr *addresses, size_t count)
{
	char id[sizeof "api:" + sizeof twin_prefix + DNAME_TEXT_SIZE];
	uint8_t name[DNAME_MAX];
	const struct zone_spec spec = {.id = id, .apex = name, .kind = ZONE_STATIC};
	struct zone *zone;
	gaz_status st;

	(void)make_name(text, twin, name);
	(void)snprintf(id, sizeof id, "api:%s%s", twin ? twin_prefix : "", text);
	st = zonedit_add_zone(edit, &spec, &zone);
	if (st == GAZ_EEXISTS)
		return GAZ_OK; /* it was named twice */
	if (st == GAZ_OK)
		st = add_apex(edit, zone, name);
	for (size_t i = 0; st == GAZ_OK && i < count; i++)
		st = add_host(edit, zone, name, &addresses[i]);
	return st;
}

static bool is_wildcard(const struct netaddr *addr)
{
	static const struct netaddr none;

	return memcmp(addr->bytes, none.bytes, sizeof none.bytes) == 0;
}

static size_t gather_addresses(const struct sockaddr_storage *listeners, size_t count,
			       struct netaddr out[ADDRESSES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < count && n < ADDRESSES_MAX; i++) {
		if (netaddr_from_sockaddr((const struct sockaddr *)&listeners[i],
					  &out[n]) == GAZ_OK &&
		    !is_wildcard(&out[n]))
			n++;
	}
	return n;
}

static gaz_status add_both(struct zonedit *edit, const struct api_name *item,
			   const struct netaddr *ours, size_t our_count,
			   struct gaz_error *err)
{
	const struct netaddr *addresses = item->address_count ? item->addresses : ours;
	size_t count = item->address_count ? item->address_count : our_count;
	gaz_status st;

	if (count == 0)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "%s: the API listens on no address that DNS could "
				     "answer with; give one: --api-name %s=ADDR",
				     item->name, item->name);
	st = add_zone(edit, item->name, false, addresses, count);
	return st == GAZ_OK ? add_zone(edit, item->name, true, addresses, count) : st;
}

gaz_status apiname_publish(const struct api_names *names,
			   const struct sockaddr_storage *listeners,
			   size_t listener_count, struct zonedb *db,
			   struct gaz_error *err)
{
	struct netaddr ours[ADDRESSES_MAX];
	size_t our_count = gather_addresses(listeners, listener_count, ours);
	struct zonedit *edit = NULL;
	gaz_status st = zonedit_new(db, &edit);

	for (size_t i = 0; st == GAZ_OK && i < names->count; i++)
		st = add_both(edit, &names->items[i], ours, our_count, err);
	if (st == GAZ_OK)
		st = zonedit_prepare(edit);
	if (st == GAZ_OK)
		zonedit_publish(&edit);
	else if (st != GAZ_EFORMAT)
		gaz_error_set(err, st, "cannot add the names of the API: %s",
			      gaz_status_text(st));
	zonedit_free(&edit);
	return st;
}
