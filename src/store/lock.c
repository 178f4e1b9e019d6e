/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/lock-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

static gaz_status take(int fd, int how, const char *dir, int *fd_out,
		       struct gaz_error *err)
{
	if (flock(fd, how | LOCK_NB) != 0) {
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

gaz_status lock_dir(const char *dir, int *fd_out, struct gaz_error *err)
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
	return take(fd, LOCK_EX, dir, fd_out, err);
}

gaz_status lock_dir_shared(const char *dir, int *fd_out, struct gaz_error *err)
{
	char path[PATH_SIZE];
	int fd;

	(void)snprintf(path, sizeof path, "%s/gazetteerd.lock", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		*fd_out = -1;
		return GAZ_OK;
	}
	if (fd < 0)
		return gaz_error_set(err, GAZ_EIO, "cannot open %s: %s; %s", path,
				     strerror(errno),
				     errno == ENOTDIR ? "--data must name a directory"
						      : "run as the user of gazetteerd");
	return take(fd, LOCK_SH, dir, fd_out, err);
}
