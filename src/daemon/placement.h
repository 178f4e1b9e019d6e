/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/cpus.h"
#include "base/status.h"

/* Where the daemon's threads run: --dns-cpus. */

/** Read the option. @return GAZ_OK, GAZ_EFORMAT (err says what is wrong), GAZ_EIO */
GAZ_MUST_CHECK gaz_status placement_read(const char *value, struct cpus *out,
					 struct gaz_error *err);

/** May the process use all of them? Of none it may. @return GAZ_OK, GAZ_EFORMAT (err names
 *  those that it may not, and those that it may), GAZ_EIO */
GAZ_MUST_CHECK gaz_status placement_check(const struct cpus *dns, struct gaz_error *err);

/**
 * Keep all threads, and those that come from them, away from the CPUs of the DNS workers:
 * before a worker is started. Where the workers have all CPUs, nothing changes.
 * Logs what is where. Empty: nothing.
 *
 * @return GAZ_OK, GAZ_EIO (err says what is forbidden)
 */
GAZ_MUST_CHECK gaz_status placement_take(const struct cpus *dns, struct gaz_error *err);
