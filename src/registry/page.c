/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/page.h"

#include <string.h>

#include "base/id.h"
#include "registry/instance_store.h"
#include "store/store.h"

enum {
	MAX_RESULTS_DEFAULT = 100,
	BINDING_LEN = 8, /* of the digest that ties a token to its list */
	FILTERS_MAX = 20,
	FILTER_VALUES_MAX = 100, /* each is compared with every candidate */
	LEFT_OUT_MAX = 10000,	 /* by filters, in one page: others wait meanwhile */
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

/* The suffix that a token names. */
static gaz_status parse_token(const char *token, const uint8_t binding[BINDING_LEN],
			      struct key *out)
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
			key_put(out, &byte, 1);
	}
	return out->overflow ? GAZ_EFORMAT : GAZ_OK;
}

static bool has_prefix(struct span key, const struct key *prefix)
{
	return key.len >= prefix->len && memcmp(key.data, prefix->data, prefix->len) == 0;
}

/* A page that is being filled. */
struct page {
	struct call *call;
	const struct page_spec *spec;
	struct page_result *out;
	size_t limit;
	size_t left_out;
	const struct key *after; /* the suffix that the request's token names; or empty */
	struct key last; /* what the token will name: the suffix where the page ends */
	bool more;	 /* the page is done: one more would match, or may */
};

static void end_behind(struct page *page, struct span suffix)
{
	page->last.len = 0;
	key_put(&page->last, suffix.data, suffix.len);
}

/* Take an entry in, unless a filter leaves it out. */
static gaz_status consider(struct page *page, struct span suffix, struct span value)
{
	const struct page_spec *spec = page->spec;
	char *item = (char *)page->out->items + page->out->count * spec->item_size;
	struct arena_mark mark = arena_mark(page->call->arena);
	gaz_status st;

	memset(item, 0, spec->item_size);
	st = spec->load(page->call, suffix, value, spec->arg, item);
	if (st == GAZ_ENOTFOUND) {
		/* A filter may leave out a million of them: then the page ends early, as
		 * pages on AWS do. */
		arena_release(page->call->arena, mark);
		if (++page->left_out == LEFT_OUT_MAX) {
			end_behind(page, suffix);
			page->more = true;
		}
		return GAZ_OK;
	}
	if (st != GAZ_OK)
		return st;
	if (page->out->count == page->limit) {
		page->more = true;
		return GAZ_OK;
	}
	page->out->count++;
	end_behind(page, suffix);
	return GAZ_OK;
}

/* One of a service's instances, but not the one that the last page ended with. */
static gaz_status consider_instance(void *arg, struct span id, struct span value)
{
	struct page *page = arg;
	gaz_status st = GAZ_OK;

	if (page->after->len == 0 || id.len != page->after->len ||
	    memcmp(id.data, page->after->data, id.len) != 0)
		st = consider(page, id, value);
	return st == GAZ_OK && page->more ? GAZ_ENOTFOUND : st;
}

/* From behind `after`, the suffix that a token names, or from the start. */
static gaz_status walk_range(struct page *page)
{
	const struct key *after = page->after;
	const struct page_spec *spec = page->spec;
	struct store_cursor *cursor = NULL;
	struct key start = spec->prefix;
	struct span key;
	struct span value;
	gaz_status st = store_cursor_open(page->call->txn, spec->table, &cursor);

	key_put(&start, after->data, after->len);
	if (st == GAZ_OK)
		st = store_cursor_seek(cursor, key_span(&start), &key, &value);
	while (st == GAZ_OK && !page->more && has_prefix(key, &spec->prefix)) {
		struct span suffix = {key.data + spec->prefix.len,
				      key.len - spec->prefix.len};

		if (after->len == 0 || suffix.len != after->len ||
		    memcmp(suffix.data, after->data, suffix.len) != 0)
			st = consider(page, suffix, value);
		if (st == GAZ_OK)
			st = store_cursor_next(cursor, &key, &value);
	}
	store_cursor_close(&cursor);
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

/* The prefix is the service's id with its NUL. */
static gaz_status walk_instances(struct page *page)
{
	return instance_walk(page->call->txn, (const char *)page->spec->prefix.data,
			     key_span(page->after), consider_instance, page);
}

static gaz_status walk_links(struct page *page)
{
	const struct key *after = page->after;
	const struct page_spec *spec = page->spec;
	struct key key = after->len > 0 ? *after : spec->prefix;
	struct span value = {NULL, 0};
	gaz_status st = GAZ_OK;

	if (after->len > 0)
		st = call_get(page->call, spec->table, key_span(&key), &value);
	while (st == GAZ_OK && !page->more) {
		st = spec->follow(page->call, value, spec->arg, &key);
		if (st == GAZ_OK)
			st = call_get(page->call, spec->table, key_span(&key), &value);
		if (st == GAZ_OK)
			st = consider(page, key_span(&key), value);
	}
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static gaz_status walk(struct page *page)
{
	if (page->spec->follow)
		return walk_links(page);
	return page->spec->table == TABLE_INSTANCE ? walk_instances(page)
						   : walk_range(page);
}

gaz_status page_read(struct call *call, const struct page_spec *spec,
		     struct page_result *out)
{
	const struct page_in *in = spec->in;
	struct key after = {0};
	struct page page = {.call = call, .spec = spec, .out = out, .after = &after};
	uint8_t binding[BINDING_LEN];
	gaz_status st = make_binding(spec, binding);

	if (st != GAZ_OK)
		return st;
	page.limit = in->max_results.present ? (size_t)in->max_results.value
					     : MAX_RESULTS_DEFAULT;
	if (in->next_token && parse_token(in->next_token, binding, &after) != GAZ_OK)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "The NextToken is not valid");
	/* One item more than asked for: the one that tells there is more. */
	out->items = arena_alloc(call->arena, (page.limit + 1) * spec->item_size);
	if (!out->items)
		return GAZ_ENOMEM;
	st = walk(&page);
	if (st == GAZ_OK && page.more) {
		out->next_token = print_token(call->arena, binding, &page.last);
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
