/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "seed/work-internal.h"

/** The first pass: everything that can be said without looking at what there is. */
GAZ_MUST_CHECK gaz_status seed_check(struct seed *s, const json_t *document);
