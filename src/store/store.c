/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "store/changeset.h"
#include "store/lock-internal.h"

/* The map is address space, not memory or disk: the file grows as it is
 * filled, until the disk ends. So it is made as large as the kernel lets us. */
static const size_t MAP_SIZE_MAX = (size_t)1 << 40;
static const size_t MAP_SIZE_MIN = (size_t)1 << 28;

enum {
	READERS_MAX = 512,
	KEY_LEN_MAX = 511, /* LMDB's limit in its default build */
};

static const char FORMAT_KEY[] = "format";
static const char FORMAT_TABLE[] = "store";

/* In a store that is only read: a table that is not there. LMDB never gives it. */
static const MDB_dbi NO_TABLE = UINT_MAX;

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

struct store_cursor {
	MDB_cursor *cursor; /* NULL: of a table that is not there */
};

static gaz_status status_of(int rc)
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

static gaz_status damaged(struct gaz_error *err, const char *dir, const char *why)
{
	return gaz_error_set(
		err, GAZ_ESTORE,
		"the store in %s is damaged or not ours (%s); restore a copy of it "
		"(gazetteerd --restore FILE), or move it away to begin anew",
		dir, why);
}

/* What LMDB said when opening: only some of it means damage. */
static gaz_status open_failed(struct gaz_error *err, const char *dir, int rc)
{
	switch (rc) {
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_VERSION_MISMATCH:
	case MDB_PANIC:
	case MDB_INCOMPATIBLE:
		return damaged(err, dir, mdb_strerror(rc));
	default:
		return gaz_error_set(
			err, GAZ_EIO,
			"cannot open the store in %s: %s; see to that, or choose "
			"another directory with --data",
			dir, mdb_strerror(rc));
	}
}

static int open_env(MDB_env **env_out, const struct store_config *config, unsigned flags)
{
	MDB_env *env = NULL;
	size_t size = MAP_SIZE_MAX;
	int rc;

	/* An address space limit (ulimit -v) may refuse the largest map. */
	do {
		rc = mdb_env_create(&env);
		if (rc == 0)
			rc = mdb_env_set_mapsize(env, size);
		if (rc == 0)
			rc = mdb_env_set_maxreaders(env, READERS_MAX);
		if (rc == 0)
			rc = mdb_env_set_maxdbs(env, (MDB_dbi)config->table_count + 1);
		if (rc == 0)
			rc = mdb_env_open(env, config->dir, MDB_NOTLS | flags, 0600);
		if (rc == 0)
			break;
		mdb_env_close(env);
		env = NULL;
		size /= 4;
	} while (rc == ENOMEM && size >= MAP_SIZE_MIN);
	*env_out = env;
	return rc;
}

/* A file that is shorter than its last used page would raise SIGBUS later. */
static gaz_status check_file_size(MDB_env *env, const char *dir, struct gaz_error *err)
{
	MDB_envinfo info;
	MDB_stat stat_env;
	struct stat file;
	mdb_filehandle_t fd;

	if (mdb_env_info(env, &info) != 0 || mdb_env_stat(env, &stat_env) != 0 ||
	    mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &file) != 0)
		return damaged(err, dir, "cannot read its header");
	/* Pages 0 and 1 are the headers: a fresh environment has no others. */
	if (info.me_last_pgno > 1 &&
	    (uint64_t)file.st_size <
		    (info.me_last_pgno + 1) * (uint64_t)stat_env.ms_psize)
		return damaged(err, dir, "data.mdb is cut short");
	return GAZ_OK;
}

