/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/netaddr.h"
#include "forward/loop.h"
#include "forward/route.h"

static struct route routes[ROUTES_MAX];
static size_t count;
static struct gaz_error err;

static gaz_status add(const char *text)
{
	struct route route;
	gaz_status st = route_parse(text, &route, &err);

	return st == GAZ_OK ? route_add(routes, &count, &route, &err) : st;
}

static int find(const char *text)
{
	uint8_t wire[DNAME_MAX];
	struct dname name;
	size_t len;

	assert_int_equal(dname_from_text(text, wire, &len), GAZ_OK);
	assert_int_equal(dname_parse(wire, len, &name), len);
	return route_find(routes, count, &name);
}

static int clear(void **state)
{
	(void)state;
	count = 0;
	return 0;
}

static void test_longest_suffix_wins(void **state)
{
	(void)state;
	assert_int_equal(add("corp.example=192.0.2.1"), GAZ_OK);
	assert_int_equal(find("www.example"), -1);
	assert_int_equal(add("192.0.2.2,192.0.2.3:5353"), GAZ_OK);
	assert_int_equal(add("A.Corp.Example.=[2001:db8::1]:53"), GAZ_OK);
	assert_int_equal(find("www.example"), 1);
	assert_int_equal(find("corp.example"), 0);
	assert_int_equal(find("xcorp.example"), 1);
	assert_int_equal(find("b.corp.example"), 0);
	assert_int_equal(find("b.a.corp.example"), 2);
	assert_int_equal(find("."), 1);
}

static void test_addresses_of_one_suffix_join(void **state)
{
	char text[64];

	(void)state;
	for (int i = 0; i < ROUTE_ADDRESSES_MAX; i++) {
		(void)snprintf(text, sizeof text, "example=192.0.2.%d", i);
		assert_int_equal(add(text), GAZ_OK);
	}
	assert_int_equal(count, 1);
	assert_int_equal(routes[0].count, ROUTE_ADDRESSES_MAX);
	assert_int_equal(add("example=192.0.2.99"), GAZ_ELIMIT);
	for (int i = 1; i < ROUTES_MAX; i++) {
		(void)snprintf(text, sizeof text, "n%d.example=192.0.2.1", i);
		assert_int_equal(add(text), GAZ_OK);
	}
	assert_int_equal(add("more.example=192.0.2.1"), GAZ_ELIMIT);
	assert_int_equal(add("n1.example=192.0.2.2"), GAZ_OK);
}

static void test_nonsense_is_refused(void **state)
{
	static const char *const texts[] = {"",
					    "=",
					    "x=",
					    "a..b=192.0.2.1",
					    "192.0.2",
					    "192.0.2.1,",
					    "192.0.2.1:0",
					    "a\"b=192.0.2.1",
					    "a\\010b=192.0.2.1"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(add(texts[i]), GAZ_EFORMAT);
	assert_int_equal(count, 0);
}

static bool is_own(const char *asked, const char *listener)
{
	struct sockaddr_storage a;
	struct sockaddr_storage b;
	const struct sockaddr *listeners[] = {(struct sockaddr *)&b};

	assert_int_equal(netaddr_parse_endpoint(asked, 53, &a), GAZ_OK);
	assert_int_equal(netaddr_parse_endpoint(listener, 53, &b), GAZ_OK);
	return route_is_own((struct sockaddr *)&a, listeners, 1);
}

static void test_own_listeners_are_known(void **state)
{
	(void)state;
	assert_true(is_own("127.0.0.1", "127.0.0.1"));
	assert_false(is_own("127.0.0.1:5353", "127.0.0.1"));
	assert_false(is_own("127.0.0.2", "127.0.0.1"));
	assert_true(is_own("127.0.0.2", "0.0.0.0"));
	assert_true(is_own("0.0.0.0", "127.0.0.1"));
	assert_false(is_own("192.0.2.1", "0.0.0.0")); /* nobody's address */
	assert_true(is_own("[::ffff:127.0.0.1]", "127.0.0.1"));
	assert_true(is_own("[::1]", "[::]"));
	assert_false(is_own("127.0.0.53", "[::]")); /* of the other family */
	assert_false(is_own("[::1]", "0.0.0.0"));
	assert_false(is_own("[::]", "127.0.0.1"));
}

static void test_resolv_conf_is_read(void **state)
{
	static const char text[] = "# nameserver 192.0.2.9\n"
				   "search example\n"
				   "nameserver 192.0.2.1\n"
				   "  nameserver\t192.0.2.2   # the second\n"
				   "nameservers 192.0.2.8\n"
				   "nameserver nonsense\n"
				   "nameserver 192.0.2.3;the third\n"
				   "nameserver 192.0.2.4\r\n"
				   "nameserver 2001:db8::1\n"
				   "nameserver fe80::1%eth0";
	char path[] = "/tmp/test_route.XXXXXX";
	int fd = mkstemp(path);
	struct route route = {.count = 0};
	char printed[NETADDR_TEXT_SIZE];

	(void)state;
	assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
	close(fd);
	assert_int_equal(route_read_resolv_conf(path, &route), GAZ_OK);
	unlink(path);
	assert_int_equal(route.count, 5);
	assert_string_equal(
		netaddr_print_endpoint((struct sockaddr *)&route.addresses[1], printed),
		"192.0.2.2:53");
	assert_string_equal(
		netaddr_print_endpoint((struct sockaddr *)&route.addresses[4], printed),
		"[2001:db8::1]:53");
	assert_int_equal(route_read_resolv_conf(path, &route), GAZ_EIO);
}

static void test_probe_is_known_and_rare(void **state)
{
	static const uint8_t suffix[] = "\7example";
	struct loop loop = {0};
	struct dname first;
	struct dname second;

	(void)state;
	assert_false(loop_is_closed(&loop, 1));
	assert_true(loop_begin_probe(&loop, suffix, 1, &first));
	assert_true(loop_is_probe(&loop, &first));
	assert_false(loop_begin_probe(&loop, suffix, LOOP_PROBE_EVERY_MS, &second));
	assert_true(loop_begin_probe(&loop, suffix, 1 + LOOP_PROBE_EVERY_MS, &second));
	assert_false(loop_is_probe(&loop, &first));
	assert_true(loop_is_probe(&loop, &second));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_longest_suffix_wins, clear),
		cmocka_unit_test_setup(test_addresses_of_one_suffix_join, clear),
		cmocka_unit_test_setup(test_nonsense_is_refused, clear),
		cmocka_unit_test(test_own_listeners_are_known),
		cmocka_unit_test(test_resolv_conf_is_read),
		cmocka_unit_test(test_probe_is_known_and_rare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
