/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "base/status.h"

/* Notices that something has changed in folders (inotify): a file was written and
 * closed, came, went, or was renamed. */

struct zonewatch;

/** @return GAZ_OK, GAZ_EIO (the kernel gives no more of them), GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status zonewatch_open(struct zonewatch **out);

/** Accepts a pointer to NULL. */
void zonewatch_close(struct zonewatch **watch);

/** Readable when something has changed. */
int zonewatch_fd(const struct zonewatch *watch);

/**
 * Watch a folder, again if it is watched.
 *
 * @param is_new_out  set when it was not: what changed in it before went unnoticed
 * @return GAZ_OK, GAZ_EIO
 */
GAZ_MUST_CHECK gaz_status zonewatch_add(struct zonewatch *watch, const char *folder,
					bool *is_new_out);

/** Forget the changes so far. */
void zonewatch_clear(struct zonewatch *watch);
