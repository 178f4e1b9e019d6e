/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/http.h"
#include "api_client.h"
#include "api_stub.h"

/* Connections */

static void test_connection_is_kept_alive_after_success_and_error(void **state)
{
	struct conn *c = dial_tcp(state);

	for (int i = 0; i < 50; i++) {
		struct reply r;

		send_call(c, AWS "DeleteNamespace", "{\"Id\":\"n\"}");
		r = receive(c);
		assert_int_equal(r.status, 200);
		send_call(c, AWS "GetNamespace", "{");
		r = receive(c);
		assert_int_equal(r.status, 400);
	}
	hang_up(c);
}

static void test_pipelined_calls_are_answered_in_order(void **state)
{
	struct conn *c = dial_tcp(state);
	struct reply r;

	stub.delay_ms = 20;
	for (int i = 0; i < 5; i++) {
		send_call(c, AWS "DeleteNamespace", "{\"Id\":\"n\"}");
		send_call(c, AWS "ListNamespaces", "{}");
	}
	for (int i = 0; i < 5; i++) {
		r = receive(c);
		assert_success(&r, "{\"OperationId\":\"operation-1\"}");
		r = receive(c);
		assert_success(&r, "{\"Namespaces\":[]}");
	}
	hang_up(c);
}

static void test_reads_do_not_wait_for_the_writer(void **state)
{
	struct conn *slow = dial_tcp(state);
	struct reply r;

	stub.delay_ms = 500;
	send_call(slow, AWS "DeleteNamespace", "{\"Id\":\"n\"}");
	r = call(state, AWS "ListNamespaces", "{}");
	assert_int_equal(r.status, 200);
	assert_int_equal(stub_jobs_done(), 0);
	r = receive(slow);
	assert_int_equal(r.status, 200);
	hang_up(slow);
}

static void test_chunked_body_is_read(void **state)
{
	struct conn *c = dial_tcp(state);
	struct reply r;

	for (int i = 0; i < 2; i++) {
		send_text(c, "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: " AWS
			     "GetNamespace\r\nTransfer-Encoding: chunked\r\n\r\n"
			     "6\r\n{\"Id\":\r\n4\r\n\"n\"}\r\n0\r\n\r\n");
		r = receive(c);
		assert_int_equal(r.status, 200);
		assert_non_null(strstr(r.body, "\"Id\":\"n\""));
	}
	hang_up(c);
}

static void test_request_in_single_bytes_is_read(void **state)
{
	static const char text[] = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: " AWS
				   "ListNamespaces\r\nContent-Length: 2\r\n\r\n{}";
	struct conn *c = dial_tcp(state);
	struct reply r;

	for (size_t i = 0; i < sizeof text - 1; i++)
		send_bytes(c, text + i, 1);
	r = receive(c);
	assert_success(&r, "{\"Namespaces\":[]}");
	hang_up(c);
}

static void test_expect_continue_is_answered(void **state)
{
	struct conn *c = dial_tcp(state);
	struct reply r;

	send_text(
		c,
		"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nX-Amz-Target: " AWS
		"ListNamespaces\r\nContent-Length: 2\r\n\r\n");
	r = receive(c);
	assert_int_equal(r.status, 100);
	send_text(c, "{}");
	r = receive(c);
	assert_success(&r, "{\"Namespaces\":[]}");
	hang_up(c);
}

static void test_ambiguous_framing_is_refused_and_the_connection_closed(void **state)
{
	static const char *const bad[] = {
		"Content-Length: 2\r\nTransfer-Encoding: "
		"chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\nContent-Length: "
		"2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
		"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
		"Content-Length: +2\r\n\r\n{}",
		"Content-Length: 2\r\n 0\r\n\r\n{}",
		"Content-Length: 2, 2\r\n\r\n",
		"Content-Length: \r\n\r\n",
		"Content-Length: -1\r\n\r\n",
		"Content-Length : 2\r\n\r\n",
		"Transfer-Encoding: gzip\r\n\r\n",
		"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: \tchunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: "
		"chunked\r\n\r\n0\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct conn *c = dial_tcp(state);
		struct reply r;

		send_text(c, "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: " AWS
			     "ListNamespaces\r\n");
		send_text(c, bad[i]);
		r = receive(c);
		if (r.status != 400)
			fail_msg("status %d for: %s", r.status, bad[i]);
		while (receive_more(c))
			;
		assert_null(strstr(c->data, "HTTP/1.1 200"));
		assert_null(stub.last);
		hang_up(c);
	}
	assert_alive(state);
}

