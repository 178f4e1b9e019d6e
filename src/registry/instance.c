/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/instance.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "registry/attribute.h"
#include "registry/healthcheck-internal.h"
#include "registry/instance_store.h"
#include "registry/namespace-internal.h"
#include "registry/operation-internal.h"
#include "registry/projection.h"
#include "registry/registry-internal.h"
#include "registry/service-internal.h"
#include "zone/zonedit.h"

/* The containers of an instance, and their tallies. */
struct place {
	struct namespace_record ns;
	struct service_record svc;
	struct tally ns_tally;
	struct tally svc_tally;
};

static gaz_status load_place(struct call *call, const char *service_id, struct place *out)
{
	gaz_status st = call_require_service(call, service_id, &out->svc);

	if (st == GAZ_OK) {
		st = call_load_namespace(call, out->svc.namespace_id, &out->ns);
		if (st == GAZ_ENOTFOUND)
			st = GAZ_ESTORE;
	}
	if (st == GAZ_OK)
		st = call_load_tally(call, 's', out->svc.id, &out->svc_tally);
	if (st == GAZ_OK)
		st = call_load_tally(call, 'n', out->ns.id, &out->ns_tally);
	return st;
}

static void save_tallies(struct call *call, const struct place *place)
{
	call_save_tally(call, 's', place->svc.id, &place->svc_tally);
	call_save_tally(call, 'n', place->ns.id, &place->ns_tally);
}

/* An instance has come or gone. */
static gaz_status count_change(struct call *call, struct place *place)
{
	place->svc_tally.revision++;
	if (place->svc.dns_record_count == 0 || place->svc.dns_deleted)
		return GAZ_OK;
	return namespace_count_change(call, &place->ns, &place->ns_tally);
}

static gaz_status make_lock(struct call *call, const struct place *place,
			    const char *instance_id, struct operation_plan *plan)
{
	const char *name = arena_printf(call->arena, "%s/%s", place->svc.id, instance_id);

	plan->lock_count = 1;
	return name ? operation_lock_key(call, "instance", name, &plan->locks[0])
		    : GAZ_ENOMEM;
}

/* ---- RegisterInstance ---- */

static gaz_status check_quota(struct call *call, const struct place *place)
{
	const struct registry_config *config = &call->registry->config;

	if (config->max_instances_per_service > 0 &&
	    place->svc_tally.children + place->svc_tally.pending >=
		    config->max_instances_per_service)
		return fault_set(&call->fault, FAULT_RESOURCE_LIMIT_EXCEEDED,
				 "The service has the number of instances allowed (%u)",
				 config->max_instances_per_service);
	if (config->max_instances_per_namespace > 0 &&
	    place->ns_tally.instances + place->ns_tally.pending >=
		    config->max_instances_per_namespace)
		return fault_set(&call->fault, FAULT_RESOURCE_LIMIT_EXCEEDED,
				 "The namespace has the number of instances allowed (%u)",
				 config->max_instances_per_namespace);
	return GAZ_OK;
}

/* A new instance whose operation will take its time is counted at once, so
 * that nobody takes its place and the service is not deleted under it. */
static gaz_status reserve_place(struct call *call, const char *instance_id,
				struct place *place, bool *reserved_out)
{
	struct instance_record existing;
	gaz_status st = instance_load(call, place->svc.id, instance_id, &existing);

	*reserved_out = false;
	if (st != GAZ_ENOTFOUND)
		return st;
	st = check_quota(call, place);
	if (st != GAZ_OK || call->registry->config.operation_delay_ms == 0)
		return st;
	place->svc_tally.pending++;
	place->ns_tally.pending++;
	save_tallies(call, place);
	*reserved_out = true;
	return GAZ_OK;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct text_pair *)a)->key,
		      ((const struct text_pair *)b)->key);
}

/* A retry may send the same map in another order: sorted, they are equal. */
static gaz_status put_register_intent(struct call *call, struct bytes *b,
				      const struct place *place,
				      const struct register_instance_in *in)
{
	struct pair_list sorted = in->attributes;
	size_t size = sorted.count * sizeof *sorted.items;

	if (size > 0) {
		sorted.items = arena_alloc(call->arena, size);
		if (!sorted.items)
			return GAZ_ENOMEM;
		memcpy(sorted.items, in->attributes.items, size);
		qsort(sorted.items, sorted.count, sizeof *sorted.items, compare_keys);
	}
	bytes_put_text(b, place->svc.id);
	bytes_put_text(b, in->instance_id);
	schema_put_pairs(b, &sorted);
	return GAZ_OK;
}

