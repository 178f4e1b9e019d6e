/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/* The durable store: one LMDB environment, sorted tables of byte strings.
 * Readers never block the writer nor the writer them. One write transaction
 * at a time, always on the same thread. Spans that point into the store are
 * valid until their transaction ends or, in a write transaction, until the
 * next store_apply(). */

struct store;
struct store_txn;
struct store_cursor;
struct changeset;

struct store_config {
	const char *dir;	   /* created, mode 0700, when it does not exist */
	const char *const *tables; /* names; a table is known by its index */
	size_t table_count;
	uint32_t format; /* version of the contents; another one is refused */
	/* But not one from here on below it: opened to be written it becomes `format`,
	 * and its contents are the caller's affair. 0: none. */
	uint32_t oldest_format;
};

/**
 * Open, or create when empty, and lock against other processes.
 *
 * @param err  one line that says what to do
 * @return GAZ_OK, GAZ_EBUSY (another process has it), GAZ_ESTORE (damaged, or of
 *         another format), GAZ_EIO (directory, disk), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status store_open(const struct store_config *config,
				     struct store **out, struct gaz_error *err);

/**
 * Open for reading alone, and change nothing: a data directory that no daemon has,
 * or a copy of a store, which is one file. A table that is not there is empty.
 *
 * @param config  dir names the directory or the file
 * @return as store_open()
 */
GAZ_MUST_CHECK gaz_status store_open_read(const struct store_config *config,
					  struct store **out, struct gaz_error *err);

/** No transaction may be open. Accepts a pointer to NULL. */
void store_close(struct store **store);

/** @return GAZ_OK, GAZ_ENOMEM, GAZ_ESTORE, GAZ_ELIMIT (too many readers). */
GAZ_MUST_CHECK gaz_status store_begin_read(struct store *store, struct store_txn **out);
GAZ_MUST_CHECK gaz_status store_begin_write(struct store *store, struct store_txn **out);

/** Write a change set. On an error the transaction can only be aborted.
 *  @return GAZ_OK, GAZ_ESTORE (disk or map full, damage), GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status store_apply(struct store_txn *txn, const struct changeset *set);

/** Make everything applied durable (fsync). Consumes the transaction, also on
 *  an error, because LMDB does. @return GAZ_OK, GAZ_ESTORE. */
GAZ_MUST_CHECK gaz_status store_commit(struct store_txn **take);

/** End a transaction and forget what it applied. Accepts a pointer to NULL. */
void store_abort(struct store_txn **txn);

/** @return GAZ_OK, GAZ_ENOTFOUND (also for keys no table can hold), GAZ_ESTORE. */
GAZ_MUST_CHECK gaz_status store_get(struct store_txn *txn, unsigned table,
				    struct span key, struct span *out);

/** The first table by name behind `after` (empty: of all) that is none of the store's.
 *  @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ESTORE. */
GAZ_MUST_CHECK gaz_status store_find_stranger(struct store_txn *txn, struct span after,
					      struct span *name_out);

/** Is the list of the pages that are free one? Writers take pages from it.
 *  @return GAZ_OK, GAZ_ESTORE, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status store_check_free_pages(struct store_txn *txn);

/** The number of entries of a table. @return GAZ_OK, GAZ_ESTORE. */
GAZ_MUST_CHECK gaz_status store_count(struct store_txn *txn, unsigned table, size_t *out);

/** @return GAZ_OK, GAZ_ENOMEM, GAZ_ESTORE. */
GAZ_MUST_CHECK gaz_status store_cursor_open(struct store_txn *txn, unsigned table,
					    struct store_cursor **out);

/** Before the transaction ends. Accepts a pointer to NULL. */
void store_cursor_close(struct store_cursor **cursor);

/** The first entry whose key is not below `key`; an empty key: the first of all.
 *  @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ESTORE. */
GAZ_MUST_CHECK gaz_status store_cursor_seek(struct store_cursor *cursor, struct span key,
					    struct span *key_out, struct span *value_out);

/** The last entry whose key is below `key`. @return as store_cursor_seek(). */
GAZ_MUST_CHECK gaz_status store_cursor_seek_below(struct store_cursor *cursor,
						  struct span key, struct span *key_out,
						  struct span *value_out);

/** The next entry after the cursor. @return as store_cursor_seek(). */
GAZ_MUST_CHECK gaz_status store_cursor_next(struct store_cursor *cursor,
					    struct span *key_out, struct span *value_out);

/* ---- a copy while the store is in use ---- */

/**
 * A file without a name on the store's disk, for a copy: it is gone with the last
 * descriptor of it.
 * @return GAZ_OK, GAZ_EIO
 */
GAZ_MUST_CHECK gaz_status store_open_spool(struct store *store, int *fd_out);

/**
 * Write the store as it is at this moment to a file; any thread. Neither readers nor
 * the writer wait for it. The file is what store_open_read() and a data directory take.
 * @return GAZ_OK, GAZ_EIO (the file cannot be written), GAZ_ESTORE (damaged),
 *         GAZ_ENOMEM, GAZ_ELIMIT (too many readers)
 */
GAZ_MUST_CHECK gaz_status store_copy(struct store *store, int fd);

/** Bound the size of the data file, which is otherwise that of the disk: what does not
 *  fit is refused like by a full disk. While no transaction is open. @return GAZ_OK,
 *  GAZ_EIO. */
GAZ_MUST_CHECK gaz_status store_limit_size(struct store *store, size_t bytes);
