/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/netaddr.h"
#include "registry/check-internal.h"
#include "registry/instance_store.h"
#include "registry/registry-internal.h"

/* Instances, and what belongs to a resource beside its own record. */

/* ---- instances ---- */

static gaz_status find_place(struct check *c, const char *service_id)
{
	struct check other = {.txn = c->txn, .arena = c->place_arena};
	gaz_status st;

	if (c->place.id && strcmp(c->place.id, service_id) == 0)
		return GAZ_OK;
	arena_fini(&other.arena);
	c->place = (struct service_record){0};
	st = check_load_service(&other, service_id, &c->place);
	if (st != GAZ_OK)
		c->place.region = NULL;
	c->place.id = arena_strdup(&other.arena, service_id);
	c->place_arena = other.arena;
	if (!c->place.id)
		return GAZ_ENOMEM;
	return st == GAZ_ENOTFOUND || st == GAZ_ESTORE ? GAZ_OK : st;
}

/* A status that turns later is on the list of what is due. */
static gaz_status check_health_due(struct check *c, struct span key,
				   const struct instance_record *inst)
{
	struct check_link link = {.table = TABLE_HEALTH_DUE, .any_value = true};

	if (inst->health_due_ms == 0)
		return GAZ_OK;
	key_put_u64(&link.key, (uint64_t)inst->health_due_ms);
	key_put(&link.key, key.data, key.len);
	return check_links(c, c->table, key, &link, 1);
}

/* @param key  the one that it has in TABLE_INSTANCE, or would have */
static gaz_status check_instance(struct check *c, struct span key, struct span value)
{
	const uint8_t *nul = memchr(key.data, '\0', key.len);
	struct instance_record inst = {0};
	gaz_status st;

	if (!nul || nul + 1 == key.data + key.len) {
		check_fault(c, c->table, key, "that is not an instance's key");
		return GAZ_OK;
	}
	st = find_place(c, (const char *)key.data);
	if (st != GAZ_OK)
		return st;
	if (!c->place.region)
		check_fault(c, c->table, key, "its service does not exist");
	st = schema_get_instance(value, &c->arena, &inst);
	if (st == GAZ_ENOMEM)
		return st;
	if (st != GAZ_OK || !inst.creator_request_id || !check_pairs(&inst.attributes)) {
		check_fault(c, c->table, key, "its value cannot be read");
		return GAZ_OK;
	}
	return check_health_due(c, key, &inst);
}

gaz_status check_instance_entry(struct check *c, struct span key, struct span value)
{
	return check_instance(c, key, value);
}

/* Nowhere else is it, too. */
static gaz_status check_young(struct check *c, struct span key, struct span value)
{
	struct span elsewhere;
	gaz_status st = store_get(c->txn, TABLE_INSTANCE, key, &elsewhere);

	if (st == GAZ_OK)
		check_fault(c, c->table, key, "it is in the table instance, too");
	return st == GAZ_OK || st == GAZ_ENOTFOUND ? check_instance(c, key, value) : st;
}

/* What is due may outlive its instance: then nothing happens at its time. */
gaz_status check_health_entry(struct check *c, struct span key, struct span value)
{
	const uint8_t *nul = key.len > 8 ? memchr(key.data + 8, '\0', key.len - 8) : NULL;
	const char *region;
	const char *account;
	struct reader r;
	gaz_status st;

	if (!nul || nul + 1 == key.data + key.len) {
		check_fault(c, TABLE_HEALTH_DUE, key, "that is no time and instance");
		return GAZ_OK;
	}
	reader_init(&r, value);
	region = reader_text(&r, &c->arena);
	account = reader_text(&r, &c->arena);
	if (c->arena.failed)
		return GAZ_ENOMEM;
	if (r.failed || r.left > 0 || !region || !account) {
		check_fault(c, TABLE_HEALTH_DUE, key, "its value cannot be read");
		return GAZ_OK;
	}
	st = find_place(c, (const char *)key.data + 8);
	if (st == GAZ_OK && c->place.region &&
	    (strcmp(c->place.region, region) != 0 ||
	     strcmp(c->place.account, account) != 0))
		check_fault(c, TABLE_HEALTH_DUE, key,
			    "its service is of another region or account");
	return st;
}

