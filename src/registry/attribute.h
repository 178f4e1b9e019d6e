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

/** A text has the form of an EC2 instance id. */
bool attribute_is_ec2_id(const char *value);

/**
 * What is stored: the attributes as sent, and AWS_INSTANCE_IPV4 where it
 * follows from AWS_EC2_INSTANCE_ID: the address that is configured for the id,
 * else one that is made from it, always the same, in 10.0.0.0/8.
 * @return GAZ_OK, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status attribute_complete(struct call *call,
					     struct pair_list *attributes);
