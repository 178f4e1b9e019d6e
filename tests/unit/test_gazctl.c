/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "gazctl/args.h"
#include "gazctl/command.h"
#include "gazctl/http.h"
#include "gazctl/table.h"

static const struct arg_option test_options[] = {
	{"flag", NULL, false, "a flag"},
	{"one", "VALUE", false, "one value"},
	{"many", "VALUE", true, "many values"},
	{0},
};

static const struct arg_option *const test_tables[] = {test_options, NULL};

/* Parse everything up to the NULL. */
static gaz_status parse(struct args *args, char **argv, struct gaz_error *err)
{
	int argc = 0;
	gaz_status st = GAZ_OK;

	while (argv[argc])
		argc++;
	assert_int_equal(args_init(args, argc), GAZ_OK);
	for (int i = 0; st == GAZ_OK && i < argc;)
		st = args_take(args, argv, &i, test_tables, err);
	return st;
}

static void test_options_and_operands_mixed_are_sorted_out(void **state)
{
	char *argv[] = {"a",	  "--one=1", "--many", "2",   "-",
			"--flag", "--many=", "--",     "--x", NULL};
	struct args args;
	struct gaz_error err;
	size_t at = 0;

	(void)state;
	assert_int_equal(parse(&args, argv, &err), GAZ_OK);
	assert_int_equal(args.operand_count, 3);
	assert_string_equal(args.operands[0], "a");
	assert_string_equal(args.operands[1], "-");
	assert_string_equal(args.operands[2], "--x");
	assert_string_equal(args_value(&args, "one"), "1");
	assert_string_equal(args_value(&args, "flag"), "");
	assert_string_equal(args_next_value(&args, "many", &at), "2");
	assert_string_equal(args_next_value(&args, "many", &at), "");
	assert_null(args_next_value(&args, "many", &at));
	assert_null(args_value(&args, "other"));
	args_fini(&args);
}

static void test_wrong_options_are_refused(void **state)
{
	char *wrong[][4] = {
		{"--unknown"},		{"-f"},	       {"--one"},	{"--flag=x"},
		{"--one=1", "--one=2"}, {"--on", "1"}, {"--onee", "1"}, {"--=x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct args args;
		struct gaz_error err = {0};

		assert_int_equal(parse(&args, wrong[i], &err), GAZ_EFORMAT);
		assert_true(err.text[0] != '\0');
		args_fini(&args);
	}
}

static void test_number_out_of_range_or_shape_is_refused(void **state)
{
	static const char *const wrong[] = {"",	  "-1",	 "+1", " 1",
					    "1 ", "101", "x",  "99999999999999999999999"};
	unsigned long value = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(args_parse_number(wrong[i], 100, &value), GAZ_EFORMAT);
	assert_int_equal(value, 7);
	assert_int_equal(args_parse_number("100", 100, &value), GAZ_OK);
	assert_int_equal(value, 100);
}

static void test_command_is_found_by_all_its_words(void **state)
{
	const char *words[] = {"namespace", "create", "status", NULL};
	size_t count;

	(void)state;
	assert_null(command_find(words, 0, &count));
	assert_null(command_find(words, 1, &count));
	assert_string_equal(command_find(words, 2, &count)->words, "namespace create");
	assert_int_equal(count, 2);
	assert_string_equal(command_find(words + 2, 1, &count)->words, "status");
	assert_int_equal(count, 1);
}

static void test_command_of_three_words_is_not_found_by_two(void **state)
{
	const char *words[] = {"service", "attributes", "show", "x", NULL};
	size_t count;

	(void)state;
	assert_null(command_find(words, 2, &count));
	assert_string_equal(command_find(words, 4, &count)->words,
			    "service attributes show");
	assert_int_equal(count, 3);
}

static void test_operand_counts_follow_the_table(void **state)
{
	struct command none = {.operands = ""}, one = {.operands = "ID"};
	struct command optional = {.operands = "ID [JSON]"};
	struct command several = {.operands = "ID CIDR..."};

	(void)state;
	assert_true(command_takes(&none, 0));
	assert_false(command_takes(&none, 1));
	assert_false(command_takes(&one, 0));
	assert_true(command_takes(&one, 1));
	assert_true(command_takes(&optional, 1));
	assert_true(command_takes(&optional, 2));
	assert_false(command_takes(&optional, 3));
	assert_false(command_takes(&several, 1));
	assert_true(command_takes(&several, 9));
}

static void test_text_is_found_by_its_path(void **state)
{
	json_t *object = json_pack("{s:{s:{s:s}, s:i}}", "A", "B", "C", "found", "D", 1);

	(void)state;
	assert_string_equal(table_text(object, "A.B.C"), "found");
	assert_string_equal(table_text(object, "A.D"), "");
	assert_string_equal(table_text(object, "A.X.C"), "");
	assert_string_equal(table_text(NULL, "A"), "");
	json_decref(object);
}

/* A server for one connection: reads something, sends `reply`, closes. */
struct fixed_server {
	int fd;
	const char *reply;
};

static void *serve_once(void *arg)
{
	struct fixed_server *server = arg;
	char buffer[4096];
	int fd = accept(server->fd, NULL, NULL);

	if (fd >= 0 && recv(fd, buffer, sizeof(buffer), 0) > 0)
		(void)!write(fd, server->reply, strlen(server->reply));
	close(fd);
	return NULL;
}

static gaz_status post_to_fixed(const char *reply, struct http_reply *out)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct fixed_server server = {socket(AF_UNIX, SOCK_STREAM, 0), reply};
	struct http_peer peer = {.socket_path = addr.sun_path};
	struct gaz_error err = {0};
	pthread_t thread;
	gaz_status st;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/test_gazctl.%ld",
		 (long)getpid());
	unlink(addr.sun_path);
	assert_int_equal(bind(server.fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(server.fd, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve_once, &server), 0);
	st = http_post(&peer, 20, "X-Test: 1\r\n", "{}", out, &err);
	pthread_join(thread, NULL);
	close(server.fd);
	unlink(addr.sun_path);
	return st;
}

