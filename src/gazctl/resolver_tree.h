/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/status.h"

/* The files of a machine, or of a copy of its tree (--root): links in the tree lead
 * nowhere outside it. Paths are absolute, as the machine itself sees them. */

struct tree {
	int fd; /* of the root directory */
	bool is_machine;
};

enum tree_kind {
	TREE_NOTHING = 0,
	TREE_FILE,
	TREE_LINK,
	TREE_OTHER, /* a directory, a device: never touched */
};

struct tree_entry {
	enum tree_kind kind;
	mode_t mode; /* of a file; permissions only */
	uid_t uid;
	gid_t gid;
	char *data; /* a file's bytes, or a link's target, with a NUL behind; owned */
	size_t len;
};

/** @param root  NULL: "/"  @return GAZ_OK, GAZ_EIO */
GAZ_MUST_CHECK gaz_status tree_open(const char *root, struct tree *out,
				    struct gaz_error *err);
void tree_close(struct tree *tree);

/** What is there, a link not followed.
 *  @param out  for tree_entry_fini()
 *  @return GAZ_OK (nothing there included), GAZ_EIO, GAZ_ELIMIT (over 1 MiB), GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status tree_look(const struct tree *tree, const char *path,
				    struct tree_entry *out, struct gaz_error *err);

/** The text of a file, links followed; NULL when it cannot be read. To be freed. */
char *tree_read(const struct tree *tree, const char *path);

/** Is there something that can be read, links followed? */
bool tree_exists(const struct tree *tree, const char *path);

/** The names in a directory that end so, sorted; NULL when there are none. Each and the
 *  list itself are to be freed, NULL ends it. */
char **tree_list(const struct tree *tree, const char *path, const char *suffix);

/**
 * Put an entry in the place of what is there, in one step: nobody sees half of it. Only
 * a file that something is mounted on (in containers) is written to in place.
 *
 * @return GAZ_OK, GAZ_EIO; err says what could not be written
 */
GAZ_MUST_CHECK gaz_status tree_put(const struct tree *tree, const char *path,
				   const struct tree_entry *entry, struct gaz_error *err);

/** Make one directory, its parent being there.
 *  @return GAZ_OK, GAZ_EEXISTS (there is something), GAZ_EIO */
GAZ_MUST_CHECK gaz_status tree_mkdir(const struct tree *tree, const char *path,
				     mode_t mode, struct gaz_error *err);

/** Remove a directory if it is empty. */
void tree_rmdir(const struct tree *tree, const char *path);

/** Same kind and same bytes; with `exactly` the same mode and owner too. */
bool tree_entry_equals(const struct tree_entry *a, const struct tree_entry *b,
		       bool exactly);
void tree_entry_fini(struct tree_entry *entry);
