/* SPDX-License-Identifier: BSD-2-Clause */
/* What of a message is not the answer: EDNS and its options, other classes, opcodes and
 * types, and what the server says about itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <urcu.h>

#include "dns/wire.h"
#include "zonefixture.h"

enum {
	NSID = 3,
	COOKIE = 10,
	KEEPALIVE = 11,
	ERROR = 15,
	OPTIONS_LEN_AT = DNS_OPT_LEN - 2,
};

static struct fixture fx;
static struct answer got;
static struct cookie_secrets secrets = {{{{1, 2}}}, 1, false};
static struct answer_config config;

/* A query that grows option by option. */
static uint8_t query[2048];
static size_t query_len;
static size_t opt_at;

static int open_fixture(void **state)
{
	struct zone *zone;

	(void)state;
	fixture_open(&fx);
	zone = fixture_full_zone(&fx, "pub.", "example.com.", NULL, 1);
	fixture_add(&fx, zone, "web.example.com. 60 IN A 192.0.2.1");
	fixture_publish(&fx);
	memset(&config, 0, sizeof config);
	fx.ctx.config = &config;
	fx.ctx.cookies.secrets = &secrets;
	cookie_set_time(&fx.ctx.cookies, 1559736000);
	return 0;
}

static int close_fixture(void **state)
{
	(void)state;
	fixture_close(&fx);
	return 0;
}

static void start_query(const char *name, const char *type)
{
	query_len = query_make(query, name, type, 1232);
	opt_at = query_len - DNS_OPT_LEN;
}

static void add_option(uint16_t code, const void *data, size_t len)
{
	wire_put_u16(query + query_len, code);
	wire_put_u16(query + query_len + 2, (uint16_t)len);
	memcpy(query + query_len + 4, data, len);
	query_len += 4 + len;
	wire_put_u16(query + opt_at + OPTIONS_LEN_AT,
		     (uint16_t)(query_len - opt_at - DNS_OPT_LEN));
}

static void send_query(bool tcp)
{
	struct answer_request req = request_make("192.0.2.9", query, query_len);

	req.tcp = tcp;
	req.idle_ms = 12340;
	ask_wire(&fx, &req, &got);
}

/* The reply's OPT record is its last one. Returns an option's data or NULL. */
static const uint8_t *find_option(uint16_t code, size_t *len_out)
{
	const uint8_t *end = got.wire + got.len;
	const uint8_t *opt = end - DNS_OPT_LEN;

	while (wire_get_u16(opt + 1) != DNS_TYPE_OPT || opt[0] != 0 ||
	       opt + DNS_OPT_LEN + wire_get_u16(opt + OPTIONS_LEN_AT) != end)
		assert_true(--opt >= got.wire + 12);
	for (opt += DNS_OPT_LEN; opt < end; opt += 4 + wire_get_u16(opt + 2)) {
		if (wire_get_u16(opt) == code) {
			*len_out = wire_get_u16(opt + 2);
			return opt + 4;
		}
	}
	return NULL;
}

static void assert_error(int code)
{
	size_t len;
	const uint8_t *data = find_option(ERROR, &len);

	if (code < 0) {
		assert_null(data);
		return;
	}
	assert_non_null(data);
	assert_int_equal(len, 2);
	assert_int_equal(wire_get_u16(data), code);
}

static void test_cookie_is_completed_and_always_fresh(void **state)
{
	uint8_t cookie[40] = "client!!";
	size_t len;

	(void)state;
	start_query("web.example.com.", "A");
	add_option(COOKIE, cookie, 8);
	send_query(false);
	assert_int_equal(got.rcode, 0);
	assert_int_equal(got.sections[0][0], 'w');
	assert_non_null(find_option(COOKIE, &len));
	assert_int_equal(len, 24);
	memcpy(cookie, find_option(COOKIE, &len), 24);
	assert_memory_equal(cookie, "client!!", 8);
	assert_true(cookie_is_valid(
		&fx.ctx.cookies, &(struct netaddr){AF_INET, {192, 0, 2, 9}}, cookie, 24));

	/* A cookie that is not ours, of whatever length it may have, changes nothing. */
	for (size_t other = 16; other <= 40; other += 3) {
		start_query("web.example.com.", "A");
		cookie[23] ^= 1;
		add_option(COOKIE, cookie, other);
		send_query(false);
		assert_int_equal(got.rcode, 0);
		assert_non_null(find_option(COOKIE, &len));
		assert_int_equal(len, 24);
	}
}