static gaz_status check_format(struct store *s, MDB_txn *txn,
			       const struct store_config *config, struct gaz_error *err)
{
	MDB_val key = {sizeof FORMAT_KEY - 1, (void *)(uintptr_t)FORMAT_KEY};
	MDB_val value;
	MDB_dbi table = s->tables[s->table_count];
	uint8_t wire[4] = {(uint8_t)(config->format >> 24),
			   (uint8_t)(config->format >> 16),
			   (uint8_t)(config->format >> 8), (uint8_t)config->format};
	int rc = table == NO_TABLE ? MDB_NOTFOUND : mdb_get(txn, table, &key, &value);

	if (rc == MDB_NOTFOUND && !s->read_only) {
		value = (MDB_val){sizeof wire, wire};
		rc = mdb_put(txn, table, &key, &value, 0);
		return rc == 0 ? GAZ_OK : open_failed(err, config->dir, rc);
	}
	if (rc != 0 || value.mv_size != sizeof wire)
		return damaged(err, config->dir, "no format version");
	if (memcmp(value.mv_data, wire, sizeof wire) != 0)
		return gaz_error_set(
			err, GAZ_ESTORE,
			"the store in %s has another format than this gazetteerd "
			"reads (%u); use the version that wrote it, or another "
			"--data",
			config->dir, config->format);
	return GAZ_OK;
}

static int open_table(const struct store *s, MDB_txn *txn, const char *name, MDB_dbi *out)
{
	int rc = mdb_dbi_open(txn, name, s->read_only ? 0 : MDB_CREATE, out);

	if (rc != MDB_NOTFOUND || !s->read_only)
		return rc;
	*out = NO_TABLE;
	return 0;
}

static gaz_status open_tables(struct store *s, const struct store_config *config,
			      struct gaz_error *err)
{
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(s->env, NULL, s->read_only ? MDB_RDONLY : 0, &txn);
	gaz_status st;

	for (size_t i = 0; rc == 0 && i < config->table_count; i++)
		rc = open_table(s, txn, config->tables[i], &s->tables[i]);
	if (rc == 0)
		rc = open_table(s, txn, FORMAT_TABLE, &s->tables[config->table_count]);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return open_failed(err, config->dir, rc);
	}
	st = check_format(s, txn, config, err);
	if (st != GAZ_OK) {
		mdb_txn_abort(txn);
		return st;
	}
	rc = mdb_txn_commit(txn);
	return rc == 0 ? GAZ_OK : open_failed(err, config->dir, rc);
}

/* What both ways of opening share; `flags` are LMDB's. */
static gaz_status open_locked(struct store *s, const struct store_config *config,
			      unsigned flags, struct gaz_error *err)
{
	gaz_status st;
	int rc;

	s->table_names = config->tables;
	s->table_count = config->table_count;
	s->tables = calloc(config->table_count + 1, sizeof *s->tables);
	if (!s->tables)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	rc = open_env(&s->env, config, flags);
	if (rc != 0)
		return open_failed(err, config->dir, rc);
	st = check_file_size(s->env, config->dir, err);
	return st == GAZ_OK ? open_tables(s, config, err) : st;
}

gaz_status store_open(const struct store_config *config, struct store **out,
		      struct gaz_error *err)
{
	struct store *s = calloc(1, sizeof *s);
	gaz_status st;

	if (!s)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	s->lock_fd = -1;
	st = lock_dir(config->dir, &s->lock_fd, err);
	if (st == GAZ_OK)
		st = open_locked(s, config, 0, err);
	if (st == GAZ_OK) {
		*out = s;
		s = NULL;
	}
	store_close(&s);
	return st;
}

gaz_status store_open_read(const struct store_config *config, struct store **out,
			   struct gaz_error *err)
{
	struct store *s;
	struct stat file;
	bool is_copy;
	gaz_status st = GAZ_OK;

	if (stat(config->dir, &file) != 0)
		return gaz_error_set(err, GAZ_EIO, "there is no store in %s: %s",
				     config->dir, strerror(errno));
	if (!S_ISDIR(file.st_mode) && !S_ISREG(file.st_mode))
		return gaz_error_set(err, GAZ_EIO,
				     "there is no store in %s: name a data directory, or "
				     "a file that gazctl backup wrote",
				     config->dir);
	s = calloc(1, sizeof *s);
	if (!s)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	s->lock_fd = -1;
	s->read_only = true;
	is_copy = !S_ISDIR(file.st_mode);
	if (!is_copy)
		st = lock_dir_shared(config->dir, &s->lock_fd, err);
	/* Our lock keeps writers away: LMDB's own would be a file to write. */
	if (st == GAZ_OK)
		st = open_locked(s, config,
				 MDB_RDONLY | MDB_NOLOCK | (is_copy ? MDB_NOSUBDIR : 0),
				 err);
	if (st == GAZ_OK) {
		*out = s;
		s = NULL;
	}
	store_close(&s);
	return st;
}

