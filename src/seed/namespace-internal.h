/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "seed/node-internal.h"

/** Send what makes the document's namespaces, and all that lies in them, as it says.
 *  @return GAZ_OK, or what ended the work */
GAZ_MUST_CHECK gaz_status seed_apply_namespaces(struct seed *s, const json_t *document);
