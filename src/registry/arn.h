/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/status.h"

/* Amazon Resource Names of namespaces and services:
 * arn:<partition>:servicediscovery:<region>:<account>:<kind>/<id> */

struct arn {
	const char *region;
	const char *account;
	const char *kind; /* "namespace" or "service" */
	const char *id;
};

/** The partition (aws, aws-cn, aws-us-gov) follows from the region.
 *  @return NULL when out of memory. */
const char *arn_print(struct arena *arena, const struct arn *arn);

/** @return GAZ_OK, GAZ_EFORMAT (not an ARN of this service), GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status arn_parse(struct arena *arena, const char *text,
				    struct arn *out);

bool arn_is_one(const char *text);
