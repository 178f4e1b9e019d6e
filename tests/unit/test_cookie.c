/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dns/cookie.h"

enum {
	NOON = 1559736000, /* 12:00:00 UTC of a day in 2019 */
	DAY = 86400,
};

static size_t unhex(const char *text, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t i = 0;

	for (; text[2 * i]; i++)
		out[i] = (uint8_t)((strchr(digits, text[2 * i]) - digits) << 4 |
				   (strchr(digits, text[2 * i + 1]) - digits));
	return i;
}

static struct netaddr address(const char *text)
{
	struct netaddr addr;

	assert_int_equal(netaddr_parse(text, &addr), GAZ_OK);
	return addr;
}

static void add_secret(struct cookie_secrets *secrets, const char *hex)
{
	assert_int_equal(cookie_secrets_add(secrets, hex, strlen(hex)), GAZ_OK);
}

/* The examples of RFC 9018, appendix A, made by other implementations. */
static const struct {
	const char *secret;
	const char *source;
	uint32_t time;
	const char *cookie;
} examples[] = {
	{"e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100", 1559731985,
	 "2464c4abcf10c957010000005cf79f111f8130c3eee29480"},
	{"e5e973e5a6b2a43f48e7dc849e37bfcf", "198.51.100.100", 1559734385,
	 "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"},
	{"e5e973e5a6b2a43f48e7dc849e37bfcf", "203.0.113.203", 1559734700,
	 "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"},
	{"445536bcd2513298075a5d379663c962", "2001:db8:220:1:59de:d0f4:8769:82b8",
	 1559741961, "22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
};

static void test_cookies_are_those_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
		struct cookie_secrets secrets = {.count = 0};
		struct cookie_jar jar = {.secrets = &secrets};
		struct netaddr source = address(examples[i].source);
		uint8_t wanted[COOKIE_LEN];
		uint8_t made[COOKIE_LEN];

		add_secret(&secrets, examples[i].secret);
		cookie_set_time(&jar, examples[i].time);
		assert_int_equal(unhex(examples[i].cookie, wanted), COOKIE_LEN);
		cookie_make(&jar, &source, wanted, made);
		assert_memory_equal(made, wanted, COOKIE_LEN);
		assert_true(cookie_is_valid(&jar, &source, made, COOKIE_LEN));
	}
}

static void test_reserved_octets_and_former_secrets_are_taken(void **state)
{
	struct cookie_secrets secrets = {.count = 0};
	struct cookie_jar jar = {.secrets = &secrets};
	struct netaddr source = address("203.0.113.203");
	uint8_t cookie[COOKIE_LEN];

	(void)state;
	add_secret(&secrets, "e5e973e5a6b2a43f48e7dc849e37bfcf");
	cookie_set_time(&jar, 1559727985);
	unhex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", cookie);
	assert_true(cookie_is_valid(&jar, &source, cookie, sizeof cookie));
	cookie[9] ^= 1;
	assert_false(cookie_is_valid(&jar, &source, cookie, sizeof cookie));

	secrets.count = 0;
	add_secret(&secrets, "445536bcd2513298075a5d379663c962");
	source = address("2001:db8:220:1:59de:d0f4:8769:82b8");
	cookie_set_time(&jar, 1559741961);
	unhex("22681ab97d52c298010000005cf7c57926556bd0934c72f8", cookie);
	assert_false(cookie_is_valid(&jar, &source, cookie, sizeof cookie));
	add_secret(&secrets, "dd3bdf9344b678b185a6f5cb60fca715");
	assert_true(cookie_is_valid(&jar, &source, cookie, sizeof cookie));
}

