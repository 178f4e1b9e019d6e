/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <pthread.h>

#include "base/status.h"

/* The daemon's threads. Signals are the main thread's alone: SIGPIPE would end the
 * process when a client has gone. */

enum thread_rank {
	THREAD_BEHIND = 0, /* gives way: a nice value above the process's */
	THREAD_FOREMOST,   /* answers queries: the process's nice value, short slices */
};

/**
 * Start a thread.
 *
 * @param name  seen in ps and top; 15 octets at most
 * @return GAZ_OK, GAZ_EIO (no more threads), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status thread_start(pthread_t *out, const char *name,
				       enum thread_rank rank, void *(*run)(void *arg),
				       void *arg);
