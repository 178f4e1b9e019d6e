/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/host.h"

#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "zone/host-internal.h"
#include "zone/lookup.h"
#include "zone/zonedb-internal.h"

/* An RRset as it is answered; it stands behind this. */
struct addresses {
	struct rcu_head rcu;
};

struct host {
	struct nametable_entry entry;
	uint8_t len;
	bool is_fixed; /* by the configuration: stays, and is never asked for */
	_Atomic bool is_missed;
	_Atomic uint32_t refs[HOST_TYPES]; /* alias records; the writer's */
	uint64_t hash;
	struct addresses *_Atomic addresses[HOST_TYPES];
	struct host_lease leases[HOST_TYPES];
	struct rcu_head rcu;
	uint8_t name[];
};

struct host_key {
	const uint8_t *name;
	size_t len;
};

static bool is_host_named(const void *entry, const void *key)
{
	const struct host *host = entry;
	const struct host_key *k = key;

	return host->len == k->len && memcmp(host->name, k->name, k->len) == 0;
}

static struct host *find(const struct zonedb *db, const struct dname *name, uint64_t hash)
{
	struct host_key key = {name->wire, name->len};

	return nametable_find(&db->hosts, hash, is_host_named, &key, NULL);
}

static const struct rrset *rrset_of(const struct addresses *addresses)
{
	return (const struct rrset *)(const void *)(addresses + 1);
}

const struct rrset *host_find_addresses(const struct zonedb *db, const struct dname *name,
					const struct name_hashes *hashes, uint16_t qtype)
{
	enum host_type type = qtype == DNS_TYPE_A ? HOST_A : HOST_AAAA;
	struct host *host = find(db, name, hashes->of[name->labels]);
	struct addresses *addresses;

	if (!host)
		return NULL;
	addresses = atomic_load_explicit(&host->addresses[type], memory_order_acquire);
	if (addresses)
		return rrset_of(addresses);
	/* Noted once: workers do not fight for the cache line. */
	if (!atomic_load_explicit(&host->is_missed, memory_order_relaxed))
		atomic_store_explicit(&host->is_missed, true, memory_order_relaxed);
	return NULL;
}

/* ---- addresses ---- */

static struct addresses *render(enum host_type type, const uint8_t *at, size_t count,
				uint32_t ttl)
{
	uint16_t len = type == HOST_A ? 4 : 16;
	struct rrset_input inputs[HOST_ADDRESSES_MAX];
	uint32_t scratch[6 * HOST_ADDRESSES_MAX];
	struct addresses *out;

	for (size_t i = 0; i < count; i++)
		inputs[i] = (struct rrset_input){at + i * len, len, true, false};
	out = malloc(sizeof *out + rrset_size(inputs, count));
	if (out)
		rrset_render((struct rrset *)(void *)(out + 1),
			     type == HOST_A ? DNS_TYPE_A : DNS_TYPE_AAAA, ttl, RRSET_ALL,
			     inputs, count, NULL, scratch);
	return out;
}

static void on_addresses_unused(struct rcu_head *head)
{
	free(caa_container_of(head, struct addresses, rcu));
}

static void replace(struct host *host, enum host_type type, struct addresses *addresses)
{
	struct addresses *old = atomic_exchange(&host->addresses[type], addresses);

	if (old)
		call_rcu(&old->rcu, on_addresses_unused);
}

gaz_status host_learn(struct host *host, enum host_type type, const uint8_t *addresses,
		      size_t count, uint32_t ttl)
{
	struct addresses *fresh;

	if (count == 0) {
		host_forget(host, type);
		return GAZ_OK;
	}
	fresh = render(type, addresses,
		       count < HOST_ADDRESSES_MAX ? count : HOST_ADDRESSES_MAX, ttl);
	if (!fresh)
		return GAZ_ENOMEM;
	replace(host, type, fresh);
	return GAZ_OK;
}

void host_forget(struct host *host, enum host_type type)
{
	replace(host, type, NULL);
}

/* ---- the table ---- */

static void free_host(struct host *host)
{
	for (int type = 0; type < HOST_TYPES; type++)
		free(atomic_load(&host->addresses[type]));
	free(host);
}

/* Learning may have gone on until now: it holds the read lock. */
static void on_host_unused(struct rcu_head *head)
{
	free_host(caa_container_of(head, struct host, rcu));
}

static struct host *find_or_add(struct zonedb *db, const struct dname *name)
{
	struct name_hashes hashes;
	struct host *host;

	namehash_make(db, name, &hashes);
	host = find(db, name, hashes.of[name->labels]);
	if (host)
		return host;
	host = calloc(1, sizeof *host + name->len);
	if (!host)
		return NULL;
	host->hash = hashes.of[name->labels];
	host->entry.hash = (uint32_t)host->hash;
	host->len = name->len;
	memcpy(host->name, name->wire, name->len);
	if (nametable_insert(&db->hosts, host->hash, host) != GAZ_OK) {
		free(host);
		return NULL;
	}
	return host;
}

static void remove_unused(struct zonedb *db, struct host *host)
{
	struct host_key key = {host->name, host->len};
	nametable_slot *slot = NULL;

	if (host->is_fixed || host->refs[HOST_A] > 0 || host->refs[HOST_AAAA] > 0)
		return;
	if (nametable_find(&db->hosts, host->hash, is_host_named, &key, &slot))
		nametable_clear(&db->hosts, slot);
	call_rcu(&host->rcu, on_host_unused);
}

static void parse_target(const struct rrset *aliases, uint32_t i, struct dname *out)
{
	uint32_t len;
	const uint8_t *record = rrset_record(aliases, i, &len);

	(void)dname_parse(record + RRSET_RDATA_AT, len - RRSET_RDATA_AT, out);
}

