/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/health.h"

#include <stdlib.h>
#include <string.h>

#include "registry/due.h"
#include "registry/health-internal.h"
#include "registry/instance_store.h"
#include "registry/page.h"
#include "registry/projection.h"
#include "registry/registry-internal.h"

enum health_status health_of(const struct service_record *svc,
			     const struct instance_record *inst)
{
	if (!svc->has_custom_health && !svc->health_check)
		return HEALTH_UNKNOWN;
	return inst->healthy ? HEALTH_HEALTHY : HEALTH_UNHEALTHY;
}

static gaz_status refuse_missing(struct call *call, const char *instance_id,
				 const char *service_id)
{
	return fault_set(&call->fault, FAULT_INSTANCE_NOT_FOUND,
			 "The instance %s does not exist in service %s", instance_id,
			 service_id);
}

static void make_due_key(int64_t due_ms, const char *service_id, const char *instance_id,
			 struct key *out)
{
	key_put_time(out, due_ms, service_id, strlen(service_id) + 1);
	key_put(out, instance_id, strlen(instance_id));
}

/* The new status takes effect later. Asked for again it is on its way already;
 * asked for the present one, the change is called off (as on AWS). */
static gaz_status put_off(struct call *call, const struct service_record *svc,
			  struct instance_record *inst, bool wanted)
{
	struct key due = {0};
	struct bytes value;

	if ((wanted == inst->healthy) == (inst->health_due_ms == 0))
		return GAZ_OK;
	if (inst->health_due_ms != 0) {
		make_due_key(inst->health_due_ms, svc->id, inst->id, &due);
		call_delete(call, TABLE_HEALTH_DUE, key_span(&due));
		inst->health_due_ms = 0;
	} else {
		inst->health_due_ms =
			call->now_ms + call->registry->config.custom_health_delay_ms;
		make_due_key(inst->health_due_ms, svc->id, inst->id, &due);
		bytes_init(&value);
		bytes_put_text(&value, svc->region);
		bytes_put_text(&value, svc->account);
		call_put(call, TABLE_HEALTH_DUE, key_span(&due), &value);
		bytes_fini(&value);
	}
	return instance_replace(call, svc->id, inst);
}

gaz_status health_turn(struct call *call, const struct service_record *svc,
		       const struct instance_record *old)
{
	struct instance_record new = *old;
	struct namespace_record ns;
	gaz_status st = call_load_namespace(call, svc->namespace_id, &ns);

	if (st != GAZ_OK)
		return st == GAZ_ENOTFOUND ? GAZ_ESTORE : st;
	new.healthy = !old->healthy;
	new.health_due_ms = 0;
	st = projection_turn_instance(call->edit, &ns, svc, old, &new);
	if (st != GAZ_OK)
		return st == GAZ_ENOMEM ? st : GAZ_ESTORE;
	return instance_replace(call, svc->id, &new);
}

gaz_status health_update(struct call *call, const void *in, void *out)
{
	const struct update_health_in *input = in;
	bool wanted = input->status == HEALTH_HEALTHY;
	struct service_record svc;
	struct instance_record inst = {0};
	gaz_status st = call_require_service(call, input->service_id, &svc);

	(void)out;
	if (st == GAZ_OK && !svc.has_custom_health)
		return fault_set(&call->fault, FAULT_CUSTOM_HEALTH_NOT_FOUND,
				 "Service %s has no HealthCheckCustomConfig", svc.id);
	if (st == GAZ_OK)
		st = instance_load(call, svc.id, input->instance_id, &inst);
	if (st == GAZ_ENOTFOUND)
		return refuse_missing(call, input->instance_id, svc.id);
	if (st != GAZ_OK)
		return st;
	/* Without a delay there is nothing to put off, but maybe a change from a time with
	 * one to call off. */
	if (wanted == inst.healthy || call->registry->config.custom_health_delay_ms > 0)
		st = put_off(call, &svc, &inst, wanted);
	else
		st = health_turn(call, &svc, &inst);
	return st;
}