static gaz_status submit_register(struct call *call,
				  const struct register_instance_in *in,
				  struct place *place, struct bytes *intent,
				  struct operation_plan *plan,
				  struct operation_started_out *out)
{
	char uuid[ID_UUID_SIZE];
	bool reserved = false;
	gaz_status st = attribute_check(call, &place->ns, &place->svc, &in->attributes);

	if (st == GAZ_OK)
		st = service_check_idle(call, &place->svc);
	if (st == GAZ_OK)
		st = make_lock(call, place, in->instance_id, plan);
	if (st == GAZ_OK)
		st = operation_check_locks(call, plan);
	if (st == GAZ_OK)
		st = reserve_place(call, in->instance_id, place, &reserved);
	if (st == GAZ_OK && !in->creator_request_id)
		st = id_uuid(uuid);
	if (st != GAZ_OK)
		return st;
	bytes_put_text(intent, in->creator_request_id ? in->creator_request_id : uuid);
	bytes_put_u8(intent, reserved);
	plan->service_id = place->svc.id;
	plan->instance_id = in->instance_id;
	plan->scope_namespace = place->ns.id;
	plan->intent = intent;
	return operation_submit(call, plan, &out->operation_id);
}

gaz_status instance_register(struct call *call, const void *in, void *out)
{
	const struct register_instance_in *input = in;
	struct operation_started_out *started = out;
	struct operation_plan plan = {.type = OPERATION_REGISTER_INSTANCE,
				      .call_name = "RegisterInstance"};
	struct place place;
	struct bytes intent;
	gaz_status st = load_place(call, input->service_id, &place);

	if (st != GAZ_OK)
		return st;
	bytes_init(&intent);
	st = put_register_intent(call, &intent, &place, input);
	if (st == GAZ_OK)
		st = operation_find_retry(call, &plan, input->creator_request_id, &intent,
					  &started->operation_id);
	if (st == GAZ_ENOTFOUND)
		st = submit_register(call, input, &place, &intent, &plan, started);
	bytes_fini(&intent);
	return st;
}

static bool initial_health(const struct instance_record *inst)
{
	const char *status = projection_attribute(inst, "AWS_INIT_HEALTH_STATUS");

	return !status || strcmp(status, "UNHEALTHY") != 0;
}

static gaz_status read_register_intent(struct call *call, struct reader *intent,
				       const char **service_id_out,
				       struct instance_record *inst, bool *reserved_out)
{
	*service_id_out = reader_text(intent, call->arena);
	inst->id = reader_text(intent, call->arena);
	schema_read_pairs(intent, call->arena, &inst->attributes);
	inst->creator_request_id = reader_text(intent, call->arena);
	*reserved_out = reader_u8(intent) != 0;
	if (call->arena->failed)
		return GAZ_ENOMEM;
	inst->healthy = initial_health(inst);
	return intent->failed ? GAZ_ESTORE : attribute_complete(call, &inst->attributes);
}

gaz_status instance_apply_register(struct call *call, struct reader *intent,
				   struct operation_failure *fail)
{
	struct instance_record inst = {0};
	struct instance_record old = {0};
	struct place place;
	struct gaz_error why;
	const char *service_id;
	bool reserved;
	bool is_new;
	gaz_status st = read_register_intent(call, intent, &service_id, &inst, &reserved);

	if (st == GAZ_OK)
		st = load_place(call, service_id, &place);
	if (st != GAZ_OK)
		return st == GAZ_EREFUSED ? GAZ_ESTORE : st;
	st = instance_load(call, service_id, inst.id, &old);
	is_new = st == GAZ_ENOTFOUND;
	if (st != GAZ_OK && !is_new)
		return st;
	if (reserved) {
		place.svc_tally.pending--;
		place.ns_tally.pending--;
	}
	st = projection_replace_instance(call->edit, &place.ns, &place.svc,
					 is_new ? NULL : &old, &inst, &why);
	if (st == GAZ_EEXISTS || st == GAZ_EFORMAT) {
		st = operation_fail_batch(call, &why, fail);
	} else if (st == GAZ_OK) {
		place.svc_tally.children += is_new;
		place.ns_tally.instances += is_new;
		st = count_change(call, &place);
		if (st == GAZ_OK)
			st = is_new ? instance_add(call, service_id, &inst)
				    : instance_replace(call, service_id, &inst);
		if (st == GAZ_OK)
			st = healthcheck_note(call, &place.svc, &inst);
	}
	if (st == GAZ_OK)
		save_tallies(call, &place);
	return st;
}

