/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/reverse.h"

#include <stdio.h>
#include <string.h>

#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/wire.h"
#include "registry/namespace.h"
#include "zone/zonedit.h"

#define ID_PREFIX "ptr:"

enum {
	NAME_SIZE = 80, /* 32 nibbles with their dots, "ip6.arpa", the NUL */
	ID_SIZE = 512,	/* prefix, VPC id of 64 characters, name */
	PTR_TTL = 60,
	/* Whoever asks too early asks again soon: addresses come and go. */
	SOA_TTL = 15,
};

/* RFC 6303, section 4. */
static const char *const empty_zones[] = {
	"10.in-addr.arpa",
	"16.172.in-addr.arpa",
	"17.172.in-addr.arpa",
	"18.172.in-addr.arpa",
	"19.172.in-addr.arpa",
	"20.172.in-addr.arpa",
	"21.172.in-addr.arpa",
	"22.172.in-addr.arpa",
	"23.172.in-addr.arpa",
	"24.172.in-addr.arpa",
	"25.172.in-addr.arpa",
	"26.172.in-addr.arpa",
	"27.172.in-addr.arpa",
	"28.172.in-addr.arpa",
	"29.172.in-addr.arpa",
	"30.172.in-addr.arpa",
	"31.172.in-addr.arpa",
	"168.192.in-addr.arpa",
	"0.in-addr.arpa",
	"127.in-addr.arpa",
	"254.169.in-addr.arpa",
	"2.0.192.in-addr.arpa",
	"100.51.198.in-addr.arpa",
	"113.0.203.in-addr.arpa",
	"255.255.255.255.in-addr.arpa",
	"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
	"d.f.ip6.arpa",
	"8.e.f.ip6.arpa",
	"9.e.f.ip6.arpa",
	"a.e.f.ip6.arpa",
	"b.e.f.ip6.arpa",
	"8.b.d.0.1.0.0.2.ip6.arpa",
};

bool reverse_is_zone(const char *id)
{
	return strncmp(id, ID_PREFIX, strlen(ID_PREFIX)) == 0;
}

/* ---- zones ---- */

/* The records of RFC 6303, section 3: the name itself as the server, nobody to write to;
 * but with times for zones that change. */
static gaz_status add_apex(struct zonedit *edit, struct zone *zone, const uint8_t *apex)
{
	static const uint8_t nobody[] = "\006nobody\007invalid";
	uint8_t soa[RDATA_SOA_MAX];
	struct zone_record record = {
		.type = DNS_TYPE_SOA,
		.ttl = SOA_TTL,
		.policy = RRSET_ALL,
		.healthy = true,
		.rdata = soa,
	};
	gaz_status st;

	record.rdata_len = (uint16_t)rdata_soa(soa, sizeof soa, apex, nobody, 1, 3600,
					       1200, 604800, SOA_TTL);
	st = zonedit_add_record(edit, zone, apex, &record);
	if (st != GAZ_OK)
		return st;
	record.type = DNS_TYPE_NS;
	record.rdata = apex;
	record.rdata_len = (uint16_t)dname_len(apex);
	return zonedit_add_record(edit, zone, apex, &record);
}

static gaz_status add_empty(struct zonedit *edit, const char *name)
{
	uint8_t apex[DNAME_MAX];
	char id[ID_SIZE];
	const struct zone_spec spec = {
		.id = id,
		.apex = apex,
		.kind = ZONE_STATIC,
		.created_ms = INT64_MAX, /* of two of one name the older one answers */
	};
	struct zone *zone;
	size_t len;
	gaz_status st = dname_from_text(name, apex, &len);

	(void)snprintf(id, sizeof id, ID_PREFIX "/%s", name);
	if (st == GAZ_OK)
		st = zonedit_add_zone(edit, &spec, &zone);
	return st == GAZ_OK ? add_apex(edit, zone, apex) : st;
}

gaz_status reverse_open(struct zonedit *edit)
{
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < sizeof empty_zones / sizeof *empty_zones;
	     i++)
		st = add_empty(edit, empty_zones[i]);
	return st;
}

static bool is_open(struct zonedit *edit)
{
	return zonedit_find_zone(edit, ID_PREFIX "/10.in-addr.arpa") != NULL;
}

/* ---- records ---- */

/* The reverse name of an address, and the id of its zone for those who see `ns`. */
struct place {
	uint8_t name[DNAME_MAX];
	char id[ID_SIZE];
};

