/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/namespace-internal.h"

#include <string.h>

#include "base/log.h"
#include "registry/projection.h"
#include "registry/registry-internal.h"
#include "registry/tag-internal.h"

const struct namespace_kind namespace_kind_http = {
	NAMESPACE_HTTP, "HTTP", "CreateHttpNamespace", "UpdateHttpNamespace"};
const struct namespace_kind namespace_kind_private = {
	NAMESPACE_DNS_PRIVATE, "DNS_PRIVATE", "CreatePrivateDnsNamespace",
	"UpdatePrivateDnsNamespace"};
const struct namespace_kind namespace_kind_public = {NAMESPACE_DNS_PUBLIC, "DNS_PUBLIC",
						     "CreatePublicDnsNamespace",
						     "UpdatePublicDnsNamespace"};

/* The key under which a namespace's own name is unique among its kind. */
gaz_status namespace_own_name_key(struct call *call, const struct namespace_record *ns,
				  struct key *out)
{
	const char *folded = call_fold_name(call, ns->name);

	if (!folded)
		return GAZ_ENOMEM;
	switch (ns->type) {
	case NAMESPACE_DNS_PRIVATE:
		return call_name_key(call, NAME_PRIVATE, ns->vpc_id, folded, out);
	case NAMESPACE_DNS_PUBLIC:
		return call_name_key(call, NAME_PUBLIC, NULL, folded, out);
	case NAMESPACE_HTTP:
		break;
	}
	return call_name_key(call, NAME_HTTP, NULL, ns->name, out);
}

/* The locks of every operation on a namespace: its name, whatever its kind,
 * and the namespace itself. The name comes first: it makes the operation's id,
 * so that create and delete of one namespace share theirs. */
gaz_status namespace_make_locks(struct call *call, const char *name, const char *id,
				struct operation_plan *plan)
{
	const char *folded = call_fold_name(call, name);
	gaz_status st = GAZ_ENOMEM;

	if (folded)
		st = operation_lock_key(call, "ns-name", folded, &plan->locks[0]);
	if (st == GAZ_OK)
		st = operation_lock_key(call, "namespace", id, &plan->locks[1]);
	plan->lock_count = 2;
	return st;
}

gaz_status namespace_give_place_back(struct call *call)
{
	const char *id = call_partition_id(call);
	struct tally tally;
	gaz_status st;

	if (!id)
		return GAZ_ENOMEM;
	st = call_load_tally(call, 'p', id, &tally);
	if (st == GAZ_OK && tally.children > 0) {
		tally.children--;
		call_save_tally(call, 'p', id, &tally);
	}
	return st;
}

gaz_status namespace_count_change(struct call *call, struct namespace_record *ns,
				  struct tally *tally)
{
	const struct apex_values *apex = call->registry->config.apex;
	gaz_status st = GAZ_OK;

	/* Counted also where it does not show: the tally is written anyway, and a
	 * later start may want it. */
	ns->zone_changes = ++tally->revision;
	if (apex->counting)
		st = projection_update_soa(call->edit, apex, ns);
	return st == GAZ_OK || st == GAZ_ENOMEM ? st : GAZ_ESTORE;
}

void namespace_make_order_key(const struct call *call, const struct namespace_record *ns,
			      struct key *out)
{
	call_put_partition(call, out);
	key_put_u64(out, (uint64_t)ns->create_ms);
	key_put(out, ns->id, strlen(ns->id));
}

void namespace_save(struct call *call, const struct namespace_record *ns)
{
	struct bytes value;

	bytes_init(&value);
	schema_put_namespace(&value, ns);
	call_put(call, TABLE_NAMESPACE,
		 (struct span){(const uint8_t *)ns->id, strlen(ns->id)}, &value);
	bytes_fini(&value);
}

/* ---- update ---- */

/* A namespace that is still being created has no record yet, but a lock. */
static gaz_status require_settled(struct call *call, const char *id_or_arn,
				  struct namespace_record *out)
{
	const char *id;
	const char *operation_id;
	const char *call_name;
	struct key lock;
	gaz_status st = call_require_namespace(call, id_or_arn, out);

