/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/responder.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/netaddr.h"
#include "responder/answer.h"
#include "responder_harness.h"

static void test_udp_batch_is_answered(void **state)
{
	struct responder *r = start_on("127.0.0.1:0", 1);
	int fd = dial(r, SOCK_DGRAM);
	uint8_t reply[16];

	(void)state;
	for (uint16_t id = 0; id < 150; id++)
		send_udp(fd, id);
	for (uint16_t id = 0; id < 150; id++)
		expect_udp(fd, id, reply);
	close(fd);
	responder_stop(r);
	assert_int_equal(counters_of(r).udp_queries, 150);
	assert_int_equal(counters_of(r).answered, 150);
	assert_int_equal(counters_of(r).dropped, 0);
	responder_close(&r);
	assert_null(r);
}

static void test_udp_junk_is_dropped_and_counted(void **state)
{
	struct responder *r = start_on("127.0.0.1:0", 1);
	int fd = dial(r, SOCK_DGRAM);
	static uint8_t large[8192];
	uint8_t reply[16];

	(void)state;
	assert_int_equal(send(fd, "", 0, 0), 0);
	assert_int_equal(send(fd, "short", 5, 0), 5);
	assert_int_equal(send(fd, large, sizeof large, 0), sizeof large);
	send_udp(fd, 7);
	expect_udp(fd, 7, reply);
	close(fd);
	responder_stop(r);
	assert_int_equal(counters_of(r).udp_queries, 4);
	assert_int_equal(counters_of(r).answered, 1);
	assert_int_equal(counters_of(r).dropped, 3);
	responder_close(&r);
}

static void test_udp_client_that_left_does_not_stop_the_others(void **state)
{
	struct responder *r = open_on("127.0.0.1:0", 1);
	uint8_t reply[16];
	int stays;

	(void)state;
	for (int i = 0; i < 10; i++) { /* their replies cause ICMP errors */
		int fd = dial(r, SOCK_DGRAM);

		send_udp(fd, 1);
		close(fd);
	}
	stays = dial(r, SOCK_DGRAM);
	send_udp(stays, 2);
	assert_int_equal(responder_start(r), GAZ_OK);
	expect_udp(stays, 2, reply);
	send_udp(stays, 3);
	expect_udp(stays, 3, reply);
	close(stays);
	responder_close(&r);
}

static void test_clients_are_spread_over_the_workers(void **state)
{
	struct responder *r = start_on("127.0.0.1:0", 2);
	bool differ = false;
	int first = -1;

	(void)state;
	for (uint16_t id = 0; id < 64; id++) {
		int fd = dial(r, SOCK_DGRAM);
		uint8_t reply[16];

		send_udp(fd, id);
		expect_udp(fd, id, reply);
		if (first < 0)
			first = reply[4] << 8 | reply[5];
		differ |= first != (reply[4] << 8 | reply[5]);
		close(fd);
	}
	assert_true(differ);
	responder_close(&r);
}

static void test_wildcard_replies_from_the_address_asked(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "127.0.0.9", "127.1.2.3"};
	struct responder *r = start_on("0.0.0.0:0", 2);

	(void)state;
	for (uint16_t i = 0; i < 3; i++) {
		/* A connected socket takes datagrams from that address only. */
		int fd = dial_address(hosts[i], port_of(r), SOCK_DGRAM);
		uint8_t reply[16];

		send_udp(fd, i);
		expect_udp(fd, i, reply);
		close(fd);
	}
	responder_close(&r);
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6,
				   .sin6_addr = in6addr_loopback};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The same port on both wildcards. A port that is free on one may be taken on
 * the other by somebody else: then try again. */
static void open_both_families(struct responder **v6, struct responder **v4)
{
	struct responder_endpoint endpoint = {.vpc_id = NULL};
	struct responder_config config = {
		.endpoints = &endpoint, .endpoint_count = 1, .workers = 1, .seed = 0};

	for (int i = 0; i < 50; i++) {
		char text[NETADDR_TEXT_SIZE];

		*v6 = open_on("[::]:0", 1);
		(void)snprintf(text, sizeof text, "0.0.0.0:%u", port_of(*v6));
		assert_int_equal(netaddr_parse_endpoint(text, -1, &endpoint.addr),
				 GAZ_OK);
		if (responder_open(&config, NULL, v4, NULL) == GAZ_OK)
			return;
		responder_close(v6);
	}
	fail_msg("no port is free on both wildcards");
}

