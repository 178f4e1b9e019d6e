/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <limits.h>
#include <lmdb.h>

#include "store/store.h"

/* What store.c (opening, copies), store_txn.c (transactions and what goes on in them),
 * store_check.c (what LMDB's own tables say) and store_pages.c (what its pages say) share. */

/* LMDB's table with the format's version. */
#define STORE_FORMAT_TABLE "store"

/* In a store that is only read: a table that is not there. LMDB never gives it. */
#define STORE_NO_TABLE ((MDB_dbi)UINT_MAX)

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

/** Whether LMDB may read the pages without harm. `why` says what is amiss.
 *  @return GAZ_OK, GAZ_ESTORE */
GAZ_MUST_CHECK gaz_status store_check_pages(MDB_env *env, char *why, size_t cap);

/** What LMDB returned. @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ENOMEM, GAZ_ELIMIT, GAZ_ESTORE */
gaz_status store_status_of(int rc);

static inline MDB_val store_to_val(struct span span)
{
	return (MDB_val){span.len, (void *)(uintptr_t)span.data};
}

static inline struct span store_to_span(MDB_val val)
{
	return (struct span){val.mv_data, val.mv_size};
}
