/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"
#include "gazctl/http.h"

/* Calls of the API: JSON in, JSON out. What goes wrong is told to the user on
 * stderr right here, once; callers only pass the status on. */

struct client {
	struct http_peer peer;
	const char *region;  /* NULL: the daemon's default, also of the account */
	const char *account; /* NULL: the daemon's default */
	unsigned timeout_s;
};

/**
 * Call one operation of the API and wait for its reply.
 *
 * @param operation  "ListNamespaces", or with its target prefix:
 *                   "Gazetteer.ListVpcs"
 * @param take       the input object; freed in any case. NULL reports
 *                   arguments that could not be put into JSON
 * @param out        a new reference
 * @return GAZ_OK, GAZ_EREFUSED (the API answered with an error), or what
 *         http_post() returns
 */
GAZ_MUST_CHECK gaz_status client_call(const struct client *client, const char *operation,
				      json_t *take, json_t **out);

/**
 * Call an operation whose answer is a file, and write that.
 *
 * @param take  the input object; freed in any case
 * @return as client_call()
 */
GAZ_MUST_CHECK gaz_status client_download(const struct client *client,
					  const char *operation, json_t *take, int fd,
					  http_progress *progress);

/**
 * Call a List operation until its last page.
 *
 * @param list  the name of the list member, "Namespaces": an array, or a map
 * @param out   the first reply, its list holding the items of all pages
 */
GAZ_MUST_CHECK gaz_status client_call_list(const struct client *client,
					   const char *operation, json_t *take,
					   const char *list, json_t **out);

/* ---- the parts of a call, which report nothing ---- */

struct client_request {
	char headers[768];
	char *body; /* owned */
};

/**
 * Make a request of a call.
 *
 * @param trial  X-Gazetteer-Trial: the input is only checked
 * @return GAZ_OK, GAZ_EFORMAT (nothing is called that), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status client_encode(const struct client *client,
					const char *operation, bool trial,
					const json_t *input, struct client_request *out,
					struct gaz_error *err);
void client_request_fini(struct client_request *request);

/**
 * The JSON of a reply.
 *
 * @param out  a new reference; with GAZ_EREFUSED the body of the error
 * @return GAZ_OK, GAZ_EREFUSED (the API answered with an error), GAZ_EFORMAT
 */
GAZ_MUST_CHECK gaz_status client_decode(const struct http_reply *reply, json_t **out,
					struct gaz_error *err);
