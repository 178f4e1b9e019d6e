/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/server.h"

/* AWS Signature Version 4 of a request: who calls, for which region, and is
 * the signature right. Knows nothing of HTTP libraries. */

enum {
	SIGV4_REGION_SIZE = 64, /* the SDKs take up to 63 characters */
	SIGV4_ACCOUNT_SIZE = 13,
	SIGV4_MAX_SKEW_S = 300,
};

/* A request as it was sent. */
struct sigv4_request {
	const char *method;
	const char *uri;				    /* path and query */
	const char *(*header)(void *arg, const char *name); /* NULL: not there */
	void *header_arg;
	const void *body;
	size_t body_len;
};

struct sigv4_policy {
	enum api_auth mode;
	const struct api_key *keys;
	size_t key_count;
	const char *default_region;
	const char *default_account;
	int64_t now_ms;
};

/* Who calls. */
struct sigv4_identity {
	char region[SIGV4_REGION_SIZE];
	char account[SIGV4_ACCOUNT_SIZE];
};

/** Why a request is refused: an enum error_code and a text for the client. */
struct sigv4_refusal {
	int error;
	const char *message;
};

/**
 * Find out who calls; an access key id of exactly 12 digits is an account.
 *
 * @return GAZ_OK: `out` is filled; GAZ_EREFUSED: `refusal` is filled; GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status sigv4_authenticate(const struct sigv4_policy *policy,
					     const struct sigv4_request *request,
					     struct sigv4_identity *out,
					     struct sigv4_refusal *refusal);