void store_close(struct store **store)
{
	struct store *s = *store;

	if (!s)
		return;
	if (s->env)
		mdb_env_close(s->env);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->tables);
	free(s);
	*store = NULL;
}

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
		return status_of(rc);
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

static MDB_val to_val(struct span span)
{
	return (MDB_val){span.len, (void *)(uintptr_t)span.data};
}

static struct span to_span(MDB_val val)
{
	return (struct span){val.mv_data, val.mv_size};
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
		MDB_val k = to_val(key);
		MDB_val v = to_val(value);
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
	MDB_val k = to_val(key);
	MDB_val v = {0, NULL};
	int rc;

	if (key.len == 0 || key.len > KEY_LEN_MAX)
		return GAZ_ENOTFOUND;
	if (txn->store->tables[table] == NO_TABLE)
		return GAZ_ENOTFOUND;
	rc = mdb_get(txn->txn, txn->store->tables[table], &k, &v);
	if (rc == 0)
		*out = to_span(v);
	return status_of(rc);
}

static bool is_known(const struct store *s, MDB_val name)
{
	for (size_t i = 0; i <= s->table_count; i++) {
		const char *known = i < s->table_count ? s->table_names[i] : FORMAT_TABLE;

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
	MDB_val key = to_val(after);
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
		*name_out = to_span(key);
	mdb_cursor_close(cursor);
	return status_of(rc);
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
	return rc == MDB_NOTFOUND ? GAZ_OK : status_of(rc);
}

gaz_status store_count(struct store_txn *txn, unsigned table, size_t *out)
{
	MDB_stat stat_table = {0};
	int rc = 0;

	if (txn->store->tables[table] != NO_TABLE)
		rc = mdb_stat(txn->txn, txn->store->tables[table], &stat_table);

	if (rc == 0)
		*out = stat_table.ms_entries;
	return status_of(rc);
}

gaz_status store_cursor_open(struct store_txn *txn, unsigned table,
			     struct store_cursor **out)
{
	struct store_cursor *cursor = calloc(1, sizeof *cursor);
	int rc = 0;

	if (!cursor)
		return GAZ_ENOMEM;
	if (txn->store->tables[table] != NO_TABLE)
		rc = mdb_cursor_open(txn->txn, txn->store->tables[table],
				     &cursor->cursor);
	if (rc != 0) {
		free(cursor);
		return status_of(rc);
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
	MDB_val k = to_val(key);
	MDB_val v = {0, NULL}; /* on a damaged page LMDB may find a key alone */
	int rc = MDB_NOTFOUND;

	if (cursor->cursor)
		rc = mdb_cursor_get(cursor->cursor, &k, &v, op);

	if (rc == 0) {
		*key_out = to_span(k);
		*value_out = to_span(v);
	}
	return status_of(rc);
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

/* ---- a copy ---- */

gaz_status store_open_spool(struct store *store, int *fd_out)
{
	char path[PATH_SIZE];
	const char *dir;
	int fd;

	if (mdb_env_get_path(store->env, &dir) != 0)
		return GAZ_EIO;
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) { /* not every file system can */
		if (snprintf(path, sizeof path, "%s/.copy-XXXXXX", dir) >= PATH_SIZE)
			return GAZ_EIO;
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			(void)unlink(path);
	}
	if (fd < 0)
		return GAZ_EIO;
	*fd_out = fd;
	return GAZ_OK;
}

gaz_status store_copy(struct store *store, int fd)
{
	int rc = mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT);

	if (rc == 0)
		return GAZ_OK;
	log_error("store-copy-failed", "reason=\"%s\"", mdb_strerror(rc));
	/* LMDB's own codes are negative, the system's positive. */
	return rc > 0 && rc != ENOMEM ? GAZ_EIO : status_of(rc);
}

gaz_status store_limit_size(struct store *store, size_t bytes)
{
	return mdb_env_set_mapsize(store->env, bytes) == 0 ? GAZ_OK : GAZ_EIO;
}
