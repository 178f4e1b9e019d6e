/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "api/encode.h"
#include "api/json.h"
#include "registry/discovery.h"

/* What the encoders share. */

/* The name of an enum value, for json_member_optional(): NULL when it has none. */
#define NAME_OF(names, value)                                                            \
	((size_t)(value) < sizeof(names) / sizeof *(names) ? (names)[value] : NULL)

/** "HEALTHY", "UNHEALTHY" or "UNKNOWN". */
const char *encode_health_name(enum health_status status);
