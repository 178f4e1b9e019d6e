/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "registry/namespace.h"
#include "registry/page.h"

/* ListNamespaces: by creation time, then id. */

static const char *const type_names[] = {"HTTP", "DNS_PRIVATE", "DNS_PUBLIC", NULL};
static const char *const owner_names[] = {"SELF", "OTHER_ACCOUNTS", NULL};

static const struct filter_rule rules[] = {
	[NAMESPACE_FILTER_TYPE] = {.name = "TYPE",
				   .begins_with = true,
				   .in = true,
				   .values = type_names},
	[NAMESPACE_FILTER_NAME] = {.name = "NAME", .begins_with = true, .in = true},
	[NAMESPACE_FILTER_HTTP_NAME] = {.name = "HTTP_NAME", .begins_with = true},
	[NAMESPACE_FILTER_RESOURCE_OWNER] = {.name = "RESOURCE_OWNER",
					     .values = owner_names},
};

static bool passes(const struct filter *filter, const struct namespace_record *ns)
{
	switch ((enum namespace_filter)filter->name) {
	case NAMESPACE_FILTER_TYPE:
		return filter_matches(filter, type_names[ns->type - 1]);
	case NAMESPACE_FILTER_NAME:
		return filter_matches(filter, ns->name);
	case NAMESPACE_FILTER_HTTP_NAME:
		return filter_matches(filter, ns->http_name);
	case NAMESPACE_FILTER_RESOURCE_OWNER: /* everything here is the caller's own */
		return filter_matches(filter, "SELF");
	}
	return false;
}

static gaz_status load(struct call *call, struct span suffix, struct span value,
		       const void *arg, void *item)
{
	const struct filter_list *filters = arg;
	const char *id;
	gaz_status st;

	(void)value;
	st = page_read_id(call, suffix, &id);
	if (st == GAZ_OK)
		st = call_load_namespace(call, id, item);
	for (size_t i = 0; st == GAZ_OK && i < filters->count; i++) {
		if (!passes(&filters->items[i], item))
			st = GAZ_ENOTFOUND;
	}
	return st;
}

gaz_status namespace_list(struct call *call, const void *in, void *out)
{
	const struct page_in *input = in;
	struct namespace_page_out *page = out;
	struct page_result result = {0};
	struct page_spec spec = {
		.operation = "ListNamespaces",
		.in = in,
		.table = TABLE_NAMESPACE_ORDER,
		.load = load,
		.arg = &input->filters,
		.item_size = sizeof(struct namespace_record),
	};
	gaz_status st = filter_check(call, &input->filters, rules);

	call_put_partition(call, &spec.prefix);
	if (st == GAZ_OK)
		st = page_read(call, &spec, &result);
	if (st == GAZ_OK)
		*page = (struct namespace_page_out){result.items, result.count,
						    result.next_token};
	return st;
}