static void print_name(const struct zone_record *record, char out[NAME_SIZE])
{
	const uint8_t *octet = record->rdata;
	size_t len = 0;

	if (record->type == DNS_TYPE_A) {
		(void)snprintf(out, NAME_SIZE, "%u.%u.%u.%u.in-addr.arpa", octet[3],
			       octet[2], octet[1], octet[0]);
		return;
	}
	for (size_t i = 16; i-- > 0;)
		len += (size_t)snprintf(out + len, NAME_SIZE - len, "%x.%x.",
					octet[i] & 15u, octet[i] >> 4);
	(void)snprintf(out + len, NAME_SIZE - len, "ip6.arpa");
}

static gaz_status find_place(const struct namespace_record *ns,
			     const struct zone_record *record, struct place *out)
{
	const bool is_private = ns->type == NAMESPACE_DNS_PRIVATE;
	char name[NAME_SIZE];
	size_t len;

	print_name(record, name);
	/* Of what follows the prefix "/" is an empty zone, "=" a VPC's, ":" a public one:
	 * whatever a VPC is called, the ids differ. */
	(void)snprintf(out->id, sizeof out->id, ID_PREFIX "%s%s:%s",
		       is_private ? "=" : "", is_private ? ns->vpc_id : "", name);
	return dname_from_text(name, out->name, &len);
}

static gaz_status add_zone(struct zonedit *edit, const struct namespace_record *ns,
			   const struct place *place, struct zone **out)
{
	const struct zone_spec spec = {
		.id = place->id,
		.apex = place->name,
		.kind = ns->type == NAMESPACE_DNS_PUBLIC ? ZONE_PUBLIC : ZONE_PRIVATE,
		.vpc_id = ns->vpc_id,
		.created_ms = INT64_MAX, /* a namespace of that name is older */
	};
	gaz_status st = zonedit_add_zone(edit, &spec, out);

	return st == GAZ_OK ? add_apex(edit, *out, place->name) : st;
}

static struct zone_record make_ptr(const uint8_t *owner)
{
	return (struct zone_record){
		.type = DNS_TYPE_PTR,
		.rdata_len = (uint16_t)dname_len(owner),
		.ttl = PTR_TTL,
		.policy = RRSET_MULTIVALUE,
		.healthy = true,
		.rdata = owner,
	};
}

static bool is_address(const struct zone_record *record)
{
	return record->type == DNS_TYPE_A || record->type == DNS_TYPE_AAAA;
}

/* What is done with a PTR record. `zone` is the place's, NULL when there is none. */
typedef gaz_status change_ptr(struct zonedit *edit, const struct namespace_record *ns,
			      const struct place *place, struct zone *zone,
			      const struct zone_record *ptr);

/* Nothing, for records without an address, and where there are no PTR records at all. */
static gaz_status change(struct zonedit *edit, const struct namespace_record *ns,
			 const struct zone_record *record, const uint8_t *owner,
			 change_ptr *change_it)
{
	const struct zone_record ptr = make_ptr(owner);
	struct place place;
	gaz_status st;

	if (!is_address(record) || !is_open(edit))
		return GAZ_OK;
	st = find_place(ns, record, &place);
	if (st != GAZ_OK)
		return st;
	return change_it(edit, ns, &place, zonedit_find_zone(edit, place.id), &ptr);
}

static gaz_status add_ptr(struct zonedit *edit, const struct namespace_record *ns,
			  const struct place *place, struct zone *zone,
			  const struct zone_record *ptr)
{
	gaz_status st = GAZ_OK;

	if (!zone)
		st = add_zone(edit, ns, place, &zone);
	if (st == GAZ_OK)
		st = zonedit_add_record(edit, zone, place->name, ptr);
	return st == GAZ_ELIMIT ? GAZ_OK : st;
}

/* With its last record the zone goes too: the name is NXDOMAIN again. */
static gaz_status remove_ptr(struct zonedit *edit, const struct namespace_record *ns,
			     const struct place *place, struct zone *zone,
			     const struct zone_record *ptr)
{
	size_t left;
	gaz_status st;

	(void)ns;
	if (!zone)
		return GAZ_OK;
	st = zonedit_remove_record(edit, zone, place->name, ptr);
	if (st == GAZ_OK || st == GAZ_ENOTFOUND)
		st = zonedit_count_records(edit, zone, place->name, DNS_TYPE_PTR, &left);
	return st == GAZ_OK && left == 0 ? zonedit_remove_zone(edit, zone) : st;
}

gaz_status reverse_add(struct zonedit *edit, const struct namespace_record *ns,
		       const struct zone_record *record, const uint8_t *owner)
{
	return change(edit, ns, record, owner, add_ptr);
}

gaz_status reverse_remove(struct zonedit *edit, const struct namespace_record *ns,
			  const struct zone_record *record, const uint8_t *owner)
{
	return change(edit, ns, record, owner, remove_ptr);
}
