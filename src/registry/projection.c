/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/projection.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/wire.h"
#include "registry/reverse.h"
#include "zone/zonedit.h"

/* The figures that Route 53 gives to every record. */
enum {
	SRV_PRIORITY = 1,
	SRV_WEIGHT = 1,
	RECORDS_MAX = 3, /* of one instance: SRV, and A and AAAA of its target */
};

/* One record of an instance. */
struct projected {
	uint8_t owner[DNAME_MAX];
	uint8_t rdata[RDATA_SRV_MAX];
	struct zone_record record; /* its rdata points to the above */
};

struct projection {
	size_t count;
	struct projected items[RECORDS_MAX];
};

const char *projection_attribute(const struct instance_record *inst, const char *key)
{
	for (size_t i = 0; i < inst->attributes.count; i++) {
		if (strcmp(inst->attributes.items[i].key, key) == 0)
			return inst->attributes.items[i].value;
	}
	return NULL;
}

bool projection_is_zone_name(const char *name)
{
	return apex_is_name(name);
}

/* ---- zones ---- */

gaz_status projection_add_namespace(struct zonedit *edit,
				    const struct apex_values *values,
				    const struct namespace_record *ns)
{
	struct zone *zone;
	uint8_t apex[DNAME_MAX];
	size_t len;
	gaz_status st;

	if (ns->type == NAMESPACE_HTTP)
		return GAZ_OK;
	st = dname_from_text(ns->name, apex, &len);
	if (st != GAZ_OK)
		return st;
	st = zonedit_add_zone(edit,
			      &(struct zone_spec){
				      .id = ns->id,
				      .apex = apex,
				      .kind = ns->type == NAMESPACE_DNS_PUBLIC
						      ? ZONE_PUBLIC
						      : ZONE_PRIVATE,
				      .vpc_id = ns->vpc_id,
				      .created_ms = ns->create_ms,
			      },
			      &zone);
	return st == GAZ_OK ? apex_add(edit, zone, apex, values, ns) : st;
}

gaz_status projection_update_soa(struct zonedit *edit, const struct apex_values *values,
				 const struct namespace_record *ns)
{
	struct zone *zone = zonedit_find_zone(edit, ns->id);
	uint8_t apex[DNAME_MAX];
	size_t len;
	gaz_status st;

	if (!zone)
		return GAZ_OK;
	st = dname_from_text(ns->name, apex, &len);
	return st == GAZ_OK ? apex_replace_soa(edit, zone, apex, values, ns) : st;
}

gaz_status projection_remove_namespace(struct zonedit *edit,
				       const struct namespace_record *ns)
{
	struct zone *zone = zonedit_find_zone(edit, ns->id);

	return zone ? zonedit_remove_zone(edit, zone) : GAZ_OK;
}

/* ---- instances ---- */

static struct projected *next_record(struct projection *p, const uint8_t *owner,
				     size_t owner_len)
{
	struct projected *item = &p->items[p->count++];

	assert(p->count <= RECORDS_MAX);
	memcpy(item->owner, owner, owner_len);
	item->record.rdata = item->rdata;
	return item;
}

/* One A or AAAA record, if the instance has that address. */
static void project_address(struct projection *p, const struct instance_record *inst,
			    uint16_t type, uint32_t ttl, enum rrset_policy policy,
			    const uint8_t *owner, size_t owner_len)
{
	bool is_a = type == DNS_TYPE_A;
	const char *text = projection_attribute(inst, is_a ? "AWS_INSTANCE_IPV4"
							   : "AWS_INSTANCE_IPV6");
	struct projected *item;

	if (!text)
		return;
	item = next_record(p, owner, owner_len);
	/* Registration has checked the text. */
	(void)inet_pton(is_a ? AF_INET : AF_INET6, text, item->rdata);
	item->record.type = type;
	item->record.rdata_len = is_a ? 4 : 16;
	item->record.ttl = ttl;
	item->record.policy = policy;
	item->record.healthy = inst->healthy;
}

/* An alias: the name that the query is answered from. */
static gaz_status project_alias(struct projection *p, const struct instance_record *inst,
				uint16_t type, uint32_t ttl, const uint8_t *owner,
				size_t owner_len)
{
	uint8_t name[DNAME_MAX];
	struct projected *item;
	size_t len;
	gaz_status st = dname_from_text(projection_attribute(inst, "AWS_ALIAS_DNS_NAME"),
					name, &len);

	if (st != GAZ_OK)
		return st;
	item = next_record(p, owner, owner_len);
	dname_lower(item->rdata, name, len);
	item->record.type = type;
	item->record.rdata_len = (uint16_t)len;
	item->record.ttl = ttl;
	item->record.policy = RRSET_WEIGHTED;
	item->record.healthy = inst->healthy;
	return GAZ_OK;
}