static void test_cookie_is_good_for_one_client_and_some_time(void **state)
{
	static const uint8_t client[COOKIE_CLIENT_LEN] = "client!";
	struct cookie_secrets secrets;
	struct cookie_jar jar = {.secrets = &secrets};
	struct netaddr source = address("192.0.2.1");
	struct netaddr other = address("192.0.2.2");
	uint8_t cookie[COOKIE_LEN];

	(void)state;
	assert_int_equal(cookie_secrets_random(&secrets), GAZ_OK);
	cookie_set_time(&jar, NOON);
	cookie_make(&jar, &source, client, cookie);
	assert_true(cookie_is_valid(&jar, &source, cookie, sizeof cookie));
	assert_false(cookie_is_valid(&jar, &other, cookie, sizeof cookie));
	assert_false(cookie_is_valid(&jar, &source, cookie, sizeof cookie - 1));
	for (size_t i = 0; i < sizeof cookie; i++) {
		cookie[i] ^= 0x40;
		assert_false(cookie_is_valid(&jar, &source, cookie, sizeof cookie));
		cookie[i] ^= 0x40;
	}
	cookie_set_time(&jar, NOON + 3600);
	assert_true(cookie_is_valid(&jar, &source, cookie, sizeof cookie));
	cookie_set_time(&jar, NOON + 3601);
	assert_false(cookie_is_valid(&jar, &source, cookie, sizeof cookie));
	cookie_set_time(&jar, NOON - 300);
	assert_true(cookie_is_valid(&jar, &source, cookie, sizeof cookie));
	cookie_set_time(&jar, NOON - 301);
	assert_false(cookie_is_valid(&jar, &source, cookie, sizeof cookie));
	jar.secrets = NULL;
	assert_false(cookie_is_valid(&jar, &source, cookie, sizeof cookie));
}

static void test_random_secret_changes_at_midnight_and_the_old_one_is_taken(void **state)
{
	static const uint8_t client[COOKIE_CLIENT_LEN] = "client!";
	const uint32_t midnight = NOON + DAY / 2;
	struct cookie_secrets secrets;
	struct cookie_jar jar = {.secrets = &secrets};
	struct netaddr source = address("192.0.2.1");
	struct siphash_key before;
	uint8_t cookie[COOKIE_LEN];

	(void)state;
	assert_int_equal(cookie_secrets_random(&secrets), GAZ_OK);
	cookie_set_time(&jar, midnight - 1);
	before = jar.keys[0];
	cookie_make(&jar, &source, client, cookie);
	cookie_set_time(&jar, midnight + 10);
	assert_memory_not_equal(&jar.keys[0], &before, sizeof before);
	assert_memory_equal(&jar.keys[1], &before, sizeof before);
	assert_true(cookie_is_valid(&jar, &source, cookie, sizeof cookie));
}

static void test_secret_is_32_digits(void **state)
{
	static const char upper[] = "E5E973E5A6B2A43F48E7DC849E37BFCF";
	static const char lower[] = "e5e973e5a6b2a43f48e7dc849e37bfcf";
	struct cookie_secrets secrets = {.count = 0};

	(void)state;
	assert_int_equal(cookie_secrets_add(&secrets, upper, 31), GAZ_EFORMAT);
	assert_int_equal(cookie_secrets_add(&secrets, upper, 33), GAZ_EFORMAT);
	assert_int_equal(cookie_secrets_add(&secrets, "", 0), GAZ_EFORMAT);
	for (int octet = 0; octet < 256; octet++) {
		char text[32];

		memset(text, '0', sizeof text);
		text[31] = (char)octet;
		secrets.count = 0;
		assert_int_equal(cookie_secrets_add(&secrets, text, sizeof text),
				 octet && strchr("0123456789abcdefABCDEF", octet)
					 ? GAZ_OK
					 : GAZ_EFORMAT);
	}
	secrets.count = 0;
	for (int i = 0; i < COOKIE_SECRETS_MAX; i++)
		add_secret(&secrets, i % 2 ? upper : lower);
	assert_memory_equal(&secrets.keys[0], &secrets.keys[1], sizeof *secrets.keys);
	assert_int_equal(cookie_secrets_add(&secrets, upper, 32), GAZ_ELIMIT);
	assert_int_equal(cookie_secrets_add(&secrets, upper, 31), GAZ_EFORMAT);
	assert_int_equal(secrets.count, COOKIE_SECRETS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret_is_32_digits),
		cmocka_unit_test(test_cookies_are_those_of_the_rfc),
		cmocka_unit_test(test_reserved_octets_and_former_secrets_are_taken),
		cmocka_unit_test(test_cookie_is_good_for_one_client_and_some_time),
		cmocka_unit_test(
			test_random_secret_changes_at_midnight_and_the_old_one_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