	if (st != GAZ_EREFUSED)
		return st;
	st = call_resolve_id(call, "namespace", id_or_arn, &id);
	if (st == GAZ_OK)
		st = operation_lock_key(call, "namespace", id, &lock);
	if (st == GAZ_OK)
		st = operation_find_lock(call, &lock, &operation_id, &call_name);
	if (st == GAZ_OK) {
		fault_set(&call->fault, FAULT_DUPLICATE_REQUEST,
			  "Another operation of type %s and id %s is in progress",
			  call_name, operation_id);
		return fault_add(&call->fault, "DuplicateOperationId", operation_id);
	}
	return st == GAZ_ENOTFOUND ? GAZ_EREFUSED : st;
}

static gaz_status check_update(struct call *call, const struct namespace_kind *kind,
			       const struct namespace_record *ns,
			       const struct operation_plan *plan)
{
	const char *id;
	const char *call_name;
	gaz_status st;

	if (ns->type != kind->type)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "The namespace is not of type %s", kind->type_name);
	st = operation_find_lock(call, &plan->locks[1], &id, &call_name);
	if (st == GAZ_OK && strcmp(call_name, "DeleteNamespace") == 0)
		return fault_set(&call->fault, FAULT_RESOURCE_IN_USE,
				 "Namespace %s is being deleted", ns->id);
	if (st != GAZ_OK && st != GAZ_ENOTFOUND)
		return st;
	return operation_check_locks(call, plan);
}

static void put_update_intent(struct bytes *b, const struct namespace_kind *kind,
			      const char *id, const struct namespace_change_in *change)
{
	const struct namespace_properties_in *p =
		kind->type == NAMESPACE_HTTP ? NULL : change->properties;

	bytes_put_text(b, id);
	bytes_put_text(b, change->description);
	bytes_put_u8(b, p != NULL);
	bytes_put_u32(b, p ? (uint32_t)p->dns_properties->soa->ttl.value : 0);
}

static gaz_status update(struct call *call, const struct namespace_kind *kind,
			 const struct update_namespace_in *in,
			 struct operation_started_out *out)
{
	struct operation_plan plan = {.type = OPERATION_UPDATE_NAMESPACE,
				      .call_name = kind->update_call};
	struct namespace_record ns;
	struct bytes intent;
	gaz_status st = require_settled(call, in->id, &ns);

	if (st != GAZ_OK)
		return st;
	bytes_init(&intent);
	put_update_intent(&intent, kind, ns.id, in->change);
	st = operation_find_retry(call, &plan, in->updater_request_id, &intent,
				  &out->operation_id);
	if (st != GAZ_ENOTFOUND)
		goto out;
	st = namespace_make_locks(call, ns.name, ns.id, &plan);
	if (st == GAZ_OK)
		st = check_update(call, kind, &ns, &plan);
	if (st == GAZ_OK) {
		plan.namespace_id = ns.id;
		plan.scope_namespace = ns.id;
		plan.intent = &intent;
		st = operation_submit(call, &plan, &out->operation_id);
	}
out:
	bytes_fini(&intent);
	return st;
}

gaz_status namespace_update_http(struct call *call, const void *in, void *out)
{
	return update(call, &namespace_kind_http, in, out);
}

gaz_status namespace_update_private_dns(struct call *call, const void *in, void *out)
{
	return update(call, &namespace_kind_private, in, out);
}

gaz_status namespace_update_public_dns(struct call *call, const void *in, void *out)
{
	return update(call, &namespace_kind_public, in, out);
}

/* Its locks keep a namespace in place while an operation on it is pending. */
static gaz_status load_locked(struct call *call, const char *id,
			      struct namespace_record *ns)
{
	gaz_status st = call_load_namespace(call, id, ns);

	return st == GAZ_ENOTFOUND ? GAZ_ESTORE : st;
}

