/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "base/path.h"
#include "base/status.h"

/**
 * Put a copy of a store, one file, in the place of a data directory's store. The
 * directory is created if missing, and locked meanwhile; until the copy has been
 * written, durably, the former store is in its place.
 *
 * @param file      was checked to be a store
 * @param replace   the directory may have a store already, which is kept
 * @param kept_out  where the former store is now; "" when there was none
 * @param err       what to do
 * @return GAZ_OK, GAZ_EIO, GAZ_EBUSY (a daemon has the directory), GAZ_EEXISTS (it is
 *         not empty), GAZ_ENOMEM; on error nothing was changed
 */
GAZ_MUST_CHECK gaz_status restore_store(const char *file, const char *dir, bool replace,
					char kept_out[PATH_SIZE], struct gaz_error *err);
