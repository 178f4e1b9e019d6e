/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/client.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "gazctl/ctl_report.h"
#include "seed/reply.h"

static const char prefix[] = "Route53AutoNaming_v20170314.";

static bool is_plain(const char *text)
{
	return text[0] != '\0' &&
	       text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789-_.")] == '\0' &&
	       strlen(text) <= 128;
}

/* The region travels where AWS clients put it: in the scope of a signature, and an
 * account in the place of the access key id. The signature itself is a dummy; a daemon
 * that verifies them refuses it. */
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
		 "Credential=%s/%.8s/%s/servicediscovery/aws4_request, "
		 "SignedHeaders=host;x-amz-date, Signature=%064d\r\n",
		 date, client->account ? client->account : "gazctl", date, client->region,
		 0);
}

/* --auth verify: requests want a signature, and ours have none. */
static bool wants_signature(const char *code)
{
	return strcmp(code, "MissingAuthenticationTokenException") == 0 ||
	       strcmp(code, "UnrecognizedClientException") == 0;
}

/* "CODE: message (Member=value, ...)" */
static void report_api_error(const json_t *body)
{
	const char *code = reply_text(body, "__type"), *key, *separator = " (";
	json_t *value;

	if (!*code)
		code = "error";
	fputs("gazctl: ", stderr);
	ctl_print_text(stderr, code);
	fputs(": ", stderr);
	ctl_print_text(stderr, reply_message(body));
	json_object_foreach((json_t *)body, key, value)
	{
		if (strcmp(key, "__type") == 0 || strcasecmp(key, "message") == 0 ||
		    !json_is_string(value))
			continue;
		fputs(separator, stderr);
		ctl_print_text(stderr, key);
		fputc('=', stderr);
		ctl_print_text(stderr, json_string_value(value));
		separator = ", ";
	}
	fputs(strcmp(separator, ", ") == 0 ? ")" : "", stderr);
	fputs(wants_signature(code) ? "; gazctl signs nothing: use --socket, where that "
				      "is not needed\n"
				    : "\n",
	      stderr);
}

gaz_status client_decode(const struct http_reply *reply, json_t **out,
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

gaz_status client_encode(const struct client *client, const char *operation, bool trial,
			 const json_t *input, struct client_request *out,
			 struct gaz_error *err)
{
	char *body;

	/* It goes into a header line. */
	if (!is_plain(operation))
		return gaz_error_set(err, GAZ_EFORMAT, "no operation is called that");
	body = json_dumps(input, JSON_COMPACT);
	if (!body)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	out->body = body;
	print_headers(client, operation, trial, out->headers, sizeof(out->headers));
	return GAZ_OK;
}

void client_request_fini(struct client_request *request)
{
	free(request->body);
	request->body = NULL;
}

static gaz_status ask(const struct client *client, const char *operation,
		      const json_t *input, json_t **out, struct gaz_error *err)
{
	struct client_request request;
	struct http_reply reply = {0};
	gaz_status st = client_encode(client, operation, false, input, &request, err);

	if (st != GAZ_OK)
		return st;
	st = http_post(&client->peer, client->timeout_s, request.headers, request.body,
		       &reply, err);
	if (st == GAZ_OK)
		st = client_decode(&reply, out, err);
	http_reply_fini(&reply);
	client_request_fini(&request);
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
	st = report(ask(client, operation, take, &body, &err), &body, &err);
	json_decref(take);
	if (st == GAZ_OK)
		*out = body;
	return st;
}

gaz_status client_download(const struct client *client, const char *operation,
			   json_t *take, int fd, http_progress *progress)
{
	struct client_request request = {.body = NULL};
	struct gaz_error err = {0};
	struct http_reply reply = {0};
	json_t *body = NULL;
	gaz_status st;

	if (!take) {
		ctl_report("cannot make the request: are all arguments UTF-8?");
		return GAZ_EFORMAT;
	}
	st = client_encode(client, operation, false, take, &request, &err);
	json_decref(take);
	if (st == GAZ_OK)
		st = http_download(&client->peer, client->timeout_s, request.headers,
				   request.body, fd, progress, &reply, &err);
	client_request_fini(&request);
	if (st == GAZ_OK && reply.status != 200)
		st = client_decode(&reply, &body, &err);
	http_reply_fini(&reply);
	return report(st, &body, &err);
}

gaz_status client_call_list(const struct client *client, const char *operation,
			    json_t *take, const char *list, json_t **out)
{
	struct reply_list pages = {.member = list, .input = take};
	json_t *page = NULL;
	gaz_status st;

	do
		st = client_call(client, operation, json_incref(take), &page);
	while (st == GAZ_OK && reply_add_page(&pages, page));
	json_decref(take);
	if (st == GAZ_OK)
		*out = pages.all;
	else
		json_decref(pages.all);
	return st;
}
