/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/call.h"

/* The rules that Cloud Map has for the attributes of an instance
 * (RegisterInstance: Attributes). */

/**
 * Check the attributes of a registration against its service.
 * @return GAZ_OK, GAZ_EREFUSED (InvalidInput names the attribute)
 */
GAZ_MUST_CHECK gaz_status attribute_check(struct call *call,
					  const struct namespace_record *ns,
					  const struct service_record *svc,
					  const struct pair_list *attributes);

/**
 * What is stored: the attributes as sent, and AWS_INSTANCE_IPV4 where it
 * follows from AWS_EC2_INSTANCE_ID. There is no EC2 to ask, so the address is
 * made from the id: the same id, the same address in 10.0.0.0/8.
 * @return GAZ_OK, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status attribute_complete(struct call *call,
					     struct pair_list *attributes);
