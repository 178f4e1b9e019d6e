/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/ctl.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "seed/reply.h"

enum {
	WAIT_FIRST_MS = 10,
	WAIT_MAX_MS = 1000,
};

/* JSON may hold DELETE and U+0080 to U+009F as they are, and so jansson writes them; what is
 * below the space are its own line ends. A piece has whole characters. */
static int print_piece(const char *piece, size_t len, void *arg)
{
	(void)arg;
	for (const char *at = piece; at < piece + len; at++) {
		if (ctl_control_len(at) == 0 || *at == '\n') {
			putchar(*at);
			continue;
		}
		at += ctl_control_len(at) - 1;
		printf("\\u%04X", (unsigned)(unsigned char)*at);
	}
	return ferror(stdout) ? -1 : 0;
}

static int print_json(const json_t *value, size_t flags)
{
	if (json_dump_callback(value, print_piece, NULL, flags) != 0 ||
	    putchar('\n') == EOF)
		return ctl_report("cannot write the output");
	return CTL_OK;
}

int ctl_print_json(const json_t *value)
{
	return print_json(value, JSON_INDENT(2) | JSON_REAL_PRECISION(13));
}

int ctl_print_json_line(const json_t *value)
{
	return print_json(value, JSON_COMPACT);
}

void ctl_sleep_ms(int64_t ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&ts, NULL);
}

int ctl_print_list(const struct ctl *ctl, const char *operation, json_t *input,
		   const char *list, const struct column *columns)
{
	json_t *reply;
	int rc = CTL_OK;

	if (client_call_list(&ctl->client, operation, input, list, &reply) != GAZ_OK)
		return CTL_FAILED;
	if (ctl->json)
		rc = ctl_print_json(reply);
	else
		table_print_list(json_object_get(reply, list), columns);
	json_decref(reply);
	return rc;
}

int ctl_call_quietly(const struct ctl *ctl, const char *operation, json_t *input)
{
	json_t *reply;
	int rc = CTL_OK;

	if (client_call(&ctl->client, operation, input, &reply) != GAZ_OK)
		return CTL_FAILED;
	if (ctl->json)
		rc = ctl_print_json(reply);
	json_decref(reply);
	return rc;
}

/* Polls with back-off. The reply is GetOperation's last one. */
static int wait_for_operation(const struct ctl *ctl, const char *id, json_t **out)
{
	int64_t end_ms = clock_monotonic_ms() + (int64_t)ctl->client.timeout_s * 1000;
	int64_t pause_ms = WAIT_FIRST_MS;
	json_t *reply;

	for (;;) {
		if (client_call(&ctl->client, "GetOperation",
				json_pack("{s:s}", "OperationId", id), &reply) != GAZ_OK)
			return CTL_FAILED;
		if (reply_has_ended(json_object_get(reply, "Operation")))
			break;
		json_decref(reply);
		if (clock_monotonic_ms() + pause_ms > end_ms)
			return ctl_report("the operation has not ended after %u s; ask "
					  "again with: gazctl operation show %s",
					  ctl->client.timeout_s, id);
		ctl_sleep_ms(pause_ms);
		pause_ms = pause_ms * 2 > WAIT_MAX_MS ? WAIT_MAX_MS : pause_ms * 2;
	}
	*out = reply;
	return CTL_OK;
}

static int judge_operation(const json_t *operation)
{
	const char *status = table_text(operation, "Status");

	if (strcmp(status, "SUCCESS") == 0)
		return CTL_OK;
	return ctl_report("%s failed: %s: %s", table_text(operation, "Type"),
			  table_text(operation, "ErrorCode"),
			  table_text(operation, "ErrorMessage"));
}

int ctl_run_operation(const struct ctl *ctl, const char *operation, json_t *input,
		      json_t **out)
{
	json_t *started, *ended = NULL;
	const char *id;
	int rc = CTL_OK;

	if (out)
		*out = NULL;
	if (client_call(&ctl->client, operation, input, &started) != GAZ_OK)
		return CTL_FAILED;
	id = table_text(started, "OperationId");
	if (ctl->no_wait && ctl->json)
		rc = ctl_print_json(started);
	else if (ctl->no_wait)
		ctl_print_line("started operation %s", id);
	else
		rc = wait_for_operation(ctl, id, &ended);
	json_decref(started);
	if (!ended)
		return rc;
	if (ctl->json)
		rc = ctl_print_json(ended);
	if (judge_operation(json_object_get(ended, "Operation")) != CTL_OK)
		rc = CTL_FAILED;
	if (out)
		*out = json_incref(json_object_get(ended, "Operation"));
	json_decref(ended);
	return rc;
}

bool ctl_is_id(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, "arn:", 4) == 0 ||
	       (strncmp(text, prefix, len) == 0 && strlen(text) == len + 16 &&
		strspn(text + len, "abcdefghijklmnopqrstuvwxyz234567") == 16);
}

static int copy_text(const char *text, char **out)
{
	*out = strdup(text);
	return *out ? CTL_OK : ctl_report("out of memory");
}

/* The ids of a list, "a, b, c"; the caller frees it. */
static char *join_ids(const json_t *list)
{
	struct bytes text;

	bytes_init(&text);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *id = table_text(json_array_get(list, i), "Id");

		bytes_put(&text, ", ", i > 0 ? 2 : 0);
		bytes_put(&text, id, strlen(id));
	}
	bytes_put_u8(&text, 0);
	if (text.failed) {
		bytes_fini(&text);
		return NULL;
	}
	return (char *)text.data;
}

