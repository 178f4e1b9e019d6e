/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "base/status.h"

/* Why a call was refused, in Cloud Map's terms. The codes are the errors that
 * the Cloud Map API models; the API layer owns their names on the wire. */

enum fault_code {
	FAULT_NONE = 0,
	FAULT_INVALID_INPUT,
	FAULT_NAMESPACE_NOT_FOUND,
	FAULT_SERVICE_NOT_FOUND,
	FAULT_INSTANCE_NOT_FOUND,
	FAULT_OPERATION_NOT_FOUND,
	FAULT_CUSTOM_HEALTH_NOT_FOUND,
	FAULT_NAMESPACE_ALREADY_EXISTS, /* extra: NamespaceId, CreatorRequestId */
	FAULT_SERVICE_ALREADY_EXISTS, /* extra: ServiceId, ServiceArn, CreatorRequestId */
	FAULT_RESOURCE_IN_USE,
	FAULT_RESOURCE_LIMIT_EXCEEDED,
	FAULT_DUPLICATE_REQUEST, /* extra: DuplicateOperationId */
	FAULT_REQUEST_LIMIT_EXCEEDED,
	FAULT_RESOURCE_NOT_FOUND,
	FAULT_TOO_MANY_TAGS, /* extra: ResourceName */
	FAULT_SERVICE_ATTRIBUTES_LIMIT_EXCEEDED,
	FAULT_COUNT
};

enum {
	FAULT_EXTRA_MAX = 3,
};

struct fault {
	enum fault_code code;
	char message[1024];
	size_t extra_count;
	struct fault_extra {
		const char *member; /* a string constant: the error shape's member name */
		char value[512];
	} extra[FAULT_EXTRA_MAX];
};

/** Fill a fault. @return always GAZ_EREFUSED. */
gaz_status fault_set(struct fault *fault, enum fault_code code, const char *fmt, ...)
	GAZ_PRINTF(3, 4);

/** Add an extra member to a fault that fault_set() filled; a NULL value is left out.
 *  @return always GAZ_EREFUSED. */
gaz_status fault_add(struct fault *fault, const char *member, const char *value);