static struct reply send_body_of(void **state, size_t size)
{
	struct conn *c = dial_tcp(state);
	char *body = malloc(size);
	char head[256];
	struct reply r;

	memset(body, ' ', size);
	memcpy(body, "{}", 2);
	(void)snprintf(head, sizeof head,
		       "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: " AWS
		       "ListNamespaces\r\nContent-Length: %zu\r\n\r\n",
		       size);
	send_text(c, head);
	send_bytes(c, body, size);
	r = receive(c);
	free(body);
	hang_up(c);
	return r;
}

static void test_body_over_one_mebibyte_is_refused(void **state)
{
	struct reply r = send_body_of(state, 1 << 20);

	assert_success(&r, "{\"Namespaces\":[]}");
	r = send_body_of(state, (1 << 20) + 1);
	assert_error(&r, 413, "RequestEntityTooLargeException");
	assert_true(has_line(&r, "Connection: close"));
	r = send_body_of(state, 3 << 20);
	assert_int_equal(r.status, 413);
	assert_alive(state);
}

static void test_endless_chunks_are_cut_off(void **state)
{
	struct conn *c = dial_tcp(state);
	struct reply r;
	char chunk[4096 + 3];

	memset(chunk, ' ', 4096);
	memcpy(chunk + 4096, "\r\n", 3);
	send_text(c, "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: " AWS
		     "ListNamespaces\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 1000; i++) {
		send_text(c, "1000\r\n");
		send_text(c, chunk);
	}
	r = receive(c);
	assert_true(r.closed || r.status == 413);
	hang_up(c);
	assert_alive(state);
}

/* Sends a text again and again until the server hangs up or stops reading.
 * @return how much was sent */
static size_t pour(struct conn *c, const char *text, size_t max)
{
	const struct timeval soon = {.tv_sec = 2};
	const size_t times = 64 * 1024 / strlen(text);
	const size_t len = times * strlen(text);
	char *piece = malloc(len + 1);
	size_t sent = 0;
	ssize_t n = 0;

	assert_non_null(piece);
	for (size_t i = 0; i < times; i++)
		strcpy(piece + i * strlen(text), text);
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
	while (n >= 0 && sent < max) {
		n = send(c->fd, piece + sent % len, len - sent % len, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
	}
	free(piece);
	return sent;
}

enum {
	POURED_MAX = 32 << 20, /* what the sockets hold is far below */
};

static void test_line_of_a_chunk_that_does_not_end_is_cut_off(void **state)
{
	struct conn *c = dial_tcp(state);

	send_text(c, "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: " AWS
		     "ListNamespaces\r\nTransfer-Encoding: chunked\r\n\r\n");
	assert_true(pour(c, "1", POURED_MAX) < POURED_MAX);
	assert_closed(c);
	hang_up(c);
	assert_alive(state);
}

/* Its replies wait, and so must what it sends. */
static void test_client_that_takes_no_reply_is_not_read_for_ever(void **state)
{
	struct conn *c = dial_tcp(state);

	assert_true(pour(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
			 POURED_MAX) < POURED_MAX);
	hang_up(c);
	assert_alive(state);
}

static void test_headers_over_the_cap_are_refused(void **state)
{
	struct conn *c = dial_tcp(state);
	struct reply r;

	send_text(c, "POST / HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 40; i++) {
		char line[1024];

		memset(line, 'a', sizeof line);
		memcpy(line + 5, ": ", 2);
		memcpy(line + sizeof line - 3, "\r\n", 3);
		send_text(c, line);
	}
	r = receive(c);
	assert_true(r.closed || r.status == 400);
	hang_up(c);
	assert_alive(state);
}

static void test_garbage_does_no_harm(void **state)
{
	static const char *const garbage[] = {
		"\r\n\r\n\r\n",
		"GET\r\n\r\n",
		"POST / HTTP/9.9\r\n\r\n",
		"PROPFIND / HTTP/1.1\r\n\r\n",
		"POST http://[::1 HTTP/1.1\r\n\r\n",
		"POST * HTTP/1.1\r\n\r\n",
		"CONNECT x:1 HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nno colon\r\n\r\n",
		"POST / HTTP/1.1\r\n: empty\r\n\r\n",
		"POST / HTTP/1.1\r\nExpect: magic\r\nContent-Length: 1\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST / HTTP/1.0\r\n\r\n",
		"\x16\x03\x01\x02",
		"POST / HT",
	};

	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		struct conn *c = dial_tcp(state);

		send_text(c, garbage[i]);
		shutdown(c->fd, SHUT_WR);
		while (receive_more(c))
			c->len = 0;
		assert_null(strstr(c->data, " 200 "));
		hang_up(c);
	}
	assert_alive(state);
}

