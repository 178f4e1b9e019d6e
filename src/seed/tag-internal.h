/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "seed/work-internal.h"

/** Add the tags that a resource lacks or has otherwise. `*changed_out` is set if so. */
GAZ_MUST_CHECK gaz_status seed_apply_tags(struct seed *s, const char *path,
					  const json_t *want, const char *arn,
					  bool *changed_out);
