/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "seed/seed-internal.h"

enum {
	WAIT_FIRST_MS = 1,
	WAIT_MAX_MS = 250,
	PAGES_MAX = 100000, /* a server that never ends a list must not keep us */
};

static const struct seed_type types[] = {
	{"HTTP", "CreateHttpNamespace", "UpdateHttpNamespace"},
	{"DNS_PRIVATE", "CreatePrivateDnsNamespace", "UpdatePrivateDnsNamespace"},
	{"DNS_PUBLIC", "CreatePublicDnsNamespace", "UpdatePublicDnsNamespace"},
};

const struct seed_type *seed_find_type(const char *name)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	}
	return NULL;
}

const char *seed_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

void seed_fault(struct seed *s, const char *path, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	s->faults++;
	s->observer->on_fault(s->observer->arg, path, text);
}

static bool is_over(const struct seed *s)
{
	return s->observer->is_over && s->observer->is_over(s->observer->arg);
}

gaz_status seed_tell(struct seed *s, enum seed_action action, const char *kind,
		     const char *name, const char *path)
{
	const struct seed_item item = {
		.action = action,
		.kind = kind,
		.name = name,
		.path = path,
		.number = ++s->number,
		.total = s->total,
	};

	s->observer->on_item(s->observer->arg, &item);
	return is_over(s) ? GAZ_EBUSY : GAZ_OK;
}

static gaz_status call(struct seed *s, const char *path, const char *operation,
		       bool trial, const json_t *input, json_t **out)
{
	const struct seed_call request = {operation, trial, input};
	struct gaz_error err = {.text = ""};
	gaz_status st;

	*out = NULL;
	if (!input) {
		seed_fault(s, path, "out of memory");
		return GAZ_ENOMEM;
	}
	st = s->api->call(s->api->arg, &request, out, &err);
	if (st != GAZ_OK && st != GAZ_EREFUSED)
		seed_fault(s, path, "%s: %s", operation, err.text);
	return st;
}

static const char *message_of(const json_t *error)
{
	const char *message = seed_text(error, "Message");

	return *message ? message : seed_text(error, "message");
}

gaz_status seed_call(struct seed *s, const char *path, const char *operation,
		     json_t *take, json_t **out)
{
	gaz_status st = call(s, path, operation, false, take, out);

	if (st == GAZ_EREFUSED) {
		seed_fault(s, path, "%s: %s: %s", operation, seed_text(*out, "__type"),
			   message_of(*out));
		json_decref(*out);
		*out = NULL;
	}
	json_decref(take);
	return st;
}

gaz_status seed_try(struct seed *s, const char *path, const char *operation, json_t *take)
{
	json_t *reply;
	gaz_status st = call(s, path, operation, true, take, &reply);

	if (st == GAZ_EREFUSED) {
		if (!seed_tell_violations(s, path, take, message_of(reply)))
			seed_fault(s, path, "%s: %s: %s", operation,
				   seed_text(reply, "__type"), message_of(reply));
		st = GAZ_OK;
	}
	json_decref(reply);
	json_decref(take);
	return st;
}

gaz_status seed_list(struct seed *s, const char *path, const char *operation,
		     json_t *take, const char *list, json_t **out)
{
	json_t *all = json_array();
	json_t *page, *token;
	gaz_status st = GAZ_OK;

	for (int pages = 0; take && pages < PAGES_MAX; pages++) {
		st = seed_call(s, path, operation, json_incref(take), &page);
		if (st != GAZ_OK)
			break;
		(void)json_array_extend(all, json_object_get(page, list));
		token = json_incref(json_object_get(page, "NextToken"));
		json_decref(page);
		if (!token || json_object_set_new(take, "NextToken", token) != 0)
			break;
	}
	json_decref(take);
	if (st == GAZ_OK)
		*out = all;
	else
		json_decref(all);
	return st;
}

static void pause_ms(int64_t ms)
{
	const struct timespec ts = {.tv_nsec = ms * 1000000};

	(void)nanosleep(&ts, NULL);
}

static bool has_ended(const json_t *operation)
{
	const char *status = seed_text(operation, "Status");

	return strcmp(status, "SUCCESS") == 0 || strcmp(status, "FAIL") == 0;
}

static gaz_status poll_operation(struct seed *s, const char *path, const char *id,
				 json_t **out)
{
	const int64_t end_ms = clock_monotonic_ms() + s->options.timeout_ms;
	json_t *reply;

	for (int64_t wait_ms = WAIT_FIRST_MS;;
	     wait_ms = wait_ms * 2 < WAIT_MAX_MS ? wait_ms * 2 : WAIT_MAX_MS) {
		gaz_status st = seed_call(s, path, "GetOperation",
					  json_pack("{s:s}", "OperationId", id), &reply);

		if (st != GAZ_OK)
			return st;
		*out = json_incref(json_object_get(reply, "Operation"));
		json_decref(reply);
		if (has_ended(*out))
			return GAZ_OK;
		json_decref(*out);
		if (is_over(s))
			return GAZ_EBUSY;
		if (clock_monotonic_ms() > end_ms) {
			seed_fault(s, path, "the operation %s has not ended in time", id);
			return GAZ_EREFUSED;
		}
		pause_ms(wait_ms);
	}
}

gaz_status seed_settle(struct seed *s, const char *id)
{
	json_t *operation = NULL;
	gaz_status st = poll_operation(s, "", id, &operation);

	if (st == GAZ_OK)
		json_decref(operation);
	return st;
}

gaz_status seed_await(struct seed *s, const char *path, const json_t *started,
		      json_t **out)
{
	const char *id = seed_text(started, "OperationId");
	json_t *operation = NULL;
	gaz_status st = poll_operation(s, path, id, &operation);

	if (st != GAZ_OK)
		return st;
	if (strcmp(seed_text(operation, "Status"), "FAIL") == 0) {
		seed_fault(s, path, "%s failed: %s: %s", seed_text(operation, "Type"),
			   seed_text(operation, "ErrorCode"),
			   seed_text(operation, "ErrorMessage"));
		st = GAZ_EREFUSED;
	}
	if (st == GAZ_OK && out)
		*out = operation;
	else
		json_decref(operation);
	return st;
}

gaz_status seed_run(struct seed *s, const char *path, const char *operation, json_t *take)
{
	json_t *started;
	gaz_status st = seed_call(s, path, operation, take, &started);

	if (st == GAZ_OK)
		st = seed_await(s, path, started, NULL);
	json_decref(started);
	return st;
}

gaz_status seed_list_tags(struct seed *s, const char *path, const char *arn, json_t **out)
{
	json_t *reply;
	gaz_status st = seed_call(s, path, "ListTagsForResource",
				  json_pack("{s:s}", "ResourceARN", arn), &reply);

	if (st == GAZ_OK)
		*out = seed_tags_as_map(json_object_get(reply, "Tags"));
	json_decref(reply);
	return st;
}