/* The id of the only one of these resources, all of which bear the name. */
static int choose_one(const json_t *list, const char *kind, const char *name, char **out)
{
	size_t count = json_array_size(list);
	char *ids;
	int rc;

	if (count == 1)
		return copy_text(table_text(json_array_get(list, 0), "Id"), out);
	if (count == 0)
		return ctl_report("no %s is called %s; see: gazctl %s list", kind, name,
				  kind);
	ids = join_ids(list);
	rc = ctl_report("several %ss are called %s, name one by its id: %s", kind, name,
			ids ? ids : "");
	free(ids);
	return rc;
}

int ctl_find_namespace(const struct ctl *ctl, const char *text, char **out)
{
	json_t *input, *reply;
	int rc;

	if (ctl_is_id(text, "ns-"))
		return copy_text(text, out);
	input = json_pack("{s:[{s:s, s:[s]}]}", "Filters", "Name", "NAME", "Values",
			  text);
	if (client_call_list(&ctl->client, "ListNamespaces", input, "Namespaces",
			     &reply) != GAZ_OK)
		return CTL_FAILED;
	rc = choose_one(json_object_get(reply, "Namespaces"), "namespace", text, out);
	json_decref(reply);
	return rc;
}

/* ListServices has no filter by name: read them all. */
static int list_services_called(const struct ctl *ctl, json_t *take, const char *name,
				json_t **out)
{
	json_t *reply, *service;
	size_t i;

	if (client_call_list(&ctl->client, "ListServices", take, "Services", &reply) !=
	    GAZ_OK)
		return CTL_FAILED;
	*out = json_array();
	json_array_foreach(json_object_get(reply, "Services"), i, service)
	{
		if (strcmp(table_text(service, "Name"), name) == 0)
			json_array_append(*out, service);
	}
	json_decref(reply);
	return CTL_OK;
}

/* A namespace's name may hold slashes, a service's name holds none. */
static int add_namespace_of(const struct ctl *ctl, const char *text, const char *slash,
			    json_t *input)
{
	char *namespace = strndup(text, (size_t)(slash - text)), *id = NULL;
	int rc = namespace ? ctl_find_namespace(ctl, namespace, &id) : CTL_FAILED;

	if (rc == CTL_OK)
		rc = ctl_add_filter(input, "NAMESPACE_ID", id);
	free(namespace);
	free(id);
	return rc;
}

int ctl_find_service(const struct ctl *ctl, const char *text, char **out)
{
	const char *slash = strrchr(text, '/');
	json_t *input, *services;
	int rc;

	if (ctl_is_id(text, "srv-"))
		return copy_text(text, out);
	input = json_object();
	if (slash && (rc = add_namespace_of(ctl, text, slash, input)) != CTL_OK) {
		json_decref(input);
		return rc;
	}
	rc = list_services_called(ctl, input, slash ? slash + 1 : text, &services);
	if (rc != CTL_OK)
		return rc;
	rc = choose_one(services, "service", text, out);
	json_decref(services);
	return rc;
}

json_t *ctl_list_operands(const struct args *args, size_t first)
{
	json_t *list = json_array();

	for (size_t i = first; i < args->operand_count; i++) {
		if (json_array_append_new(list, json_string(args->operands[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

int ctl_set_pair(json_t *object, const char *text, const char *what)
{
	const char *equals = strchr(text, '=');
	char *key;
	int rc;

	if (!equals) {
		ctl_report("%s wants KEY=VALUE, not %s", what, text);
		return CTL_USAGE;
	}
	key = strndup(text, (size_t)(equals - text));
	rc = key ? json_object_set_new(object, key, json_string(equals + 1)) : -1;
	free(key);
	return rc == 0 ? CTL_OK : ctl_report("cannot send %s: is it UTF-8?", text);
}

int ctl_read_pairs(const struct args *args, const char *option, json_t *object)
{
	const char *text;
	char what[32];
	size_t at = 0;
	int rc = CTL_OK;

	snprintf(what, sizeof(what), "--%s", option);
	while (rc == CTL_OK && (text = args_next_value(args, option, &at)))
		rc = ctl_set_pair(object, text, what);
	return rc;
}

json_t *ctl_pair(const char *text, const char *what)
{
	const char *equals = strchr(text, '=');

	if (!equals) {
		ctl_report("%s wants KEY=VALUE, not %s", what, text);
		return NULL;
	}
	return json_pack("{s:s#, s:s}", "Key", text, (int)(equals - text), "Value",
			 equals + 1);
}

int ctl_read_tags(const struct args *args, json_t **out)
{
	json_t *tags = NULL;
	const char *text;
	size_t at = 0;

	while ((text = args_next_value(args, "tag", &at))) {
		if (!tags)
			tags = json_array();
		if (json_array_append_new(tags, ctl_pair(text, "--tag")) != 0) {
			json_decref(tags);
			return CTL_USAGE;
		}
	}
	*out = tags;
	return CTL_OK;
}

/* A filter that has a value already. */
static int add_alternative(json_t *filter, const char *value)
{
	if (json_array_append_new(json_object_get(filter, "Values"),
				  json_string(value)) != 0 ||
	    json_object_set_new(filter, "Condition", json_string("IN")) != 0)
		return ctl_report("cannot send %s: is it UTF-8?", value);
	return CTL_OK;
}

int ctl_add_filter(json_t *input, const char *name, const char *value)
{
	json_t *filters = json_object_get(input, "Filters"), *filter;
	size_t i;

	if (!filters && json_object_set_new(input, "Filters", json_array()) != 0)
		return ctl_report("out of memory");
	filters = json_object_get(input, "Filters");
	json_array_foreach(filters, i, filter)
	{
		if (strcmp(table_text(filter, "Name"), name) == 0)
			return add_alternative(filter, value);
	}
	if (json_array_append_new(filters, json_pack("{s:s, s:[s]}", "Name", name,
						     "Values", value)) != 0)
		return ctl_report("cannot send %s: is it UTF-8?", value);
	return CTL_OK;
}
