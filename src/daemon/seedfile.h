/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/status.h"

struct options;
struct registry;

/**
 * Apply the file of --seed to the default account and region, and wait until all of it
 * is there. Every fault is told on standard error. For the main thread, while the writer
 * runs; gives up when a signal to end is pending.
 *
 * @return GAZ_OK, else `err` says why the daemon cannot start
 */
GAZ_MUST_CHECK gaz_status seedfile_apply(const struct options *options,
					 struct registry *registry,
					 struct gaz_error *err);
