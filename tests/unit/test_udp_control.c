/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/udp.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <urcu.h>

#include <cmocka.h>

#include "dns/cookie.h"
#include "responder/core.h"
#include "responder_harness.h"

/* What comes with queries to a socket that somebody else opened, and has asked for more
 * than we do: a socket unit of systemd can have Timestamping=. Replies leave all the same,
 * together, and from the address that was asked. */

enum {
	QUERIES = 3,
};

static struct worker_core core;
static struct udp *udp;

static int set_up(void **state)
{
	static struct cookie_secrets secrets;
	static const struct cookie_secrets *_Atomic in_force = &secrets;

	(void)state;
	memset(&core, 0, sizeof core);
	core.cookies = &in_force;
	core.base = event_base_new();
	return core.base && udp_new(&core, 0, &udp) == GAZ_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	udp_free(&udp);
	event_base_free(core.base);
	return 0;
}

static void set_option(int fd, int level, int name)
{
	const int on = 1;

	assert_int_equal(setsockopt(fd, level, name, &on, sizeof on), 0);
}

/* Served from now on; its port goes to `addr`, which had the address. */
static int open_socket(struct sockaddr *addr, socklen_t len)
{
	const int off = 0;
	int fd = socket(addr->sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	if (addr->sa_family == AF_INET6)
		assert_int_equal(
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), 0);
	assert_int_equal(bind(fd, addr, len), 0);
	assert_int_equal(getsockname(fd, addr, &len), 0);
	set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS);
	set_option(fd, SOL_SOCKET, SO_RXQ_OVFL);
	return fd;
}

/* Ask there, and look where the replies come from. */
static void ask(int served, const struct sockaddr *asked, socklen_t len,
		size_t address_at)
{
	int client = socket(asked->sa_family, SOCK_DGRAM, 0);

	assert_true(client >= 0);
	assert_int_equal(udp_add(udp, &served, -1), GAZ_OK);
	for (uint16_t id = 0; id < QUERIES; id++) {
		uint8_t query[QUERY_LEN];

		make_query(id, QUERY_LEN, query);
		assert_int_equal(sendto(client, query, sizeof query, 0, asked, len),
				 QUERY_LEN);
	}
	assert_true(event_base_loop(core.base, EVLOOP_NONBLOCK) >= 0);
	assert_int_equal(core.tally.answered, QUERIES);
	assert_int_equal(core.tally.udp_grouped, QUERIES);
	for (uint16_t id = 0; id < QUERIES; id++) {
		struct sockaddr_storage from = {0};
		socklen_t from_len = sizeof from;
		uint8_t reply[QUERY_LEN];

		assert_int_equal(recvfrom(client, reply, sizeof reply, MSG_DONTWAIT,
					  (struct sockaddr *)&from, &from_len),
				 QUERY_LEN);
		assert_int_equal(reply[1], id);
		assert_int_equal(from_len, len);
		assert_memory_equal((uint8_t *)&from + address_at,
				    (const uint8_t *)asked + address_at,
				    len - address_at);
	}
	close(client);
}

static void test_ipv4_wildcard(void **state)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	int fd = open_socket((struct sockaddr *)&addr, sizeof addr);

	(void)state;
	set_option(fd, IPPROTO_IP, IP_PKTINFO);
	set_option(fd, IPPROTO_IP, IP_RECVTTL);
	set_option(fd, IPPROTO_IP, IP_RECVTOS);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 8);
	ask(fd, (struct sockaddr *)&addr, sizeof addr,
	    offsetof(struct sockaddr_in, sin_port));
}

static void test_ipv6_wildcard(void **state)
{
	struct sockaddr_in6 addr = {.sin6_family = AF_INET6};
	int fd = open_socket((struct sockaddr *)&addr, sizeof addr);

	(void)state;
	set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
	set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
	addr.sin6_addr = in6addr_loopback;
	ask(fd, (struct sockaddr *)&addr, sizeof addr,
	    offsetof(struct sockaddr_in6, sin6_port));
}

/* BindIPv6Only= of a socket unit; both families tell where a datagram was sent to. */
static void test_ipv4_client_of_an_ipv6_wildcard(void **state)
{
	struct sockaddr_in6 addr = {.sin6_family = AF_INET6};
	int fd = open_socket((struct sockaddr *)&addr, sizeof addr);
	const struct sockaddr_in asked = {.sin_family = AF_INET,
					  .sin_port = addr.sin6_port,
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 8)};

	(void)state;
	set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
	set_option(fd, IPPROTO_IP, IP_PKTINFO);
	ask(fd, (const struct sockaddr *)&asked, sizeof asked,
	    offsetof(struct sockaddr_in, sin_port));
}

static void test_address_of_its_own(void **state)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = open_socket((struct sockaddr *)&addr, sizeof addr);

	(void)state;
	ask(fd, (struct sockaddr *)&addr, sizeof addr,
	    offsetof(struct sockaddr_in, sin_port));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_ipv4_wildcard),
		T(test_ipv6_wildcard),
		T(test_ipv4_client_of_an_ipv6_wildcard),
		T(test_address_of_its_own),
	};
	int failures;

	rcu_register_thread();
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failures;
}