static void test_cookie_of_no_length_that_it_can_have_is_a_format_error(void **state)
{
	static const size_t lens[] = {0, 1, 7, 9, 15, 41, 100};
	uint8_t cookie[100] = {0};
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		start_query("web.example.com.", "A");
		add_option(COOKIE, cookie, lens[i]);
		send_query(false);
		assert_int_equal(got.rcode, 1);
		assert_true(got.has_edns);
		assert_string_equal(got.sections[0], "");
	}
	start_query("web.example.com.", "A");
	add_option(COOKIE, "first!!!", 8);
	add_option(COOKIE, "second", 6); /* only the first counts */
	send_query(false);
	assert_int_equal(got.rcode, 0);
	assert_memory_equal(find_option(COOKIE, &len), "first!!!", 8);
}

/* RFC 7873, section 5.4. */
static void test_cookie_is_had_without_a_question(void **state)
{
	uint8_t cookie[24];
	size_t len;

	(void)state;
	start_query(".", "A");
	memmove(query + 12, query + 17, query_len - 17);
	query_len -= 5;
	opt_at -= 5;
	query[5] = 0;
	send_query(false);
	assert_int_equal(got.rcode, 1);
	add_option(COOKIE, "client!!", 8);
	send_query(false);
	assert_int_equal(got.rcode, 0);
	assert_int_equal(wire_get_u16(got.wire + 4), 0);
	memcpy(cookie, find_option(COOKIE, &len), 24);

	query_len = opt_at + DNS_OPT_LEN;
	add_option(COOKIE, cookie, 24);
	send_query(false);
	assert_int_equal(got.rcode, 0);
	query[query_len - 1] ^= 1;
	send_query(false);
	assert_int_equal(got.rcode, 23); /* BADCOOKIE, and a better one */
	assert_memory_equal(find_option(COOKIE, &len), cookie, 24);
}

static void test_nsid_is_told_when_asked_for_and_known(void **state)
{
	size_t len;

	(void)state;
	start_query("web.example.com.", "A");
	add_option(NSID, "", 0);
	send_query(false);
	assert_null(find_option(NSID, &len));
	config.nsid = (struct answer_text){(const uint8_t *)"ns1-fra", 7};
	send_query(false);
	assert_memory_equal(find_option(NSID, &len), "ns1-fra", 7);
	assert_int_equal(len, 7);
	start_query("web.example.com.", "A");
	send_query(false);
	assert_null(find_option(NSID, &len));
}

static void test_keepalive_is_for_tcp_only(void **state)
{
	size_t len;

	(void)state;
	start_query("web.example.com.", "A");
	send_query(true);
	assert_null(find_option(KEEPALIVE, &len));
	add_option(KEEPALIVE, "", 0);
	send_query(true);
	assert_non_null(find_option(KEEPALIVE, &len));
	assert_int_equal(len, 2);
	assert_int_equal(wire_get_u16(find_option(KEEPALIVE, &len)), 123);
	send_query(false);
	assert_null(find_option(KEEPALIVE, &len));
}

/* All options and an error fit beside the longest name, whatever size is announced. */
static void test_options_are_counted_in_the_size(void **state)
{
	uint8_t nsid[EDNS_NSID_MAX];
	char name[256];
	size_t len;

	(void)state;
	memset(nsid, 'n', sizeof nsid);
	config.nsid = (struct answer_text){nsid, sizeof nsid};
	for (size_t i = 0; i < 254; i++)
		name[i] = i % 50 == 49 ? '.' : 'x';
	memcpy(name + 253, ".", 2);
	start_query(name, "A");
	wire_put_u16(query + opt_at + 3, 512);
	add_option(NSID, "", 0);
	add_option(COOKIE, "client!!", 8);
	send_query(false);
	assert_int_equal(got.rcode, 5);
	assert_true(got.len <= 512);
	assert_non_null(find_option(NSID, &len));
	assert_non_null(find_option(COOKIE, &len));
	assert_error(20);
}

static void test_errors_are_explained(void **state)
{
	(void)state;
	start_query("web.example.com.", "A");
	send_query(false);
	assert_error(-1);
	start_query("example.org.", "A");
	send_query(false);
	assert_int_equal(got.rcode, 5);
	assert_error(20);
	query[2] |= 5 << 3; /* UPDATE */
	send_query(false);
	assert_int_equal(got.rcode, 4);
	assert_error(21);
	start_query("no.example.com.", "A");
	send_query(false);
	assert_int_equal(got.rcode, 3);
	assert_error(-1);
}

