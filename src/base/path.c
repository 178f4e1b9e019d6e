/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An unset and an empty variable are the same. */
static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static gaz_status join(char out[PATH_SIZE], const char *a, const char *b)
{
	int len = snprintf(out, PATH_SIZE, "%s%s", a, b);

	return len > 0 && len < PATH_SIZE ? GAZ_OK : GAZ_ELIMIT;
}

gaz_status path_default_socket(char out[PATH_SIZE])
{
	char user[64];

	if (env("RUNTIME_DIRECTORY"))
		return join(out, env("RUNTIME_DIRECTORY"), "/api.sock");
	if (geteuid() == 0)
		return join(out, "/run", "/gazetteer/api.sock");
	if (env("XDG_RUNTIME_DIR"))
		return join(out, env("XDG_RUNTIME_DIR"), "/gazetteer/api.sock");
	(void)snprintf(user, sizeof user, "/tmp/gazetteer-%u", (unsigned)geteuid());
	return join(out, user, "/api.sock");
}

gaz_status path_default_data(char out[PATH_SIZE])
{
	if (env("STATE_DIRECTORY"))
		return join(out, env("STATE_DIRECTORY"), "");
	if (geteuid() == 0)
		return join(out, "/var/lib", "/gazetteer");
	if (env("XDG_STATE_HOME"))
		return join(out, env("XDG_STATE_HOME"), "/gazetteer");
	return join(out, env("HOME") ? env("HOME") : "/tmp", "/.local/state/gazetteer");
}

gaz_status path_make_parents(const char *path, struct gaz_error *err)
{
	char parent[PATH_SIZE];
	size_t len = strlen(path);

	if (len >= sizeof parent)
		return gaz_error_set(err, GAZ_EIO, "%s: the path is too long", path);
	memcpy(parent, path, len + 1);
	while (len > 1 && parent[len - 1] == '/')
		parent[--len] = '\0';
	for (char *at = strchr(parent + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(parent, 0755) != 0 && errno != EEXIST)
			return gaz_error_set(err, GAZ_EIO,
					     "cannot create %s: %s; create it or choose "
					     "another path",
					     parent, strerror(errno));
		*at = '/';
	}
	return GAZ_OK;
}
