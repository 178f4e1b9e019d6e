/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "seed/work-internal.h"

/** Tell of every violation in the message of an error, each with the path of its member.
 *  @return false: there is none in it */
bool seed_tell_violations(struct seed *s, const char *path, const json_t *input,
			  const char *message);
