/* SPDX-License-Identifier: BSD-2-Clause */
#include <lmdb.h>
#include <string.h>

#include "store/env-internal.h"

/* What the tables that LMDB keeps for itself say of a store's health. */

static bool is_known(const struct store *s, MDB_val name)
{
	for (size_t i = 0; i <= s->table_count; i++) {
		const char *known =
			i < s->table_count ? s->table_names[i] : ENV_FORMAT_TABLE;

		if (strlen(known) == name.mv_size &&
		    memcmp(known, name.mv_data, name.mv_size) == 0)
			return true;
	}
	return false;
}

/* LMDB keeps the names of its tables in a table without a name. */
gaz_status store_find_stranger(struct store_txn *txn, struct span after,
			       struct span *name_out)
{
	MDB_cursor *cursor = NULL;
	MDB_val key = env_to_val(after);
	MDB_val value;
	MDB_dbi dbi;
	int rc = mdb_dbi_open(txn->txn, NULL, 0, &dbi);

	if (rc == 0)
		rc = mdb_cursor_open(txn->txn, dbi, &cursor);
	if (rc == 0)
		rc = mdb_cursor_get(cursor, &key, &value,
				    after.len ? MDB_SET_RANGE : MDB_FIRST);
	while (rc == 0 && (is_known(txn->store, key) ||
			   (key.mv_size == after.len &&
			    memcmp(key.mv_data, after.data, after.len) == 0)))
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	if (rc == 0)
		*name_out = env_to_span(key);
	mdb_cursor_close(cursor);
	return env_status_of(rc);
}

/* One entry for each transaction that freed pages: their count, then their numbers,
 * each below the one before it. */
static bool is_page_list(MDB_val value, size_t last_page)
{
	size_t numbers = value.mv_size / sizeof(size_t);
	const uint8_t *at = value.mv_data;
	size_t before = last_page + 1;
	size_t number;
	size_t used;

	if (numbers == 0 || value.mv_size % sizeof number != 0)
		return false;
	memcpy(&used, at, sizeof used);
	if (used > numbers - 1) /* the room for them may be larger */
		return false;
	for (size_t i = 1; i <= used; i++) {
		memcpy(&number, at + i * sizeof number, sizeof number);
		if (number < 2 || number >= before) /* 0 and 1 are the headers */
			return false;
		before = number;
	}
	return true;
}

gaz_status store_check_free_pages(struct store_txn *txn)
{
	const MDB_dbi free_pages = 0; /* LMDB's own table, as mdb_stat(1) reads it */
	MDB_cursor *cursor = NULL;
	MDB_val key;
	MDB_val value;
	MDB_envinfo info;
	size_t last = 0;
	size_t id = 0;
	int rc = mdb_env_info(txn->store->env, &info);

	if (rc == 0)
		rc = mdb_cursor_open(txn->txn, free_pages, &cursor);
	if (rc == 0)
		rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
	for (; rc == 0; rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
		if (key.mv_size == sizeof id)
			memcpy(&id, key.mv_data, sizeof id);
		if (key.mv_size != sizeof id || id <= last ||
		    !is_page_list(value, info.me_last_pgno))
			rc = MDB_CORRUPTED;
		last = id;
		if (rc != 0)
			break;
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? GAZ_OK : env_status_of(rc);
}
