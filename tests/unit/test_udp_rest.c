/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/udp.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <urcu.h>

#include <cmocka.h>

#include "dns/cookie.h"
#include "responder/core.h"
#include "responder_harness.h"

/* A worker's loop in the test's own thread, so that all that comes while it rests comes from
 * __wrap_nanosleep(). One of its two sockets has a busy client; who asks the other one while
 * the worker rests may have to wait for one rest more, no further ones. */

enum {
	BURST = 8,
	WHILE_RESTING = 16, /* with a burst still fewer than need no rest */
	ROUNDS = 2000,
};

static struct worker_core core;
static int busy; /* the clients */
static int other;
static bool other_waits; /* for its reply */
static unsigned rests;
static unsigned waited; /* rests that began since it asked */
static unsigned waited_at_most;

static void send_many(int fd, unsigned count)
{
	for (uint16_t id = 0; id < count; id++)
		send_udp(fd, id);
}

static bool take_reply(int fd)
{
	uint8_t reply[QUERY_LEN];

	return recv(fd, reply, sizeof reply, MSG_DONTWAIT) > 0;
}

int __wrap_nanosleep(const struct timespec *moment, struct timespec *left);
uint64_t __wrap_clock_monotonic_ns(void);

int __wrap_nanosleep(const struct timespec *moment, struct timespec *left)
{
	(void)left;
	assert_int_equal(moment->tv_nsec, 60000);
	rests++;
	if (other_waits && take_reply(other))
		other_waits = false;
	if (other_waits) {
		if (++waited > waited_at_most)
			waited_at_most = waited;
	} else {
		send_udp(other, 1);
		other_waits = true;
		waited = 0;
	}
	send_many(busy, WHILE_RESTING);
	return 0;
}

/* All batches take as long. */
uint64_t __wrap_clock_monotonic_ns(void)
{
	static uint64_t now;

	return now += 1000;
}

/* A socket that is served, and one that is connected to it. */
static int add_socket(struct udp *udp)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof addr;
	int served = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int client = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(served >= 0 && client >= 0);
	assert_int_equal(bind(served, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(getsockname(served, (struct sockaddr *)&addr, &len), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(udp_add(udp, &served, -1), GAZ_OK);
	return client;
}

static void test_other_sockets_wait_for_two_rests_at_most(void **state)
{
	static struct cookie_secrets secrets;
	const struct cookie_secrets *_Atomic in_force = &secrets;
	struct udp *udp;

	(void)state;
	core.cookies = &in_force;
	core.base = event_base_new();
	assert_non_null(core.base);
	assert_int_equal(udp_new(&core, 60, &udp), GAZ_OK);
	busy = add_socket(udp);
	other = add_socket(udp);
	for (unsigned i = 0; i < ROUNDS; i++) {
		send_many(busy, BURST);
		assert_true(event_base_loop(core.base, EVLOOP_NONBLOCK) >= 0);
		while (take_reply(busy))
			;
	}
	assert_true(rests > ROUNDS / 2);
	assert_in_range(waited_at_most, 0, 1);
	close(busy);
	close(other);
	udp_free(&udp);
	event_base_free(core.base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_sockets_wait_for_two_rests_at_most),
	};
	int failures;

	rcu_register_thread();
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failures;
}
