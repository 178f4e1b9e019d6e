/* SPDX-License-Identifier: BSD-2-Clause */
#include "seed/tag-internal.h"

#include "seed/call-internal.h"
#include "seed/compare-internal.h"

/* A map as the list of {"Key", "Value"} that it is in the API. */
static json_t *as_list(const json_t *map)
{
	json_t *list = json_array();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)map, key, value)(void) json_array_append_new(
		list, json_pack("{s:s, s:O}", "Key", key, "Value", value));
	return list;
}

/* The tags that are to be added, NULL when there are none. */
static gaz_status find_change(struct seed *s, const char *path, const json_t *want,
			      const char *arn, json_t **out)
{
	json_t *wanted, *have, *reply;
	gaz_status st = seed_call(s, path, "ListTagsForResource",
				  json_pack("{s:s}", "ResourceARN", arn), &reply);

	if (st != GAZ_OK)
		return st;
	have = seed_tags_as_map(json_object_get(reply, "Tags"));
	wanted = seed_tags_as_map(want);
	*out = seed_pairs_to_change(wanted, have);
	json_decref(wanted);
	json_decref(have);
	json_decref(reply);
	return GAZ_OK;
}

gaz_status seed_apply_tags(struct seed *s, const char *path, const json_t *want,
			   const char *arn, bool *changed_out)
{
	json_t *change = NULL, *reply = NULL;
	gaz_status st = GAZ_OK;

	if (json_array_size(want) > 0)
		st = find_change(s, path, want, arn, &change);
	if (change) {
		*changed_out = true;
		if (!s->options.dry_run)
			st = seed_call(s, path, "TagResource",
				       json_pack("{s:s, s:o}", "ResourceARN", arn, "Tags",
						 as_list(change)),
				       &reply);
	}
	json_decref(reply);
	json_decref(change);
	return st;
}