static void test_transfers_are_refused_or_not_ours(void **state)
{
	static const char *const types[] = {"AXFR", "IXFR"};

	(void)state;
	for (int i = 0; i < 4; i++) {
		start_query("example.com.", types[i / 2]);
		send_query(i % 2);
		if (i == 0) { /* AXFR over UDP */
			assert_int_equal(got.rcode, 4);
			assert_error(21);
			continue;
		}
		assert_int_equal(got.rcode, 5);
		assert_error(18);
		start_query("web.example.com.", types[i / 2]);
		send_query(i % 2);
		assert_int_equal(got.rcode, 9);
		assert_error(20);
		start_query("example.org.", types[i / 2]);
		send_query(i % 2);
		assert_int_equal(got.rcode, 9);
		assert_error(20);
	}
}

static void test_types_that_no_record_has(void **state)
{
	static const uint16_t types[] = {0,   41,  129, 130,   248,  249,
					 250, 253, 254, 65280, 65535};

	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		static const char *const names[] = {"web.example.com.", "example.com."};

		for (int n = 0; n < 2; n++) {
			start_query(names[n], "A");
			wire_put_u16(query + opt_at - 4, types[i]);
			send_query(false);
			assert_int_equal(got.rcode, 0);
			assert_string_equal(got.sections[0], "");
			assert_int_equal(got.sections[1][0], 'e');
		}
		start_query("no.example.com.", "A");
		wire_put_u16(query + opt_at - 4, types[i]);
		send_query(false);
		assert_int_equal(got.rcode, 3);
	}
}

/* RFC 9824, section 3.5 */
static void test_type_that_is_for_replies_only(void **state)
{
	(void)state;
	start_query("web.example.com.", "A");
	wire_put_u16(query + opt_at - 4, 128);
	send_query(false);
	assert_int_equal(got.rcode, DNS_FORMERR);
	assert_error(30);
}

/* RFC 8945, section 5.2.1: what comes behind OPT is told back, without a MAC. */
static void test_no_key_is_known(void **state)
{
	uint8_t tsig[] = {1, 'K', 0, 0, 250, 0, 255, 0, 0, 0, 0, 0, 21, 1, 'a', 0, 0,
			  0, 1,	  2, 3, 4,   1, 44,  0, 2, 7, 7, 9, 8,	0, 0,	0, 0};
	static const uint8_t told[] = {1, 'K', 0, 0,   250, 0, 255, 0,	0, 0, 0,
				       0, 19,  1, 'a', 0,   0, 0,   1,	2, 3, 4,
				       1, 44,  0, 0,   9,   8, 0,   17, 0, 0};
	size_t tsig_at;

	(void)state;
	start_query("web.example.com.", "A");
	tsig_at = query_len;
	memcpy(query + tsig_at, tsig, sizeof tsig);
	query_len += sizeof tsig;
	query[11]++;
	send_query(false);
	assert_int_equal(got.rcode, DNS_NOTAUTH);
	assert_false(got.aa);
	assert_true(got.has_edns);
	assert_string_equal(got.sections[0], "");
	assert_memory_equal(got.wire + got.len - sizeof told, told, sizeof told);
	assert_int_equal(got.len, tsig_at + sizeof told); /* no extended error */
	/* A name that leads into the question may stay as it is. */
	query[tsig_at] = 0xc0;
	query[tsig_at + 1] = 12;
	memmove(query + tsig_at + 2, query + tsig_at + 3, sizeof tsig - 3);
	query_len--;
	send_query(false);
	assert_int_equal(got.len, tsig_at + sizeof told - 1);
	assert_memory_equal(got.wire + tsig_at, "\xc0\x0c\0\372", 4);
	query[tsig_at + 1] = (uint8_t)(opt_at);
	send_query(false);
	assert_int_equal(got.rcode, DNS_NOTAUTH);
	assert_int_equal(got.len, tsig_at);
}

/* The longest name, 254 octets of labels and a pointer to the root: what stands behind it
 * is read behind it. */
