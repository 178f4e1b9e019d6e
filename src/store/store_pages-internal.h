/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <lmdb.h>
#include <stddef.h>

#include "base/status.h"

/** Whether LMDB may read the pages without harm. `why` says what is amiss.
 *  @return GAZ_OK, GAZ_ESTORE */
GAZ_MUST_CHECK gaz_status store_check_pages(MDB_env *env, char *why, size_t cap);