static void unref_set(struct zonedb *db, const struct rrset *aliases, enum host_type type,
		      uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct name_hashes hashes;
		struct dname name;
		struct host *host;

		parse_target(aliases, i, &name);
		namehash_make(db, &name, &hashes);
		host = find(db, &name, hashes.of[name.labels]);
		if (!host)
			continue;
		host->refs[type]--;
		remove_unused(db, host);
	}
}

static gaz_status ref_set(struct zonedb *db, const struct rrset *aliases,
			  enum host_type type)
{
	for (uint32_t i = 0; i < aliases->count; i++) {
		struct dname name;
		struct host *host;

		parse_target(aliases, i, &name);
		host = find_or_add(db, &name);
		if (!host) {
			unref_set(db, aliases, type, i);
			return GAZ_ENOMEM;
		}
		if (host->refs[type]++ == 0)
			atomic_fetch_add(&db->host_generation, 1);
	}
	return GAZ_OK;
}

static const struct rrset *aliases_of(const struct node *node, enum host_type type)
{
	return node_find_rrset(node, type == HOST_A ? RRSET_ALIAS_A : RRSET_ALIAS_AAAA);
}

gaz_status host_ref_targets(struct zonedb *db, const struct node *node)
{
	const struct rrset *a;
	const struct rrset *aaaa;

	if (!(node->flags & NODE_ALIAS))
		return GAZ_OK;
	a = aliases_of(node, HOST_A);
	aaaa = aliases_of(node, HOST_AAAA);
	if (a && ref_set(db, a, HOST_A) != GAZ_OK)
		return GAZ_ENOMEM;
	if (aaaa && ref_set(db, aaaa, HOST_AAAA) != GAZ_OK) {
		if (a)
			unref_set(db, a, HOST_A, a->count);
		return GAZ_ENOMEM;
	}
	return GAZ_OK;
}

void host_unref_targets(struct zonedb *db, const struct node *node)
{
	for (int type = 0; node->flags & NODE_ALIAS && type < HOST_TYPES; type++) {
		const struct rrset *aliases = aliases_of(node, (enum host_type)type);

		if (aliases)
			unref_set(db, aliases, (enum host_type)type, aliases->count);
	}
}

static void free_entry(nametable_slot *slot, void *arg)
{
	(void)arg;
	free_host(nametable_entry(slot));
}

void host_fini(struct zonedb *db)
{
	if (!atomic_load(&db->hosts.array))
		return;
	nametable_walk(&db->hosts, free_entry, NULL);
	nametable_fini(&db->hosts);
}

gaz_status host_fix(struct zonedb *db, const uint8_t *name,
		    const struct netaddr *addresses, size_t count, uint32_t ttl)
{
	uint8_t bytes[HOST_TYPES][HOST_ADDRESSES_MAX * 16];
	size_t counts[HOST_TYPES] = {0, 0};
	struct dname parsed;
	struct host *host;

	if (count > HOST_ADDRESSES_MAX)
		return GAZ_ELIMIT;
	for (size_t i = 0; i < count; i++) {
		enum host_type type = addresses[i].family == AF_INET ? HOST_A : HOST_AAAA;
		size_t len = type == HOST_A ? 4 : 16;

		memcpy(bytes[type] + counts[type]++ * len, addresses[i].bytes, len);
	}
	(void)dname_parse(name, DNAME_MAX, &parsed);
	host = find_or_add(db, &parsed);
	if (!host)
		return GAZ_ENOMEM;
	if (host->is_fixed)
		return GAZ_EEXISTS;
	for (int type = 0; type < HOST_TYPES; type++) {
		if (host_learn(host, (enum host_type)type, bytes[type], counts[type],
			       ttl) != GAZ_OK)
			return GAZ_ENOMEM;
	}
	host->is_fixed = true;
	return GAZ_OK;
}

/* ---- for the thread that learns ---- */

uint64_t host_generation(const struct zonedb *db)
{
	return atomic_load_explicit(&db->host_generation, memory_order_relaxed);
}

struct walk {
	void (*visit)(struct host *host, void *arg);
	void *arg;
};

static void visit_entry(void *entry, void *arg)
{
	const struct walk *walk = arg;

	walk->visit(entry, walk->arg);
}

void host_walk(const struct zonedb *db, void (*visit)(struct host *host, void *arg),
	       void *arg)
{
	struct walk walk = {visit, arg};

	nametable_read(&db->hosts, visit_entry, &walk);
}

struct host *host_find(const struct zonedb *db, const uint8_t *name)
{
	struct name_hashes hashes;
	struct dname parsed;

	(void)dname_parse(name, DNAME_MAX, &parsed);
	namehash_make(db, &parsed, &hashes);
	return find(db, &parsed, hashes.of[parsed.labels]);
}

const uint8_t *host_name(const struct host *host)
{
	return host->name;
}

struct host_lease *host_lease(struct host *host, enum host_type type)
{
	return &host->leases[type];
}

bool host_is_wanted(const struct zonedb *db, const struct host *host, enum host_type type)
{
	struct name_hashes hashes;
	struct dname name;

	if (host->is_fixed ||
	    atomic_load_explicit(&host->refs[type], memory_order_relaxed) == 0)
		return false;
	if (atomic_load_explicit(&host->is_missed, memory_order_relaxed))
		return true;
	(void)dname_parse(host->name, host->len, &name);
	namehash_make(db, &name, &hashes);
	return !lookup_is_below_zone(db, &name, &hashes);
}
