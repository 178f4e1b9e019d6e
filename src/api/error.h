/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/status.h"
#include "registry/fault.h"

struct json_out;

/* Every error that a client can see: its name on the wire and its HTTP status,
 * in one table. The first codes are the registry's faults, by their numbers;
 * the others are errors of the protocol itself. */

enum error_code {
	ERROR_UNKNOWN_OPERATION = FAULT_COUNT,
	ERROR_METHOD_NOT_ALLOWED, /* UnknownOperationException as well, but 404 */
	ERROR_SERIALIZATION,
	ERROR_MALFORMED_HTTP,
	ERROR_ENTITY_TOO_LARGE,
	ERROR_MISSING_AUTHENTICATION,
	ERROR_INCOMPLETE_SIGNATURE,
	ERROR_UNRECOGNIZED_CLIENT,
	ERROR_INVALID_SIGNATURE,
	ERROR_THROTTLING,
	ERROR_ACCESS_DENIED,
	ERROR_INTERNAL_FAILURE,
	ERROR_SERVICE_UNAVAILABLE,
	ERROR_COUNT
};

/** The name on the wire, such as "InvalidInput". `code` is an enum fault_code
 *  (not FAULT_NONE) or an enum error_code. */
const char *error_name(int code);

/** The HTTP status. */
int error_http_status(int code);

/** Write the body: __type, the message under the key that clients expect, and the
 *  extra members of a fault (NULL: none). */
void error_body(int code, const char *message, const struct fault *fault,
		struct json_out *w);

/** The error for a status that carries no fault. */
int error_from_status(gaz_status st);
