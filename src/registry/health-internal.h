/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/call.h"

/* What custom health and executed health checks share. */

/** Give an instance the other status, from now on, in the store and in DNS.
 *  @return GAZ_OK, GAZ_ENOMEM, GAZ_ESTORE */
GAZ_MUST_CHECK gaz_status health_turn(struct call *call, const struct service_record *svc,
				      const struct instance_record *old);
