/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/page.h"

#include <string.h>

#include "base/id.h"
#include "store/store.h"

enum {
	MAX_RESULTS_DEFAULT = 100,
	BINDING_LEN = 8, /* of the digest that ties a token to its list */
	FILTERS_MAX = 20,
	FILTER_VALUES_MAX = 100, /* each is compared with every candidate */
};

/* What a token is bound to: the operation, the range and the filters. */
static gaz_status make_binding(const struct page_spec *spec, uint8_t out[BINDING_LEN])
{
	struct bytes text;
	uint8_t digest[ID_DIGEST_LEN];
	const struct filter_list *filters = &spec->in->filters;
	gaz_status st = GAZ_ENOMEM;

	bytes_init(&text);
	bytes_put_text(&text, spec->operation);
	bytes_put(&text, spec->prefix.data, spec->prefix.len);
	for (size_t i = 0; i < filters->count; i++) {
		const struct filter *filter = &filters->items[i];

		bytes_put_u32(&text, (uint32_t)filter->name);
		bytes_put_u32(&text, (uint32_t)filter->condition);
		bytes_put_u32(&text, (uint32_t)filter->values.count);
		for (size_t v = 0; v < filter->values.count; v++)
			bytes_put_text(&text, filter->values.items[v]);
	}
	if (!text.failed)
		st = id_digest(text.data, text.len, digest);
	if (st == GAZ_OK)
		memcpy(out, digest, BINDING_LEN);
	bytes_fini(&text);
	return st;
}

