/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "registry/healthcheck-internal.h"
#include "registry/instance_store.h"
#include "registry/namespace-internal.h"
#include "registry/operation-internal.h"
#include "registry/projection.h"
#include "registry/service-internal.h"

/* UpdateService: the TTLs, the health check and the description can change;
 * what is left out of the request goes, except the description. */

static void print_types(char out[64], size_t count,
			enum record_type (*type_of)(const void *, size_t),
			const void *list)
{
	static const char *const names[] = {[RECORD_SRV] = "SRV",
					    [RECORD_A] = "A",
					    [RECORD_AAAA] = "AAAA",
					    [RECORD_CNAME] = "CNAME"};
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < count && len < 48; i++)
		len += (size_t)snprintf(out + len, 64 - len, "%s%s", i ? ", " : "",
					names[type_of(list, i)]);
}

static enum record_type stored_type(const void *list, size_t i)
{
	return ((const struct service_record *)list)->dns_records[i].type;
}

static enum record_type requested_type(const void *list, size_t i)
{
	return ((const struct dns_record_list *)list)->items[i].type;
}

/* The set of types cannot change; their order may. */
static gaz_status check_types(struct call *call, const struct service_record *svc,
			      const struct dns_record_list *records)
{
	unsigned stored = 0;
	unsigned requested = 0;
	char stored_text[64];
	char requested_text[64];

	for (size_t i = 0; i < svc->dns_record_count; i++)
		stored |= 1u << svc->dns_records[i].type;
	for (size_t i = 0; i < records->count; i++)
		requested |= 1u << records->items[i].type;
	if (stored == requested && records->count == svc->dns_record_count)
		return GAZ_OK;
	print_types(stored_text, svc->dns_record_count, stored_type, svc);
	print_types(requested_text, records->count, requested_type, records);
	return fault_set(
		&call->fault, FAULT_INVALID_INPUT,
		"The record types in the request must be the same as those present "
		"in the existing service. Records in the existing service are [%s], "
		"but the records in the request are [%s]. The record types of a "
		"service cannot be changed.",
		stored_text, requested_text);
}

static gaz_status check_change(struct call *call, const struct namespace_record *ns,
			       const struct service_record *svc,
			       const struct service_change_in *change)
{
	bool has_cname =
		svc->dns_record_count > 0 && svc->dns_records[0].type == RECORD_CNAME;
	gaz_status st = GAZ_OK;

	if (ns->type == NAMESPACE_HTTP)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "A service in an HTTP namespace cannot be updated");
	if (change->dns_config && svc->type == SERVICE_HTTP)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "When you specify an HTTP service, you can't include a "
				 "DnsConfig element.");
	if (change->dns_config)
		st = check_types(call, svc, &change->dns_config->dns_records);
	if (st == GAZ_OK)
		st = service_check_health(call, change->health_check, ns,
					  svc->has_custom_health, has_cname);
	if (st == GAZ_OK && change->health_check && svc->health_check &&
	    change->health_check->type != svc->health_check)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "Type of health check cannot be changed");
	return st;
}

static void apply_change(const struct service_change_in *change,
			 struct service_record *svc)
{
	const struct dns_config_in *dns = change->dns_config;

	if (change->description)
		svc->description = *change->description ? change->description : NULL;
	svc->dns_deleted = dns == NULL && svc->dns_record_count > 0;
	for (size_t i = 0; dns && i < dns->dns_records.count; i++) {
		for (size_t k = 0; k < svc->dns_record_count; k++) {
			if (svc->dns_records[k].type == dns->dns_records.items[i].type)
				svc->dns_records[k].ttl =
					(uint32_t)dns->dns_records.items[i].ttl.value;
		}
	}
	service_set_health(svc, change->health_check);
}

gaz_status service_update(struct call *call, const void *in, void *out)
{
	const struct update_service_in *input = in;
	struct operation_started_out *started = out;
	struct operation_plan plan = {.type = OPERATION_UPDATE_SERVICE,
				      .call_name = "UpdateService",
				      .lock_count = 1};
	struct service_record svc;
	struct namespace_record ns;
	struct bytes intent;
	gaz_status st = call_require_service(call, input->id, &svc);

	if (st == GAZ_OK)
		st = call_load_namespace(call, svc.namespace_id, &ns);
	if (st == GAZ_OK)
		st = check_change(call, &ns, &svc, input->change);
	if (st == GAZ_OK)
		st = operation_lock_key(call, "service", svc.id, &plan.locks[0]);
	if (st == GAZ_OK)
		st = operation_check_locks(call, &plan);
	if (st != GAZ_OK)
		return st == GAZ_ENOTFOUND ? GAZ_ESTORE : st;
	apply_change(input->change, &svc);
	bytes_init(&intent);
	bytes_put_text(&intent, svc.id);
	schema_put_service(&intent, &svc);
	plan.service_id = svc.id;
	plan.scope_namespace = svc.namespace_id;
	plan.intent = &intent;
	st = operation_submit(call, &plan, &started->operation_id);
	bytes_fini(&intent);
	return st;
}

static bool has_same_records(const struct service_record *a,
			     const struct service_record *b)
{
	bool same = a->dns_deleted == b->dns_deleted;

	for (size_t i = 0; i < a->dns_record_count; i++)
		same = same && a->dns_records[i].ttl == b->dns_records[i].ttl;
	return same;
}

static gaz_status count_change(struct call *call, struct namespace_record *ns)
{
	struct tally tally;
	gaz_status st = call_load_tally(call, 'n', ns->id, &tally);

	if (st == GAZ_OK)
		st = namespace_count_change(call, ns, &tally);
	if (st == GAZ_OK)
		call_save_tally(call, 'n', ns->id, &tally);
	return st;
}

/* The intent is the whole service as it shall be: its lock kept it as it was. */
gaz_status service_apply_update(struct call *call, struct reader *intent,
				struct operation_failure *fail)
{
	const char *id = reader_text(intent, call->arena);
	struct service_record old;
	struct service_record new = {0};
	struct namespace_record ns;
	struct instance_record *instances;
	struct gaz_error why;
	size_t count;
	gaz_status st;

	if (!id)
		return call->arena->failed ? GAZ_ENOMEM : GAZ_ESTORE;
	st = schema_get_service((struct span){intent->at, intent->left}, call->arena,
				&new);
	intent->failed = st == GAZ_ESTORE;
	new.id = id;
	if (st == GAZ_OK)
		st = call_load_service(call, id, &old);
	if (st == GAZ_OK)
		st = call_load_namespace(call, old.namespace_id, &ns);
	if (st == GAZ_OK)
		st = instance_load_all(call, id, &instances, &count);
	if (st != GAZ_OK)
		return st == GAZ_ENOTFOUND ? GAZ_ESTORE : st;
	st = projection_replace_service(call->edit, &ns, &old, &new, instances, count,
					&why);
	if (st == GAZ_EEXISTS || st == GAZ_EFORMAT)
		return operation_fail_batch(call, &why, fail);
	if (st == GAZ_OK && count > 0 && !has_same_records(&old, &new))
		st = count_change(call, &ns);
	if (st != GAZ_OK)
		return st;
	call_save_service(call, &new);
	return healthcheck_follow_update(call, &old, &new, instances, count);
}
