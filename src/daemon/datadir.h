/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/path.h"
#include "base/status.h"

/* The directory of the store, before the store opens it. */

/**
 * Make a temporary directory ($TMPDIR, else /tmp) for --ephemeral.
 * @return GAZ_OK, GAZ_EIO
 */
GAZ_MUST_CHECK gaz_status datadir_make_temporary(char out[PATH_SIZE],
						 struct gaz_error *err);

/** Remove such a directory with the files of a store in it. */
void datadir_remove(const char *dir);
