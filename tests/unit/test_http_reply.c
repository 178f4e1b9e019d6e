/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <event2/http.h>

#include "api/http.h"
#include "api/json.h"

/* What becomes of that which a client sends while its reply goes out: one that is so large
 * that the client must take some of it first. One thread is both, so that nothing depends
 * on who is faster. */

enum {
	BODY_LEN = 16 << 20, /* more than the sockets hold */
	TURNS = 100,	     /* of the loop: more than anything here takes */
};

static struct {
	struct event_base *base;
	struct evhttp *http;
	struct sockaddr_in address;
	struct json_out body;
	bool close; /* after the reply */
	unsigned replies;
} server;

static struct bufferevent *make_stream(struct event_base *base, void *arg)
{
	(void)arg;
	return http_stream_new(base);
}

static void on_request(struct evhttp_request *req, void *arg)
{
	(void)arg;
	server.replies++;
	http_reply(req, server.close ? HTTP_BADREQUEST : HTTP_OK, NULL, &server.body,
		   server.close);
}

static void turn(void)
{
	for (unsigned i = 0; i < TURNS; i++)
		assert_true(event_base_loop(server.base, EVLOOP_NONBLOCK | EVLOOP_ONCE) >=
			    0);
}

static int set_up(void **state)
{
	struct evhttp_bound_socket *bound;
	socklen_t len = sizeof server.address;
	char *text = malloc(BODY_LEN + 1);

	(void)state;
	memset(&server, 0, sizeof server);
	server.base = event_base_new();
	server.http = evhttp_new(server.base);
	evhttp_set_bevcb(server.http, make_stream, NULL);
	evhttp_set_gencb(server.http, on_request, NULL);
	bound = evhttp_bind_socket_with_handle(server.http, "127.0.0.1", 0);
	if (!text || !bound ||
	    getsockname(evhttp_bound_socket_get_fd(bound),
			(struct sockaddr *)&server.address, &len) != 0)
		return -1;
	memset(text, 'x', BODY_LEN);
	text[BODY_LEN] = '\0';
	json_init(&server.body);
	json_put_text(&server.body, text);
	free(text);
	return json_status(&server.body) == GAZ_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	evhttp_free(server.http);
	event_base_free(server.base);
	json_fini(&server.body);
	return 0;
}

/* A client that has asked, and has taken nothing of the reply. */
static int ask(void)
{
	static const char request[] = "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&server.address,
				 sizeof server.address),
			 0);
	assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL),
			 sizeof request - 1);
	while (server.replies == 0)
		assert_int_equal(event_base_loop(server.base, EVLOOP_ONCE), 0);
	turn();
	return fd;
}

static void send_more(int fd, size_t len)
{
	static const char more[4096];

	for (size_t sent = 0; sent < len; sent += sizeof more) {
		assert_int_equal(send(fd, more, sizeof more, MSG_NOSIGNAL), sizeof more);
		turn();
	}
}

/* All that comes. @return 0: it ended well; else what recv() failed with, EAGAIN when the
 * connection goes on */
static int take_reply(int fd, size_t *len_out)
{
	static char buffer[1 << 20];
	ssize_t got;

	*len_out = 0;
	for (unsigned quiet = 0; quiet < TURNS; quiet++) {
		turn();
		while ((got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
			*len_out += (size_t)got;
			quiet = 0;
			turn();
		}
		if (got == 0)
			return 0;
		if (errno != EAGAIN)
			return errno;
	}
	return EAGAIN;
}

/* A connection that is closed with something unread ends with a reset, which may overtake
 * the reply: the client would never learn what its fault was. */
static void test_what_comes_behind_a_fault_does_not_cost_the_reply(void **state)
{
	size_t len;
	int fd;

	(void)state;
	server.close = true;
	fd = ask();
	send_more(fd, 64 * 1024);
	assert_int_equal(take_reply(fd, &len), 0);
	assert_true(len > BODY_LEN);
	assert_int_equal(server.replies, 1);
	close(fd);
}

/* It waits in the socket, and is the next request. That the client has nothing to send
 * behind it is not the end of what it gets. */
static void test_while_a_reply_goes_out_nothing_is_read(void **state)
{
	static const char again[] = "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
	size_t len;
	int fd = ask();

	(void)state;
	assert_int_equal(send(fd, again, sizeof again - 1, MSG_NOSIGNAL),
			 sizeof again - 1);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	turn();
	assert_int_equal(server.replies, 1);
	assert_int_equal(take_reply(fd, &len), 0);
	assert_true(len > 2 * (size_t)BODY_LEN);
	assert_int_equal(server.replies, 2);
	close(fd);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_what_comes_behind_a_fault_does_not_cost_the_reply),
		T(test_while_a_reply_goes_out_nothing_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
