/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/thread.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
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

/* A timer may be late by 50 microseconds (PR_SET_TIMERSLACK, prctl(2)), so that several
 * threads can be woken at once. That is as long as a worker wants to rest. */
static void ask_for_exact_timers(void)
{
	(void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

static void *begin(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	/* On Linux each thread has a nice value of its own; to raise it needs no privilege,
	 * and what is too high becomes the highest. */
	if (start.rank == THREAD_BEHIND) {
		(void)setpriority(PRIO_PROCESS, 0,
				  getpriority(PRIO_PROCESS, (id_t)getpid()) +
					  BEHIND_NICE);
	} else {
		ask_for_short_slices();
		ask_for_exact_timers();
	}
	return start.run(start.arg);
}

/* What the C library calls a set of so many octets. */
static cpu_set_t *kernel_set(struct cpus *cpus)
{
	return (cpu_set_t *)(void *)cpus->bits;
}

gaz_status thread_read_cpus(struct cpus *out)
{
	struct cpus cpus = {{0}};

	if (sched_getaffinity(0, sizeof cpus.bits, kernel_set(&cpus)) != 0)
		return GAZ_EIO;
	*out = cpus;
	return GAZ_OK;
}

/* Whatever a library has started before main() does not come from us. What has ended
 * meanwhile, or no /proc, is nothing to stop for. */
static void keep_all_threads(struct cpus *cpus)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *entry;

	while (tasks && (entry = readdir(tasks))) {
		pid_t id = (pid_t)strtol(entry->d_name, NULL, 10);

		if (id > 0) /* not . or .. */
			(void)sched_setaffinity(id, sizeof cpus->bits, kernel_set(cpus));
	}
	if (tasks)
		closedir(tasks);
}

gaz_status thread_keep_to(const struct cpus *cpus)
{
	struct cpus copy = *cpus;

	if (sched_setaffinity(0, sizeof copy.bits, kernel_set(&copy)) != 0)
		return GAZ_EIO;
	keep_all_threads(&copy);
	return GAZ_OK;
}

/* With the CPU among its attributes the thread does nothing before it is there. */
static int create(pthread_t *out, int cpu, struct start *start)
{
	struct cpus one = {{0}};
	pthread_attr_t attributes;
	int error;

	if (cpu < 0)
		return pthread_create(out, NULL, begin, start);
	cpus_add(&one, (unsigned)cpu);
	error = pthread_attr_init(&attributes);
	if (error != 0)
		return error;
	error = pthread_attr_setaffinity_np(&attributes, sizeof one.bits,
					    kernel_set(&one));
	if (error == 0)
		error = pthread_create(out, &attributes, begin, start);
	pthread_attr_destroy(&attributes);
	return error;
}

gaz_status thread_start_on(int cpu, pthread_t *out, const char *name,
			   enum thread_rank rank, void *(*run)(void *arg), void *arg)
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
	error = create(out, cpu, start);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error != 0) {
		free(start);
		return GAZ_EIO;
	}
	(void)pthread_setname_np(*out, name);
	return GAZ_OK;
}

gaz_status thread_start(pthread_t *out, const char *name, enum thread_rank rank,
			void *(*run)(void *arg), void *arg)
{
	return thread_start_on(-1, out, name, rank, run, arg);
}