static const char *print_token(struct arena *arena, const uint8_t binding[BINDING_LEN],
			       const struct key *last)
{
	char *text = arena_alloc(arena, 2 * (BINDING_LEN + last->len) + 1);

	for (size_t i = 0; text && i < BINDING_LEN + last->len; i++) {
		uint8_t byte = i < BINDING_LEN ? binding[i] : last->data[i - BINDING_LEN];

		text[2 * i] = "0123456789abcdef"[byte >> 4];
		text[2 * i + 1] = "0123456789abcdef"[byte & 15];
	}
	return text;
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Append the key that a token names to `start`. */
static gaz_status parse_token(const char *token, const uint8_t binding[BINDING_LEN],
			      struct key *start)
{
	size_t len = strlen(token);

	if (len % 2 != 0 || len / 2 <= BINDING_LEN)
		return GAZ_EFORMAT;
	for (size_t i = 0; i < len / 2; i++) {
		int high = hex_value(token[2 * i]);
		int low = hex_value(token[2 * i + 1]);
		uint8_t byte = (uint8_t)(high * 16 + low);

		if (high < 0 || low < 0 || (i < BINDING_LEN && byte != binding[i]))
			return GAZ_EFORMAT;
		if (i >= BINDING_LEN)
			key_put(start, &byte, 1);
	}
	return start->overflow ? GAZ_EFORMAT : GAZ_OK;
}

static bool has_prefix(struct span key, const struct key *prefix)
{
	return key.len >= prefix->len && memcmp(key.data, prefix->data, prefix->len) == 0;
}

/* Collect up to `limit` matching items after `start`, and learn whether one
 * more would match. */
static gaz_status walk(struct call *call, const struct page_spec *spec,
		       struct store_cursor *cursor, const struct key *start, size_t limit,
		       struct page_result *out, struct key *last, bool *more_out)
{
	struct span key;
	struct span value;
	gaz_status st = store_cursor_seek(cursor, key_span(start), &key, &value);

	for (; st == GAZ_OK && has_prefix(key, &spec->prefix);
	     st = store_cursor_next(cursor, &key, &value)) {
		struct span suffix = {key.data + spec->prefix.len,
				      key.len - spec->prefix.len};
		char *item = (char *)out->items + out->count * spec->item_size;
		gaz_status loaded;

		/* The token names the last item already given. */
		if (start->len > spec->prefix.len && key.len == start->len &&
		    memcmp(key.data, start->data, key.len) == 0)
			continue;
		memset(item, 0, spec->item_size);
		loaded = spec->load(call, suffix, value, spec->arg, item);
		if (loaded == GAZ_ENOTFOUND)
			continue;
		if (loaded != GAZ_OK)
			return loaded;
		if (out->count == limit) {
			*more_out = true;
			return GAZ_OK;
		}
		out->count++;
		last->len = 0;
		key_put(last, suffix.data, suffix.len);
	}
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

gaz_status page_read(struct call *call, const struct page_spec *spec,
		     struct page_result *out)
{
	const struct page_in *in = spec->in;
	size_t limit = in->max_results.present ? (size_t)in->max_results.value
					       : MAX_RESULTS_DEFAULT;
	uint8_t binding[BINDING_LEN];
	struct key start = spec->prefix;
	struct key last = {0};
	struct store_cursor *cursor = NULL;
	bool more = false;
	gaz_status st = make_binding(spec, binding);

	if (st != GAZ_OK)
		return st;
	if (in->next_token && parse_token(in->next_token, binding, &start) != GAZ_OK)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "The NextToken is not valid");
	/* One item more than asked for: the one that tells there is more. */
	out->items = arena_alloc(call->arena, (limit + 1) * spec->item_size);
	if (!out->items)
		return GAZ_ENOMEM;
	st = store_cursor_open(call->txn, spec->table, &cursor);
	if (st == GAZ_OK)
		st = walk(call, spec, cursor, &start, limit, out, &last, &more);
	store_cursor_close(&cursor);
	if (st == GAZ_OK && more) {
		out->next_token = print_token(call->arena, binding, &last);
		if (!out->next_token)
			st = GAZ_ENOMEM;
	}
	return st;
}

gaz_status page_read_id(struct call *call, struct span suffix, const char **id_out)
{
	const size_t time_len = 8;

	if (suffix.len <= time_len)
		return GAZ_ESTORE;
	*id_out = arena_strndup(call->arena, (const char *)suffix.data + time_len,
				suffix.len - time_len);
	return *id_out ? GAZ_OK : GAZ_ENOMEM;
}

static bool condition_allowed(const struct filter_rule *rule,
			      enum filter_condition condition)
{
	switch (condition) {
	case CONDITION_UNSET:
	case CONDITION_EQ:
		return !rule->between;
	case CONDITION_IN:
		return rule->in;
	case CONDITION_BETWEEN:
		return rule->between;
	case CONDITION_BEGINS_WITH:
		return rule->begins_with;
	}
	return false;
}

static bool value_allowed(const struct filter_rule *rule, const struct filter *filter,
			  const char *value)
{
	size_t len = strlen(value);

	if (!rule->values)
		return true;
	for (const char *const *known = rule->values; *known; known++) {
		if (filter->condition == CONDITION_BEGINS_WITH
			    ? strncmp(*known, value, len) == 0
			    : strcmp(*known, value) == 0)
			return true;
	}
	return false;
}

static gaz_status check_one(struct call *call, const struct filter *filter,
			    const struct filter_rule *rule)
{
	size_t count = filter->values.count;
	size_t want = rule->between ? 2 : 1;

	if (count > FILTER_VALUES_MAX)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "The filter %s takes %d values at most", rule->name,
				 FILTER_VALUES_MAX);
	if (!condition_allowed(rule, filter->condition))
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "The filter %s does not support this condition",
				 rule->name);
	if (count == 0 || (filter->condition != CONDITION_IN && count != want))
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "The filter %s needs %s with this condition, not %zu",
				 rule->name, want == 2 ? "two values" : "one value",
				 count);
	for (size_t i = 0; i < count; i++) {
		if (!value_allowed(rule, filter, filter->values.items[i]))
			return fault_set(&call->fault, FAULT_INVALID_INPUT,
					 "The filter %s does not know the value '%.255s'",
					 rule->name, filter->values.items[i]);
	}
	return GAZ_OK;
}

gaz_status filter_check(struct call *call, const struct filter_list *filters,
			const struct filter_rule *rules)
{
	if (filters->count > FILTERS_MAX)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "A request takes %d filters at most", FILTERS_MAX);
	for (size_t i = 0; i < filters->count; i++) {
		const struct filter *filter = &filters->items[i];
		gaz_status st = check_one(call, filter, &rules[filter->name]);

		if (st != GAZ_OK)
			return st;
	}
	return GAZ_OK;
}

bool filter_matches(const struct filter *filter, const char *text)
{
	for (size_t i = 0; i < filter->values.count; i++) {
		const char *value = filter->values.items[i];

		if (filter->condition == CONDITION_BEGINS_WITH
			    ? strncmp(text, value, strlen(value)) == 0
			    : strcmp(text, value) == 0)
			return true;
	}
	return false;
}
