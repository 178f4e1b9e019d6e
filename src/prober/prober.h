/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/status.h"
#include "registry/registry.h"

/* The prober executes health checks: it looks at every instance that the registry
 * told it to check, time and again, on one thread with an event loop of its own, and
 * reports to the registry when the status of an instance has to change. It keeps
 * nothing that the store does not have, but for the results of a row that is not
 * complete yet. */

struct prober;

struct prober_config {
	uint32_t interval_ms;	/* from one look at an instance to the next; not 0 */
	uint32_t in_flight_max; /* probes under way at a time; not 0 */
};

/** @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO. */
GAZ_MUST_CHECK gaz_status prober_open(const struct prober_config *config,
				      struct prober **out);

/** The healthcheck_listener of the registry's configuration; `prober` is a struct prober.
 *  From prober_open() to prober_close(). */
void prober_take_notices(void *prober, struct healthcheck_notice *take);

/** Begin to probe. The registry is borrowed until prober_stop(); it must be running.
 *  @return GAZ_OK, GAZ_EIO */
GAZ_MUST_CHECK gaz_status prober_start(struct prober *p, struct registry *registry);

/** Stop probing. Reports under way are still the registry's until its stop. */
void prober_stop(struct prober *p);

/** After the registry has stopped. Accepts a pointer to NULL. */
void prober_close(struct prober **prober);
