/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "store/changeset.h"

/* The map is address space, not memory or disk: the file grows as it is
 * filled, until the disk ends. So it is made as large as the kernel lets us. */
static const size_t MAP_SIZE_MAX = (size_t)1 << 40;
static const size_t MAP_SIZE_MIN = (size_t)1 << 28;

enum {
	READERS_MAX = 512,
	KEY_LEN_MAX = 511, /* LMDB's limit in its default build */
};

static const char FORMAT_KEY[] = "format";

struct store {
	MDB_env *env;
	int lock_fd;
	size_t table_count;
	MDB_dbi *tables; /* [table_count]: the format's own table is last */
};

struct store_txn {
	struct store *store;
	MDB_txn *txn;
};

struct store_cursor {
	MDB_cursor *cursor;
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

/* LMDB lets several processes share an environment; we do not: the zone
 * database of the other one would never learn of our changes. */
static gaz_status lock_dir(const char *dir, int *fd_out, struct gaz_error *err)
{
	char path[PATH_SIZE];
	int fd;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return gaz_error_set(
			err, GAZ_EIO,
			"cannot create the data directory %s: %s; create it or "
			"choose another with --data",
			dir, strerror(errno));
	(void)snprintf(path, sizeof path, "%s/gazetteerd.lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return gaz_error_set(
			err, GAZ_EIO,
			"cannot open %s: %s; --data must name a directory that "
			"gazetteerd may write to",
			path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return gaz_error_set(
			err, GAZ_EBUSY,
			"another gazetteerd uses the data directory %s; stop it or "
			"choose another with --data",
			dir);
	}
	*fd_out = fd;
	return GAZ_OK;
}

static gaz_status damaged(struct gaz_error *err, const char *dir, const char *why)
{
	return gaz_error_set(
		err, GAZ_ESTORE,
		"the store in %s is damaged or not ours (%s); move the directory "
		"away, or restore a copy of it, and start again",
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

static int open_env(MDB_env **env_out, const struct store_config *config)
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
			rc = mdb_env_open(env, config->dir, MDB_NOTLS, 0600);
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
	uint8_t wire[4] = {(uint8_t)(config->format >> 24),
			   (uint8_t)(config->format >> 16),
			   (uint8_t)(config->format >> 8), (uint8_t)config->format};
	int rc = mdb_get(txn, s->tables[s->table_count], &key, &value);

	if (rc == MDB_NOTFOUND) {
		value = (MDB_val){sizeof wire, wire};
		rc = mdb_put(txn, s->tables[s->table_count], &key, &value, 0);
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

static gaz_status open_tables(struct store *s, const struct store_config *config,
			      struct gaz_error *err)
{
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(s->env, NULL, 0, &txn);
	gaz_status st;

	for (size_t i = 0; rc == 0 && i < config->table_count; i++)
		rc = mdb_dbi_open(txn, config->tables[i], MDB_CREATE, &s->tables[i]);
	if (rc == 0)
		rc = mdb_dbi_open(txn, "store", MDB_CREATE,
				  &s->tables[config->table_count]);
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

gaz_status store_open(const struct store_config *config, struct store **out,
		      struct gaz_error *err)
{
	struct store *s = calloc(1, sizeof *s);
	gaz_status st = GAZ_OK;
	int rc;

	if (!s)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	s->lock_fd = -1;
	s->table_count = config->table_count;
	s->tables = calloc(config->table_count + 1, sizeof *s->tables);
	if (!s->tables)
		st = gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	if (st == GAZ_OK)
		st = lock_dir(config->dir, &s->lock_fd, err);
	if (st != GAZ_OK)
		goto out;
	rc = open_env(&s->env, config);
	if (rc != 0) {
		st = open_failed(err, config->dir, rc);
		goto out;
	}
	st = check_file_size(s->env, config->dir, err);
	if (st == GAZ_OK)
		st = open_tables(s, config, err);
	if (st == GAZ_OK) {
		*out = s;
		s = NULL;
	}
out:
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
	MDB_val v;
	int rc;

	if (key.len == 0 || key.len > KEY_LEN_MAX)
		return GAZ_ENOTFOUND;
	rc = mdb_get(txn->txn, txn->store->tables[table], &k, &v);
	if (rc == 0)
		*out = to_span(v);
	return status_of(rc);
}

gaz_status store_count(struct store_txn *txn, unsigned table, size_t *out)
{
	MDB_stat stat_table;
	int rc = mdb_stat(txn->txn, txn->store->tables[table], &stat_table);

	if (rc == 0)
		*out = stat_table.ms_entries;
	return status_of(rc);
}

gaz_status store_cursor_open(struct store_txn *txn, unsigned table,
			     struct store_cursor **out)
{
	struct store_cursor *cursor = malloc(sizeof *cursor);
	int rc;

	if (!cursor)
		return GAZ_ENOMEM;
	rc = mdb_cursor_open(txn->txn, txn->store->tables[table], &cursor->cursor);
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
	MDB_val v;
	int rc = mdb_cursor_get(cursor->cursor, &k, &v, op);

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
