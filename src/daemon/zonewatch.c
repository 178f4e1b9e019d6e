/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/zonewatch.h"

#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

struct zonewatch {
	int fd;
	int newest; /* watch descriptor: the kernel numbers new ones upwards */
};

gaz_status zonewatch_open(struct zonewatch **out)
{
	struct zonewatch *watch = malloc(sizeof *watch);

	if (!watch)
		return GAZ_ENOMEM;
	watch->newest = 0;
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0) {
		free(watch);
		return GAZ_EIO;
	}
	*out = watch;
	return GAZ_OK;
}

void zonewatch_close(struct zonewatch **watch)
{
	if (!*watch)
		return;
	close((*watch)->fd);
	free(*watch);
	*watch = NULL;
}

int zonewatch_fd(const struct zonewatch *watch)
{
	return watch->fd;
}

/* Not IN_MODIFY: what is being written is read when it has been closed. */
gaz_status zonewatch_add(struct zonewatch *watch, const char *folder, bool *is_new_out)
{
	int wd = inotify_add_watch(watch->fd, folder,
				   IN_CLOSE_WRITE | IN_CREATE | IN_DELETE |
					   IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
					   IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);

	if (wd < 0)
		return GAZ_EIO;
	if (wd > watch->newest) {
		watch->newest = wd;
		*is_new_out = true;
	}
	return GAZ_OK;
}

void zonewatch_clear(struct zonewatch *watch)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (read(watch->fd, events, sizeof events) > 0)
		;
}
