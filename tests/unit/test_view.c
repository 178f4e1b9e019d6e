/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <urcu.h>

#include "base/rng.h"
#include "zone/view.h"
#include "zonefixture.h"

static struct fixture fx;

static int open_fixture(void **state)
{
	(void)state;
	fixture_open(&fx);
	return 0;
}

static int close_fixture(void **state)
{
	(void)state;
	fixture_close(&fx);
	return 0;
}

static void declare(const char *text)
{
	fixture_vpcs(&fx, text);
	fixture_publish(&fx);
}

static bool may_see(const char *source, const char *vpc)
{
	struct netaddr addr;
	struct view_tags tags;
	int number;

	assert_int_equal(netaddr_parse(source, &addr), GAZ_OK);
	assert_int_equal(view_intern_vpc(fx.db, vpc, &number), GAZ_OK);
	view_find(fx.db, &addr, VIEW_NO_VPC, &tags);
	return view_may_see(&tags, number);
}

static void test_source_inside_a_prefix_sees_its_vpc_only(void **state)
{
	(void)state;
	declare("vpc-a=10.0.0.0/16,2001:db8:a::/48 vpc-b=10.1.0.0/16");
	assert_true(may_see("10.0.0.0", "vpc-a"));
	assert_true(may_see("10.0.255.255", "vpc-a"));
	assert_false(may_see("10.0.1.1", "vpc-b"));
	assert_true(may_see("10.1.0.0", "vpc-b"));
	assert_false(may_see("10.2.0.0", "vpc-b"));
	assert_false(may_see("9.255.255.255", "vpc-a"));
	assert_true(may_see("2001:db8:a::1", "vpc-a"));
	assert_false(may_see("2001:db8:b::1", "vpc-a"));
	assert_false(may_see("10.0.0.1", "vpc-unknown"));
	assert_false(may_see("8.8.8.8", "vpc-unknown"));
}

static void test_longest_prefix_decides(void **state)
{
	(void)state;
	declare("vpc-a=10.0.0.0/8,0.0.0.0/0 vpc-b=10.1.0.0/16 vpc-c=10.1.2.3/32 "
		"vpc-d=10.1.255.0/24");
	assert_true(may_see("10.0.0.1", "vpc-a"));
	assert_true(may_see("10.1.0.1", "vpc-b"));
	assert_false(may_see("10.1.0.1", "vpc-a"));
	assert_true(may_see("10.1.2.3", "vpc-c"));
	assert_false(may_see("10.1.2.3", "vpc-b"));
	assert_true(may_see("10.1.2.4", "vpc-b"));
	assert_true(may_see("10.1.255.255", "vpc-d"));
	assert_true(may_see("10.2.0.0", "vpc-a"));
	assert_true(may_see("255.255.255.255", "vpc-a"));
	assert_true(may_see("0.0.0.0", "vpc-a"));
}

static void test_shared_prefix_gives_all_its_vpcs(void **state)
{
	(void)state;
	declare("vpc-a=10.0.0.0/16 vpc-b=10.0.0.0/16,10.0.0.0/16 vpc-c=10.0.0.0/8");
	assert_true(may_see("10.0.0.1", "vpc-a"));
	assert_true(may_see("10.0.0.1", "vpc-b"));
	assert_false(may_see("10.0.0.1", "vpc-c"));
}

static void test_undeclared_vpc_has_the_loopback(void **state)
{
	(void)state;
	assert_true(may_see("127.0.0.1", "vpc-x"));
	assert_true(may_see("::1", "vpc-x"));
	assert_false(may_see("::2", "vpc-x"));
	assert_false(may_see("128.0.0.0", "vpc-x"));
	declare("vpc-a=127.0.10.0/24");
	assert_true(may_see("127.0.0.1", "vpc-x"));
	assert_false(may_see("127.0.0.1", "vpc-a"));
	assert_true(may_see("127.0.10.1", "vpc-a"));
	assert_false(may_see("127.0.10.1", "vpc-x"));
	assert_true(may_see("127.0.11.0", "vpc-x"));
	declare("vpc-a=127.0.0.0/8,0.0.0.0/0");
	assert_true(may_see("127.0.0.1", "vpc-x"));
	assert_true(may_see("127.0.0.1", "vpc-a"));
	declare("vpc-x=10.0.0.0/8");
	assert_false(may_see("127.0.0.1", "vpc-x"));
	assert_true(may_see("127.0.0.1", "vpc-a"));
}

static void test_ids_are_compared_exactly(void **state)
{
	(void)state;
	declare("vpc-a=10.0.0.0/8");
	assert_false(may_see("10.0.0.1", "VPC-A"));
	assert_true(may_see("127.0.0.1", "VPC-A"));
}

static bool is_inside(const struct netprefix *prefix, const struct netaddr *addr)
{
	for (unsigned bit = 0; bit < prefix->len; bit++) {
		if ((prefix->addr.bytes[bit / 8] ^ addr->bytes[bit / 8]) &
		    (0x80 >> bit % 8))
			return false;
	}
	return true;
}

static struct netprefix random_prefix(struct rng *rng)
{
	struct netprefix p = {{AF_INET, {0}}, (uint8_t)rng_below(rng, 13)};

	/* Few bits, so that many prefixes nest and touch. */
	p.addr.bytes[0] = (uint8_t)rng_next(rng);
	p.addr.bytes[1] = (uint8_t)(rng_next(rng) & 0xf0);
	for (unsigned bit = p.len; bit < 16; bit++)
		p.addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return p;
}

static void test_ranges_agree_with_a_search_of_all_prefixes(void **state)
{
	enum {
		VPCS = 12
	};
	struct netprefix prefixes[VPCS];
	struct vpc_decl decls[VPCS];
	char ids[VPCS][16];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 3);
	for (int i = 0; i < VPCS; i++)
		(void)snprintf(ids[i], sizeof ids[i], "v%d", i);
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < VPCS; i++) {
			prefixes[i] = random_prefix(&rng);
			decls[i] = (struct vpc_decl){ids[i], &prefixes[i], 1};
		}
		assert_int_equal(zonedit_set_vpcs(fixture_edit(&fx), decls, VPCS, false),
				 GAZ_OK);
		fixture_publish(&fx);
		for (int probe = 0; probe < 100; probe++) {
			struct netaddr addr = {
				AF_INET,
				{(uint8_t)rng_next(&rng), (uint8_t)rng_next(&rng), 255}};
			struct view_tags tags;
			int best = addr.bytes[0] == 127 ? 8 : -1;

			for (int i = 0; i < VPCS; i++) {
				if (is_inside(&prefixes[i], &addr) &&
				    prefixes[i].len > best)
					best = prefixes[i].len;
			}
			view_find(fx.db, &addr, VIEW_NO_VPC, &tags);
			for (int i = 0; i < VPCS; i++) {
				int number;

				assert_int_equal(view_intern_vpc(fx.db, ids[i], &number),
						 GAZ_OK);
				assert_int_equal(view_may_see(&tags, number),
						 is_inside(&prefixes[i], &addr) &&
							 prefixes[i].len == best);
			}
		}
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_source_inside_a_prefix_sees_its_vpc_only),
		T(test_longest_prefix_decides),
		T(test_shared_prefix_gives_all_its_vpcs),
		T(test_undeclared_vpc_has_the_loopback),
		T(test_ids_are_compared_exactly),
		T(test_ranges_agree_with_a_search_of_all_prefixes),
	};
	int failed;

	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failed;
}
