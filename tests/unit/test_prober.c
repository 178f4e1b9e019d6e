/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prober/probe.h"
#include "prober/schedule.h"
#include "prober/statusline.h"
#include "prober/target.h"

enum {
	INTERVAL_MS = 30000,
	MANY = 3000,
};

/* ---- schedule ---- */

static void test_items_come_in_the_order_of_their_time(void **state)
{
	static struct schedule_item items[MANY];
	struct schedule s;
	struct rng rng;
	int64_t last_ms = -1;
	size_t seen = 0;

	(void)state;
	rng_seed(&rng, 1);
	schedule_init(&s);
	assert_null(schedule_first(&s));
	assert_int_equal(schedule_reserve(&s, MANY), GAZ_OK);
	for (size_t i = 0; i < MANY; i++)
		schedule_add(&s, &items[i], rng_below(&rng, MANY / 2));
	for (size_t i = 0; i < MANY; i += 3) {
		schedule_remove(&s, &items[i]);
		schedule_remove(&s, &items[i]); /* once more: nothing */
	}
	for (struct schedule_item *item; (item = schedule_first(&s)); seen++) {
		assert_true(item->due_ms >= last_ms);
		assert_true((item - items) % 3 != 0);
		last_ms = item->due_ms;
		schedule_remove(&s, item);
		assert_int_equal(item->at, 0);
	}
	assert_int_equal(seen, MANY - MANY / 3);
	schedule_fini(&s);
}

static void test_room_grows_as_asked(void **state)
{
	static struct schedule_item items[1000];
	struct schedule s;

	(void)state;
	schedule_init(&s);
	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(schedule_reserve(&s, i + 1), GAZ_OK);
		schedule_add(&s, &items[i], (int64_t)(1000 - i));
		assert_ptr_equal(schedule_first(&s), &items[i]);
	}
	schedule_fini(&s);
}

static void test_new_items_are_spread_over_the_interval(void **state)
{
	enum {
		PARTS = 10
	};
	unsigned parts[PARTS] = {0};
	struct rng rng;

	(void)state;
	rng_seed(&rng, 2);
	for (size_t i = 0; i < MANY; i++) {
		int64_t begin_ms = schedule_begin_ms(&rng, 1000, INTERVAL_MS) - 1000;

		assert_in_range(begin_ms, 0, INTERVAL_MS - 1);
		parts[begin_ms / (INTERVAL_MS / PARTS)]++;
	}
	for (size_t i = 0; i < PARTS; i++)
		assert_in_range(parts[i], MANY / PARTS / 2, MANY / PARTS * 2);
}

static void test_next_time_is_an_interval_later(void **state)
{
	struct rng rng;
	int64_t sum_ms = 0;

	(void)state;
	rng_seed(&rng, 3);
	for (size_t i = 0; i < MANY; i++) {
		int64_t next_ms = schedule_next_ms(&rng, 5000, 5100, INTERVAL_MS);

		assert_in_range(next_ms - 5000, INTERVAL_MS - INTERVAL_MS / 20,
				INTERVAL_MS + INTERVAL_MS / 20);
		sum_ms += next_ms - 5000;
	}
	assert_in_range(sum_ms / MANY, INTERVAL_MS - 100, INTERVAL_MS + 100);
	/* Too short for a jitter, and one that was late. */
	assert_int_equal(schedule_next_ms(&rng, 5000, 5001, 10), 5010);
	assert_int_equal(schedule_next_ms(&rng, 5000, 95000, INTERVAL_MS), 95000);
}

/* ---- verdict ---- */

static void test_threshold_in_a_row_turns_the_verdict(void **state)
{
	(void)state;
	for (unsigned threshold = 1; threshold <= 10; threshold++) {
		struct verdict v = {.healthy = true};

		for (unsigned i = 1; i < threshold; i++)
			assert_false(verdict_count(&v, false, threshold));
		assert_false(verdict_count(&v, true, threshold));
		for (unsigned i = 1; i < threshold; i++)
			assert_false(verdict_count(&v, false, threshold));
		assert_true(verdict_count(&v, false, threshold));
		/* It could not be reported: the next one says so again. */
		assert_true(verdict_count(&v, false, threshold));
		v = (struct verdict){.healthy = false};
		assert_false(verdict_count(&v, false, threshold));
		for (unsigned i = 1; i < threshold; i++)
			assert_false(verdict_count(&v, true, threshold));
		assert_true(verdict_count(&v, true, threshold));
	}
}

static void test_results_without_an_end_do_not_overflow(void **state)
{
	struct verdict v = {.healthy = true};

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_true(verdict_count(&v, false, 1));
}

/* ---- the status line ---- */

static enum statusline_verdict parse(const char *text, unsigned *code_out)
{
	return statusline_parse((const uint8_t *)text, strlen(text), code_out);
}

static void test_status_is_found_in_the_final_response(void **state)
{
	static const struct {
		const char *text;
		unsigned code;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\n", 200},
		{"HTTP/1.0 404\r\n", 404},
		{"HTTP/1.1 302\n", 302},
		{"HTTP/2.0 599 ", 599},
		{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\n", 503},
		{"HTTP/1.1 103 Hints\nLink: x\n\nHTTP/1.1 100\r\n\r\nHTTP/1.1 204 \r\n",
		 204},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i].text);
		unsigned code = 0;

		assert_int_equal(parse(cases[i].text, &code), STATUSLINE_FOUND);
		assert_int_equal(code, cases[i].code);
		/* Any part of it is not wrong, only short. */
		for (size_t part = 0; part < len; part++) {
			enum statusline_verdict verdict = statusline_parse(
				(const uint8_t *)cases[i].text, part, &code);

			assert_int_not_equal(verdict, STATUSLINE_BAD);
		}
	}
}

