/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include "base/status.h"

/* Listening sockets of the API: non-blocking, close-on-exec. */

/**
 * Bind and listen on a TCP address; accepted sockets do without Nagle's delay.
 *
 * @param bound_out  the real address, when port 0 was asked for
 * @return GAZ_OK, GAZ_EIO; `err` says what to do
 */
GAZ_MUST_CHECK gaz_status listen_tcp(const struct sockaddr *address, int *fd_out,
				     struct sockaddr_storage *bound_out,
				     struct gaz_error *err);

/* A bound unix socket in the file system. */
struct listen_path {
	char *path; /* owned; NULL: none */
	dev_t device;
	ino_t inode;
};

/**
 * Bind and listen on a unix socket of mode 0660. Makes the last folder of the
 * path when it is missing. A socket that nobody listens on is replaced.
 * Changes the process's umask for a moment: call before threads start.
 *
 * @return GAZ_OK, GAZ_EBUSY (somebody listens there), GAZ_EIO, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status listen_unix(const char *path, int *fd_out,
				      struct listen_path *out, struct gaz_error *err);

/** Remove the socket from the file system, if it is still ours. */
void listen_path_close(struct listen_path *path);
