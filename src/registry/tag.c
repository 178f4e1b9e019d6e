/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/tag-internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registry/registry-internal.h"

static bool is_too_many(const struct call *call, size_t count)
{
	uint32_t limit = call->registry->config.max_tags;

	return limit > 0 && count > limit;
}

static int compare_pairs(const void *a, const void *b)
{
	return strcmp(((const struct text_pair *)a)->key,
		      ((const struct text_pair *)b)->key);
}

/* The rules of one request: no reserved key, none twice. Sorts the tags. */
static gaz_status check_keys(struct call *call, struct pair_list *tags)
{
	if (tags->count > 1)
		qsort(tags->items, tags->count, sizeof *tags->items, compare_pairs);
	for (size_t i = 0; i < tags->count; i++) {
		const char *key = tags->items[i].key;

		if (strncasecmp(key, "aws:", 4) == 0)
			return fault_set(&call->fault, FAULT_INVALID_INPUT,
					 "Tag key '%s': keys that begin with aws: are "
					 "reserved for AWS",
					 key);
		if (i > 0 && strcmp(key, tags->items[i - 1].key) == 0)
			return fault_set(&call->fault, FAULT_INVALID_INPUT,
					 "Tag key '%s' is given more than once", key);
	}
	return GAZ_OK;
}

static gaz_status copy_pairs(struct call *call, const struct pair_list *from,
			     struct pair_list *out)
{
	*out = (struct pair_list){.count = from->count, .present = true};
	out->items = arena_alloc(call->arena, from->count * sizeof *out->items);
	if (!out->items)
		return GAZ_ENOMEM;
	if (from->count > 0)
		memcpy(out->items, from->items, from->count * sizeof *out->items);
	return GAZ_OK;
}

static gaz_status refuse_too_many(struct call *call, const char *arn)
{
	fault_set(&call->fault, FAULT_TOO_MANY_TAGS,
		  "A resource can have %u tags at most; remove some",
		  call->registry->config.max_tags);
	return fault_add(&call->fault, "ResourceName", arn);
}

gaz_status tag_check(struct call *call, const struct pair_list *tags)
{
	struct pair_list sorted;
	gaz_status st = copy_pairs(call, tags, &sorted);

	if (st == GAZ_OK)
		st = check_keys(call, &sorted);
	if (st == GAZ_OK && is_too_many(call, tags->count))
		st = refuse_too_many(call, NULL);
	return st;
}

static struct span id_key(const char *id)
{
	return (struct span){(const uint8_t *)id, strlen(id)};
}

void tag_save(struct call *call, const char *id, const struct pair_list *tags)
{
	if (tags->count == 0)
		tag_forget(call, id);
	else
		call_save_pairs(call, TABLE_TAG, id, tags);
}

void tag_forget(struct call *call, const char *id)
{
	call_delete(call, TABLE_TAG, id_key(id));
}

/* The resource that an ARN names. */
static gaz_status find_resource(struct call *call, const char *text, const char **id_out)
{
	struct namespace_record ns;
	struct service_record svc;
	struct arn arn;
	gaz_status st = arn_parse(call->arena, text, &arn);

	if (st == GAZ_EFORMAT)
		return fault_set(&call->fault, FAULT_INVALID_INPUT,
				 "'%.255s' is not the ARN of a namespace or a service",
				 text);
	if (st != GAZ_OK)
		return st;
	if (strcmp(arn.region, call->region) != 0 ||
	    strcmp(arn.account, call->account) != 0)
		st = GAZ_ENOTFOUND;
	else if (strcmp(arn.kind, "namespace") == 0)
		st = call_load_namespace(call, arn.id, &ns);
	else
		st = call_load_service(call, arn.id, &svc);
	if (st == GAZ_ENOTFOUND)
		return fault_set(&call->fault, FAULT_RESOURCE_NOT_FOUND,
				 "The resource %.255s does not exist", text);
	*id_out = arn.id;
	return st;
}

/* Old tags and new ones in one list, the new value of a key winning. */
static gaz_status merge(struct call *call, const struct pair_list *old,
			const struct pair_list *added, struct pair_list *out)
{
	*out = (struct pair_list){.present = true};
	out->items = arena_alloc(call->arena,
				 (old->count + added->count) * sizeof *out->items);
	if (!out->items)
		return GAZ_ENOMEM;
	for (size_t o = 0, a = 0; o < old->count || a < added->count;) {
		int order = o == old->count ? 1
			    : a == added->count
				    ? -1
				    : strcmp(old->items[o].key, added->items[a].key);

		out->items[out->count++] = order < 0 ? old->items[o] : added->items[a];
		o += order <= 0;
		a += order >= 0;
	}
	return GAZ_OK;
}

gaz_status tag_add(struct call *call, const void *in, void *out)
{
	const struct tag_resource_in *input = in;
	struct pair_list old;
	struct pair_list added;
	struct pair_list merged;
	const char *id;
	gaz_status st = copy_pairs(call, &input->tags, &added);

	(void)out;
	if (st == GAZ_OK)
		st = find_resource(call, input->resource_arn, &id);
	if (st == GAZ_OK)
		st = check_keys(call, &added);
	if (st == GAZ_OK)
		st = call_load_pairs(call, TABLE_TAG, id, &old);
	if (st == GAZ_OK && old.count > 1)
		qsort(old.items, old.count, sizeof *old.items, compare_pairs);
	if (st == GAZ_OK)
		st = merge(call, &old, &added, &merged);
	if (st == GAZ_OK && is_too_many(call, merged.count))
		return refuse_too_many(call, input->resource_arn);
	if (st == GAZ_OK)
		tag_save(call, id, &merged);
	return st;
}

gaz_status tag_remove(struct call *call, const void *in, void *out)
{
	const struct untag_resource_in *input = in;
	struct pair_list tags;
	const char *id;
	gaz_status st = find_resource(call, input->resource_arn, &id);

	(void)out;
	if (st == GAZ_OK)
		st = call_load_pairs(call, TABLE_TAG, id, &tags);
	if (st != GAZ_OK)
		return st;
	call_remove_pairs(&tags, &input->tag_keys);
	tag_save(call, id, &tags);
	return GAZ_OK;
}

gaz_status tag_list(struct call *call, const void *in, void *out)
{
	const struct list_tags_in *input = in;
	struct tags_out *result = out;
	const char *id;
	gaz_status st = find_resource(call, input->resource_arn, &id);

	if (st == GAZ_OK)
		st = call_load_pairs(call, TABLE_TAG, id, &result->tags);
	if (st == GAZ_OK && result->tags.count > 1)
		qsort(result->tags.items, result->tags.count, sizeof *result->tags.items,
		      compare_pairs);
	return st;
}
