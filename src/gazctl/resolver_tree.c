/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/resolver_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/path.h"

enum {
	FILE_MAX = 1 << 20,
	TEMPORARY_TRIES = 100,
};

gaz_status tree_open(const char *root, struct tree *out, struct gaz_error *err)
{
	out->is_machine = root == NULL;
	out->fd = open(root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (out->fd >= 0)
		return GAZ_OK;
	return gaz_error_set(err, GAZ_EIO, "cannot open %s: %s", root ? root : "/",
			     strerror(errno));
}

void tree_close(struct tree *tree)
{
	if (tree->fd >= 0)
		close(tree->fd);
	tree->fd = -1;
}

/* The kernel itself keeps links inside. Where it is too old for that, only the machine's
 * own tree can be used, which needs no keeping. */
static int open_in(const struct tree *tree, const char *path, int flags)
{
	struct open_how how = {.flags = (__u64)(unsigned)(flags | O_CLOEXEC),
			       .resolve = RESOLVE_IN_ROOT};
	long fd = syscall(SYS_openat2, tree->fd, path, &how, sizeof how);

	if (fd < 0 && errno != ENOENT && tree->is_machine)
		return open(path, flags | O_CLOEXEC);
	return (int)fd;
}

static gaz_status cannot(struct gaz_error *err, const char *what, const char *path)
{
	int cause = errno;
	const char *advice = "";

	if (cause == EPERM && geteuid() == 0)
		advice = "; is it marked as immutable? see lsattr and chattr -i";
	else if (cause == EACCES || cause == EPERM)
		advice = "; run it as root";
	return gaz_error_set(err, GAZ_EIO, "cannot %s %s: %s%s", what, path,
			     strerror(cause), advice);
}

/* The directory of a path, and its last name. */
static int open_parent(const struct tree *tree, const char *path, const char **name_out)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_SIZE];

	if (!slash || slash - path >= PATH_SIZE) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
	*name_out = slash + 1;
	return open_in(tree, *parent ? parent : "/", O_PATH | O_DIRECTORY);
}

static gaz_status read_all(int fd, struct tree_entry *out)
{
	size_t len = 0;
	char *data = malloc(FILE_MAX + 1);
	ssize_t got;

	if (!data)
		return GAZ_ENOMEM;
	while (len <= FILE_MAX && (got = read(fd, data + len, FILE_MAX + 1 - len)) > 0)
		len += (size_t)got;
	if (len > FILE_MAX || got < 0) {
		free(data);
		return len > FILE_MAX ? GAZ_ELIMIT : GAZ_EIO;
	}
	data[len] = '\0';
	out->data = data;
	out->len = len;
	return GAZ_OK;
}

static gaz_status read_link(int dir, const char *name, struct tree_entry *out)
{
	char target[PATH_SIZE];
	ssize_t len = readlinkat(dir, name, target, sizeof target - 1);

	if (len < 0)
		return GAZ_EIO;
	target[len] = '\0';
	out->data = strdup(target);
	out->len = (size_t)len;
	return out->data ? GAZ_OK : GAZ_ENOMEM;
}

