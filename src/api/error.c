/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/error.h"

#include <stdbool.h>
#include <stddef.h>

#include "api/json.h"

struct error_row {
	const char *name;
	int http_status;
	bool is_capital; /* "Message", as the model has it; AWS's front ends say "message" */
};

/* clang-format off */
static const struct error_row errors[ERROR_COUNT] = {
	[FAULT_INVALID_INPUT]            = {"InvalidInput", 400, true},
	[FAULT_NAMESPACE_NOT_FOUND]      = {"NamespaceNotFound", 400, true},
	[FAULT_SERVICE_NOT_FOUND]        = {"ServiceNotFound", 400, true},
	[FAULT_INSTANCE_NOT_FOUND]       = {"InstanceNotFound", 400, true},
	[FAULT_OPERATION_NOT_FOUND]      = {"OperationNotFound", 400, true},
	[FAULT_CUSTOM_HEALTH_NOT_FOUND]  = {"CustomHealthNotFound", 400, true},
	[FAULT_NAMESPACE_ALREADY_EXISTS] = {"NamespaceAlreadyExists", 400, true},
	[FAULT_SERVICE_ALREADY_EXISTS]   = {"ServiceAlreadyExists", 400, true},
	[FAULT_RESOURCE_IN_USE]          = {"ResourceInUse", 400, true},
	[FAULT_RESOURCE_LIMIT_EXCEEDED]  = {"ResourceLimitExceeded", 400, true},
	[FAULT_DUPLICATE_REQUEST]        = {"DuplicateRequest", 400, true},
	[FAULT_REQUEST_LIMIT_EXCEEDED]   = {"RequestLimitExceeded", 400, true},
	[FAULT_RESOURCE_NOT_FOUND]       = {"ResourceNotFoundException", 400, true},
	[FAULT_TOO_MANY_TAGS]            = {"TooManyTagsException", 400, true},
	[FAULT_SERVICE_ATTRIBUTES_LIMIT_EXCEEDED] =
		{"ServiceAttributesLimitExceededException", 400, true},

	[ERROR_UNKNOWN_OPERATION]      = {"UnknownOperationException", 400, false},
	[ERROR_METHOD_NOT_ALLOWED]     = {"UnknownOperationException", 404, false},
	[ERROR_SERIALIZATION]          = {"SerializationException", 400, false},
	[ERROR_MALFORMED_HTTP]         = {"MalformedHttpRequestException", 400, false},
	[ERROR_ENTITY_TOO_LARGE]       = {"RequestEntityTooLargeException", 413, false},
	[ERROR_MISSING_AUTHENTICATION] = {"MissingAuthenticationTokenException", 403, false},
	[ERROR_INCOMPLETE_SIGNATURE]   = {"IncompleteSignatureException", 400, false},
	[ERROR_UNRECOGNIZED_CLIENT]    = {"UnrecognizedClientException", 403, false},
	[ERROR_INVALID_SIGNATURE]      = {"InvalidSignatureException", 403, false},
	[ERROR_THROTTLING]             = {"ThrottlingException", 400, false},
	[ERROR_ACCESS_DENIED]          = {"AccessDeniedException", 400, true},
	[ERROR_INTERNAL_FAILURE]       = {"InternalFailure", 500, false},
	[ERROR_SERVICE_UNAVAILABLE]    = {"ServiceUnavailable", 503, false},
};
/* clang-format on */

static const struct error_row *row_of(int code)
{
	if (code <= FAULT_NONE || code >= ERROR_COUNT || !errors[code].name)
		return &errors[ERROR_INTERNAL_FAILURE];
	return &errors[code];
}

const char *error_name(int code)
{
	return row_of(code)->name;
}

int error_http_status(int code)
{
	return row_of(code)->http_status;
}

void error_body(int code, const char *message, const struct fault *fault,
		struct json_out *w)
{
	const struct error_row *row = row_of(code);

	json_begin_object(w);
	json_member_text(w, "__type", row->name);
	json_name(w, row->is_capital ? "Message" : "message");
	json_put_cut_text(w, message);
	for (size_t i = 0; fault && i < fault->extra_count; i++) {
		json_name(w, fault->extra[i].member);
		json_put_cut_text(w, fault->extra[i].value);
	}
	json_end_object(w);
}

int error_from_status(gaz_status st)
{
	return st == GAZ_EBUSY ? ERROR_SERVICE_UNAVAILABLE : ERROR_INTERNAL_FAILURE;
}
