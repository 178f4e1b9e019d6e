/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "store/env-internal.h"
#include "store/lock-internal.h"
#include "store/store_pages-internal.h"

/* The map is address space, not memory or disk: the file grows as it is
 * filled, until the disk ends. So it is made as large as the kernel lets us. */
static const size_t MAP_SIZE_MAX = (size_t)1 << 40;
static const size_t MAP_SIZE_MIN = (size_t)1 << 28;

enum {
	READERS_MAX = 512,
};

static const char FORMAT_KEY[] = "format";

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

static gaz_status write_format(struct store *s, MDB_txn *txn,
			       const struct store_config *config, struct gaz_error *err)
{
	MDB_val key = {sizeof FORMAT_KEY - 1, (void *)(uintptr_t)FORMAT_KEY};
	uint8_t wire[4] = {(uint8_t)(config->format >> 24),
			   (uint8_t)(config->format >> 16),
			   (uint8_t)(config->format >> 8), (uint8_t)config->format};
	MDB_val value = {sizeof wire, wire};
	int rc = mdb_put(txn, s->tables[s->table_count], &key, &value, 0);

	return rc == 0 ? GAZ_OK : open_failed(err, config->dir, rc);
}

static gaz_status check_format(struct store *s, MDB_txn *txn,
			       const struct store_config *config, struct gaz_error *err)
{
	MDB_val key = {sizeof FORMAT_KEY - 1, (void *)(uintptr_t)FORMAT_KEY};
	MDB_val value;
	MDB_dbi table = s->tables[s->table_count];
	int rc = table == ENV_NO_TABLE ? MDB_NOTFOUND : mdb_get(txn, table, &key, &value);
	struct reader r;
	uint32_t format;

	if (rc == MDB_NOTFOUND && !s->read_only)
		return write_format(s, txn, config, err);
	if (rc != 0 || value.mv_size != sizeof format)
		return damaged(err, config->dir, "no format version");
	reader_init(&r, (struct span){value.mv_data, value.mv_size});
	format = reader_u32(&r);
	if (format == config->format)
		return GAZ_OK;
	if (config->oldest_format != 0 && format >= config->oldest_format &&
	    format < config->format)
		return s->read_only ? GAZ_OK : write_format(s, txn, config, err);
	return gaz_error_set(err, GAZ_ESTORE,
			     "the store in %s has another format than this gazetteerd "
			     "reads (%u); use the version that wrote it, or another "
			     "--data",
			     config->dir, config->format);
}

static int open_table(const struct store *s, MDB_txn *txn, const char *name, MDB_dbi *out)
{
	int rc = mdb_dbi_open(txn, name, s->read_only ? 0 : MDB_CREATE, out);

	if (rc != MDB_NOTFOUND || !s->read_only)
		return rc;
	*out = ENV_NO_TABLE;
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
		rc = open_table(s, txn, ENV_FORMAT_TABLE,
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

static gaz_status check_pages(MDB_env *env, const char *dir, struct gaz_error *err)
{
	char why[80];
	gaz_status st = store_check_pages(env, why, sizeof why);

	return st == GAZ_OK ? st : damaged(err, dir, why);
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
	st = check_pages(s->env, config->dir, err);
	return st == GAZ_OK ? open_tables(s, config, err) : st;
}

/* Who only reads takes none. */
static gaz_status check_free_pages(struct store *s, const char *dir,
				   struct gaz_error *err)
{
	struct store_txn *txn = NULL;
	gaz_status st = store_begin_read(s, &txn);

	if (st == GAZ_OK)
		st = store_check_free_pages(txn);
	store_abort(&txn);
	if (st == GAZ_ENOMEM)
		return gaz_error_set(err, st, "out of memory");
	return st == GAZ_OK ? st : damaged(err, dir, "the list of free pages");
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
	if (st == GAZ_OK)
		st = check_free_pages(s, config->dir, err);
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
	return rc > 0 && rc != ENOMEM ? GAZ_EIO : env_status_of(rc);
}

gaz_status store_limit_size(struct store *store, size_t bytes)
{
	return mdb_env_set_mapsize(store->env, bytes) == 0 ? GAZ_OK : GAZ_EIO;
}