static gaz_status look_in(int dir, const char *name, struct tree_entry *out)
{
	struct stat info;
	gaz_status st;
	int fd;

	if (fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? GAZ_OK : GAZ_EIO;
	out->mode = info.st_mode & 07777;
	out->uid = info.st_uid;
	out->gid = info.st_gid;
	out->kind = S_ISREG(info.st_mode)   ? TREE_FILE
		    : S_ISLNK(info.st_mode) ? TREE_LINK
					    : TREE_OTHER;
	if (out->kind == TREE_LINK)
		return read_link(dir, name, out);
	if (out->kind == TREE_OTHER)
		return GAZ_OK;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return GAZ_EIO;
	st = read_all(fd, out);
	close(fd);
	return st;
}

gaz_status tree_look(const struct tree *tree, const char *path, struct tree_entry *out,
		     struct gaz_error *err)
{
	const char *name;
	gaz_status st;
	int dir = open_parent(tree, path, &name);

	*out = (struct tree_entry){.kind = TREE_NOTHING};
	if (dir < 0)
		return errno == ENOENT ? GAZ_OK : cannot(err, "open", path);
	st = look_in(dir, name, out);
	if (st == GAZ_ELIMIT)
		gaz_error_set(err, st, "%s is larger than 1 MiB: not touched", path);
	else if (st != GAZ_OK)
		st = cannot(err, "read", path);
	close(dir);
	return st;
}

char *tree_read(const struct tree *tree, const char *path)
{
	struct tree_entry entry = {0};
	int fd = open_in(tree, path, O_RDONLY | O_NONBLOCK);
	gaz_status st;

	if (fd < 0)
		return NULL;
	st = read_all(fd, &entry);
	close(fd);
	return st == GAZ_OK ? entry.data : NULL;
}

bool tree_exists(const struct tree *tree, const char *path)
{
	int fd = open_in(tree, path, O_PATH);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_in(const char *text, const char *suffix)
{
	size_t len = strlen(text), suffix_len = strlen(suffix);

	return len > suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

char **tree_list(const struct tree *tree, const char *path, const char *suffix)
{
	int fd = open_in(tree, path, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *item;
	char **names = NULL, **more;
	size_t count = 0;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (item = readdir(dir)) != NULL) {
		if (!ends_in(item->d_name, suffix))
			continue;
		more = realloc(names, (count + 2) * sizeof *names);
		if (!more)
			break;
		names = more;
		names[count] = strdup(item->d_name);
		count += names[count] != NULL;
		names[count] = NULL;
	}
	if (dir)
		(void)closedir(dir);
	if (count > 0)
		qsort(names, count, sizeof *names, compare_names);
	return names;
}

static bool write_all(int fd, const struct tree_entry *entry)
{
	size_t done = 0;

	while (done < entry->len) {
		ssize_t n = write(fd, entry->data + done, entry->len - done);

		if (n < 0)
			return false;
		done += (size_t)n;
	}
	/* The owner first: a change of it takes away set-id bits. */
	return fchown(fd, entry->uid, entry->gid) == 0 && fchmod(fd, entry->mode) == 0 &&
	       fsync(fd) == 0;
}

static bool make_temporary(int dir, const struct tree_entry *entry, char name[64])
{
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		int fd;

		(void)snprintf(name, 64, ".gazctl-%d-%d", (int)getpid(), i);
		if (entry->kind == TREE_LINK) {
			if (symlinkat(entry->data, dir, name) == 0)
				return fchownat(dir, name, entry->uid, entry->gid,
						AT_SYMLINK_NOFOLLOW) == 0;
		} else {
			fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				    0600);
			if (fd >= 0) {
				bool ok = write_all(fd, entry);

				return close(fd) == 0 && ok;
			}
		}
		if (errno != EEXIST)
			return false;
	}
	return false;
}

static bool overwrite(int dir, const char *name, const struct tree_entry *entry)
{
	int fd = openat(dir, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
	bool ok = fd >= 0 && write_all(fd, entry);

	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	return ok;
}

/* A mount point cannot be replaced: its file is written to. When that fails half way,
 * what was there is written back: for that there was room. */
static bool write_in_place(int dir, const char *name, const struct tree_entry *entry)
{
	struct tree_entry old = {.kind = TREE_NOTHING};
	bool ok = look_in(dir, name, &old) == GAZ_OK && overwrite(dir, name, entry);
	int cause = errno;

	if (!ok && old.kind == TREE_FILE)
		(void)overwrite(dir, name, &old);
	tree_entry_fini(&old);
	errno = cause;
	return ok;
}

static bool put_in(int dir, const char *name, const struct tree_entry *entry)
{
	char temporary[64];
	int cause;

	if (entry->kind == TREE_NOTHING)
		return unlinkat(dir, name, 0) == 0 || errno == ENOENT;
	if (make_temporary(dir, entry, temporary) &&
	    renameat(dir, temporary, dir, name) == 0)
		return true;
	cause = errno;
	(void)unlinkat(dir, temporary, 0);
	if (cause == EBUSY && entry->kind == TREE_FILE)
		return write_in_place(dir, name, entry);
	errno = cause;
	return false;
}

gaz_status tree_put(const struct tree *tree, const char *path,
		    const struct tree_entry *entry, struct gaz_error *err)
{
	const char *name;
	int dir = open_parent(tree, path, &name);
	bool ok;

	if (dir < 0)
		return entry->kind == TREE_NOTHING && errno == ENOENT
			       ? GAZ_OK
			       : cannot(err, "write", path);
	ok = put_in(dir, name, entry);
	if (!ok)
		(void)cannot(err, "write", path);
	close(dir);
	return ok ? GAZ_OK : GAZ_EIO;
}

gaz_status tree_mkdir(const struct tree *tree, const char *path, mode_t mode,
		      struct gaz_error *err)
{
	const char *name;
	int dir = open_parent(tree, path, &name);
	gaz_status st = GAZ_OK;

	if (dir < 0)
		return cannot(err, "create", path);
	if (mkdirat(dir, name, mode) != 0)
		st = errno == EEXIST ? GAZ_EEXISTS : cannot(err, "create", path);
	close(dir);
	return st;
}

void tree_rmdir(const struct tree *tree, const char *path)
{
	const char *name;
	int dir = open_parent(tree, path, &name);

	if (dir < 0)
		return;
	(void)unlinkat(dir, name, AT_REMOVEDIR);
	close(dir);
}

bool tree_entry_equals(const struct tree_entry *a, const struct tree_entry *b,
		       bool exactly)
{
	if (a->kind != b->kind || a->len != b->len ||
	    (a->len > 0 && memcmp(a->data, b->data, a->len) != 0))
		return false;
	return !exactly || (a->mode == b->mode && a->uid == b->uid && a->gid == b->gid);
}

void tree_entry_fini(struct tree_entry *entry)
{
	free(entry->data);
	*entry = (struct tree_entry){.kind = TREE_NOTHING};
}
