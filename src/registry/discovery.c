/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/discovery.h"

#include <string.h>

#include "base/rng.h"
#include "registry/health.h"
#include "registry/instance_store.h"
#include "registry/registry-internal.h"
#include "registry/service-internal.h"

enum {
	MAX_RESULTS_DEFAULT = 100,
};

static gaz_status find_namespace(struct call *call, const struct discover_in *in,
				 struct namespace_record *out)
{
	struct key name;
	const char *id;
	gaz_status st = GAZ_ENOTFOUND;

	if (!in->owner_account || strcmp(in->owner_account, call->account) == 0)
		st = call_name_key(call, NAME_DISCOVERY, NULL, in->namespace_name, &name);
	if (st == GAZ_OK)
		st = call_find_name(call, &name, &id);
	if (st == GAZ_OK)
		st = call_load_namespace(call, id, out);
	if (st == GAZ_ENOTFOUND)
		return fault_set(&call->fault, FAULT_NAMESPACE_NOT_FOUND,
				 "No namespace has the HttpName %.900s",
				 in->namespace_name);
	return st;
}

static gaz_status find_service(struct call *call, const struct discover_in *in,
			       struct namespace_record *ns, struct service_record *out)
{
	struct key name;
	const char *id;
	gaz_status st = find_namespace(call, in, ns);

	if (st == GAZ_OK)
		st = service_name_key(call, ns, in->service_name, &name);
	if (st == GAZ_OK)
		st = call_find_name(call, &name, &id);
	if (st == GAZ_OK)
		st = call_load_service(call, id, out);
	if (st == GAZ_ENOTFOUND)
		return fault_set(&call->fault, FAULT_SERVICE_NOT_FOUND,
				 "Namespace %.255s has no service named %s",
				 ns->http_name, in->service_name);
	return st;
}

static bool has_pair(const struct pair_list *attributes, const struct text_pair *pair)
{
	for (size_t i = 0; i < attributes->count; i++) {
		if (strcmp(attributes->items[i].key, pair->key) == 0)
			return strcmp(attributes->items[i].value, pair->value) == 0;
	}
	return false;
}

static bool has_all(const struct pair_list *attributes, const struct pair_list *wanted)
{
	for (size_t i = 0; i < wanted->count; i++) {
		if (!has_pair(attributes, &wanted->items[i]))
			return false;
	}
	return true;
}

/* Each step keeps the members that pass and returns their number. */

static size_t keep_matching(struct discovered_instance *items, size_t count,
			    const struct pair_list *wanted)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (has_all(&items[i].attributes, wanted))
			items[kept++] = items[i];
	}
	return kept;
}

static size_t keep_status(struct discovered_instance *items, size_t count,
			  enum health_status status)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (items[i].health == status)
			items[kept++] = items[i];
	}
	return kept;
}

static size_t count_status(const struct discovered_instance *items, size_t count,
			   enum health_status status)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += items[i].health == status;
	return found;
}

/* A service without a health check has nothing to filter by. */
static size_t filter_health(struct discovered_instance *items, size_t count,
			    const struct service_record *svc, enum health_filter filter)
{
	if (!svc->health_check && !svc->has_custom_health)
		return count;
	switch (filter) {
	case HEALTH_FILTER_ALL:
		return count;
	case HEALTH_FILTER_UNHEALTHY:
		return keep_status(items, count, HEALTH_UNHEALTHY);
	case HEALTH_FILTER_HEALTHY_OR_ELSE_ALL:
		if (count_status(items, count, HEALTH_HEALTHY) == 0)
			return count;
		break;
	case HEALTH_FILTER_HEALTHY:
	case HEALTH_FILTER_UNSET:
		break;
	}
	return keep_status(items, count, HEALTH_HEALTHY);
}

/* Optional parameters narrow the result only if something is left. */
static size_t filter_optional(struct discovered_instance *items, size_t count,
			      const struct pair_list *wanted)
{
	for (size_t i = 0; i < count; i++) {
		if (has_all(&items[i].attributes, wanted))
			return keep_matching(items, count, wanted);
	}
	return count;
}

/* With a configured seed the n-th shuffle since start is always the same. */
static gaz_status choose_seed(struct registry *r, uint64_t *out)
{
	if (r->config.seed == 0)
		return rng_secret(out, sizeof *out);
	*out = r->config.seed + atomic_fetch_add(&r->shuffles, 1);
	return GAZ_OK;
}

static gaz_status shuffle(struct registry *r, struct discovered_instance *items,
			  size_t count)
{
	struct rng rng;
	uint64_t seed;

	if (count < 2)
		return GAZ_OK;
	if (choose_seed(r, &seed) != GAZ_OK)
		return GAZ_EIO;
	rng_seed(&rng, seed);
	for (size_t i = count - 1; i > 0; i--) {
		size_t j = rng_below(&rng, (uint32_t)i + 1);
		struct discovered_instance swap = items[i];

		items[i] = items[j];
		items[j] = swap;
	}
	return GAZ_OK;
}

static gaz_status load_candidates(struct call *call, const struct service_record *svc,
				  struct discover_out *out)
{
	struct instance_record *instances;
	size_t count;
	gaz_status st = instance_load_all(call, svc->id, &instances, &count);

	if (st != GAZ_OK)
		return st;
	out->items = arena_alloc(call->arena, (count + 1) * sizeof *out->items);
	if (!out->items)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < count; i++)
		out->items[i] = (struct discovered_instance){
			instances[i].id, health_of(svc, &instances[i]),
			instances[i].attributes};
	out->count = count;
	return GAZ_OK;
}

gaz_status discovery_find_instances(struct call *call, const void *in, void *out)
{
	const struct discover_in *input = in;
	struct discover_out *result = out;
	size_t limit = input->max_results.present ? (size_t)input->max_results.value
						  : MAX_RESULTS_DEFAULT;
	enum health_filter health = input->health_status
					    ? input->health_status
					    : call->registry->config.discover_health;
	struct namespace_record ns;
	struct service_record svc;
	gaz_status st = find_service(call, input, &ns, &svc);

	if (st == GAZ_OK)
		st = load_candidates(call, &svc, result);
	if (st != GAZ_OK)
		return st;
	result->namespace_name = ns.http_name;
	result->service_name = svc.name;
	result->revision = svc.revision;
	result->count =
		keep_matching(result->items, result->count, &input->query_parameters);
	result->count = filter_health(result->items, result->count, &svc, health);
	result->count = filter_optional(result->items, result->count,
					&input->optional_parameters);
	st = shuffle(call->registry, result->items, result->count);
	if (result->count > limit)
		result->count = limit;
	return st;
}

gaz_status discovery_get_revision(struct call *call, const void *in, void *out)
{
	const struct discover_in *input = in;
	struct discover_out *result = out;
	struct namespace_record ns;
	struct service_record svc;
	gaz_status st = find_service(call, input, &ns, &svc);

	if (st == GAZ_OK)
		result->revision = svc.revision;
	return st;
}