static void test_ipv6_is_served_beside_ipv4(void **state)
{
	struct responder *v4;
	struct responder *v6;
	uint8_t frame[18];
	uint8_t reply[16];
	int fd;

	(void)state;
	if (!has_ipv6())
		skip();
	open_both_families(&v6, &v4);
	assert_int_equal(responder_start(v6), GAZ_OK);
	assert_int_equal(responder_start(v4), GAZ_OK);
	fd = dial_address("[::1]", port_of(v6), SOCK_DGRAM);
	send_udp(fd, 5);
	expect_udp(fd, 5, reply);
	close(fd);
	fd = dial_address("[::1]", port_of(v6), SOCK_STREAM);
	write_all(fd, frame, frame_query(6, 0, frame));
	expect_tcp(fd, 6, 16);
	close(fd);
	responder_close(&v4);
	responder_close(&v6);
}

static void test_listener_vpc_reaches_the_answer(void **state)
{
	struct responder_endpoint eps[2] = {{.vpc_id = NULL}, {.vpc_id = "Avpc"}};
	struct responder_config config = {
		.endpoints = eps, .endpoint_count = 2, .workers = 1, .seed = 0};
	struct responder *r = NULL;
	uint8_t reply[16];
	const struct sockaddr *sa;
	int fd;

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(netaddr_parse_endpoint("127.0.0.1:0", -1, &eps[i].addr),
				 GAZ_OK);
	assert_int_equal(responder_open(&config, NULL, &r, NULL), GAZ_OK);
	assert_int_equal(responder_start(r), GAZ_OK);
	fd = dial(r, SOCK_DGRAM);
	send_udp(fd, 1);
	expect_udp(fd, 1, reply);
	assert_int_equal((int16_t)(reply[6] << 8 | reply[7]), ANSWER_NO_VPC);
	sa = responder_address(r, 1);
	assert_int_equal(connect(fd, sa, netaddr_sockaddr_len(sa)), 0);
	send_udp(fd, 2);
	expect_udp(fd, 2, reply);
	assert_int_equal(reply[6] << 8 | reply[7], 'A');
	close(fd);
	responder_close(&r);
}

static void test_port_in_use_is_an_error(void **state)
{
	struct responder *r = open_on("127.0.0.1:0", 2);
	struct responder_endpoint ep = {.vpc_id = NULL};
	struct responder_config config = {
		.endpoints = &ep, .endpoint_count = 1, .workers = 2, .seed = 0};
	struct responder *second = NULL;
	struct gaz_error err;

	(void)state;
	memcpy(&ep.addr, responder_address(r, 0), sizeof(struct sockaddr_in));
	assert_int_equal(responder_open(&config, NULL, &second, &err), GAZ_EIO);
	assert_null(second);
	assert_non_null(strstr(err.text, "in use by test_responder"));
	assert_non_null(strstr(err.text, "127.0.0.1:"));
	responder_close(&r);
	assert_int_equal(responder_open(&config, NULL, &second, &err), GAZ_OK);
	responder_close(&second);
}

static void test_tcp_port_in_use_is_an_error(void **state)
{
	struct responder_endpoint ep = {.vpc_id = NULL};
	struct responder_config config = {
		.endpoints = &ep, .endpoint_count = 1, .workers = 1, .seed = 0};
	struct responder *r = NULL;
	struct gaz_error err;
	socklen_t len = sizeof ep.addr;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const int on = 1;

	(void)state;
	assert_int_equal(netaddr_parse_endpoint("127.0.0.1:0", -1, &ep.addr), GAZ_OK);
	/* Even one that would share the port. */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
	assert_int_equal(
		bind(fd, (struct sockaddr *)&ep.addr, sizeof(struct sockaddr_in)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ep.addr, &len), 0);
	assert_int_equal(responder_open(&config, NULL, &r, &err), GAZ_EIO);
	assert_non_null(strstr(err.text, "in use by test_responder"));
	close(fd);
}

static void test_bad_addresses_are_explained(void **state)
{
	struct responder_endpoint eps[2] = {{.vpc_id = NULL}, {.vpc_id = NULL}};
	struct responder_config config = {
		.endpoints = eps, .endpoint_count = 1, .workers = 1, .seed = 0};
	struct responder *r = open_on("127.0.0.1:0", 1);
	struct responder *second = NULL;
	struct gaz_error err;

	(void)state;
	assert_int_equal(netaddr_parse_endpoint("192.0.2.1:0", -1, &eps[0].addr), GAZ_OK);
	assert_int_equal(responder_open(&config, NULL, &second, &err), GAZ_EIO);
	assert_non_null(strstr(err.text, "not an address of this machine"));
	memcpy(&eps[0].addr, responder_address(r, 0), sizeof eps[0].addr);
	eps[1].addr = eps[0].addr;
	config.endpoint_count = 2;
	responder_close(&r);
	assert_int_equal(responder_open(&config, NULL, &second, &err), GAZ_EIO);
	assert_non_null(strstr(err.text, "twice"));
}