/* ---- lists of pairs ---- */

static gaz_status check_list(struct check *c, enum schema_table table, struct span key,
			     struct span value)
{
	struct pair_list pairs;
	struct reader r;

	reader_init(&r, value);
	schema_read_pairs(&r, &c->arena, &pairs);
	if (c->arena.failed)
		return GAZ_ENOMEM;
	if (r.failed || r.left > 0 || !check_pairs(&pairs))
		check_fault(c, table, key, "its value cannot be read");
	return GAZ_OK;
}

static gaz_status exists(struct check *c, struct span id, bool *out)
{
	struct span value;
	gaz_status st = store_get(c->txn, TABLE_SERVICE, id, &value);

	if (st == GAZ_ENOTFOUND && c->table != TABLE_SERVICE_ATTRIBUTES)
		st = store_get(c->txn, TABLE_NAMESPACE, id, &value);
	*out = st == GAZ_OK;
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static gaz_status check_belongings(struct check *c, struct span key, struct span value)
{
	bool found;
	gaz_status st = exists(c, key, &found);

	if (st != GAZ_OK)
		return st;
	if (!found)
		check_fault(c, c->table, key, "what it belongs to does not exist");
	return check_list(c, c->table, key, value);
}

gaz_status check_attributes_entry(struct check *c, struct span key, struct span value)
{
	return check_belongings(c, key, value);
}

gaz_status check_tag_entry(struct check *c, struct span key, struct span value)
{
	return check_belongings(c, key, value);
}

/* ---- tallies ---- */

/* "REGION/ACCOUNT": the namespaces that are there, and those that are coming. */
static gaz_status check_partition(struct check *c, struct span key,
				  const struct tally *tally)
{
	const char *id = check_text(c, (struct span){key.data + 1, key.len - 1});
	char *slash = id ? strrchr(id, '/') : NULL;
	struct key prefix = {0};
	size_t count = 0;
	gaz_status st;

	if (!id)
		return GAZ_ENOMEM;
	if (!slash) {
		check_fault(c, c->table, key, "that is no region and account");
		return GAZ_OK;
	}
	key_put(&prefix, id, (size_t)(slash - id));
	key_put(&prefix, "", 1);
	key_put_text(&prefix, slash + 1);
	st = check_count_below(c, TABLE_NAMESPACE_ORDER, &prefix, &count);
	count += check_held(c, 'p', id);
	if (st == GAZ_OK && count != tally->children)
		check_fault(c, c->table, key, "it says %u namespaces, there are %zu",
			    tally->children, count);
	return st;
}

gaz_status check_tally_entry(struct check *c, struct span key, struct span value)
{
	struct span id = {key.data + 1, key.len - 1};
	struct span instance_key;
	struct tally tally;
	bool found = true;
	gaz_status st = GAZ_OK;

	if (instance_is_young(key, &instance_key))
		return check_young(c, instance_key, value);
	if (schema_get_tally(value, &tally) != GAZ_OK) {
		check_fault(c, c->table, key, "its value cannot be read");
		return GAZ_OK;
	}
	if (key.data[0] == 'p')
		return check_partition(c, key, &tally);
	if ((key.data[0] == 'n' && check_is_id(id, "ns-")) ||
	    (key.data[0] == 's' && check_is_id(id, "srv-")))
		st = exists(c, id, &found);
	else
		found = false;
	if (st == GAZ_OK && !found)
		check_fault(c, c->table, key, "what it belongs to does not exist");
	return st;
}

/* ---- VPCs ---- */

gaz_status check_vpc_entry(struct check *c, struct span key, struct span value)
{
	struct text_list cidrs;
	struct netprefix prefix;
	bool is_good = true;
	gaz_status st = vpc_read_cidrs(&c->call, value, &cidrs);

	if (st == GAZ_ENOMEM)
		return st;
	for (size_t i = 0; st == GAZ_OK && i < cidrs.count; i++)
		is_good = is_good && cidrs.items[i] &&
			  netaddr_parse_prefix(cidrs.items[i], &prefix) == GAZ_OK;
	if (st != GAZ_OK || !is_good || memchr(key.data, '\0', key.len))
		check_fault(c, TABLE_VPC, key, "its value cannot be read");
	return GAZ_OK;
}
