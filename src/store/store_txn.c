/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/changeset.h"
#include "store/env-internal.h"

/* Transactions: begin and end, changes, reading by key and by cursor. */

enum {
	KEY_LEN_MAX = 511, /* LMDB's limit in its default build */
};

struct store_cursor {
	MDB_cursor *cursor; /* NULL: of a table that is not there */
};

static gaz_status begin(struct store *store, unsigned flags, struct store_txn **out)
{
	struct store_txn *txn = malloc(sizeof *txn);
	int rc;

	if (!txn)
		return GAZ_ENOMEM;
	txn->store = store;
	rc = mdb_txn_begin(store->env, NULL, flags, &txn->txn);
	if (rc != 0) {
		free(txn);
		return env_status_of(rc);
	}
	*out = txn;
	return GAZ_OK;
}

gaz_status store_begin_read(struct store *store, struct store_txn **out)
{
	return begin(store, MDB_RDONLY, out);
}

gaz_status store_begin_write(struct store *store, struct store_txn **out)
{
	return begin(store, 0, out);
}

/* The callers see a status; the reason is for the operator. */
static gaz_status write_failed(int rc)
{
	static struct log_limit limit;
	uint32_t suppressed;

	if (log_limit_pass(&limit, &suppressed))
		log_error("store-write-failed", "reason=\"%s\" suppressed=%u",
			  mdb_strerror(rc), suppressed);
	return rc == ENOMEM ? GAZ_ENOMEM : GAZ_ESTORE;
}

gaz_status store_apply(struct store_txn *txn, const struct changeset *set)
{
	if (set->failed)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < set->count; i++) {
		unsigned table;
		struct span key;
		struct span value;
		bool is_put = changeset_at(set, i, &table, &key, &value);
		MDB_val k = env_to_val(key);
		MDB_val v = env_to_val(value);
		MDB_dbi dbi = txn->store->tables[table];
		int rc = is_put ? mdb_put(txn->txn, dbi, &k, &v, 0)
				: mdb_del(txn->txn, dbi, &k, NULL);

		if (rc != 0 && !(rc == MDB_NOTFOUND && !is_put))
			return write_failed(rc);
	}
	return GAZ_OK;
}

gaz_status store_commit(struct store_txn **take)
{
	int rc = mdb_txn_commit((*take)->txn);

	free(*take);
	*take = NULL;
	return rc == 0 ? GAZ_OK : write_failed(rc);
}

void store_abort(struct store_txn **txn)
{
	if (!*txn)
		return;
	mdb_txn_abort((*txn)->txn);
	free(*txn);
	*txn = NULL;
}

gaz_status store_get(struct store_txn *txn, unsigned table, struct span key,
		     struct span *out)
{
	MDB_val k = env_to_val(key);
	MDB_val v = {0, NULL};
	int rc;

	if (key.len == 0 || key.len > KEY_LEN_MAX)
		return GAZ_ENOTFOUND;
	if (txn->store->tables[table] == ENV_NO_TABLE)
		return GAZ_ENOTFOUND;
	rc = mdb_get(txn->txn, txn->store->tables[table], &k, &v);
	if (rc == 0)
		*out = env_to_span(v);
	return env_status_of(rc);
}

gaz_status store_count(struct store_txn *txn, unsigned table, size_t *out)
{
	MDB_stat stat_table = {0};
	int rc = 0;

	if (txn->store->tables[table] != ENV_NO_TABLE)
		rc = mdb_stat(txn->txn, txn->store->tables[table], &stat_table);

	if (rc == 0)
		*out = stat_table.ms_entries;
	return env_status_of(rc);
}

gaz_status store_cursor_open(struct store_txn *txn, unsigned table,
			     struct store_cursor **out)
{
	struct store_cursor *cursor = calloc(1, sizeof *cursor);
	int rc = 0;

	if (!cursor)
		return GAZ_ENOMEM;
	if (txn->store->tables[table] != ENV_NO_TABLE)
		rc = mdb_cursor_open(txn->txn, txn->store->tables[table],
				     &cursor->cursor);
	if (rc != 0) {
		free(cursor);
		return env_status_of(rc);
	}
	*out = cursor;
	return GAZ_OK;
}

void store_cursor_close(struct store_cursor **cursor)
{
	if (!*cursor)
		return;
	mdb_cursor_close((*cursor)->cursor);
	free(*cursor);
	*cursor = NULL;
}

static gaz_status move(struct store_cursor *cursor, MDB_cursor_op op, struct span key,
		       struct span *key_out, struct span *value_out)
{
	MDB_val k = env_to_val(key);
	MDB_val v = {0, NULL}; /* on a damaged page LMDB may find a key alone */
	int rc = MDB_NOTFOUND;

	if (cursor->cursor)
		rc = mdb_cursor_get(cursor->cursor, &k, &v, op);

	if (rc == 0) {
		*key_out = env_to_span(k);
		*value_out = env_to_span(v);
	}
	return env_status_of(rc);
}

gaz_status store_cursor_seek(struct store_cursor *cursor, struct span key,
			     struct span *key_out, struct span *value_out)
{
	if (key.len > KEY_LEN_MAX)
		return GAZ_ENOTFOUND;
	return move(cursor, key.len ? MDB_SET_RANGE : MDB_FIRST, key, key_out, value_out);
}

gaz_status store_cursor_seek_below(struct store_cursor *cursor, struct span key,
				   struct span *key_out, struct span *value_out)
{
	gaz_status st = store_cursor_seek(cursor, key, key_out, value_out);

	if (st == GAZ_ENOTFOUND)
		return move(cursor, MDB_LAST, (struct span){NULL, 0}, key_out, value_out);
	if (st != GAZ_OK)
		return st;
	return move(cursor, MDB_PREV, (struct span){NULL, 0}, key_out, value_out);
}

gaz_status store_cursor_next(struct store_cursor *cursor, struct span *key_out,
			     struct span *value_out)
{
	return move(cursor, MDB_NEXT, (struct span){NULL, 0}, key_out, value_out);
}
