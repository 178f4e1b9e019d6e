/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "registry/instance.h"
#include "registry/instance_store.h"
#include "registry/page.h"

/* GetInstance, ListInstances. */

gaz_status instance_get(struct call *call, const void *in, void *out)
{
	const struct instance_in *input = in;
	struct instance_out *result = out;
	struct service_record svc;
	struct instance_record inst = {0};
	gaz_status st = call_require_service(call, input->service_id, &svc);

	if (st == GAZ_OK)
		st = instance_load(call, svc.id, input->instance_id, &inst);
	if (st == GAZ_ENOTFOUND)
		return fault_set(&call->fault, FAULT_INSTANCE_NOT_FOUND,
				 "The instance %s does not exist in service %s",
				 input->instance_id, svc.id);
	if (st == GAZ_OK)
		*result = (struct instance_out){svc.account, inst.id,
						inst.creator_request_id, inst.attributes};
	return st;
}

static gaz_status load(struct call *call, struct span suffix, struct span value,
		       const void *arg, void *item)
{
	const struct service_record *svc = arg;
	struct instance_out *result = item;
	struct instance_record inst = {0};
	gaz_status st = schema_get_instance(value, call->arena, &inst);

	if (st != GAZ_OK)
		return st;
	*result = (struct instance_out){
		svc->account,
		arena_strndup(call->arena, (const char *)suffix.data, suffix.len),
		inst.creator_request_id, inst.attributes};
	return result->id ? GAZ_OK : GAZ_ENOMEM;
}

gaz_status instance_list(struct call *call, const void *in, void *out)
{
	const struct list_instances_in *input = in;
	struct instance_page_out *page = out;
	struct service_record svc;
	struct page_result result = {0};
	struct page_spec spec = {
		.operation = "ListInstances",
		.in = &input->page,
		.table = TABLE_INSTANCE,
		.load = load,
		.arg = &svc,
		.item_size = sizeof(struct instance_out),
	};
	gaz_status st = call_require_service(call, input->service_id, &svc);

	if (st != GAZ_OK)
		return st;
	key_put_text(&spec.prefix, svc.id);
	st = page_read(call, &spec, &result);
	if (st == GAZ_OK)
		*page = (struct instance_page_out){svc.account, result.items,
						   result.count, result.next_token};
	return st;
}