static void test_client_that_leaves_before_the_reply_does_no_harm(void **state)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	stub.delay_ms = 20;
	for (int i = 0; i < 10; i++) {
		struct conn *c = i % 2 ? dial_tcp(state) : dial_unix(state);

		if (i % 3 == 0)
			setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		/* One more call waits behind the one that is under way. */
		send_call(c, AWS "DeleteNamespace", "{\"Id\":\"n\"}");
		send_call(c, AWS "GetNamespace", "{\"Id\":\"n\"}");
		wait_for(stub_jobs_submitted, (unsigned)i + 1);
		hang_up(c);
	}
	wait_for(stub_jobs_done, 10);
	stub.delay_ms = 0;
	assert_alive(state);
}

static void test_client_that_leaves_after_expect_does_no_harm(void **state)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	stub.delay_ms = 20;
	for (int i = 0; i < 5; i++) {
		struct conn *c = dial_tcp(state);

		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		send_text(c, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
			     "X-Amz-Target: " AWS
			     "DeleteNamespace\r\nContent-Length: 10\r\n\r\n");
		if (i % 2) { /* wait for "100 Continue", as a client may or may not */
			assert_true(receive_more(c));
			assert_non_null(strstr(c->data, " 100 "));
		}
		send_text(c, "{\"Id\":\"n\"}");
		wait_for(stub_jobs_submitted, (unsigned)i + 1);
		hang_up(c);
	}
	wait_for(stub_jobs_done, 5);
	stub.delay_ms = 0;
	assert_alive(state);
}

