/* SPDX-License-Identifier: BSD-2-Clause */
#include "seed/reply.h"

#include <string.h>

enum {
	PAGES_MAX = 100000, /* a server that never ends a list must not keep us */
};

const char *reply_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

const char *reply_message(const json_t *error)
{
	const char *message = reply_text(error, "Message");

	return *message ? message : reply_text(error, "message");
}

bool reply_has_ended(const json_t *operation)
{
	const char *status = reply_text(operation, "Status");

	return strcmp(status, "SUCCESS") == 0 || strcmp(status, "FAIL") == 0;
}

/* Lists are arrays, but for the map of GetInstancesHealthStatus. */
static void append_page(struct reply_list *list, json_t *take)
{
	json_t *all = json_object_get(list->all, list->member);
	json_t *more = json_object_get(take, list->member);

	if (!list->all) {
		list->all = take;
		return;
	}
	if (json_is_object(all))
		(void)json_object_update(all, more);
	else
		(void)json_array_extend(all, more);
	json_decref(take);
}

bool reply_add_page(struct reply_list *list, json_t *take)
{
	json_t *token = json_incref(json_object_get(take, "NextToken"));

	append_page(list, take);
	if (!token)
		return false;
	json_object_del(list->all, "NextToken");
	return json_object_set_new(list->input, "NextToken", token) == 0 &&
	       ++list->pages < PAGES_MAX;
}
