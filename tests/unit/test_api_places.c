/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "api/places.h"
#include "api_client.h"
#include "api_stub.h"

enum {
	MORE_THAN_PLACES = PLACES_MAX + 46
};

static void make_call(struct conn *c)
{
	struct reply r;

	send_call(c, AWS "ListNamespaces", "{}");
	r = receive(c);
	assert_int_equal(r.status, 200);
}

/* Of TCP, and not of those for the unix socket. */
static void test_newcomer_gets_the_place_that_is_least_useful(void **state)
{
	static struct conn *many[MORE_THAN_PLACES];
	struct conn *local = dial_unix(state);
	struct reply r;

	make_call(local);
	stub.delay_ms = 1000;
	for (int i = 0; i < MORE_THAN_PLACES; i++) {
		many[i] = dial_tcp(state);
		if (i == 0) { /* its request is being carried out */
			send_call(many[i], AWS "DeleteNamespace", "{\"Id\":\"n\"}");
			wait_for(stub_jobs_submitted, 1);
		} else if (i == 100) { /* has made a call: the others have not */
			make_call(many[1]);
		}
	}
	make_call(many[MORE_THAN_PLACES - 1]);
	r = receive(many[0]);
	assert_success(&r, "{\"OperationId\":\"operation-1\"}");
	make_call(many[1]);
	assert_closed(many[2]);
	/* One may be too many, as long as nobody else comes. */
	assert_closed(many[MORE_THAN_PLACES - PLACES_MAX]);
	make_call(many[MORE_THAN_PLACES - PLACES_MAX + 2]);
	make_call(many[0]);
	make_call(local);
	for (int i = 0; i < MORE_THAN_PLACES; i++)
		hang_up(many[i]);
	hang_up(local);
}

static void test_connections_that_are_being_served_keep_their_places(void **state)
{
	static struct conn *many[MORE_THAN_PLACES];

	stub.delay_ms = 2;
	for (int i = 0; i < MORE_THAN_PLACES; i++) {
		many[i] = dial_tcp(state);
		send_call(many[i], AWS "DeleteNamespace", "{\"Id\":\"n\"}");
	}
	for (int i = 0; i < MORE_THAN_PLACES; i++) {
		struct reply r = receive(many[i]);

		assert_success(&r, "{\"OperationId\":\"operation-1\"}");
	}
	for (int i = 0; i < MORE_THAN_PLACES; i++)
		hang_up(many[i]);
	assert_alive(state);
}

/* Time that has passed for the server's limits alone. */
static _Atomic int64_t passed_ms;
int64_t __real_clock_monotonic_ms(void);
int64_t __wrap_clock_monotonic_ms(void);

int64_t __wrap_clock_monotonic_ms(void)
{
	return __real_clock_monotonic_ms() + passed_ms;
}

static void begin_body(struct conn *c, size_t len, size_t sent)
{
	char *body = malloc(len);
	char head[256];

	memset(body, ' ', len);
	(void)snprintf(head, sizeof head,
		       "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: " AWS
		       "ListNamespaces\r\nContent-Length: %zu\r\n\r\n",
		       len);
	send_text(c, head);
	send_bytes(c, body, sent);
	free(body);
}

static void test_request_has_its_time_as_a_whole(void **state)
{
	enum {
		LARGE = 400000
	};
	struct conn *idle = dial_tcp(state);
	struct conn *busy = dial_tcp(state);
	struct conn *large = dial_tcp(state);
	struct conn *in_head = dial_tcp(state);
	struct conn *in_body = dial_tcp(state);
	struct reply r;

	make_call(idle);
	make_call(in_body);
	begin_body(in_body, LARGE, 10);
	send_text(in_head, "POST / HTT");
	begin_body(large, LARGE, LARGE - 2);
	stub.delay_ms = 3000;
	send_call(busy, AWS "DeleteNamespace", "{\"Id\":\"n\"}");
	wait_for(stub_jobs_submitted, 1);
	make_call(idle);
	passed_ms += PLACES_REQUEST_MS + 10000;
	/* One octet more does not help. */
	send_text(in_head, "P");
	send_text(in_body, "x");
	assert_closed(in_head);
	assert_closed(in_body);
	send_text(large, "{}");
	r = receive(large);
	assert_int_equal(r.status, 200);
	make_call(idle);
	r = receive(busy);
	assert_success(&r, "{\"OperationId\":\"operation-1\"}");
	hang_up(idle);
	hang_up(busy);
	hang_up(large);
	hang_up(in_head);
	hang_up(in_body);
}

/* For the connections of both sides. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(limit.rlim_cur >= 4 * MORE_THAN_PLACES); /* ulimit -Hn */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_newcomer_gets_the_place_that_is_least_useful),
		TEST(test_connections_that_are_being_served_keep_their_places),
		TEST(test_request_has_its_time_as_a_whole),
	};

	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
