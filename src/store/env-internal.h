/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <limits.h>
#include <lmdb.h>

#include "store/store.h"

/* LMDB's environment as the files of the store share it: store.c (opening, copies),
 * store_txn.c (transactions and what goes on in them) and store_check.c (what LMDB's own
 * tables say). */

/* LMDB's table with the format's version. */
#define ENV_FORMAT_TABLE "store"

/* In a store that is only read: a table that is not there. LMDB never gives it. */
#define ENV_NO_TABLE ((MDB_dbi)UINT_MAX)

struct store {
	MDB_env *env;
	int lock_fd;
	bool read_only;
	const char *const *table_names; /* borrowed */
	size_t table_count;
	MDB_dbi *tables; /* [table_count]: the format's own table is last */
};

struct store_txn {
	struct store *store;
	MDB_txn *txn;
};

/** What LMDB returned. @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ENOMEM, GAZ_ELIMIT, GAZ_ESTORE */
gaz_status env_status_of(int rc);

static inline MDB_val env_to_val(struct span span)
{
	return (MDB_val){span.len, (void *)(uintptr_t)span.data};
}

static inline struct span env_to_span(MDB_val val)
{
	return (struct span){val.mv_data, val.mv_size};
}
