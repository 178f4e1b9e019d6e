/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "seed/node-internal.h"

/** As seed_apply_instances(): the services of a namespace, and their instances. */
GAZ_MUST_CHECK gaz_status seed_apply_services(struct seed *s, struct seed_node *namespace,
					      bool is_new);