/* A port that has just been free on one address may be taken by somebody else the
 * next moment, on any address: then try again with another. */
static struct responder *open_wildcard_beside_exact(void)
{
	struct responder_endpoint eps[2] = {{.vpc_id = NULL}, {.vpc_id = "Bvpc"}};
	struct responder_config config = {
		.endpoints = eps, .endpoint_count = 2, .workers = 2, .seed = 0};
	struct responder *r = NULL;
	gaz_status st = GAZ_EIO;

	for (int attempt = 0; attempt < 50 && st != GAZ_OK; attempt++) {
		char text[NETADDR_TEXT_SIZE];

		r = open_on("127.0.0.1:0", 1);
		(void)snprintf(text, sizeof text, "0.0.0.0:%u", port_of(r));
		assert_int_equal(netaddr_parse_endpoint(text, -1, &eps[0].addr), GAZ_OK);
		memcpy(&eps[1].addr, responder_address(r, 0), sizeof eps[1].addr);
		responder_close(&r);
		st = responder_open(&config, NULL, &r, NULL);
	}
	assert_int_equal(st, GAZ_OK);
	return r;
}

static void test_wildcard_beside_an_exact_address_is_allowed(void **state)
{
	struct responder *r = open_wildcard_beside_exact();
	uint8_t reply[16];
	int fd;

	(void)state;
	assert_int_equal(responder_start(r), GAZ_OK);
	/* The second endpoint is the exact one. */
	fd = dial(r, SOCK_DGRAM);
	send_udp(fd, 2);
	expect_udp(fd, 2, reply);
	assert_int_equal(reply[6] << 8 | reply[7], 'B');
	close(fd);
	responder_close(&r);
}

static unsigned secret_in(const uint8_t *reply)
{
	return (unsigned)reply[10] << 8 | reply[11];
}

static void test_cookie_secrets_are_replaced_while_queries_come(void **state)
{
	enum {
		CHANGES = 200,
		BURST = 100, /* two batches */
	};
	struct responder *r = start_on("127.0.0.1:0", 2);
	int udp[2] = {dial(r, SOCK_DGRAM), dial(r, SOCK_DGRAM)};
	int tcp = dial(r, SOCK_STREAM);
	struct cookie_secrets secrets = {.count = 1};
	uint8_t frame[FRAME_LEN];
	uint8_t reply[QUERY_LEN];
	size_t frame_len;

	(void)state;
	responder_replace_cookies(r, &secrets);
	for (unsigned last = 0, now = 0; now < CHANGES; last = now) {
		unsigned seen[2] = {last, last};

		for (uint16_t id = 0; id < BURST; id++)
			send_udp(udp[id % 2], id);
		frame_len = frame_query(1, 0, frame);
		write_all(tcp, frame, frame_len);
		/* The second change takes the place that these may still be read from. */
		while (now < last + 2) {
			secrets.keys[0].k[0] = ++now;
			responder_replace_cookies(r, &secrets);
		}
		for (uint16_t id = 0; id < BURST; id++) {
			expect_udp(udp[id % 2], id, reply);
			assert_in_range(secret_in(reply), seen[id % 2], now);
			seen[id % 2] = secret_in(reply); /* never back again */
		}
		assert_in_range(secret_in(expect_tcp(tcp, 1, QUERY_LEN)), last, now);
		/* Asked when the changes were over. */
		send_udp(udp[0], 2);
		write_all(tcp, frame, frame_len);
		expect_udp(udp[0], 2, reply);
		assert_int_equal(secret_in(reply), now);
		assert_int_equal(secret_in(expect_tcp(tcp, 1, QUERY_LEN)), now);
	}
	close(udp[0]);
	close(udp[1]);
	close(tcp);
	responder_close(&r);
}

static void test_stop_answers_what_has_arrived(void **state)
{
	struct responder *r = open_on("127.0.0.1:0", 1);
	int udp = dial(r, SOCK_DGRAM);
	int tcp = dial(r, SOCK_STREAM);
	uint8_t frame[18];
	uint8_t reply[16];

	(void)state;
	for (uint16_t id = 0; id < 100; id++)
		send_udp(udp, id);
	write_all(tcp, frame, frame_query(1, 0, frame));
	write_all(tcp, frame, frame_query(2, 65535, frame));
	assert_int_equal(responder_start(r), GAZ_OK);
	responder_stop(r);
	for (uint16_t id = 0; id < 100; id++)
		expect_udp(udp, id, reply);
	expect_tcp(tcp, 1, 16);
	expect_tcp(tcp, 2, 65535);
	expect_closed(tcp);
	close(udp);
	responder_close(&r);
}