static void test_other_bytes_are_no_status(void **state)
{
	static const char *const cases[] = {
		"SSH-2.0-OpenSSH\r\n",
		"HTTP/1.1  200 OK\r\n",
		"HTTP/11 200 OK\r\n",
		"HTTP/1.1 2000 OK\r\n",
		"HTTP/1.1 20x OK\r\n",
		"HTTP/1.1 -20 OK\r\n",
		"HTTP/1.1 600 OK\r\n",
		"HTTP/1.1 099 OK\r\n",
		"http/1.1 200 OK\r\n",
		"\r\nHTTP/1.1 200 OK\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nrubbish",
		"\x16\x03\x01",
	};
	unsigned code = 0;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(parse(cases[i], &code), STATUSLINE_BAD);
	assert_int_equal(statusline_parse((const uint8_t *)"HTTP/1.1 200", 13, &code),
			 STATUSLINE_BAD);
	assert_int_equal(parse("HTTP/1.1 100 Continue\r\nX: y\r\n", &code),
			 STATUSLINE_MORE);
}

/* ---- the request ---- */

static const char *request(enum health_check_type type, const char *addr, uint16_t port,
			   const char *path, char out[PROBE_REQUEST_SIZE])
{
	struct healthcheck_notice what = {.type = type, .path = path, .port = port};

	assert_int_equal(netaddr_parse(addr, &what.addr), GAZ_OK);
	return probe_print_request(&what, out);
}

static void test_host_names_the_port_unless_it_is_usual(void **state)
{
	char out[PROBE_REQUEST_SIZE];

	(void)state;
	assert_non_null(strstr(request(HEALTH_CHECK_HTTP, "192.0.2.1", 80, "/", out),
			       "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n"));
	assert_non_null(strstr(request(HEALTH_CHECK_HTTP, "192.0.2.1", 443, "/", out),
			       "\r\nHost: 192.0.2.1:443\r\n"));
	assert_non_null(strstr(request(HEALTH_CHECK_HTTPS, "2001:db8::1", 443, "x", out),
			       "GET /x HTTP/1.1\r\nHost: [2001:db8::1]\r\n"));
	assert_non_null(strstr(request(HEALTH_CHECK_HTTPS, "2001:db8::1", 8443, "/", out),
			       "\r\nHost: [2001:db8::1]:8443\r\n"));
}

static void test_longest_path_is_encoded_whole(void **state)
{
	char out[PROBE_REQUEST_SIZE];
	char path[255 * 4 + 1];

	(void)state;
	for (size_t i = 0; i < 255; i++)
		memcpy(path + 4 * i, "\xf0\x9f\x98\x80", 4);
	path[sizeof path - 1] = '\0';
	request(HEALTH_CHECK_HTTP, "2001:db8:1111:2222:3333:4444:5555:6666", 65535, path,
		out);
	assert_non_null(strstr(out, "GET /%F0%9F%98%80%F0"));
	assert_non_null(strstr(out, "%98%80 HTTP/1.1\r\n"));
	assert_string_equal(out + strlen(out) - 4, "\r\n\r\n");
}

/* ---- the table ---- */

static struct healthcheck_notice *notice(const char *service_id, const char *instance_id)
{
	struct healthcheck_notice *it = calloc(1, sizeof *it + 64);
	char *text = (char *)(it + 1);

	assert_non_null(it);
	it->service_id = strcpy(text, service_id);
	it->instance_id = strcpy(text + 32, instance_id);
	return it;
}

static void test_targets_are_found_by_both_ids(void **state)
{
	struct target_table t;
	struct target *target;
	char id[32];

	(void)state;
	assert_int_equal(target_table_init(&t), GAZ_OK);
	for (int i = 0; i < MANY; i++) {
		struct healthcheck_notice *what;

		(void)snprintf(id, sizeof id, "i%d", i / 2);
		what = notice(i % 2 ? "srv-a" : "srv-b", id);
		assert_int_equal(target_add(&t, &what, &target), GAZ_OK);
		assert_null(what);
	}
	assert_int_equal(t.count, MANY);
	for (int i = 0; i < MANY; i += 2) {
		(void)snprintf(id, sizeof id, "i%d", i / 2);
		target = target_find(&t, "srv-b", id);
		assert_string_equal(target->what->service_id, "srv-b");
		assert_string_equal(target->what->instance_id, id);
		target_remove(&t, target);
		assert_null(target_find(&t, "srv-b", id));
		assert_non_null(target_find(&t, "srv-a", id));
	}
	assert_int_equal(t.count, MANY / 2);
	target_table_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items_come_in_the_order_of_their_time),
		cmocka_unit_test(test_room_grows_as_asked),
		cmocka_unit_test(test_new_items_are_spread_over_the_interval),
		cmocka_unit_test(test_next_time_is_an_interval_later),
		cmocka_unit_test(test_threshold_in_a_row_turns_the_verdict),
		cmocka_unit_test(test_results_without_an_end_do_not_overflow),
		cmocka_unit_test(test_status_is_found_in_the_final_response),
		cmocka_unit_test(test_other_bytes_are_no_status),
		cmocka_unit_test(test_host_names_the_port_unless_it_is_usual),
		cmocka_unit_test(test_longest_path_is_encoded_whole),
		cmocka_unit_test(test_targets_are_found_by_both_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
