/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <urcu.h>

#include "responder/recursion.h"
#include "zone/view.h"
#include "zonefixture.h"

static struct fixture fx;

static int open_fixture(void **state)
{
	(void)state;
	fixture_open(&fx);
	fixture_vpcs(&fx, "vpc-a=10.0.0.0/16,2001:db8:a::/48 vpc-b=127.0.9.0/24");
	fixture_publish(&fx);
	return 0;
}

static int close_fixture(void **state)
{
	(void)state;
	fixture_close(&fx);
	return 0;
}

static bool may(const struct recursion *recursion, const char *source,
		const char *listener)
{
	struct netaddr addr;
	struct view_tags tags;
	int vpc = VIEW_NO_VPC;
	bool allowed;

	assert_int_equal(netaddr_parse(source, &addr), GAZ_OK);
	if (listener)
		assert_int_equal(view_intern_vpc(fx.db, listener, &vpc), GAZ_OK);
	rcu_read_lock();
	view_find(fx.db, &addr, vpc, &tags);
	allowed = recursion_is_allowed(recursion, fx.db, &addr, &tags, vpc);
	rcu_read_unlock();
	return allowed;
}

static void test_loopback_and_declared_prefixes_by_default(void **state)
{
	const struct recursion none = {{NULL, 0}};

	(void)state;
	assert_true(may(&none, "127.0.0.1", NULL));
	assert_true(may(&none, "127.255.255.255", NULL));
	assert_true(may(&none, "127.0.9.1", NULL));
	assert_true(may(&none, "::1", NULL));
	assert_true(may(&none, "10.0.255.255", NULL));
	assert_true(may(&none, "2001:db8:a::1", NULL));
	assert_false(may(&none, "10.1.0.0", NULL));
	assert_false(may(&none, "128.0.0.1", NULL));
	assert_false(may(&none, "::2", NULL));
	assert_false(may(&none, "0.0.0.0", NULL));
}

static void test_listener_gives_no_right_and_takes_none(void **state)
{
	const struct recursion none = {{NULL, 0}};

	(void)state;
	assert_false(may(&none, "192.0.2.1", "vpc-a"));
	assert_false(may(&none, "192.0.2.1", "vpc-new"));
	assert_true(may(&none, "10.0.0.1", "vpc-new"));
	assert_true(may(&none, "127.0.0.1", "vpc-a"));
}

static void test_list_replaces_the_default(void **state)
{
	struct netprefix prefixes[2];
	const struct recursion list = {{prefixes, 2}};

	(void)state;
	assert_int_equal(netaddr_parse_prefix("192.0.2.0/25", &prefixes[0]), GAZ_OK);
	assert_int_equal(netaddr_parse_prefix("2001:db8::/33", &prefixes[1]), GAZ_OK);
	assert_true(may(&list, "192.0.2.127", NULL));
	assert_true(may(&list, "192.0.2.1", "vpc-a"));
	assert_true(may(&list, "2001:db8:7fff::1", NULL));
	assert_false(may(&list, "192.0.2.128", NULL));
	assert_false(may(&list, "2001:db8:8000::1", NULL));
	assert_false(may(&list, "127.0.0.1", NULL));
	assert_false(may(&list, "10.0.0.1", NULL));
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_loopback_and_declared_prefixes_by_default),
		T(test_listener_gives_no_right_and_takes_none),
		T(test_list_replaces_the_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
