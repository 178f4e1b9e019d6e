/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/thread.h"
#include "registry/call.h"
#include "registry/healthcheck-internal.h"
#include "registry/instance_store.h"
#include "registry/projection.h"
#include "registry/registry-internal.h"
#include "registry/reverse.h"
#include "registry/token.h"
#include "store/store.h"
#include "zone/zonedb.h"
#include "zone/zonedit.h"

enum {
	/* Instances per edit while loading: bounds the memory that one edit takes. */
	LOAD_BATCH = 10000,
};

void registry_prepare_call(struct registry *r, struct call *call, struct store_txn *txn,
			   int64_t now_ms)
{
	call->registry = r;
	call->txn = txn;
	call->now_ms = now_ms;
	call->changes = NULL;
	call->edit = NULL;
	call->fault.code = FAULT_NONE;
	call->fault.extra_count = 0;
}

gaz_status registry_read(struct registry *r, struct call *call, registry_run *run,
			 const void *in, void *out)
{
	struct store_txn *txn = NULL;
	gaz_status st = store_begin_read(r->store, &txn);

	if (st != GAZ_OK)
		return st;
	registry_prepare_call(r, call, txn, clock_now_ms(&r->config.clock));
	st = run(call, in, out);
	call->txn = NULL;
	store_abort(&txn);
	return st;
}

gaz_status registry_open_spool(struct registry *r, int *fd_out)
{
	return store_open_spool(r->store, fd_out);
}

gaz_status registry_copy(struct call *call, const void *in, void *out)
{
	const int *fd = out;

	(void)in;
	return store_copy(call->registry->store, *fd);
}

gaz_status registry_write_file(struct registry *r, struct call *call, registry_run *run,
			       const void *in, int fd)
{
	registry_prepare_call(r, call, NULL, clock_now_ms(&r->config.clock));
	return run(call, in, &fd);
}

/* ---- loading: the zone database from the store ---- */

/* The zone database is filled in several edits: nobody looks at it yet. */
struct loader {
	struct registry *r;
	struct store_txn *txn;
	struct zonedit *edit;
	struct arena arena; /* of the item at work */
	struct call call;
	size_t in_edit;

	/* The containers of the last instance: their instances follow each other. */
	struct arena place_arena;
	struct service_record svc;
	struct namespace_record ns;

	struct gaz_error why; /* what is wrong, and with which entry; "" when unknown */
};

static gaz_status flush(struct loader *l)
{
	gaz_status st = zonedit_prepare(l->edit);

	if (st != GAZ_OK)
		return st;
	zonedit_publish(&l->edit);
	healthcheck_deliver(l->r);
	l->in_edit = 0;
	return zonedit_new(l->r->db, &l->edit);
}

typedef gaz_status load_item(struct loader *l, struct span key, struct span value);

static void blame(struct loader *l, enum schema_table table, struct span key)
{
	char text[192];
	struct gaz_error inner = l->why;

	(void)gaz_error_set(&l->why, GAZ_ESTORE, "%s %s%s%.160s",
			    schema_table_names[table],
			    log_escape(key.data, key.len, text, sizeof text),
			    inner.text[0] ? ": " : "", inner.text);
}