static void test_http_reply_is_read_to_its_length_or_the_end(void **state)
{
	static const char *const replies[] = {
		"HTTP/1.1 400 Bad\r\nDate: x\r\ncontent-length: 2\r\n\r\n{}surplus",
		"HTTP/1.0 400\r\nServer: x\r\n\r\n{}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		struct http_reply reply = {0};

		assert_int_equal(post_to_fixed(replies[i], &reply), GAZ_OK);
		assert_int_equal(reply.status, 400);
		assert_string_equal(reply.body, "{}");
		http_reply_fini(&reply);
	}
}

static void test_http_reply_that_is_none_is_refused(void **state)
{
	static const char *const replies[] = {
		"",
		"\r\n\r\n",
		"SSH-2.0-OpenSSH\r\n",
		"HTTP/1.1 \r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
	};
	struct http_reply reply = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++)
		assert_int_equal(post_to_fixed(replies[i], &reply), GAZ_EFORMAT);
	assert_null(reply.body);
}

/* A server that answers so many requests of each connection, the last one with a reply of
 * its own, and then ends it. */
struct keeping_server {
	int fd;
	int requests;
	const char *last;
	int connections; /* how many to serve */
};

static void *serve_kept(void *arg)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
	const struct keeping_server *server = arg;
	char buffer[4096];

	for (int i = 0; i < server->connections; i++) {
		int fd = accept(server->fd, NULL, NULL);

		for (int k = 1; k <= server->requests; k++) {
			const char *text = k < server->requests ? reply : server->last;

			if (recv(fd, buffer, sizeof(buffer), 0) <= 0 ||
			    write(fd, text, strlen(text)) < 0)
				break;
		}
		shutdown(fd, SHUT_WR);
		(void)!recv(fd, buffer, sizeof(buffer), 0); /* until the client's end */
		close(fd);
	}
	return NULL;
}

/* Six requests over one http_conn, the server ending connections in between. */
static void ask_six_times(struct keeping_server *server, gaz_status expected)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct http_peer peer = {.socket_path = addr.sun_path};
	struct http_reply reply;
	struct http_conn conn;
	struct gaz_error err = {0};
	gaz_status st = GAZ_OK;
	pthread_t thread;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/test_gazctl.%ld",
		 (long)getpid());
	unlink(addr.sun_path);
	server->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(server->fd, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve_kept, server), 0);
	http_init(&conn, &peer, 20);
	for (int i = 0; i < 6 && st == GAZ_OK; i++) {
		assert_int_equal(http_send(&conn, "", "{}", &err), GAZ_OK);
		st = http_receive(&conn, &reply, &err);
		if (st != GAZ_OK)
			break;
		assert_string_equal(reply.body, "{}");
		http_reply_fini(&reply);
	}
	assert_int_equal(st, expected);
	http_close(&conn);
	pthread_join(thread, NULL);
	close(server->fd);
	unlink(addr.sun_path);
}

static void test_a_connection_is_kept_as_long_as_the_server_keeps_it(void **state)
{
	static const struct {
		const char *last;
		gaz_status expected;
		int requests, connections;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", GAZ_OK, 6, 1},
		{"HTTP/1.1 200 OK\r\nconnection: Close\r\nContent-Length: 2\r\n\r\n{}",
		 GAZ_OK, 2, 3},
		{"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", GAZ_OK, 3, 2},
		{"HTTP/1.1 200 OK\r\n\r\n{}", GAZ_OK, 3, 2},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", GAZ_EFORMAT, 3, 1},
		{"", GAZ_EIO, 3, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct keeping_server server = {
			.requests = cases[i].requests,
			.last = cases[i].last,
			.connections = cases[i].connections,
		};

		ask_six_times(&server, cases[i].expected);
	}
}

static void test_absent_server_is_reported_with_a_hint(void **state)
{
	struct http_peer peer = {.socket_path = "/nonexistent/api.sock"};
	struct http_reply reply;
	struct gaz_error err = {0};

	(void)state;
	assert_int_equal(http_post(&peer, 1, "", "{}", &reply, &err), GAZ_EIO);
	assert_non_null(strstr(err.text, "is gazetteerd running?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_and_operands_mixed_are_sorted_out),
		cmocka_unit_test(test_wrong_options_are_refused),
		cmocka_unit_test(test_number_out_of_range_or_shape_is_refused),
		cmocka_unit_test(test_command_is_found_by_all_its_words),
		cmocka_unit_test(test_command_of_three_words_is_not_found_by_two),
		cmocka_unit_test(test_operand_counts_follow_the_table),
		cmocka_unit_test(test_text_is_found_by_its_path),
		cmocka_unit_test(test_http_reply_is_read_to_its_length_or_the_end),
		cmocka_unit_test(test_http_reply_that_is_none_is_refused),
		cmocka_unit_test(
			test_a_connection_is_kept_as_long_as_the_server_keeps_it),
		cmocka_unit_test(test_absent_server_is_reported_with_a_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
