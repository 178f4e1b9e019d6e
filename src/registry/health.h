/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/call.h"
#include "registry/discovery.h"

/* Health: UpdateInstanceCustomHealthStatus, GetInstancesHealthStatus. */

struct update_health_in {
	const char *service_id;
	const char *instance_id;
	enum health_status status; /* HEALTHY or UNHEALTHY */
};

struct get_health_in {
	const char *service_id;
	struct text_list instances; /* none: all */
	struct page_in page;
};

struct instance_health {
	const char *id;
	enum health_status status;
};

struct health_page_out {
	struct instance_health *items; /* by instance id */
	size_t count;
	const char *next_token;
};

registry_run health_update; /* update_health_in -> nothing */
registry_run health_list;   /* get_health_in -> health_page_out; a read */

/** Let the next status take effect if it is due at call->now_ms.
 *  @return GAZ_OK, GAZ_ENOTFOUND (none is due), GAZ_ENOMEM, GAZ_ESTORE */
GAZ_MUST_CHECK gaz_status health_finish_next(struct call *call);

/** The status that discovery shows: UNKNOWN without a health check. */
enum health_status health_of(const struct service_record *svc,
			     const struct instance_record *inst);
