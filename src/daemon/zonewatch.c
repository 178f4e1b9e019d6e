/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/zonewatch.h"

#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

struct zonewatch {
	int fd;
};

gaz_status zonewatch_open(struct zonewatch **out)
{
	struct zonewatch *watch = malloc(sizeof *watch);

	if (!watch)
		return GAZ_ENOMEM;
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
gaz_status zonewatch_add(struct zonewatch *watch, const char *folder)
{
	int wd = inotify_add_watch(watch->fd, folder,
				   IN_CLOSE_WRITE | IN_CREATE | IN_DELETE |
					   IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
					   IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);

	return wd < 0 ? GAZ_EIO : GAZ_OK;
}

void zonewatch_clear(struct zonewatch *watch)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (read(watch->fd, events, sizeof events) > 0)
		;
}
