/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/datadir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

gaz_status datadir_make_temporary(char out[PATH_SIZE], struct gaz_error *err)
{
	const char *base = getenv("TMPDIR");
	int len = snprintf(out, PATH_SIZE, "%s/gazetteer-XXXXXX",
			   base && *base ? base : "/tmp");

	if (len >= PATH_SIZE || !mkdtemp(out))
		return gaz_error_set(
			err, GAZ_EIO,
			"cannot make a temporary directory under %s: %s; set TMPDIR, "
			"or give --data instead of --ephemeral",
			base && *base ? base : "/tmp", strerror(errno));
	return GAZ_OK;
}

void datadir_remove(const char *dir)
{
	static const char *const files[] = {"data.mdb", "lock.mdb", "gazetteerd.lock"};
	char path[PATH_SIZE + 32];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}