/* SRV 1 1 port ID.SVC.NS at SVC.NS, and the addresses of that target. */
static gaz_status project_srv(struct projection *p, const struct instance_record *inst,
			      uint32_t ttl, enum rrset_policy policy,
			      const uint8_t *owner, size_t owner_len)
{
	const char *port = projection_attribute(inst, "AWS_INSTANCE_PORT");
	uint8_t target[DNAME_MAX];
	size_t target_len;
	struct projected *item;
	size_t id_len = strlen(inst->id);
	gaz_status st = dname_below(inst->id, owner, target, &target_len);

	/* ID. would end in an empty label, were it followed by .SVC.NS. */
	if (st == GAZ_OK && inst->id[id_len - 1] == '.')
		return GAZ_EFORMAT;
	if (st != GAZ_OK || !port)
		return st;
	item = next_record(p, owner, owner_len);
	item->record.type = DNS_TYPE_SRV;
	item->record.rdata_len = (uint16_t)rdata_srv(
		item->rdata, sizeof item->rdata, SRV_PRIORITY, SRV_WEIGHT,
		(uint16_t)strtoul(port, NULL, 10), target);
	item->record.ttl = ttl;
	item->record.policy = policy;
	item->record.healthy = inst->healthy;
	project_address(p, inst, DNS_TYPE_A, ttl, RRSET_ALL, target, target_len);
	project_address(p, inst, DNS_TYPE_AAAA, ttl, RRSET_ALL, target, target_len);
	/* The target's addresses are there whatever the health. */
	for (size_t i = 1; i < p->count; i++)
		p->items[i].record.healthy = true;
	return GAZ_OK;
}

static gaz_status project_cname(struct projection *p, const struct instance_record *inst,
				uint32_t ttl, enum rrset_policy policy,
				const uint8_t *owner, size_t owner_len)
{
	const char *target = projection_attribute(inst, "AWS_INSTANCE_CNAME");
	uint8_t name[DNAME_MAX];
	struct projected *item;
	size_t len;
	gaz_status st;

	if (!target)
		return GAZ_OK;
	st = dname_from_text(target, name, &len);
	if (st != GAZ_OK)
		return st;
	item = next_record(p, owner, owner_len);
	item->record.type = DNS_TYPE_CNAME;
	item->record.rdata_len =
		(uint16_t)rdata_name(item->rdata, sizeof item->rdata, name);
	item->record.ttl = ttl;
	item->record.policy = policy;
	item->record.healthy = inst->healthy;
	return GAZ_OK;
}

static gaz_status project_instance(const struct namespace_record *ns,
				   const struct service_record *svc,
				   const struct instance_record *inst,
				   struct projection *p)
{
	enum rrset_policy policy = svc->routing_policy == ROUTING_WEIGHTED
					   ? RRSET_WEIGHTED
					   : RRSET_MULTIVALUE;
	uint8_t apex[DNAME_MAX];
	uint8_t owner[DNAME_MAX];
	size_t owner_len;
	bool is_alias;
	gaz_status st = GAZ_OK;

	p->count = 0;
	is_alias = inst && projection_attribute(inst, "AWS_ALIAS_DNS_NAME");
	if (!inst || ns->type == NAMESPACE_HTTP || svc->dns_deleted)
		return GAZ_OK;
	st = dname_from_text(ns->name, apex, &owner_len);
	if (st == GAZ_OK)
		st = dname_below(svc->name, apex, owner, &owner_len);
	for (size_t i = 0; st == GAZ_OK && i < svc->dns_record_count; i++) {
		uint32_t ttl = svc->dns_records[i].ttl;

		if (is_alias) {
			st = project_alias(p, inst,
					   svc->dns_records[i].type == RECORD_A
						   ? RRSET_ALIAS_A
						   : RRSET_ALIAS_AAAA,
					   ttl, owner, owner_len);
			continue;
		}
		switch (svc->dns_records[i].type) {
		case RECORD_A:
			project_address(p, inst, DNS_TYPE_A, ttl, policy, owner,
					owner_len);
			break;
		case RECORD_AAAA:
			project_address(p, inst, DNS_TYPE_AAAA, ttl, policy, owner,
					owner_len);
			break;
		case RECORD_SRV:
			st = project_srv(p, inst, ttl, policy, owner, owner_len);
			break;
		case RECORD_CNAME:
			st = project_cname(p, inst, ttl, policy, owner, owner_len);
			break;
		}
	}
	return st;
}