static void test_running_out_of_descriptors_is_survived(void **state)
{
	struct rlimit limit;
	struct rlimit low;
	struct conn *c;
	struct conn *late;
	struct reply r;
	int next;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	c = dial_tcp(state);
	send_call(c, AWS "ListNamespaces", "{}");
	r = receive(c);
	assert_int_equal(r.status, 200);
	late = calloc(1, sizeof *late);
	late->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	set_timeout(late->fd);
	next = dup(0);
	close(next);
	low = limit;
	low.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(connect(late->fd,
				 (struct sockaddr *)&((struct fixture *)*state)->address,
				 sizeof(struct sockaddr_in)),
			 0);
	/* Every reply is a turn of the loop that cannot accept the late one. */
	for (int i = 0; i < 20; i++) {
		send_call(c, AWS "ListNamespaces", "{}");
		r = receive(c);
		assert_int_equal(r.status, 200);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	send_call(late, AWS "ListNamespaces", "{}");
	r = receive(late);
	assert_int_equal(r.status, 200);
	hang_up(late);
	hang_up(c);
}

/* The unix socket, start and stop */

static void test_unix_socket_serves_and_has_mode_0660(void **state)
{
	struct fixture *f = *state;
	struct conn *c = dial_unix(state);
	struct stat st;
	struct reply r;

	for (int i = 0; i < 2; i++) {
		send_call(c, AWS "DeleteNamespace", "{\"Id\":\"n\"}");
		r = receive(c);
		assert_success(&r, "{\"OperationId\":\"operation-1\"}");
	}
	hang_up(c);
	assert_int_equal(stat(f->socket_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

static void test_backup_is_a_file_and_for_the_unix_socket_alone(void **state)
{
	struct conn *c = dial_unix(state);
	struct reply r;

	send_call(c, "Gazetteer.Backup", "{}");
	r = receive(c);
	assert_int_equal(r.status, 200);
	assert_true(has_line(&r, "Content-Type: application/octet-stream"));
	assert_true(has_line(&r, "Content-Length: 9"));
	assert_string_equal(r.body, "the store");
	assert_closed(c);
	hang_up(c);
	r = call(state, "Gazetteer.Backup", "{}");
	assert_error(&r, 400, "AccessDeniedException");
	assert_alive(state);
}

/* Takes a little now and then, for longer than a connection may be idle. */
static size_t take_slowly(int fd, char *buffer, size_t size)
{
	const int turns = 2 * HTTP_IDLE_BUSY_S + 3;
	size_t total = 0;
	ssize_t n = 1;

	for (int i = 0; n > 0 && i < turns; i++) {
		n = recv(fd, buffer, size, 0);
		total += n > 0 ? (size_t)n : 0;
		usleep(500000);
	}
	while (n > 0) {
		n = recv(fd, buffer, size, 0);
		total += n > 0 ? (size_t)n : 0;
	}
	return total;
}

static void test_file_may_take_longer_than_a_connection_may_be_idle(void **state)
{
	enum {
		MANY = 260, /* from then on that is a short time */
	};
	static struct conn *many[MANY];
	struct conn *c;
	struct reply r;

	for (int i = 0; i < MANY; i++)
		many[i] = dial_tcp(state);
	send_call(many[MANY - 1], AWS "ListNamespaces", "{}");
	r = receive(many[MANY - 1]);
	assert_int_equal(r.status, 200);
	stub.copy_len = 8 << 20;
	c = dial_unix(state);
	send_call(c, "Gazetteer.Backup", "{}");
	assert_true(take_slowly(c->fd, c->data, CONN_CAP) > stub.copy_len);
	hang_up(c);
	for (int i = 0; i < MANY; i++)
		hang_up(many[i]);
}

static void test_unix_socket_of_a_client_that_is_bound_is_served(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un mine = {.sun_family = AF_UNIX};
	struct sockaddr_un theirs = {.sun_family = AF_UNIX};
	struct conn *c = calloc(1, sizeof *c);
	struct reply r;

	(void)snprintf(mine.sun_path, sizeof mine.sun_path, "%s/run/client", f->folder);
	strcpy(theirs.sun_path, f->socket_path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(c->fd, (struct sockaddr *)&mine, sizeof mine), 0);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&theirs, sizeof theirs), 0);
	send_call(c, AWS "ListNamespaces", "{}");
	r = receive(c);
	assert_int_equal(r.status, 200);
	hang_up(c);
	unlink(mine.sun_path);
}

static void test_second_server_is_refused_with_advice(void **state)
{
	struct fixture *f = *state;
	struct fixture second = {0};
	struct api_server *server = NULL;
	struct gaz_error err;
	struct api_config config;

	strcpy(second.socket_path, f->socket_path);
	config = make_config(&second);
	assert_int_equal(api_server_open(&config, NULL, &server, &err), GAZ_EBUSY);
	assert_non_null(strstr(err.text, "--socket"));
	assert_null(server);
	assert_int_equal(access(f->socket_path, F_OK), 0);

	config.socket_path = NULL;
	config.endpoints = &f->address;
	assert_int_equal(api_server_open(&config, NULL, &server, &err), GAZ_EIO);
	assert_non_null(strstr(err.text, "in use"));
	assert_null(server);
	assert_alive(state);
}

static void test_stale_socket_is_replaced_and_a_file_is_not(void **state)
{
	struct fixture f = {0};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct api_server *server = NULL;
	struct api_config config;
	struct gaz_error err;
	char folder[128];
	int fd;

	(void)state;
	make_folder(&f);
	(void)snprintf(folder, sizeof folder, "%s/run", f.folder);
	assert_int_equal(mkdir(folder, 0755), 0);
	strcpy(sun.sun_path, f.socket_path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	close(fd);
	config = make_config(&f);
	assert_int_equal(api_server_open(&config, NULL, &server, &err), GAZ_OK);
	api_server_close(&server);
	assert_int_equal(access(f.socket_path, F_OK), -1);

	fclose(fopen(f.socket_path, "w"));
	assert_int_equal(api_server_open(&config, NULL, &server, &err), GAZ_EIO);
	assert_int_equal(unlink(f.socket_path), 0);
	remove_folder(&f);
}

static void test_stop_answers_the_calls_under_way(void **state)
{
	struct fixture *f = *state;
	struct conn *busy = dial_tcp(state);
	struct conn *idle = dial_tcp(state);
	struct reply r;

	stub.delay_ms = 200;
	send_call(idle, AWS "ListNamespaces", "{}");
	r = receive(idle);
	assert_int_equal(r.status, 200);
	send_call(busy, AWS "DeleteNamespace", "{\"Id\":\"n\"}");
	wait_for(stub_jobs_submitted, 1);
	api_server_stop(f->server);
	r = receive(busy);
	assert_success(&r, "{\"OperationId\":\"operation-1\"}");
	hang_up(busy);
	hang_up(idle);
}

static void test_close_drops_calls_that_nobody_answers(void **state)
{
	struct fixture *f = *state;
	struct conn *c[4];

	/* More work than the drain waits for, so that jobs are done later. */
	stub.delay_ms = 1400;
	for (int i = 0; i < 4; i++) {
		c[i] = dial_tcp(state);
		send_call(c[i], AWS "DeleteNamespace", "{\"Id\":\"n\"}");
	}
	wait_for(stub_jobs_submitted, 4);
	api_server_stop(f->server);
	for (int i = 0; i < 4; i++)
		hang_up(c[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_connection_is_kept_alive_after_success_and_error),
		TEST(test_pipelined_calls_are_answered_in_order),
		TEST(test_reads_do_not_wait_for_the_writer),
		TEST(test_chunked_body_is_read),
		TEST(test_request_in_single_bytes_is_read),
		TEST(test_expect_continue_is_answered),
		TEST(test_ambiguous_framing_is_refused_and_the_connection_closed),
		TEST(test_body_over_one_mebibyte_is_refused),
		TEST(test_endless_chunks_are_cut_off),
		TEST(test_line_of_a_chunk_that_does_not_end_is_cut_off),
		TEST(test_client_that_takes_no_reply_is_not_read_for_ever),
		TEST(test_headers_over_the_cap_are_refused),
		TEST(test_garbage_does_no_harm),
		TEST(test_client_that_leaves_before_the_reply_does_no_harm),
		TEST(test_client_that_leaves_after_expect_does_no_harm),
		TEST(test_running_out_of_descriptors_is_survived),
		TEST(test_unix_socket_serves_and_has_mode_0660),
		TEST(test_backup_is_a_file_and_for_the_unix_socket_alone),
		TEST(test_file_may_take_longer_than_a_connection_may_be_idle),
		TEST(test_unix_socket_of_a_client_that_is_bound_is_served),
		TEST(test_second_server_is_refused_with_advice),
		cmocka_unit_test(test_stale_socket_is_replaced_and_a_file_is_not),
		TEST(test_stop_answers_the_calls_under_way),
		TEST(test_close_drops_calls_that_nobody_answers),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