static void test_longest_name_of_a_key(void **state)
{
	static const uint8_t tsig[] = {0,  250, 0, 255, 0, 0, 0, 0, 0, 19,
				       1,  'a', 0, 0,	0, 1, 2, 3, 4, 1,
				       44, 0,	0, 9,	8, 0, 0, 0, 0};
	uint8_t owner[256];
	size_t tsig_at;

	(void)state;
	start_query("web.example.com.", "A");
	memset(owner, 'k', sizeof owner);
	owner[0] = owner[64] = owner[128] = 63;
	owner[192] = 61;
	owner[254] = 0xc0;
	owner[255] = (uint8_t)(opt_at - 5);
	tsig_at = query_len;
	memcpy(query + tsig_at, owner, sizeof owner);
	memcpy(query + tsig_at + sizeof owner, tsig, sizeof tsig);
	query_len += sizeof owner + sizeof tsig;
	query[11]++;
	send_query(true);
	assert_int_equal(got.rcode, DNS_NOTAUTH);
	assert_int_equal(got.len, tsig_at + sizeof owner + sizeof tsig);
	assert_memory_equal(got.wire + tsig_at, owner, sizeof owner);
	assert_memory_equal(got.wire + tsig_at + sizeof owner, tsig, sizeof tsig - 4);
}

static void set_class(uint16_t class)
{
	wire_put_u16(query + opt_at - 2, class);
}

static void test_class_any_is_answered_without_authority(void **state)
{
	(void)state;
	start_query("web.example.com.", "A");
	set_class(255);
	send_query(false);
	assert_int_equal(got.rcode, 0);
	assert_string_equal(got.sections[0], "web.example.com. 60 IN A 192.0.2.1\n");
	assert_false(got.aa);
	set_class(254); /* NONE */
	send_query(false);
	assert_int_equal(got.rcode, 5);
	assert_error(20);
}

static void test_server_speaks_about_itself_only_when_told_to(void **state)
{
	static const char *const names[] = {"id.server.", "HostName.bind.",
					    "version.server.", "version.bind."};

	(void)state;
	for (int i = 0; i < 4; i++) {
		start_query(names[i], "TXT");
		set_class(3);
		send_query(false);
		assert_int_equal(got.rcode, 5);
		assert_error(20);
	}
	config.identity = (struct answer_text){(const uint8_t *)"ns1", 3};
	send_query(false);
	assert_int_equal(got.rcode, 5);
	config.version = (struct answer_text){(const uint8_t *)"9.9", 3};
	for (int i = 0; i < 4; i++) {
		start_query(names[i], "TXT");
		set_class(3);
		send_query(false);
		assert_int_equal(got.rcode, 0);
		assert_true(got.aa);
		assert_non_null(strstr(got.sections[0], i < 2 ? " 0 CH TXT \"ns1\""
							      : " 0 CH TXT \"9.9\""));
	}
	start_query("id.server.", "A");
	set_class(3);
	send_query(false);
	assert_int_equal(got.rcode, 0);
	assert_string_equal(got.sections[0], "");
	start_query("id.server.", "TXT"); /* class IN */
	send_query(false);
	assert_int_equal(got.rcode, 5);
	start_query("authors.bind.", "TXT");
	set_class(3);
	send_query(false);
	assert_int_equal(got.rcode, 5);
}

/* AD, CD and Z say nothing to us, and we say nothing by them. */
static void test_flags_that_mean_nothing_are_cleared(void **state)
{
	(void)state;
	for (unsigned rd = 0; rd < 2; rd++) {
		start_query("web.example.com.", "A");
		query[2] = (uint8_t)(rd | 0x06); /* AA, TC */
		query[3] = 0xff;		 /* RA, Z, AD, CD, and an rcode */
		send_query(false);
		assert_int_equal(got.rcode, 0);
		assert_int_equal(wire_get_u16(got.wire + 2), 0x8400 | rd << 8);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_cookie_is_completed_and_always_fresh),
		T(test_cookie_of_no_length_that_it_can_have_is_a_format_error),
		T(test_cookie_is_had_without_a_question),
		T(test_nsid_is_told_when_asked_for_and_known),
		T(test_keepalive_is_for_tcp_only),
		T(test_options_are_counted_in_the_size),
		T(test_errors_are_explained),
		T(test_transfers_are_refused_or_not_ours),
		T(test_types_that_no_record_has),
		T(test_type_that_is_for_replies_only),
		T(test_no_key_is_known),
		T(test_longest_name_of_a_key),
		T(test_class_any_is_answered_without_authority),
		T(test_server_speaks_about_itself_only_when_told_to),
		T(test_flags_that_mean_nothing_are_cleared),
	};
	int failed;

	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failed;
}
