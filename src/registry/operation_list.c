/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "registry/operation-internal.h"
#include "registry/page.h"

/* ListOperations: newest first, along the links of the narrowest scope. */

enum {
	SUCCEED = OPERATION_FAIL + 1, /* its place in the names below */
};

static const char *const status_names[] = {"SUBMITTED", "PENDING", "SUCCESS",
					   "FAIL",	"SUCCEED", NULL};
static const char *const type_names[] = {
	"CREATE_NAMESPACE",
	"DELETE_NAMESPACE",
	"UPDATE_NAMESPACE",
	"UPDATE_SERVICE",
	"REGISTER_INSTANCE",
	"DEREGISTER_INSTANCE",
	NULL,
};

static const struct filter_rule rules[] = {
	[OPERATION_FILTER_NAMESPACE_ID] = {.name = "NAMESPACE_ID"},
	[OPERATION_FILTER_SERVICE_ID] = {.name = "SERVICE_ID"},
	[OPERATION_FILTER_STATUS] = {.name = "STATUS",
				     .in = true,
				     .values = status_names},
	[OPERATION_FILTER_TYPE] = {.name = "TYPE", .in = true, .values = type_names},
	[OPERATION_FILTER_UPDATE_DATE] = {.name = "UPDATE_DATE", .between = true},
};

struct operation_query {
	const struct page_in *in;
	unsigned scope;		  /* whose links are followed */
	const char *namespace_id; /* NULL: any; "" is that of none */
	const char *service_id;
	unsigned types;	   /* bit n: the type numbered n passes */
	unsigned statuses; /* likewise */
	int64_t from_ms;   /* of the update time, inclusive */
	int64_t to_ms;
};

/* Digits with an optional fraction. Clients send milliseconds, the
 * documentation says seconds: below 10^11 a number can only mean seconds. A whole
 * one ends with its last millisecond. */
static gaz_status parse_time(const char *text, bool is_end, int64_t *ms_out)
{
	bool is_whole = !strchr(text, '.');
	double value;
	char *end;

	if (text[0] < '0' || text[0] > '9' ||
	    strspn(text, "0123456789.") != strlen(text) || strlen(text) > 24)
		return GAZ_EFORMAT;
	value = strtod(text, &end);
	if (*end != '\0' || value > 1e15)
		return GAZ_EFORMAT;
	if (value < 1e11)
		value = value * 1000 + (is_end && is_whole ? 999 : 0);
	*ms_out = (int64_t)value;
	return GAZ_OK;
}

static gaz_status read_dates(struct call *call, const struct filter *filter,
			     struct operation_query *query)
{
	int64_t from_ms;
	int64_t to_ms;

	if (parse_time(filter->values.items[0], false, &from_ms) != GAZ_OK ||
	    parse_time(filter->values.items[1], true, &to_ms) != GAZ_OK)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "The filter UPDATE_DATE needs two Unix times");
	if (from_ms > to_ms)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "The filter UPDATE_DATE needs the earlier time first");
	if (from_ms > query->from_ms)
		query->from_ms = from_ms;
	if (to_ms < query->to_ms)
		query->to_ms = to_ms;
	return GAZ_OK;
}

/* Of an ARN that is not ours, or of two different ids, nothing can be. */
static gaz_status read_id(struct call *call, const char *kind,
			  const struct filter *filter, const char **id)
{
	const char *wanted = NULL;
	gaz_status st = call_resolve_id(call, kind, filter->values.items[0], &wanted);

	if (st == GAZ_ENOTFOUND || (st == GAZ_OK && *id && strcmp(*id, wanted) != 0)) {
		wanted = "";
		st = GAZ_OK;
	}
	if (st == GAZ_OK)
		*id = wanted;
	return st;
}

/* The names that a filter lists, as a set of their numbers. */
static unsigned read_set(const struct filter *filter, const char *const *names)
{
	unsigned set = 0;

	for (unsigned i = 0; names[i]; i++) {
		if (filter_matches(filter, names[i]))
			set |= 1u << (i + 1);
	}
	return set;
}

