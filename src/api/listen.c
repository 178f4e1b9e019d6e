/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "base/path.h"
#include "base/portowner.h"

enum {
	BACKLOG = 256
};

static gaz_status tcp_error(struct gaz_error *err, const struct sockaddr *address, int fd)
{
	char owner[PORTOWNER_SIZE] = "another program, which has ended meanwhile";
	char text[NETADDR_TEXT_SIZE];
	int error = errno;

	if (fd >= 0)
		close(fd);
	netaddr_print_endpoint(address, text);
	if (error == EADDRINUSE) {
		(void)portowner_find(address, owner);
		return gaz_error_set(err, GAZ_EIO,
				     "cannot listen on %s for the API: the port is in "
				     "use by %s; stop that or choose another with --api",
				     text, owner);
	}
	return gaz_error_set(err, GAZ_EIO, "cannot listen on %s for the API: %s", text,
			     strerror(error));
}

gaz_status listen_tcp(const struct sockaddr *address, int *fd_out,
		      struct sockaddr_storage *bound_out, struct gaz_error *err)
{
	const int on = 1;
	socklen_t len = sizeof *bound_out;
	int fd =
		socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* Linux hands TCP_NODELAY on to accepted sockets. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
	    (address->sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) ||
	    bind(fd, address, netaddr_sockaddr_len(address)) < 0 ||
	    listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)bound_out, &len) < 0)
		return tcp_error(err, address, fd);
	*fd_out = fd;
	return GAZ_OK;
}

static gaz_status unix_error(struct gaz_error *err, const char *path, const char *what)
{
	return gaz_error_set(err, GAZ_EIO, "cannot listen on the socket %s: %s", path,
			     what);
}

/* Is somebody listening? A socket left behind by a crash refuses connections. */
static bool is_live(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool live;

	if (fd < 0)
		return true;
	live = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
	       errno != ECONNREFUSED;
	close(fd);
	return live;
}

static gaz_status clear_stale(const struct sockaddr_un *address, struct gaz_error *err)
{
	const char *path = address->sun_path;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? GAZ_OK : unix_error(err, path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return unix_error(
			err, path,
			"something that is not a socket is there; move it away or "
			"choose another path with --socket");
	if (is_live(address))
		return gaz_error_set(
			err, GAZ_EBUSY,
			"somebody listens on the socket %s: another gazetteerd "
			"runs; stop it or choose another path with --socket",
			path);
	if (unlink(path) < 0 && errno != ENOENT)
		return unix_error(err, path, strerror(errno));
	return GAZ_OK;
}

/* The mode must be right from the first moment on, hence the umask. */
static int bind_with_mode_0660(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t old;
	int result;

	if (fd < 0)
		return -1;
	old = umask(0117);
	result = bind(fd, (const struct sockaddr *)address, sizeof *address);
	umask(old);
	if (result < 0 || listen(fd, BACKLOG) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

gaz_status listen_unix(const char *path, int *fd_out, struct listen_path *out,
		       struct gaz_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	gaz_status status;
	int fd;

	if (strlen(path) >= sizeof address.sun_path)
		return unix_error(err, path, "the path is longer than 107 bytes");
	memcpy(address.sun_path, path, strlen(path));
	if ((status = path_make_parents(path, err)) != GAZ_OK ||
	    (status = clear_stale(&address, err)) != GAZ_OK)
		return status;
	fd = bind_with_mode_0660(&address);
	if (fd < 0)
		return unix_error(err, path, strerror(errno));
	out->path = strdup(path);
	if (!out->path || lstat(path, &st) < 0) {
		close(fd);
		unlink(path);
		free(out->path);
		out->path = NULL;
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	}
	out->device = st.st_dev;
	out->inode = st.st_ino;
	*fd_out = fd;
	return GAZ_OK;
}

void listen_path_close(struct listen_path *path)
{
	struct stat st;

	if (!path->path)
		return;
	if (lstat(path->path, &st) == 0 && st.st_dev == path->device &&
	    st.st_ino == path->inode)
		(void)unlink(path->path);
	free(path->path);
	path->path = NULL;
}
