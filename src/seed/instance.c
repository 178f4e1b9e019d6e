/* SPDX-License-Identifier: BSD-2-Clause */
#include "seed/instance-internal.h"

#include "seed/compare-internal.h"
#include "seed/operation-internal.h"

static gaz_status on_registered(struct seed *s, void *arg, gaz_status st,
				const json_t *operation)
{
	struct seed_node *instance = arg;

	(void)operation;
	if (st == GAZ_OK)
		st = seed_node_tell(s, instance);
	seed_node_unref(&instance);
	return st;
}

static gaz_status register_instance(struct seed *s, struct seed_node *instance)
{
	json_t *input = json_copy((json_t *)instance->want);

	(void)json_object_set_new(input, "ServiceId", json_string(instance->parent->id));
	return seed_send_run(s, instance->path, "RegisterInstance", input, on_registered,
			     seed_node_ref(instance));
}

static gaz_status apply_instance(struct seed *s, struct seed_node *instance,
				 const json_t *have)
{
	const json_t *before = json_object_get(have, instance->name);
	const bool is_same =
		before &&
		seed_has_attributes(json_object_get(instance->want, "Attributes"),
				    json_object_get(before, "Attributes"));

	instance->action = is_same  ? SEED_UNCHANGED
			   : before ? SEED_CHANGED
				    : SEED_CREATED;
	if (is_same || s->options.dry_run)
		return seed_node_tell(s, instance);
	return register_instance(s, instance);
}

static json_t *ask(const struct seed_node *service)
{
	return json_pack("{s:s}", "ServiceId", service->id);
}

gaz_status seed_apply_instances(struct seed *s, struct seed_node *service, bool is_new)
{
	static const struct seed_list list = {
		.name = "Instances",
		.kind = "instance",
		.key = "InstanceId",
		.apply = apply_instance,
		.operation = "ListInstances",
		.ask = ask,
		.have_key = "Id",
	};

	return seed_apply_below(s, &list, service, is_new);
}