static const char *type_name(uint16_t type)
{
	switch (type) {
	case DNS_TYPE_A:
		return "A";
	case DNS_TYPE_AAAA:
		return "AAAA";
	case DNS_TYPE_SRV:
		return "SRV";
	case RRSET_ALIAS_A:
	case RRSET_ALIAS_AAAA:
		return "Alias";
	default:
		return "CNAME";
	}
}

static size_t count_same_set(const struct projection *p, const struct projected *like)
{
	size_t count = 0;

	for (size_t i = 0; i < p->count; i++)
		count += p->items[i].record.type == like->record.type &&
			 dname_equal(p->items[i].owner, like->owner);
	return count;
}

/* A simple record is alone at its owner and type: what is there already must be
 * what this change takes away. */
static gaz_status check_alone(struct zonedit *edit, struct zone *zone,
			      const struct projected *item,
			      const struct projection *before)
{
	size_t present;
	gaz_status st;

	if (item->record.policy != RRSET_ALL)
		return GAZ_OK;
	st = zonedit_count_records(edit, zone, item->owner, item->record.type, &present);
	if (st != GAZ_OK)
		return st;
	return present > count_same_set(before, item) ? GAZ_EEXISTS : GAZ_OK;
}

static gaz_status does_not_fit(const struct projected *item, gaz_status st,
			       struct gaz_error *why)
{
	char owner[DNAME_TEXT_SIZE];

	if (st == GAZ_ENOMEM)
		return st;
	return gaz_error_set(why, GAZ_EEXISTS, "%s record at %.255s %s",
			     type_name(item->record.type),
			     dname_to_text(item->owner, owner),
			     st == GAZ_ELIMIT ? "does not fit: the RRset is full"
					      : "conflicts with other records there");
}

static gaz_status check_all(struct zonedit *edit, struct zone *zone,
			    const struct projection *before,
			    const struct projection *after, struct gaz_error *why)
{
	for (size_t i = 0; i < after->count; i++) {
		const struct projected *item = &after->items[i];
		gaz_status st =
			zonedit_check_record(edit, zone, item->owner, &item->record);

		if (st == GAZ_OK)
			st = check_alone(edit, zone, item, before);
		if (st != GAZ_OK)
			return does_not_fit(item, st, why);
	}
	return GAZ_OK;
}

static gaz_status remove_all(struct zonedit *edit, struct zone *zone,
			     const struct projection *p)
{
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < p->count; i++)
		st = zonedit_remove_record(edit, zone, p->items[i].owner,
					   &p->items[i].record);
	return st;
}

static gaz_status add_all(struct zonedit *edit, struct zone *zone,
			  const struct projection *p)
{
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < p->count; i++)
		st = zonedit_add_record(edit, zone, p->items[i].owner,
					&p->items[i].record);
	return st;
}

/* ---- PTR records ---- */

static gaz_status add_reverse(struct zonedit *edit, const struct namespace_record *ns,
			      const struct projection *p)
{
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < p->count; i++)
		st = reverse_add(edit, ns, &p->items[i].record, p->items[i].owner);
	return st;
}

static gaz_status remove_reverse(struct zonedit *edit, const struct namespace_record *ns,
				 const struct projection *p)
{
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < p->count; i++)
		st = reverse_remove(edit, ns, &p->items[i].record, p->items[i].owner);
	return st;
}

/* ---- changes ---- */

/* The name of the service in the namespace was checked when it was created, so it is the
 * target of an SRV record that is no name. */
static gaz_status is_no_name(const struct namespace_record *ns,
			     const struct service_record *svc,
			     const struct instance_record *inst, gaz_status st,
			     struct gaz_error *why)
{
	bool is_apex = strcmp(svc->name, ".") == 0;

	if (st == GAZ_ENOMEM)
		return st;
	return gaz_error_set(
		why, GAZ_EFORMAT,
		"SRV record at %.128s%s%.255s: its target, below that name the "
		"instance %s, is no domain name: a label has 1 to 63 octets, a "
		"name 255 at most",
		is_apex ? "" : svc->name, is_apex ? "" : ".", ns->name, inst->id);
}

gaz_status projection_replace_instance(struct zonedit *edit,
				       const struct namespace_record *ns,
				       const struct service_record *svc,
				       const struct instance_record *old,
				       const struct instance_record *new,
				       struct gaz_error *why)
{
	struct zone *zone = zonedit_find_zone(edit, ns->id);
	struct projection before;
	struct projection after;
	gaz_status st = project_instance(ns, svc, old, &before);