static gaz_status load_table(struct loader *l, enum schema_table table, load_item *load)
{
	struct store_cursor *cursor = NULL;
	struct span key;
	struct span value;
	gaz_status st = store_cursor_open(l->txn, table, &cursor);

	if (st == GAZ_OK)
		st = store_cursor_seek(cursor, (struct span){NULL, 0}, &key, &value);
	while (st == GAZ_OK) {
		l->call.edit = l->edit;
		st = load(l, key, value);
		arena_fini(&l->arena);
		if (st != GAZ_OK && st != GAZ_ENOMEM) {
			blame(l, table, key);
			st = GAZ_ESTORE;
		}
		if (st == GAZ_OK && ++l->in_edit >= LOAD_BATCH)
			st = flush(l);
		if (st == GAZ_OK)
			st = store_cursor_next(cursor, &key, &value);
	}
	store_cursor_close(&cursor);
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static gaz_status load_namespace(struct loader *l, struct span key, struct span value)
{
	struct namespace_record ns = {0};
	struct tally tally;
	gaz_status st = schema_get_namespace(value, &l->arena, &ns);

	ns.id = arena_strndup(&l->arena, (const char *)key.data, key.len);
	if (!ns.id)
		return GAZ_ENOMEM;
	if (st == GAZ_OK)
		st = call_load_tally(&l->call, 'n', ns.id, &tally);
	if (st != GAZ_OK)
		return st;
	ns.zone_changes = tally.revision;
	return projection_add_namespace(l->edit, l->r->config.apex, &ns);
}

/* Load service and namespace of an instance, unless they are at hand. */
static gaz_status find_place(struct loader *l, const char *service_id)
{
	struct call call = l->call;
	struct span value;
	gaz_status st;

	if (l->svc.id && strcmp(l->svc.id, service_id) == 0)
		return GAZ_OK;
	arena_fini(&l->place_arena);
	call.arena = &l->place_arena;
	l->svc = (struct service_record){0};
	st = store_get(l->txn, TABLE_SERVICE,
		       (struct span){(const uint8_t *)service_id, strlen(service_id)},
		       &value);
	if (st == GAZ_OK)
		st = schema_get_service(value, call.arena, &l->svc);
	if (st != GAZ_OK)
		return st == GAZ_ENOTFOUND ? GAZ_ESTORE : st;
	call.region = l->svc.region;
	call.account = l->svc.account;
	st = call_load_namespace(&call, l->svc.namespace_id, &l->ns);
	l->svc.id = arena_strdup(call.arena, service_id);
	if (!l->svc.id)
		return GAZ_ENOMEM;
	return st == GAZ_ENOTFOUND ? GAZ_ESTORE : st;
}

static gaz_status load_instance(struct loader *l, struct span key, struct span value)
{
	const uint8_t *nul = memchr(key.data, '\0', key.len);
	struct instance_record inst = {0};
	gaz_status st;

	if (!nul)
		return GAZ_ESTORE;
	st = find_place(l, (const char *)key.data);
	if (st == GAZ_OK)
		st = schema_get_instance(value, &l->arena, &inst);
	if (st != GAZ_OK)
		return st;
	inst.id = arena_strndup(&l->arena, (const char *)nul + 1,
				key.len - (size_t)(nul + 1 - key.data));
	if (!inst.id)
		return GAZ_ENOMEM;
	st = healthcheck_load(&l->call, &l->svc, &inst);
	if (st != GAZ_OK)
		return st;
	st = projection_load_instance(l->edit, &l->ns, &l->svc, &inst, &l->why);
	return st == GAZ_ENOMEM || st == GAZ_OK ? st : GAZ_ESTORE;
}

/* Those that lie behind the tallies. */
static gaz_status load_young(struct loader *l, struct span key, struct span value)
{
	struct span instance_key;

	return instance_is_young(key, &instance_key)
		       ? load_instance(l, instance_key, value)
		       : GAZ_OK;
}

/* What is there in the layout of former formats. */
static gaz_status find_former(struct registry *r, struct store_txn *txn)
{
	struct key key = {0};
	struct span value;
	gaz_status st = call_read_first(txn, TABLE_OPERATION, &key, &value);

	r->has_wide_operations = st == GAZ_OK && key.len == OPERATION_KEY_MAX;
	key = (struct key){0};
	if (st == GAZ_OK || st == GAZ_ENOTFOUND)
		st = call_read_first(txn, TABLE_TALLY, &key, &value);
	r->has_former_tallies = st == GAZ_OK && key.data[0] != 's';
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static gaz_status load_all(struct registry *r, struct gaz_error *why)
{
	struct loader l = {.r = r};
	gaz_status st;

	arena_init(&l.arena);
	arena_init(&l.place_arena);
	st = store_begin_read(r->store, &l.txn);
	if (st == GAZ_OK)
		st = find_former(r, l.txn);
	if (st == GAZ_OK)
		st = zonedit_new(r->db, &l.edit);
	l.call = (struct call){.arena = &l.arena, .region = "", .account = ""};
	registry_prepare_call(r, &l.call, l.txn, clock_now_ms(&r->config.clock));
	l.call.edit = l.edit;
	if (st == GAZ_OK)
		st = vpc_project(&l.call);
	if (st == GAZ_OK && r->config.ptr)
		st = reverse_open(l.edit);
	if (st == GAZ_OK)
		st = load_table(&l, TABLE_NAMESPACE, load_namespace);
	if (st == GAZ_OK)
		st = load_table(&l, TABLE_INSTANCE, load_instance);
	if (st == GAZ_OK)
		st = load_table(&l, TABLE_TALLY, load_young);
	if (st == GAZ_OK)
		st = flush(&l);
	zonedit_free(&l.edit);
	store_abort(&l.txn);
	arena_fini(&l.arena);
	arena_fini(&l.place_arena);
	*why = l.why;
	return st;
}

/* What loading has put right, if anything. */
static gaz_status save_repairs(struct registry *r, struct gaz_error *err)
{
	struct store_txn *txn = NULL;
	gaz_status st;

	if (r->changes.count == 0 && !r->changes.failed)
		return GAZ_OK;
	st = store_begin_write(r->store, &txn);
	if (st == GAZ_OK)
		st = store_apply(txn, &r->changes);
	if (st == GAZ_OK)
		st = store_commit(&txn);
	store_abort(&txn);
	changeset_reset(&r->changes);
	if (st == GAZ_OK)
		return st;
	return gaz_error_set(err, st,
			     "cannot write to the store that health checks are off now: "
			     "make room on its disk, or turn them on");
}

/* ---- life ---- */

static void free_vpcs(struct registry *r)
{
	for (size_t i = 0; i < r->config.vpc_count; i++) {
		free((char *)(uintptr_t)r->config.vpcs[i].id);
		free((struct netprefix *)(uintptr_t)r->config.vpcs[i].prefixes);
	}
	free((struct registry_vpc *)(uintptr_t)r->config.vpcs);
}

static gaz_status copy_vpcs(struct registry *r, const struct registry_vpc *from,
			    size_t count)
{
	struct registry_vpc *to = calloc(count + 1, sizeof *to);

	r->config.vpcs = to;
	r->config.vpc_count = 0;
	for (size_t i = 0; to && i < count; i++) {
		size_t size = from[i].prefix_count * sizeof *from[i].prefixes;
		struct netprefix *prefixes = malloc(size + 1);
		char *id = strdup(from[i].id);

		if (prefixes && size > 0)
			memcpy(prefixes, from[i].prefixes, size);
		to[i] = (struct registry_vpc){id, prefixes, from[i].prefix_count};
		r->config.vpc_count++;
		if (!prefixes || !id)
			return GAZ_ENOMEM;
	}
	return to ? GAZ_OK : GAZ_ENOMEM;
}

gaz_status registry_open(const struct registry_config *config, struct store *store,
			 struct zonedb *db, struct registry **out, struct gaz_error *err)
{
	struct registry *r = calloc(1, sizeof *r);
	pthread_condattr_t attr;
	struct gaz_error why = {.text = ""};
	gaz_status st;

	if (!r)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	r->config = *config;
	if (!r->config.apex)
		r->config.apex = &apex_route53;
	r->store = store;
	r->db = db;
	r->tail = &r->head;
	r->notices_tail = &r->notices;
	r->has_pending = true; /* until it was looked up */
	changeset_init(&r->changes);
	pthread_mutex_init(&r->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &attr);
	pthread_condattr_destroy(&attr);
	st = copy_vpcs(r, config->vpcs, config->vpc_count);
	r->filter = instance_filter_new();
	if (!r->filter)
		st = GAZ_ENOMEM;
	if (st == GAZ_OK)
		st = operation_recent_new(&r->recent);
	if (st == GAZ_OK) {
		zonedb_enter_thread();
		st = load_all(r, &why);
		zonedb_leave_thread();
	}
	if (st != GAZ_OK) {
		registry_close(&r);
		if (st == GAZ_ENOMEM)
			return gaz_error_set(err, st,
					     "out of memory while loading the store");
		return gaz_error_set(
			err, st,
			"the store is damaged: its records do not fit together%s%.360s; "
			"move the data directory away, or restore a copy of it",
			why.text[0] ? ": " : "", why.text);
	}
	st = save_repairs(r, err);
	if (st != GAZ_OK) {
		registry_close(&r);
		return st;
	}
	*out = r;
	return GAZ_OK;
}

gaz_status registry_start(struct registry *r)
{
	gaz_status st = thread_start(&r->thread, "writer", THREAD_BEHIND, writer_main, r);

	r->running = st == GAZ_OK;
	return st;
}

void registry_stop(struct registry *r)
{
	pthread_mutex_lock(&r->mutex);
	r->stopping = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->mutex);
	if (r->running)
		pthread_join(r->thread, NULL);
	r->running = false;
}

void registry_close(struct registry **r)
{
	struct registry *it = *r;

	if (!it)
		return;
	registry_stop(it);
	free_vpcs(it);
	healthcheck_drop(it);
	token_index_free(&it->tokens);
	instance_filter_free(&it->filter);
	operation_recent_free(&it->recent);
	changeset_fini(&it->changes);
	pthread_cond_destroy(&it->wake);
	pthread_mutex_destroy(&it->mutex);
	free(it);
	*r = NULL;
}

void registry_submit(struct registry *r, struct job *job)
{
	bool refused;

	job->next = NULL;
	pthread_mutex_lock(&r->mutex);
	refused = r->stopping;
	if (!refused) {
		*r->tail = job;
		r->tail = &job->next;
		pthread_cond_signal(&r->wake);
	}
	pthread_mutex_unlock(&r->mutex);
	if (refused) {
		job->status = GAZ_EBUSY;
		job->done(job);
	}
}
