/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <pthread.h>

#include "base/cpus.h"
#include "base/status.h"

/* The daemon's threads. Signals are the main thread's alone: SIGPIPE would end the
 * process when a client has gone. */

enum thread_rank {
	THREAD_BEHIND = 0, /* gives way: a nice value above the process's */
	THREAD_FOREMOST,   /* answers queries: the process's nice value, short slices,
			      exact timers */
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

/** The same, on that CPU alone from the thread's first instruction on; -1: wherever the
 *  calling thread may run, as above. @return also GAZ_EIO when it may not be used */
GAZ_MUST_CHECK gaz_status thread_start_on(int cpu, pthread_t *out, const char *name,
					  enum thread_rank rank, void *(*run)(void *arg),
					  void *arg);

/** Where the calling thread may run: of a process that was not told otherwise, all CPUs
 *  that it may use. @return GAZ_OK, GAZ_EIO */
GAZ_MUST_CHECK gaz_status thread_read_cpus(struct cpus *out);

/** Keep all threads that there are to these CPUs, and with them whatever threads they start
 *  from now on, those of libraries among them. @return GAZ_OK, GAZ_EIO */
GAZ_MUST_CHECK gaz_status thread_keep_to(const struct cpus *cpus);
