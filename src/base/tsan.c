/* SPDX-License-Identifier: BSD-2-Clause */

/* Only in builds with ThreadSanitizer, which sees what our code does, but not what
 * liburcu does, whose packaged library is not instrumented. The linker leads our
 * calls of liburcu here (--wrap, see configure.ac), and each tells ThreadSanitizer
 * what liburcu's documentation promises, no more:
 *
 * - what a reader did before rcu_read_unlock() is over when a callback runs that
 *   was handed to call_rcu() meanwhile, and when synchronize_rcu() returns;
 * - what was done before call_rcu() is seen by its callback;
 * - what callbacks did is seen after rcu_barrier().
 *
 * Nothing is said of what a writer publishes: that is the business of our own
 * atomics. So memory that is freed or changed while a reader may hold it, a read
 * outside of a read section, and a pointer that is published or read without
 * order all remain to be found. Memory of a read section that has not ended has no
 * order with the callback: the section's end comes too late for it. */

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include <urcu.h>

void __tsan_acquire(void *at);
void __tsan_release(void *at);

void __real_urcu_memb_read_unlock(void);
void __real_urcu_memb_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *));
void __real_urcu_memb_synchronize_rcu(void);

void __wrap_urcu_memb_read_unlock(void);
void __wrap_urcu_memb_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *));
void __wrap_urcu_memb_barrier(void);
void __wrap_urcu_memb_synchronize_rcu(void);

enum {
	BARRIER_POLL_US = 100
};

/* ThreadSanitizer knows points of order by their addresses. */
static char sections_ended;
static char callbacks_ended;
static atomic_size_t calls; /* that have not ended; relaxed, so that it orders nothing */

/* A callback on its way; liburcu gets this one's head. */
struct call {
	struct rcu_head head;
	struct rcu_head *callers_head;
	void (*func)(struct rcu_head *);
};

void __wrap_urcu_memb_read_unlock(void)
{
	__tsan_release(&sections_ended);
	__real_urcu_memb_read_unlock();
}

void __wrap_urcu_memb_synchronize_rcu(void)
{
	__real_urcu_memb_synchronize_rcu();
	__tsan_acquire(&sections_ended);
}

static void run_call(struct rcu_head *head)
{
	struct call *call = caa_container_of(head, struct call, head);

	__tsan_acquire(&sections_ended);
	__tsan_acquire(call);
	call->func(call->callers_head);
	free(call);
	__tsan_release(&callbacks_ended);
	atomic_fetch_sub_explicit(&calls, 1, memory_order_relaxed);
}

void __wrap_urcu_memb_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *))
{
	void *room;
	struct call *call;

	/* Not malloc(): tests make that fail, and this cannot. */
	if (posix_memalign(&room, sizeof(void *), sizeof *call) != 0)
		abort();
	call = room;
	call->callers_head = head;
	call->func = func;
	atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
	__tsan_release(call);
	__real_urcu_memb_call_rcu(&call->head, run_call);
}

/* liburcu's own hands memory from thread to thread by its own means, which would be
 * reported. */
void __wrap_urcu_memb_barrier(void)
{
	while (atomic_load_explicit(&calls, memory_order_relaxed) > 0)
		(void)usleep(BARRIER_POLL_US);
	__tsan_acquire(&callbacks_ended);
}
