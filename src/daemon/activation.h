/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "daemon/options.h"

/* Socket activation: listening sockets that the service manager has opened and hands
 * over (the protocol of sd_listen_fds(3): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES).
 * Ports below 1024 need no privilege this way, and queries that come while the daemon
 * is started again wait for it. */

/**
 * Take the sockets over into the options. A unix socket is the management socket; TCP
 * listeners whose FileDescriptorName begins with "api" are the API's; all others are
 * DNS, of which each address needs UDP and TCP. An address that --listen or --api names
 * too gets its socket from here, VPC and all; the others are added. Does nothing when
 * there are none, or when they are meant for another process. The environment variables
 * are removed.
 *
 * @return GAZ_OK, GAZ_EFORMAT (err says what to change in the socket unit), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status activation_take(struct options *options, struct gaz_error *err);
