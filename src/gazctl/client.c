/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/client.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "gazctl/ctl.h"

static const char prefix[] = "Route53AutoNaming_v20170314.";

enum {
	PAGES_MAX = 100000, /* a server that never ends a list must not keep us */
};

static bool is_plain(const char *text)
{
	return text[0] != '\0' &&
	       text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789-_.")] == '\0' &&
	       strlen(text) <= 128;
}

/* The region travels where AWS clients put it: in the scope of a signature.
 * The signature itself is a dummy; a daemon that verifies them refuses it. */
static void print_headers(const struct client *client, const char *operation, bool trial,
			  char *out, size_t cap)
{
	time_t now = time(NULL);
	struct tm tm;
	char date[24] = "";
	int len;

	len = snprintf(out, cap, "X-Amz-Target: %s%s\r\n%s",
		       strchr(operation, '.') ? "" : prefix, operation,
		       trial ? "X-Gazetteer-Trial: 1\r\n" : "");
	if (!client->region)
		return;
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	snprintf(out + len, cap - (size_t)len,
		 "X-Amz-Date: %s\r\nAuthorization: AWS4-HMAC-SHA256 "
		 "Credential=gazctl/%.8s/%s/servicediscovery/aws4_request, "
		 "SignedHeaders=host;x-amz-date, Signature=%064d\r\n",
		 date, date, client->region, 0);
}

static const char *text_member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* "CODE: message (Member=value, ...)" */
static void report_api_error(const json_t *body)
{
	const char *code = text_member(body, "__type");
	const char *message = text_member(body, "Message"), *key, *separator = " (";
	json_t *value;

	if (!*message)
		message = text_member(body, "message");
	if (!*code)
		code = "error";
	fputs("gazctl: ", stderr);
	ctl_print_text(stderr, code);
	fputs(": ", stderr);
	ctl_print_text(stderr, message);
	json_object_foreach((json_t *)body, key, value)
	{
		if (strcmp(key, "__type") == 0 || strcasecmp(key, "message") == 0 ||
		    !json_is_string(value))
			continue;
		fprintf(stderr, "%s%s=", separator, key);
		ctl_print_text(stderr, json_string_value(value));
		separator = ", ";
	}
	fputs(strcmp(separator, ", ") == 0 ? ")\n" : "\n", stderr);
}

/* With GAZ_EREFUSED `out` is the body of the error. */
static gaz_status decode_reply(const struct http_reply *reply, json_t **out,
			       struct gaz_error *err)
{
	json_error_t json_err;
	json_t *body =
		reply->len > 0 ? json_loads(reply->body, 0, &json_err) : json_object();

	if (!json_is_object(body)) {
		json_decref(body);
		return gaz_error_set(err, GAZ_EFORMAT,
				     "the server answered with HTTP status %d, and its "
				     "reply is not a JSON object",
				     reply->status);
	}
	*out = body;
	return reply->status == 200 ? GAZ_OK : GAZ_EREFUSED;
}

/* Both go into header lines. */
static gaz_status check_names(const struct client *client, const char *operation,
			      struct gaz_error *err)
{
	if (is_plain(operation) && (!client->region || is_plain(client->region)))
		return GAZ_OK;
	return gaz_error_set(err, GAZ_EFORMAT, "no operation or region is called that");
}

gaz_status client_ask(const struct client *client, const char *operation, bool trial,
		      const json_t *input, json_t **out, struct gaz_error *err)
{
	char *text = json_dumps(input, JSON_COMPACT);
	struct http_reply reply = {0};
	char headers[768];
	gaz_status st;

	if (!text)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	st = check_names(client, operation, err);
	if (st == GAZ_OK) {
		print_headers(client, operation, trial, headers, sizeof(headers));
		st = http_post(&client->peer, client->timeout_s, headers, text, &reply,
			       err);
	}
	if (st == GAZ_OK)
		st = decode_reply(&reply, out, err);
	http_reply_fini(&reply);
	free(text);
	return st;
}

static gaz_status report(gaz_status st, json_t **take, const struct gaz_error *err)
{
	if (st == GAZ_EREFUSED) {
		report_api_error(*take);
		json_decref(*take);
		*take = NULL;
	} else if (st != GAZ_OK) {
		ctl_report("%s", err->text);
	}
	return st;
}

gaz_status client_call(const struct client *client, const char *operation, json_t *take,
		       json_t **out)
{
	struct gaz_error err = {0};
	json_t *body = NULL;
	gaz_status st;

	if (!take) {
		ctl_report("cannot make the request: are all arguments UTF-8?");
		return GAZ_EFORMAT;
	}
	st = report(client_ask(client, operation, false, take, &body, &err), &body, &err);
	json_decref(take);
	if (st == GAZ_OK)
		*out = body;
	return st;
}

gaz_status client_download(const struct client *client, const char *operation,
			   json_t *take, int fd, http_progress *progress)
{
	char *input = take ? json_dumps(take, JSON_COMPACT) : NULL;
	struct gaz_error err = {0};
	struct http_reply reply = {0};
	char headers[768];
	json_t *body = NULL;
	gaz_status st = check_names(client, operation, &err);

	json_decref(take);
	if (!input) {
		ctl_report("cannot make the request: are all arguments UTF-8?");
		return GAZ_EFORMAT;
	}
	if (st == GAZ_OK) {
		print_headers(client, operation, false, headers, sizeof(headers));
		st = http_download(&client->peer, client->timeout_s, headers, input, fd,
				   progress, &reply, &err);
	}
	free(input);
	if (st == GAZ_OK && reply.status != 200)
		st = decode_reply(&reply, &body, &err);
	http_reply_fini(&reply);
	return report(st, &body, &err);
}

/* Lists are arrays, but for the map of GetInstancesHealthStatus. */
static void append_page(json_t *all, json_t *take, const char *list)
{
	json_t *more = json_object_get(take, list);

	if (json_is_object(all))
		json_object_update(all, more);
	else
		json_array_extend(all, more);
	json_decref(take);
}

gaz_status client_call_list(const struct client *client, const char *operation,
			    json_t *take, const char *list, json_t **out)
{
	json_t *all = NULL, *page = NULL, *token;
	gaz_status st = GAZ_OK;

	for (int pages = 0; pages < PAGES_MAX; pages++) {
		st = client_call(client, operation, json_incref(take), &page);
		if (st != GAZ_OK)
			break;
		token = json_incref(json_object_get(page, "NextToken"));
		if (!all)
			all = page;
		else
			append_page(json_object_get(all, list), page, list);
		if (!token)
			break;
		json_object_del(all, "NextToken");
		if (!take || json_object_set_new(take, "NextToken", token) != 0)
			break;
	}
	json_decref(take);
	if (st == GAZ_OK)
		*out = all;
	else
		json_decref(all);
	return st;
}