static unsigned read_statuses(const struct filter *filter)
{
	unsigned set = read_set(filter, status_names);

	/* SUCCEED, as the documentation has it in one place, is SUCCESS. */
	return set & 1u << SUCCEED ? set | 1u << OPERATION_SUCCESS : set;
}

static gaz_status read_query(struct call *call, struct operation_query *query)
{
	const struct filter_list *filters = &query->in->filters;
	gaz_status st = filter_check(call, filters, rules);

	for (size_t i = 0; st == GAZ_OK && i < filters->count; i++) {
		const struct filter *filter = &filters->items[i];

		if (filter->name == OPERATION_FILTER_TYPE)
			query->types &= read_set(filter, type_names);
		else if (filter->name == OPERATION_FILTER_STATUS)
			query->statuses &= read_statuses(filter);
		else if (filter->name == OPERATION_FILTER_UPDATE_DATE)
			st = read_dates(call, filter, query);
		else if (filter->name == OPERATION_FILTER_NAMESPACE_ID)
			st = read_id(call, "namespace", filter, &query->namespace_id);
		else if (filter->name == OPERATION_FILTER_SERVICE_ID)
			st = read_id(call, "service", filter, &query->service_id);
	}
	return st;
}

static bool passes(const struct operation_query *query, const struct operation_record *op,
		   const struct operation_extra *extra)
{
	if (!(query->types & 1u << op->type) || !(query->statuses & 1u << op->status) ||
	    op->update_ms < query->from_ms || op->update_ms > query->to_ms)
		return false;
	return !query->namespace_id ||
	       (extra->scope_namespace &&
		strcmp(extra->scope_namespace, query->namespace_id) == 0);
}

static gaz_status load(struct call *call, struct span key, struct span value,
		       const void *arg, void *item)
{
	const struct operation_query *query = arg;
	struct operation_record *op = item;
	struct operation_extra extra = {0};
	gaz_status st = operation_decode(call, key, value, op, &extra);

	if (st == GAZ_OK &&
	    (strcmp(extra.region, call->region) != 0 ||
	     strcmp(op->account, call->account) != 0 || !passes(query, op, &extra)))
		st = GAZ_ENOTFOUND;
	return st;
}

/* From the newest operation of the scope to the one before it, and so on. An
 * operation that is not there any more was the oldest: the list ends. */
static gaz_status follow(struct call *call, struct span value, const void *arg,
			 struct key *key)
{
	const struct operation_query *query = arg;
	struct operation_extra head = {0};
	const struct operation_link *before = &head.before[query->scope];
	gaz_status st;

	if (value.len == 0) {
		struct operation_link last;

		st = operation_find_last(call, key, &last);
		key->len = 0;
		if (st == GAZ_OK)
			key_put(key, last.key, last.len);
		return st;
	}
	st = schema_get_operation_head(value, &head);
	key->len = 0;
	if (st == GAZ_OK)
		key_put(key, before->key, before->len);
	return st;
}

static void choose_scope(struct call *call, struct operation_query *query,
			 struct key *scope_out)
{
	if (query->service_id) {
		query->scope = OPERATION_IN_SERVICE;
		operation_scope_service(query->service_id, scope_out);
	} else if (query->namespace_id) {
		query->scope = OPERATION_IN_NAMESPACE;
		operation_scope_namespace(query->namespace_id, scope_out);
	} else {
		query->scope = OPERATION_IN_PARTITION;
		operation_scope_partition(call, scope_out);
	}
}

gaz_status operation_list(struct call *call, const void *in, void *out)
{
	struct operation_query query = {
		.in = in, .types = ~0u, .statuses = ~0u, .to_ms = INT64_MAX};
	struct operation_page_out *page = out;
	struct page_result result = {0};
	struct page_spec spec = {
		.operation = "ListOperations",
		.in = in,
		.table = TABLE_OPERATION,
		.load = load,
		.arg = &query,
		.item_size = sizeof(struct operation_record),
		.follow = follow,
	};
	gaz_status st = read_query(call, &query);

	if (st != GAZ_OK)
		return st;
	choose_scope(call, &query, &spec.prefix);
	st = page_read(call, &spec, &result);
	if (st == GAZ_OK)
		*page = (struct operation_page_out){result.items, result.count,
						    result.next_token};
	return st;
}
