/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/status.h"

/* Who may use a data directory. LMDB lets several processes share an environment;
 * we do not: the zone database of the other one would never learn of our changes.
 * The lock goes with its descriptor. */

/** For the one daemon; creates the directory. @return GAZ_OK, GAZ_EIO, GAZ_EBUSY. */
GAZ_MUST_CHECK gaz_status lock_dir(const char *dir, int *fd_out, struct gaz_error *err);

/** For those that only read. Creates nothing: where no daemon has ever been, there is
 *  no lock and *fd_out is -1. @return as above. */
GAZ_MUST_CHECK gaz_status lock_dir_shared(const char *dir, int *fd_out,
					  struct gaz_error *err);