	if (st == GAZ_OK)
		st = project_instance(ns, svc, new, &after);
	if (st != GAZ_OK)
		return is_no_name(ns, svc, new ? new : old, st, why);
	if (!zone)
		return GAZ_OK;
	/* Nothing is touched before everything is known to fit. */
	st = check_all(edit, zone, &before, &after, why);
	if (st == GAZ_OK)
		st = remove_all(edit, zone, &before);
	/* The new ones first: the zone of an address that stays need not go. */
	if (st == GAZ_OK)
		st = add_reverse(edit, ns, &after);
	if (st == GAZ_OK)
		st = remove_reverse(edit, ns, &before);
	return st == GAZ_OK ? add_all(edit, zone, &after) : st;
}

/* Adding a record checks it: where nobody is left with the half of it, once is enough. */
gaz_status projection_load_instance(struct zonedit *edit,
				    const struct namespace_record *ns,
				    const struct service_record *svc,
				    const struct instance_record *inst,
				    struct gaz_error *why)
{
	static const struct projection none;
	struct zone *zone = zonedit_find_zone(edit, ns->id);
	struct projection p;
	gaz_status st = project_instance(ns, svc, inst, &p);

	if (st != GAZ_OK)
		return is_no_name(ns, svc, inst, st, why);
	for (size_t i = 0; zone && i < p.count; i++) {
		const struct projected *item = &p.items[i];

		st = check_alone(edit, zone, item, &none);
		if (st == GAZ_OK)
			st = zonedit_add_record(edit, zone, item->owner, &item->record);
		if (st != GAZ_OK)
			return does_not_fit(item, st, why);
	}
	return zone ? add_reverse(edit, ns, &p) : GAZ_OK;
}

gaz_status projection_turn_instance(struct zonedit *edit,
				    const struct namespace_record *ns,
				    const struct service_record *svc,
				    const struct instance_record *old,
				    const struct instance_record *new)
{
	struct zone *zone = zonedit_find_zone(edit, ns->id);
	struct projection p;
	gaz_status st;

	if (!zone)
		return GAZ_OK;
	st = project_instance(ns, svc, old, &p);
	if (st == GAZ_OK)
		st = remove_all(edit, zone, &p);
	if (st == GAZ_OK)
		st = project_instance(ns, svc, new, &p);
	return st == GAZ_OK ? add_all(edit, zone, &p) : st;
}

/* Records that come back may meet others that took their place, and each other:
 * so each is checked after those before it are there. What was added goes again
 * when one of them does not fit. */
static gaz_status restore_service(struct zonedit *edit, struct zone *zone,
				  const struct namespace_record *ns,
				  const struct service_record *svc,
				  const struct instance_record *instances, size_t count,
				  struct gaz_error *why)
{
	static const struct projection none;
	struct projection p;
	gaz_status st = GAZ_OK;
	size_t done = 0;

	for (; st == GAZ_OK && done < count; done++) {
		st = project_instance(ns, svc, &instances[done], &p);
		st = st == GAZ_OK ? check_all(edit, zone, &none, &p, why)
				  : is_no_name(ns, svc, &instances[done], st, why);
		if (st == GAZ_OK)
			st = add_all(edit, zone, &p);
		if (st == GAZ_OK)
			st = add_reverse(edit, ns, &p);
	}
	if (st == GAZ_OK || st == GAZ_ENOMEM)
		return st;
	/* The last one, which did not fit, is not among those added. */
	for (size_t i = 0; i + 1 < done; i++) {
		if (project_instance(ns, svc, &instances[i], &p) != GAZ_OK ||
		    remove_all(edit, zone, &p) != GAZ_OK ||
		    remove_reverse(edit, ns, &p) != GAZ_OK)
			return GAZ_ENOMEM;
	}
	return st;
}

gaz_status projection_replace_service(struct zonedit *edit,
				      const struct namespace_record *ns,
				      const struct service_record *old,
				      const struct service_record *new,
				      const struct instance_record *instances,
				      size_t count, struct gaz_error *why)
{
	struct zone *zone = zonedit_find_zone(edit, ns->id);
	struct projection p;
	gaz_status st = GAZ_OK;

	if (!zone)
		return GAZ_OK;
	if (old->dns_deleted)
		return restore_service(edit, zone, ns, new, instances, count, why);
	/* All old ones first: one RRset has one TTL. The new ones are at the same
	 * names and of the same types, so they fit; PTR records stay as they are, unless
	 * there are no new ones. */
	for (size_t i = 0; st == GAZ_OK && i < count; i++) {
		st = project_instance(ns, old, &instances[i], &p);
		if (st == GAZ_OK)
			st = remove_all(edit, zone, &p);
		if (st == GAZ_OK && new->dns_deleted)
			st = remove_reverse(edit, ns, &p);
	}
	for (size_t i = 0; st == GAZ_OK && i < count; i++) {
		st = project_instance(ns, new, &instances[i], &p);
		if (st == GAZ_OK)
			st = add_all(edit, zone, &p);
	}
	return st;
}
