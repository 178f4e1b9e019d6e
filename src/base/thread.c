/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/thread.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* A DNS worker that wakes takes the core from a thread so far behind nearly always at
 * once; beside other programs that want it, the thread keeps a third of its share. */
static const int BEHIND_NICE = 5;

struct start {
	enum thread_rank rank;
	void *(*run)(void *arg);
	void *arg;
};

static void *begin(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	/* On Linux each thread has a nice value of its own; to raise it needs no privilege,
	 * and what is too high becomes the highest. */
	if (start.rank == THREAD_BEHIND)
		(void)setpriority(PRIO_PROCESS, 0,
				  getpriority(PRIO_PROCESS, (id_t)getpid()) +
					  BEHIND_NICE);
	return start.run(start.arg);
}

gaz_status thread_start(pthread_t *out, const char *name, enum thread_rank rank,
			void *(*run)(void *arg), void *arg)
{
	struct start *start = malloc(sizeof *start);
	sigset_t all;
	sigset_t old;
	int error;

	if (!start)
		return GAZ_ENOMEM;
	*start = (struct start){rank, run, arg};
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(out, NULL, begin, start);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error != 0) {
		free(start);
		return GAZ_EIO;
	}
	(void)pthread_setname_np(*out, name);
	return GAZ_OK;
}
