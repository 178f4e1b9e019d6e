/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/calls.h"

#include <assert.h>
#include <stdlib.h>

/* Connections are used in turn, beginning with the first whenever nothing is under way,
 * so that calls which are made one by one all go over the same. */
struct calls {
	const struct client *client;
	size_t max;
	size_t first; /* the connection of the oldest call */
	size_t count; /* calls under way */
	struct http_conn conns[];
};

gaz_status calls_new(const struct client *client, size_t max, struct calls **out)
{
	struct calls *calls = calloc(1, sizeof *calls + max * sizeof *calls->conns);

	if (!calls)
		return GAZ_ENOMEM;
	calls->client = client;
	calls->max = max;
	for (size_t i = 0; i < max; i++)
		http_init(&calls->conns[i], &client->peer, client->timeout_s);
	*out = calls;
	return GAZ_OK;
}

void calls_free(struct calls **calls)
{
	if (!*calls)
		return;
	for (size_t i = 0; i < (*calls)->max; i++)
		http_close(&(*calls)->conns[i]);
	free(*calls);
	*calls = NULL;
}

gaz_status calls_submit(struct calls *calls, const char *operation, bool trial,
			const json_t *input, struct gaz_error *err)
{
	struct http_conn *conn =
		&calls->conns[(calls->first + calls->count) % calls->max];
	struct client_request request;
	gaz_status st;

	assert(calls->count < calls->max);
	st = client_encode(calls->client, operation, trial, input, &request, err);
	if (st != GAZ_OK)
		return st;
	st = http_send(conn, request.headers, request.body, err);
	client_request_fini(&request);
	if (st == GAZ_OK)
		calls->count++;
	return st;
}

static void stop_waiting(struct calls *calls)
{
	for (size_t i = 0; i < calls->count; i++)
		http_stop_waiting(&calls->conns[(calls->first + i) % calls->max]);
}

gaz_status calls_collect(struct calls *calls, json_t **out, struct gaz_error *err)
{
	struct http_conn *conn = &calls->conns[calls->first];
	struct http_reply reply;
	gaz_status st;

	assert(calls->count > 0);
	calls->count--;
	calls->first = calls->count > 0 ? (calls->first + 1) % calls->max : 0;
	st = http_receive(conn, &reply, err);
	if (st != GAZ_OK) {
		stop_waiting(calls);
		return st;
	}
	st = client_decode(&reply, out, err);
	http_reply_fini(&reply);
	return st;
}