static gaz_status change_soa(struct call *call, struct namespace_record *ns)
{
	struct tally tally;
	gaz_status st = call_load_tally(call, 'n', ns->id, &tally);

	if (st != GAZ_OK)
		return st;
	ns->zone_changes = ++tally.revision;
	call_save_tally(call, 'n', ns->id, &tally);
	return projection_update_soa(call->edit, call->registry->config.apex, ns);
}

gaz_status namespace_apply_update(struct call *call, struct reader *intent,
				  struct operation_failure *fail)
{
	struct namespace_record ns;
	const char *id = reader_text(intent, call->arena);
	const char *description = reader_text(intent, call->arena);
	bool has_ttl = reader_u8(intent) != 0;
	uint32_t ttl = reader_u32(intent);
	gaz_status st;

	(void)fail;
	if (intent->failed)
		return call->arena->failed ? GAZ_ENOMEM : GAZ_ESTORE;
	st = load_locked(call, id, &ns);
	if (st != GAZ_OK)
		return st;
	if (description)
		ns.description = description;
	if (has_ttl) {
		ns.soa_ttl = ttl;
		st = change_soa(call, &ns);
	}
	if (st == GAZ_OK)
		namespace_save(call, &ns);
	return st;
}

/* ---- delete ---- */

gaz_status namespace_delete(struct call *call, const void *in, void *out)
{
	const struct id_in *input = in;
	struct operation_started_out *started = out;
	struct operation_plan plan = {.type = OPERATION_DELETE_NAMESPACE,
				      .call_name = "DeleteNamespace"};
	struct namespace_record ns;
	struct bytes intent;
	gaz_status st = require_settled(call, input->id, &ns);

	if (st != GAZ_OK)
		return st;
	if (ns.service_count > 0)
		return fault_set(&call->fault, FAULT_RESOURCE_IN_USE,
				 "Namespace has associated services; delete the services "
				 "before deleting the namespace");
	st = namespace_make_locks(call, ns.name, ns.id, &plan);
	if (st == GAZ_OK)
		st = operation_check_locks(call, &plan);
	if (st != GAZ_OK)
		return st;
	bytes_init(&intent);
	bytes_put_text(&intent, ns.id);
	plan.namespace_id = ns.id;
	plan.scope_namespace = ns.id;
	plan.intent = &intent;
	st = operation_submit(call, &plan, &started->operation_id);
	bytes_fini(&intent);
	return st;
}

gaz_status namespace_apply_delete(struct call *call, struct reader *intent,
				  struct operation_failure *fail)
{
	const char *id = reader_text(intent, call->arena);
	struct namespace_record ns;
	struct key own_name;
	struct key http_name;
	struct key order = {0};
	struct span key;
	gaz_status st;

	(void)fail;
	if (!id)
		return call->arena->failed ? GAZ_ENOMEM : GAZ_ESTORE;
	st = load_locked(call, id, &ns);
	if (st == GAZ_OK)
		st = namespace_own_name_key(call, &ns, &own_name);
	if (st == GAZ_OK)
		st = call_name_key(call, NAME_DISCOVERY, NULL, ns.http_name, &http_name);
	if (st == GAZ_OK)
		st = namespace_give_place_back(call);
	if (st == GAZ_OK)
		st = projection_remove_namespace(call->edit, &ns);
	if (st != GAZ_OK)
		return st;
	key = (struct span){(const uint8_t *)ns.id, strlen(ns.id)};
	namespace_make_order_key(call, &ns, &order);
	call_delete(call, TABLE_NAMESPACE, key);
	call_delete(call, TABLE_NAMESPACE_ORDER, key_span(&order));
	call_delete(call, TABLE_NAME, key_span(&own_name));
	call_delete(call, TABLE_NAME, key_span(&http_name));
	call_drop_tally(call, 'n', ns.id);
	tag_forget(call, ns.id);
	log_debug("namespace-deleted", "id=%s", ns.id);
	return GAZ_OK;
}

/* ---- reads ---- */

gaz_status namespace_get(struct call *call, const void *in, void *out)
{
	const struct id_in *input = in;

	return call_require_namespace(call, input->id, out);
}
