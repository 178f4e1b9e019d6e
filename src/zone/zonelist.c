/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/zonelist.h"

#include <string.h>

#include "dns/wire.h"
#include "zone/zonedb-internal.h"

struct visitor {
	void (*visit)(void *arg, const struct zonelist_zone *zone);
	void *arg;
};

static void read_serial(const struct node *apex, struct zonelist_zone *out)
{
	const struct rrset *soa = node_find_rrset(apex, DNS_TYPE_SOA);
	const uint8_t *record;
	uint32_t len;

	if (!soa)
		return;
	record = rrset_record(soa, 0, &len);
	out->has_serial = true;
	out->serial = wire_get_u32(record + len - 20);
}

static void visit_apex(void *entry, void *arg)
{
	const struct visitor *visitor = arg;
	const struct apex *apex = entry;
	const struct zone *zone =
		atomic_load_explicit(&apex->zones, memory_order_acquire);

	for (; zone; zone = atomic_load_explicit(&zone->next, memory_order_acquire)) {
		struct zonelist_zone out = {
			.id = zone->id,
			.apex = apex->wire,
			.kind = zone->kind,
			.vpc_id = zone->vpc ? zone->vpc->id : NULL,
			.created_ms = zone->created_ms,
			.names = atomic_load(&zone->nodes) + 1,
			.records = atomic_load(&zone->records),
		};

		read_serial(atomic_load_explicit(&zone->apex_node, memory_order_acquire),
			    &out);
		visitor->visit(visitor->arg, &out);
	}
}

void zonelist_read(struct zonedb *db,
		   void (*visit)(void *arg, const struct zonelist_zone *zone), void *arg)
{
	struct visitor visitor = {visit, arg};

	zonedb_enter_thread();
	rcu_read_lock();
	nametable_read(&db->apexes, visit_apex, &visitor);
	rcu_read_unlock();
	zonedb_leave_thread();
}
