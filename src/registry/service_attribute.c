/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "registry/call.h"
#include "registry/registry-internal.h"
#include "registry/service.h"

/* GetServiceAttributes, UpdateServiceAttributes, DeleteServiceAttributes. */

gaz_status service_get_attributes(struct call *call, const void *in, void *out)
{
	const struct service_id_in *input = in;
	struct service_attributes_out *result = out;
	struct service_record svc;
	gaz_status st = call_require_service(call, input->service_id, &svc);

	if (st == GAZ_OK)
		st = call_load_pairs(call, TABLE_SERVICE_ATTRIBUTES, svc.id,
				     &result->attributes);
	if (st == GAZ_OK) {
		result->service_arn = svc.arn;
		result->account = svc.account;
	}
	return st;
}

static void set_pair(struct pair_list *list, const struct text_pair *pair)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].key, pair->key) == 0) {
			list->items[i].value = pair->value;
			return;
		}
	}
	list->items[list->count++] = *pair;
}

gaz_status service_update_attributes(struct call *call, const void *in, void *out)
{
	const struct update_service_attributes_in *input = in;
	const uint32_t limit = call->registry->config.max_service_attributes;
	struct service_record svc;
	struct pair_list old;
	struct pair_list merged = {.present = true};
	gaz_status st = call_require_service(call, input->service_id, &svc);

	(void)out;
	if (st == GAZ_OK)
		st = call_load_pairs(call, TABLE_SERVICE_ATTRIBUTES, svc.id, &old);
	if (st != GAZ_OK)
		return st;
	merged.items = arena_alloc(call->arena, (old.count + input->attributes.count) *
							sizeof *merged.items);
	if (!merged.items)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < old.count; i++)
		set_pair(&merged, &old.items[i]);
	for (size_t i = 0; i < input->attributes.count; i++)
		set_pair(&merged, &input->attributes.items[i]);
	if (limit > 0 && merged.count > limit)
		return fault_set(&call->fault, FAULT_SERVICE_ATTRIBUTES_LIMIT_EXCEEDED,
				 "A service can have %u attributes at most; delete some",
				 limit);
	call_save_pairs(call, TABLE_SERVICE_ATTRIBUTES, svc.id, &merged);
	return GAZ_OK;
}

gaz_status service_delete_attributes(struct call *call, const void *in, void *out)
{
	const struct delete_service_attributes_in *input = in;
	struct service_record svc;
	struct pair_list attributes;
	gaz_status st = call_require_service(call, input->service_id, &svc);

	(void)out;
	if (st == GAZ_OK)
		st = call_load_pairs(call, TABLE_SERVICE_ATTRIBUTES, svc.id, &attributes);
	if (st != GAZ_OK)
		return st;
	call_remove_pairs(&attributes, &input->attributes);
	call_save_pairs(call, TABLE_SERVICE_ATTRIBUTES, svc.id, &attributes);
	return GAZ_OK;
}
