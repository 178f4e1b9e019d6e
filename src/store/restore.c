/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/lock-internal.h"

enum {
	COPY_SIZE = 1 << 20, /* octets at a time */
	NAME_ROOM = 64,	     /* of a file in the directory */
	DIR_MAX = PATH_SIZE - NAME_ROOM,
};

struct restore {
	char dir[DIR_MAX];
	char copy[PATH_SIZE];
	int lock_fd;
	bool made_dir;
	bool has_copy;
};

static gaz_status failed(struct gaz_error *err, const char *what, const char *path)
{
	return gaz_error_set(err, GAZ_EIO, "cannot %s %s: %s; nothing was changed", what,
			     path, strerror(errno));
}

static void join(const char *dir, const char *name, char out[PATH_SIZE])
{
	(void)snprintf(out, PATH_SIZE, "%s/%s", dir, name);
}

static const char COPY_PREFIX[] = ".restore-";

/* Nothing of anybody in it, but what a daemon that was never used leaves, or a
 * restore that was killed. */
static gaz_status check_empty(const char *dir, struct gaz_error *err)
{
	static const char *const allowed[] = {".", "..", "gazetteerd.lock", "lock.mdb",
					      "lost+found"};
	const size_t allowed_count = sizeof allowed / sizeof *allowed;
	DIR *handle = opendir(dir);
	const struct dirent *entry;
	gaz_status st = GAZ_OK;

	if (!handle)
		return failed(err, "read", dir);
	while (st == GAZ_OK && (entry = readdir(handle))) {
		size_t i = 0;

		while (i < allowed_count && strcmp(entry->d_name, allowed[i]) != 0)
			i++;
		if (i == allowed_count &&
		    strncmp(entry->d_name, COPY_PREFIX, sizeof COPY_PREFIX - 1) != 0)
			st = gaz_error_set(
				err, GAZ_EEXISTS,
				"the data directory %s is not empty (%.64s); choose "
				"another with --data, or give --force: a store in it is "
				"then kept beside the new one",
				dir, entry->d_name);
	}
	closedir(handle);
	return st;
}

static gaz_status check_unused(const char *dir, bool replace, struct gaz_error *err)
{
	int fd = -1;
	gaz_status st = lock_dir_shared(dir, &fd, err);

	if (fd >= 0)
		close(fd);
	return st == GAZ_OK && !replace ? check_empty(dir, err) : st;
}

static gaz_status copy_all(int from, int to, char *buffer)
{
	for (;;) {
		ssize_t got = read(from, buffer, COPY_SIZE);

		if (got == 0)
			return fsync(to) == 0 ? GAZ_OK : GAZ_EIO;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return GAZ_EIO;
		for (ssize_t done = 0; done < got;) {
			ssize_t put = write(to, buffer + done, (size_t)(got - done));

			if (put < 0 && errno != EINTR)
				return GAZ_EIO;
			done += put > 0 ? put : 0;
		}
	}
}

/* Root restores for the user whose directory it is. */
static void give_to_owner(int fd, const char *dir)
{
	struct stat owner;

	if (geteuid() == 0 && stat(dir, &owner) == 0 &&
	    fchown(fd, owner.st_uid, owner.st_gid) != 0)
		errno = 0; /* the daemon will tell */
}

static gaz_status copy_file(struct restore *r, const char *file, struct gaz_error *err)
{
	char *buffer = malloc(COPY_SIZE);
	int from = open(file, O_RDONLY | O_CLOEXEC);
	int to = -1;
	gaz_status st = GAZ_OK;

	(void)snprintf(r->copy, sizeof r->copy, "%s/%sXXXXXX", r->dir, COPY_PREFIX);
	if (!buffer)
		st = gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	else if (from < 0)
		st = failed(err, "open", file);
	else if ((to = mkstemp(r->copy)) < 0)
		st = failed(err, "write to", r->dir);
	r->has_copy = to >= 0;
	if (st == GAZ_OK && copy_all(from, to, buffer) != GAZ_OK)
		st = failed(err, "copy", file);
	if (to >= 0) {
		give_to_owner(to, r->dir);
		close(to);
	}
	if (from >= 0)
		close(from);
	free(buffer);
	return st;
}

/* A second name for the former store: the first one stays until the new store
 * takes it over, so that there is one at any moment. */
static gaz_status keep_former(const struct restore *r, const char *data, char *kept,
			      struct gaz_error *err)
{
	time_t now = time(NULL);
	struct tm tm;
	char stamp[24] = "";
	char name[NAME_ROOM];

	kept[0] = '\0';
	if (access(data, F_OK) != 0)
		return GAZ_OK;
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	for (unsigned n = 1; n < 1000; n++) {
		(void)snprintf(name, sizeof name, "data.mdb.before-%s-%u", stamp, n);
		join(r->dir, name, kept);
		if (link(data, kept) == 0)
			return GAZ_OK;
		if (errno != EEXIST)
			break;
	}
	return failed(err, "keep the former store as", kept);
}

static void sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* Make the copied file the store, at once. */
static gaz_status finish(struct restore *r, char kept_out[PATH_SIZE],
			 struct gaz_error *err)
{
	char data[PATH_SIZE];
	char readers[PATH_SIZE];
	gaz_status st;

	join(r->dir, "data.mdb", data);
	join(r->dir, "lock.mdb", readers);
	st = keep_former(r, data, kept_out, err);
	/* LMDB's table of readers is of the former store. We hold the lock, so there
	 * are none. */
	if (st == GAZ_OK)
		(void)unlink(readers);
	if (st == GAZ_OK && rename(r->copy, data) != 0) {
		st = failed(err, "write", data);
		if (*kept_out)
			(void)unlink(kept_out);
	}
	if (st == GAZ_OK) {
		r->has_copy = false;
		r->made_dir = false;
		sync_dir(r->dir);
	}
	return st;
}

/* What is not in its place goes. */
static void clean_up(const struct restore *r)
{
	char path[PATH_SIZE];

	if (r->has_copy)
		(void)unlink(r->copy);
	if (r->made_dir) {
		join(r->dir, "gazetteerd.lock", path);
		(void)unlink(path);
		(void)rmdir(r->dir);
	}
	if (r->lock_fd >= 0)
		close(r->lock_fd);
}

gaz_status restore_store(const char *file, const char *dir, bool replace,
			 char kept_out[PATH_SIZE], struct gaz_error *err)
{
	struct restore r = {.lock_fd = -1};
	struct stat info;
	gaz_status st = GAZ_OK;

	kept_out[0] = '\0';
	if (strlen(dir) >= sizeof r.dir)
		return gaz_error_set(err, GAZ_EIO, "the path of --data is too long");
	strcpy(r.dir, dir);
	r.made_dir = stat(dir, &info) != 0;
	/* First without creating anything, in a directory that may be somebody else's. */
	if (!r.made_dir)
		st = check_unused(dir, replace, err);
	if (st == GAZ_OK)
		st = lock_dir(dir, &r.lock_fd, err);
	if (st == GAZ_OK)
		give_to_owner(r.lock_fd, dir);
	if (st == GAZ_OK)
		st = copy_file(&r, file, err);
	if (st == GAZ_OK)
		st = finish(&r, kept_out, err);
	clean_up(&r);
	return st;
}
