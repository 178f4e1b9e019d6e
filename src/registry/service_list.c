/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "registry/page.h"
#include "registry/service.h"

/* ListServices: by creation time, then id, along the narrowest index. */

static const char *const owner_names[] = {"SELF", "OTHER_ACCOUNTS", NULL};

static const struct filter_rule rules[] = {
	[SERVICE_FILTER_NAMESPACE_ID] = {.name = "NAMESPACE_ID", .in = true},
	[SERVICE_FILTER_RESOURCE_OWNER] = {.name = "RESOURCE_OWNER",
					   .values = owner_names},
};

struct service_query {
	const struct filter_list *filters; /* their namespace ids resolved */
};

/* Replace ARNs by ids; one that cannot be ours becomes an id nothing has. */
static gaz_status resolve_ids(struct call *call, const struct filter_list *in,
			      struct filter_list *out)
{
	*out = *in;
	out->items = arena_alloc(call->arena, in->count * sizeof *out->items);
	if (!out->items)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < in->count; i++) {
		struct filter *filter = &out->items[i];

		*filter = in->items[i];
		if (filter->name != SERVICE_FILTER_NAMESPACE_ID)
			continue;
		filter->values.items =
			arena_alloc(call->arena, filter->values.count * sizeof(char *));
		for (size_t v = 0; filter->values.items && v < filter->values.count;
		     v++) {
			const char **id = &filter->values.items[v];

			if (call_resolve_id(call, "namespace",
					    in->items[i].values.items[v],
					    id) == GAZ_ENOTFOUND)
				*id = "";
		}
	}
	return call->arena->failed ? GAZ_ENOMEM : GAZ_OK;
}

static bool passes(const struct filter *filter, const struct service_record *svc)
{
	return filter_matches(filter, filter->name == SERVICE_FILTER_NAMESPACE_ID
					      ? svc->namespace_id
					      : "SELF");
}

static gaz_status load(struct call *call, struct span suffix, struct span value,
		       const void *arg, void *item)
{
	const struct service_query *query = arg;
	const char *id;
	gaz_status st;

	(void)value;
	st = page_read_id(call, suffix, &id);
	if (st == GAZ_OK)
		st = call_load_service(call, id, item);
	for (size_t i = 0; st == GAZ_OK && i < query->filters->count; i++) {
		if (!passes(&query->filters->items[i], item))
			st = GAZ_ENOTFOUND;
	}
	return st;
}

static void choose_range(const struct call *call, const struct filter_list *filters,
			 struct key *prefix)
{
	for (size_t i = 0; i < filters->count; i++) {
		const struct filter *filter = &filters->items[i];

		if (filter->name != SERVICE_FILTER_NAMESPACE_ID ||
		    filter->values.count != 1)
			continue;
		key_put(prefix, "n", 1);
		key_put_text(prefix, filter->values.items[0]);
		return;
	}
	key_put(prefix, "p", 1);
	call_put_partition(call, prefix);
}

gaz_status service_list(struct call *call, const void *in, void *out)
{
	const struct page_in *input = in;
	struct service_page_out *page = out;
	struct filter_list filters;
	struct service_query query = {&filters};
	struct page_result result = {0};
	struct page_spec spec = {
		.operation = "ListServices",
		.in = in,
		.table = TABLE_SERVICE_ORDER,
		.load = load,
		.arg = &query,
		.item_size = sizeof(struct service_record),
	};
	gaz_status st = filter_check(call, &input->filters, rules);

	if (st == GAZ_OK)
		st = resolve_ids(call, &input->filters, &filters);
	if (st != GAZ_OK)
		return st;
	choose_range(call, &filters, &spec.prefix);
	st = page_read(call, &spec, &result);
	if (st == GAZ_OK)
		*page = (struct service_page_out){result.items, result.count,
						  result.next_token};
	return st;
}