/* Split "due time, service id NUL instance id" and read whose it is. */
static gaz_status read_due(struct call *call, const struct key *key, struct span value,
			   const char **service_id_out, const char **instance_id_out)
{
	struct reader r;
	const char *ids =
		arena_strndup(call->arena, (const char *)key->data + 8, key->len - 8);

	reader_init(&r, value);
	call->region = reader_text(&r, call->arena);
	call->account = reader_text(&r, call->arena);
	if (!ids || call->arena->failed)
		return GAZ_ENOMEM;
	*service_id_out = ids;
	*instance_id_out = ids + strlen(ids) + 1;
	return r.failed ? GAZ_ESTORE : GAZ_OK;
}

gaz_status health_finish_next(struct call *call)
{
	struct key key = {0};
	struct span value;
	struct service_record svc;
	struct instance_record inst = {0};
	const char *service_id;
	const char *instance_id;
	int64_t wait_ms;
	gaz_status st = due_find(call->txn, &call->registry->config, TABLE_HEALTH_DUE,
				 call->now_ms, &key, &value, &wait_ms);

	if (st == GAZ_OK && wait_ms > 0)
		st = GAZ_ENOTFOUND;
	if (st != GAZ_OK)
		return st;
	call_delete(call, TABLE_HEALTH_DUE, key_span(&key));
	st = read_due(call, &key, value, &service_id, &instance_id);
	if (st == GAZ_OK)
		st = call_load_service(call, service_id, &svc);
	if (st == GAZ_OK)
		st = instance_load(call, service_id, instance_id, &inst);
	/* The instance may be gone, or registered anew, which starts afresh. */
	if (st == GAZ_ENOTFOUND ||
	    (st == GAZ_OK && inst.health_due_ms != key_time_ms(&key)))
		return GAZ_OK;
	return st == GAZ_OK ? health_turn(call, &svc, &inst) : st;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct health_query {
	struct service_record svc;
	struct filter named; /* the ids that the request names, sorted; or none */
};

static gaz_status load(struct call *call, struct span suffix, struct span value,
		       const void *arg, void *item)
{
	const struct health_query *query = arg;
	const struct text_list *named = &query->named.values;
	struct instance_health *result = item;
	struct instance_record inst = {0};
	gaz_status st;

	result->id = arena_strndup(call->arena, (const char *)suffix.data, suffix.len);
	if (!result->id)
		return GAZ_ENOMEM;
	if (named->present && !bsearch(&result->id, named->items, named->count,
				       sizeof *named->items, compare_texts))
		return GAZ_ENOTFOUND;
	st = schema_get_instance(value, call->arena, &inst);
	result->status = health_of(&query->svc, &inst);
	return st;
}

/* Sort the ids that the request names; all must exist. */
static gaz_status choose_named(struct call *call, const struct text_list *ids,
			       struct health_query *query)
{
	struct text_list *named = &query->named.values;

	*named = *ids;
	named->items = arena_alloc(call->arena, ids->count * sizeof *named->items);
	if (!named->items)
		return GAZ_ENOMEM;
	memcpy(named->items, ids->items, ids->count * sizeof *named->items);
	qsort(named->items, named->count, sizeof *named->items, compare_texts);
	for (size_t i = 0; i < named->count; i++) {
		struct instance_record inst = {0};
		gaz_status st =
			instance_load(call, query->svc.id, named->items[i], &inst);

		if (st == GAZ_ENOTFOUND)
			return refuse_missing(call, named->items[i], query->svc.id);
		if (st != GAZ_OK)
			return st;
	}
	return GAZ_OK;
}

gaz_status health_list(struct call *call, const void *in, void *out)
{
	const struct get_health_in *input = in;
	struct health_page_out *page = out;
	struct health_query query = {0};
	struct page_in page_in = input->page;
	struct page_result result = {0};
	struct page_spec spec = {
		.operation = "GetInstancesHealthStatus",
		.in = &page_in,
		.table = TABLE_INSTANCE,
		.load = load,
		.arg = &query,
		.item_size = sizeof(struct instance_health),
	};
	gaz_status st = call_require_service(call, input->service_id, &query.svc);

	if (st == GAZ_OK && input->instances.present) {
		/* As a filter the ids become part of the page's token. */
		page_in.filters = (struct filter_list){&query.named, 1, true};
		st = choose_named(call, &input->instances, &query);
	}
	if (st != GAZ_OK)
		return st;
	key_put_text(&spec.prefix, query.svc.id);
	st = page_read(call, &spec, &result);
	if (st == GAZ_OK)
		*page = (struct health_page_out){result.items, result.count,
						 result.next_token};
	return st;
}
