/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "base/status.h"
#include "forward/route.h"

/* libunbound set up to forward: the only place that knows its options. */

struct event_base;
struct ub_ctx;

/**
 * A context that asks these upstreams and answers what must not leave this machine
 * itself (RFC 6303, RFC 6761 and others). Its settings are frozen: other upstreams need
 * another context. To be used and deleted (ub_ctx_delete) by the thread that runs `base`.
 *
 * @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO (no descriptor, or libunbound refused)
 */
GAZ_MUST_CHECK gaz_status context_new(struct event_base *base, const struct route *routes,
				      size_t count, struct ub_ctx **out);
