/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/call.h"
#include "registry/service.h"

/* What the operations on services share. */

/** The rules of HealthCheckConfig. @return GAZ_OK, GAZ_EREFUSED (InvalidInput). */
GAZ_MUST_CHECK gaz_status service_check_health(struct call *call,
					       const struct health_check_in *check,
					       const struct namespace_record *ns,
					       bool has_custom_health, bool has_cname);

/** Take over a HealthCheckConfig with its defaults; NULL: none. */
void service_set_health(struct service_record *svc, const struct health_check_in *check);

/** The key of a service's name in its namespace: DNS names are compared without
 *  regard to case, those in HTTP namespaces exactly. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status service_name_key(struct call *call,
					   const struct namespace_record *ns,
					   const char *name, struct key *out);

/** Refuse to touch a service while an UpdateService on it is pending.
 *  @return GAZ_OK, GAZ_EREFUSED (ResourceInUse), GAZ_ENOMEM, GAZ_ESTORE */
GAZ_MUST_CHECK gaz_status service_check_idle(struct call *call,
					     const struct service_record *svc);

enum {
	SERVICE_ORDER_KEYS = 2,
};

/** Its places in the order of creation, among all services of its region and among
 *  those of its namespace; into zeroed keys. */
void service_make_order_keys(const struct call *call, const struct service_record *svc,
			     struct key out[SERVICE_ORDER_KEYS]);
