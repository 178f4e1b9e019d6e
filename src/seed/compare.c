/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "seed/compare-internal.h"
#include "seed/reply.h"

static bool is_object_within(const json_t *want, const json_t *have)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)want, name, value)
	{
		if (!seed_is_within(value, json_object_get(have, name)))
			return false;
	}
	return true;
}

static bool is_list_within(const json_t *want, const json_t *have)
{
	size_t i, k;
	json_t *value, *other;
	bool found;

	json_array_foreach((json_t *)want, i, value)
	{
		found = false;
		json_array_foreach((json_t *)have, k, other) found =
			found || seed_is_within(value, other);
		if (!found)
			return false;
	}
	return json_array_size(want) == json_array_size(have);
}

bool seed_is_within(const json_t *want, const json_t *have)
{
	if (!want || json_is_null(want))
		return true;
	if (json_is_object(want))
		return json_is_object(have) ? is_object_within(want, have)
					    : json_object_size(want) == 0;
	if (json_is_array(want) && json_is_array(have))
		return is_list_within(want, have);
	if (json_is_number(want) && json_is_number(have))
		return json_number_value(want) == json_number_value(have);
	/* The API leaves out what is empty. */
	if (json_is_string(want) && !have)
		return *json_string_value(want) == '\0';
	return json_equal(want, have);
}

bool seed_has_attributes(const json_t *want, const json_t *have)
{
	size_t added = 0;

	/* The API adds the address of an EC2 instance. */
	if (json_object_get(want, "AWS_EC2_INSTANCE_ID") &&
	    !json_object_get(want, "AWS_INSTANCE_IPV4") &&
	    json_object_get(have, "AWS_INSTANCE_IPV4"))
		added = 1;
	return json_object_size(want) + added == json_object_size(have) &&
	       seed_is_within(want, have);
}

json_t *seed_find(const json_t *list, const char *member, const char *text)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)list, i, item)
	{
		if (strcmp(reply_text(item, member), text) == 0)
			return item;
	}
	return NULL;
}

json_t *seed_by_key(const json_t *list, const char *member)
{
	json_t *map = json_object();
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)(void)
		json_object_set(map, reply_text(item, member), item);
	return map;
}

json_t *seed_pairs_to_change(const json_t *want, const json_t *have)
{
	json_t *pairs = json_object();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)want, key, value)
	{
		if (!json_equal(value, json_object_get(have, key)))
			(void)json_object_set(pairs, key, value);
	}
	if (json_object_size(pairs) > 0)
		return pairs;
	json_decref(pairs);
	return NULL;
}

json_t *seed_tags_as_map(const json_t *tags)
{
	json_t *map = json_object();
	json_t *tag;
	size_t i;

	json_array_foreach((json_t *)tags, i, tag)(void) json_object_set_new(
		map, reply_text(tag, "Key"), json_string(reply_text(tag, "Value")));
	return map;
}
