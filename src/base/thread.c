/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A DNS worker that wakes takes the core from a thread so far behind nearly always at
 * once; beside other programs that want it, the thread keeps a third of its share. */
static const int BEHIND_NICE = 5;

/* The slice of time that a DNS worker asks for: the least that Linux grants. It needs
 * little at a time, but soon. */
static const uint64_t FOREMOST_SLICE_NS = 100000;

struct start {
	enum thread_rank rank;
	void *(*run)(void *arg);
	void *arg;
};

/* sched_setattr(2), which the C library lacks. */
struct sched_attributes {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
};

/* Since Linux 6.12 who wants short slices comes before those that have longer ones; before
 * that it means nothing. It needs no privilege. */
static void ask_for_short_slices(void)
{
	const struct sched_attributes attributes = {
		.size = sizeof attributes,
		.policy = SCHED_OTHER,
		.nice = getpriority(PRIO_PROCESS, 0),
		.runtime = FOREMOST_SLICE_NS,
	};

	(void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

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
	else
		ask_for_short_slices();
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