/* What it has reserved is given back. An intent that cannot be read may have
 * reserved a place: without it the service could never be deleted. */
gaz_status instance_abandon_register(struct call *call, struct reader *intent)
{
	struct instance_record inst = {0};
	struct place place;
	const char *service_id;
	bool reserved;
	gaz_status st = read_register_intent(call, intent, &service_id, &inst, &reserved);

	if (intent->failed)
		reserved = true;
	if (st == GAZ_ENOMEM)
		return st;
	if (!service_id || (st == GAZ_OK && !reserved))
		return GAZ_OK;
	st = load_place(call, service_id, &place);
	if (st != GAZ_OK)
		return st == GAZ_ENOMEM ? st : GAZ_OK;
	place.svc_tally.pending -= place.svc_tally.pending > 0;
	place.ns_tally.pending -= place.ns_tally.pending > 0;
	save_tallies(call, &place);
	return GAZ_OK;
}

/* ---- DeregisterInstance ---- */

/* An instance that is still being registered is known by its lock. */
static gaz_status check_registered(struct call *call, const struct place *place,
				   const char *instance_id,
				   const struct operation_plan *plan)
{
	struct instance_record existing;
	gaz_status st = operation_check_locks(call, plan);

	if (st == GAZ_OK)
		st = instance_load(call, place->svc.id, instance_id, &existing);
	if (st == GAZ_ENOTFOUND)
		return fault_set(&call->fault, FAULT_INSTANCE_NOT_FOUND,
				 "The instance %s does not exist in service %s",
				 instance_id, place->svc.id);
	return st;
}

gaz_status instance_deregister(struct call *call, const void *in, void *out)
{
	const struct instance_in *input = in;
	struct operation_started_out *started = out;
	struct operation_plan plan = {.type = OPERATION_DEREGISTER_INSTANCE,
				      .call_name = "DeregisterInstance"};
	struct place place;
	struct bytes intent;
	gaz_status st = load_place(call, input->service_id, &place);

	if (st == GAZ_OK)
		st = make_lock(call, &place, input->instance_id, &plan);
	if (st == GAZ_OK)
		st = check_registered(call, &place, input->instance_id, &plan);
	if (st == GAZ_OK)
		st = service_check_idle(call, &place.svc);
	if (st != GAZ_OK)
		return st;
	bytes_init(&intent);
	bytes_put_text(&intent, place.svc.id);
	bytes_put_text(&intent, input->instance_id);
	plan.service_id = place.svc.id;
	plan.instance_id = input->instance_id;
	plan.scope_namespace = place.ns.id;
	plan.intent = &intent;
	st = operation_submit(call, &plan, &started->operation_id);
	bytes_fini(&intent);
	return st;
}

gaz_status instance_apply_deregister(struct call *call, struct reader *intent,
				     struct operation_failure *fail)
{
	const char *service_id = reader_text(intent, call->arena);
	const char *instance_id = reader_text(intent, call->arena);
	struct instance_record old = {0};
	struct place place;
	gaz_status st;

	(void)fail;
	if (intent->failed)
		return call->arena->failed ? GAZ_ENOMEM : GAZ_ESTORE;
	st = load_place(call, service_id, &place);
	if (st == GAZ_OK)
		st = instance_load(call, service_id, instance_id, &old);
	if (st == GAZ_OK)
		st = projection_replace_instance(call->edit, &place.ns, &place.svc, &old,
						 NULL, NULL);
	if (st == GAZ_OK)
		st = count_change(call, &place);
	if (st != GAZ_OK)
		return st == GAZ_ENOMEM ? st : GAZ_ESTORE;
	place.svc_tally.children--;
	place.ns_tally.instances--;
	save_tallies(call, &place);
	st = instance_remove(call, service_id, instance_id);
	return st == GAZ_OK ? healthcheck_note_gone(call, &place.svc, instance_id) : st;
}
