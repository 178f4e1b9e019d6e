/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/env-internal.h"

#include <errno.h>

gaz_status env_status_of(int rc)
{
	switch (rc) {
	case 0:
		return GAZ_OK;
	case MDB_NOTFOUND:
		return GAZ_ENOTFOUND;
	case ENOMEM:
		return GAZ_ENOMEM;
	case MDB_READERS_FULL:
		return GAZ_ELIMIT;
	default:
		return GAZ_ESTORE;
	}
}
