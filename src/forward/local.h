/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "forward/route.h"

struct dname;

/* Names that are answered here and told to no upstream: those of localhost, of private
 * and other special addresses, and those that mean something only outside the DNS. */

/** Print them as libunbound takes them, but for those that a suffix with upstreams of
 *  its own covers. */
void local_print(FILE *out, const struct route *routes, size_t count);

/** True for such a name, in wire form. */
bool local_holds(const struct route *routes, size_t count, const struct dname *name);
