/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/call.h"
#include "registry/healthcheck.h"

/* How the registry's own files keep the listener of checks informed: what a call
 * notes goes out when its group has been published, and is dropped with it.
 * Without a listener, or for a service without a check, nothing is noted. */

/** Note an instance as it is now. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status healthcheck_note(struct call *call,
					   const struct service_record *svc,
					   const struct instance_record *inst);

/** Note that an instance is no longer there. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status healthcheck_note_gone(struct call *call,
						const struct service_record *svc,
						const char *instance_id);

/** After UpdateService: note the instances if the check changed, and if it was
 *  taken away make them healthy. @return GAZ_OK, GAZ_ENOMEM, GAZ_ESTORE. */
GAZ_MUST_CHECK gaz_status
healthcheck_follow_update(struct call *call, const struct service_record *old,
			  const struct service_record *new,
			  const struct instance_record *instances, size_t count);

/** While loading: note an instance; without a listener make it healthy, which
 *  goes to the registry's change set. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status healthcheck_load(struct call *call,
					   const struct service_record *svc,
					   struct instance_record *inst);

/** Give what was noted to the listener; cannot fail. */
void healthcheck_deliver(struct registry *r);
void healthcheck_drop(struct registry *r);