static _Atomic bool load_on;

static void *load(void *arg)
{
	int fd = dial(arg, SOCK_DGRAM);
	uint8_t query[16];

	make_query(1, 0, query);
	while (atomic_load(&load_on))
		(void)!send(fd, query, sizeof query, 0);
	close(fd);
	return NULL;
}

static void test_stop_under_load_ends(void **state)
{
	struct responder *r = start_on("127.0.0.1:0", 2);
	pthread_t thread;

	(void)state;
	atomic_store(&load_on, true);
	assert_int_equal(pthread_create(&thread, NULL, load, r), 0);
	for (int i = 0; i < 10000 && counters_of(r).udp_queries < 1000; i++)
		usleep(1000);
	assert_true(counters_of(r).udp_queries >= 1000);
	responder_stop(r);
	atomic_store(&load_on, false);
	pthread_join(thread, NULL);
	assert_true(counters_of(r).answered + counters_of(r).dropped ==
		    counters_of(r).udp_queries);
	responder_stop(r); /* harmless */
	responder_close(&r);
}

/* Six queries from one port every 50 microseconds, whatever becomes of them. */
static void *send_bursts(void *arg)
{
	int fd = dial(arg, SOCK_DGRAM);
	struct timespec now;
	long next = 0;

	while (atomic_load(&load_on)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec * 1000000 + now.tv_nsec / 1000 < next)
			continue;
		next = now.tv_sec * 1000000 + now.tv_nsec / 1000 + 50;
		for (uint16_t id = 0; id < 6; id++)
			send_udp(fd, id);
	}
	close(fd);
	return NULL;
}

/* Whether there are rests within so many queries from a client that is busy. */
static bool rests(uint32_t gather_us, uint64_t queries)
{
	struct responder_endpoint ep = {.vpc_id = NULL};
	struct responder_config config = {.endpoints = &ep,
					  .endpoint_count = 1,
					  .workers = 1,
					  .udp_gather_us = gather_us};
	struct responder *r = NULL;
	struct responder_counters counters;
	pthread_t thread;

	assert_int_equal(netaddr_parse_endpoint("127.0.0.1:0", -1, &ep.addr), GAZ_OK);
	assert_int_equal(responder_open(&config, NULL, &r, NULL), GAZ_OK);
	assert_int_equal(responder_start(r), GAZ_OK);
	atomic_store(&load_on, true);
	assert_int_equal(pthread_create(&thread, NULL, send_bursts, r), 0);
	do {
		usleep(1000);
		counters = counters_of(r);
	} while (counters.udp_queries < queries && counters.udp_rests == 0);
	atomic_store(&load_on, false);
	pthread_join(thread, NULL);
	responder_stop(r);
	counters = counters_of(r);
	assert_int_equal(counters.answered + counters.dropped, counters.udp_queries);
	assert_true(counters.udp_grouped > 0);
	responder_close(&r);
	return counters.udp_rests > 0;
}

static void test_queries_of_a_busy_client_gather_if_they_may(void **state)
{
	(void)state;
	assert_true(rests(200, 10000000));
	assert_false(rests(0, 100000));
}

static void test_stop_without_start_is_harmless(void **state)
{
	struct responder *r = open_on("127.0.0.1:0", 2);

	(void)state;
	responder_stop(r);
	responder_close(&r);
	responder_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp_batch_is_answered),
		cmocka_unit_test(test_udp_junk_is_dropped_and_counted),
		cmocka_unit_test(test_udp_client_that_left_does_not_stop_the_others),
		cmocka_unit_test(test_clients_are_spread_over_the_workers),
		cmocka_unit_test(test_wildcard_replies_from_the_address_asked),
		cmocka_unit_test(test_ipv6_is_served_beside_ipv4),
		cmocka_unit_test(test_listener_vpc_reaches_the_answer),
		cmocka_unit_test(test_port_in_use_is_an_error),
		cmocka_unit_test(test_tcp_port_in_use_is_an_error),
		cmocka_unit_test(test_bad_addresses_are_explained),
		cmocka_unit_test(test_wildcard_beside_an_exact_address_is_allowed),
		cmocka_unit_test(test_cookie_secrets_are_replaced_while_queries_come),
		cmocka_unit_test(test_stop_answers_what_has_arrived),
		cmocka_unit_test(test_stop_under_load_ends),
		cmocka_unit_test(test_queries_of_a_busy_client_gather_if_they_may),
		cmocka_unit_test(test_stop_without_start_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
