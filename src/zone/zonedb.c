/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/zonedb.h"

#include <semaphore.h>
#include <stdlib.h>

#include "base/rng.h"
#include "zone/host-internal.h"
#include "zone/view.h"
#include "zone/zonedb-internal.h"

gaz_status zonedb_new(struct zonedb **out)
{
	struct zonedb *db = calloc(1, sizeof *db);
	struct view *view = NULL;
	gaz_status st;

	if (!db)
		return GAZ_ENOMEM;
	pthread_mutex_init(&db->publishing, NULL);
	if ((st = rng_secret(&db->key, sizeof db->key)) != GAZ_OK ||
	    (st = nametable_init(&db->nodes)) != GAZ_OK ||
	    (st = nametable_init(&db->apexes)) != GAZ_OK ||
	    (st = nametable_init(&db->hosts)) != GAZ_OK ||
	    (st = nametable_init(&db->zones)) != GAZ_OK ||
	    (st = nametable_init(&db->vpcs)) != GAZ_OK ||
	    (st = view_new(db, NULL, 0, false, &view)) != GAZ_OK) {
		zonedb_free(&db);
		return st;
	}
	atomic_store(&db->view, view);
	/* Start liburcu's thread now: publishing must not depend on it. */
	(void)get_default_call_rcu_data();
	*out = db;
	return GAZ_OK;
}

static void free_entry(nametable_slot *slot, void *arg)
{
	(void)arg;
	free(nametable_entry(slot));
}

static void free_node(nametable_slot *slot, void *arg)
{
	(void)arg;
	node_free(nametable_entry(slot), NULL);
}

static void free_apex_node(nametable_slot *slot, void *arg)
{
	struct zone *zone = nametable_entry(slot);

	(void)arg;
	node_free(atomic_load(&zone->apex_node), NULL);
}

static void free_table(struct nametable *table,
		       void (*free_one)(nametable_slot *slot, void *arg))
{
	if (!atomic_load(&table->array))
		return;
	nametable_walk(table, free_one, NULL);
	nametable_fini(table);
}

void zonedb_free(struct zonedb **db)
{
	struct zonedb *d = *db;

	if (!d)
		return;
	rcu_barrier(); /* what was handed to call_rcu() goes first */
	if (atomic_load(&d->zones.array))
		nametable_walk(&d->zones, free_apex_node, NULL);
	free_table(&d->nodes, free_node);
	free_table(&d->apexes, free_entry);
	host_fini(d);
	free_table(&d->zones, free_entry);
	free_table(&d->vpcs, free_entry);
	free(atomic_load(&d->view));
	pthread_mutex_destroy(&d->publishing);
	free(d);
	*db = NULL;
}

struct last_call {
	struct rcu_head rcu;
	sem_t has_run;
};

static void on_last_call(struct rcu_head *head)
{
	(void)sem_post(&caa_container_of(head, struct last_call, rcu)->has_run);
}

/* What was handed to call_rcu() is called in that order, by one thread. rcu_barrier()
 * relies on the same, but ends the process when it gets no memory. */
void zonedb_wait_freed(void)
{
	struct last_call last;

	(void)sem_init(&last.has_run, 0, 0);
	call_rcu(&last.rcu, on_last_call);
	while (sem_wait(&last.has_run) != 0)
		;
	(void)sem_destroy(&last.has_run);
}

void zonedb_enter_thread(void)
{
	rcu_register_thread();
}

void zonedb_leave_thread(void)
{
	rcu_unregister_thread();
}

void zonedb_stats(const struct zonedb *db, struct zonedb_stats *out)
{
	out->zones = atomic_load(&db->zone_count);
	out->names = atomic_load(&db->name_count);
	out->vpcs = atomic_load(&db->declared_count);
}
