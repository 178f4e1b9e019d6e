/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "seed/node-internal.h"

/** Send what makes the instances of a service, which is there, as the document says.
 *  @param is_new  it has none; may be used while a reply is handled
 *  @return GAZ_OK, GAZ_EREFUSED, or what ended the work */
GAZ_MUST_CHECK gaz_status seed_apply_instances(struct seed *s, struct seed_node *service,
					       bool is_new);
