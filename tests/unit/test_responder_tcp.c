/* SPDX-License-Identifier: BSD-2-Clause */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "responder_harness.h"

static void test_tcp_byte_by_byte_is_answered(void **state)
{
	struct responder *r = start_on("127.0.0.1:0", 1);
	int fd = dial(r, SOCK_STREAM);
	uint8_t frame[18];

	(void)state;
	frame_query(77, 0, frame);
	for (size_t i = 0; i < sizeof frame; i++) {
		write_all(fd, frame + i, 1);
		usleep(500); /* not for correctness: makes separate reads likely */
	}
	expect_tcp(fd, 77, 16);
	write_all(fd, frame, frame_query(78, 0, frame));
	expect_tcp(fd, 78, 16);
	close(fd);
	responder_close(&r);
}

static void test_tcp_pipelined_queries_are_answered_in_order(void **state)
{
	enum {
		COUNT = 1000
	};
	struct responder *r = start_on("127.0.0.1:0", 1);
	int fd = dial(r, SOCK_STREAM);
	static uint8_t frames[COUNT * 18];

	(void)state;
	for (uint16_t i = 0; i < COUNT; i++)
		frame_query(i, 0, frames + i * 18);
	write_all(fd, frames, sizeof frames);
	for (uint16_t i = 0; i < COUNT; i++)
		expect_tcp(fd, i, 16);
	close(fd);
	responder_stop(r);
	assert_int_equal(counters_of(r).tcp_queries, COUNT);
	assert_int_equal(counters_of(r).tcp_connections, 1);
	responder_close(&r);
}

static void test_tcp_half_close_still_gets_all_replies(void **state)
{
	struct responder *r = start_on("127.0.0.1:0", 1);
	int fd = dial(r, SOCK_STREAM);
	uint8_t frames[36 + 5];

	(void)state;
	frame_query(1, 0, frames);
	frame_query(2, 60000, frames + 18);
	memcpy(frames + 36, frames, 5); /* the beginning of a third one */
	write_all(fd, frames, sizeof frames);
	shutdown(fd, SHUT_WR);
	expect_tcp(fd, 1, 16);
	expect_tcp(fd, 2, 60000);
	expect_closed(fd);
	responder_close(&r);
}

static void test_tcp_largest_message_is_echoed(void **state)
{
	struct responder *r = start_on("127.0.0.1:0", 1);
	int fd = dial(r, SOCK_STREAM);
	static uint8_t frame[2 + 65535];

	(void)state;
	memset(frame, 0, sizeof frame);
	frame[0] = frame[1] = 0xff;
	frame[3] = 9;
	write_all(fd, frame, sizeof frame);
	expect_tcp(fd, 9, 65535);
	write_all(fd, frame, sizeof frame);
	expect_tcp(fd, 9, 65535);
	close(fd);
	responder_close(&r);
}

/* The replies are far more than socket buffers hold: the worker must keep
 * what it has, stop reading, and go on when the client reads. */
static void test_tcp_slow_reader_gets_everything(void **state)
{
	enum {
		COUNT = 400,
		WANT = 60000
	};
	struct responder *r = start_on("127.0.0.1:0", 1);
	int fd = dial(r, SOCK_STREAM);
	int other = dial(r, SOCK_STREAM);
	static uint8_t frames[COUNT * 18];
	uint8_t frame[18];

	(void)state;
	for (uint16_t i = 0; i < COUNT; i++)
		frame_query(i, WANT, frames + i * 18);
	write_all(fd, frames, sizeof frames);
	shutdown(fd, SHUT_WR);
	write_all(other, frame, frame_query(5, 0, frame));
	expect_tcp(other, 5, 16);
	for (uint16_t i = 0; i < COUNT; i++)
		expect_tcp(fd, i, WANT);
	expect_closed(fd);
	close(other);
	responder_close(&r);
}

/* Who takes replies, however slowly, is not idle (RFC 7766, section 3): here what the
 * kernel keeps for it lasts longer than a connection may be idle. */
static void test_tcp_slow_reader_is_not_idle(void **state)
{
	enum {
		COUNT = 400,
		WANT = 60000,
		READS = 150,
		IDLE_MS = 1000
	};
	const struct timespec pause = {.tv_nsec = 20000000};
	struct responder *r = start_limited(IDLE_MS, 0);
	int fd = dial(r, SOCK_STREAM);
	int small = 65536;
	static uint8_t frames[COUNT * FRAME_LEN];
	uint8_t piece[4096];

	(void)state;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	for (uint16_t i = 0; i < COUNT; i++)
		frame_query(i, WANT, frames + i * FRAME_LEN);
	write_all(fd, frames, sizeof frames);
	for (int i = 0; i < READS; i++) {
		assert_true(read(fd, piece, sizeof piece) > 0);
		nanosleep(&pause, NULL);
	}
	close(fd);
	responder_close(&r);
}

/* But who takes none is. */
static void test_tcp_reader_that_takes_nothing_is_closed(void **state)
{
	enum {
		COUNT = 400,
		WANT = 60000
	};
	struct responder *r = start_limited(200, 0);
	int fd = dial(r, SOCK_STREAM);
	struct pollfd reset = {.fd = fd};
	static uint8_t frames[COUNT * FRAME_LEN];

	(void)state;
	for (uint16_t i = 0; i < COUNT; i++)
		frame_query(i, WANT, frames + i * FRAME_LEN);
	write_all(fd, frames, sizeof frames);
	assert_int_equal(poll(&reset, 1, 10000), 1);
	assert_true(reset.revents & (POLLHUP | POLLERR));
	close(fd);
	responder_close(&r);
}

static void test_tcp_short_frame_closes_the_connection(void **state)
{
	struct responder *r = start_on("127.0.0.1:0", 1);
	int fd = dial(r, SOCK_STREAM);
	uint8_t frame[18];

	(void)state;
	write_all(fd, "\0\0", 2);
	expect_closed(fd);
	fd = dial(r, SOCK_STREAM);
	write_all(fd, "\0\013elevenbytes", 13);
	expect_closed(fd);
	fd = dial(r, SOCK_STREAM);
	write_all(fd, frame, frame_query(5, 0, frame));
	write_all(fd, "\0\1", 2);
	expect_tcp(fd, 5, 16);
	expect_closed(fd);
	responder_close(&r);
}

static void test_tcp_over_the_cap_closes_the_one_idle_longest(void **state)
{
	enum {
		CAP = 512
	};
	struct responder *r = start_on("127.0.0.1:0", 1);
	static int fds[CAP + 1];
	uint8_t frame[18];

	(void)state;
	for (int i = 0; i < CAP; i++)
		fds[i] = dial(r, SOCK_STREAM);
	/* The first one asks: now the second is the one idle longest. */
	write_all(fds[0], frame, frame_query(1, 0, frame));
	expect_tcp(fds[0], 1, 16);
	fds[CAP] = dial(r, SOCK_STREAM);
	write_all(fds[CAP], frame, frame_query(2, 0, frame));
	expect_tcp(fds[CAP], 2, 16);
	expect_closed(fds[1]);
	write_all(fds[0], frame, frame_query(3, 0, frame));
	expect_tcp(fds[0], 3, 16);
	for (int i = 0; i <= CAP; i++) {
		if (i != 1)
			close(fds[i]);
	}
	responder_close(&r);
}

static void test_tcp_idle_connections_are_closed(void **state)
{
	struct responder *r = start_limited(100, 0);
	int silent = dial(r, SOCK_STREAM);
	int asked = dial(r, SOCK_STREAM);
	int half = dial(r, SOCK_STREAM);
	uint8_t frame[18];

	(void)state;
	frame_query(1, 0, frame);
	write_all(half, frame, 17); /* less than a message keeps nothing open */
	write_all(asked, frame, 18);
	expect_tcp(asked, 1, 16);
	expect_closed(silent);
	expect_closed(half);
	expect_closed(asked);
	responder_close(&r);
}

static unsigned ask_for_idle_limit(int fd)
{
	uint8_t frame[18];
	const uint8_t *reply;

	write_all(fd, frame, frame_query(1, 0, frame));
	reply = expect_tcp(fd, 1, 16);
	return (unsigned)(reply[8] << 8 | reply[9]);
}

static void test_tcp_idle_limit_falls_when_there_are_many(void **state)
{
	struct responder *r = start_limited(60000, 4);
	int fds[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		fds[i] = dial(r, SOCK_STREAM);
		assert_int_equal(ask_for_idle_limit(fds[i]), i < 2 ? 600 : 100);
	}
	assert_int_equal(ask_for_idle_limit(fds[0]), 100);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	responder_close(&r);
}

/* One octet more than the largest message cannot be said; all others are received,
 * whatever the pieces. */
static void test_tcp_large_message_in_pieces_between_small_ones(void **state)
{
	struct responder *r = start_on("127.0.0.1:0", 1);
	int fd = dial(r, SOCK_STREAM);
	static uint8_t frames[18 + 2 + 40000 + 18];
	size_t at = 18;

	(void)state;
	frame_query(1, 0, frames);
	frames[at] = 40000 >> 8;
	frames[at + 1] = 40000 & 0xff;
	frames[at + 3] = 2;
	frame_query(3, 0, frames + at + 2 + 40000);
	for (size_t sent = 0; sent < sizeof frames; sent += 7919)
		write_all(fd, frames + sent,
			  sizeof frames - sent < 7919 ? sizeof frames - sent : 7919);
	expect_tcp(fd, 1, 16);
	expect_tcp(fd, 2, 40000);
	expect_tcp(fd, 3, 16);
	close(fd);
	responder_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_byte_by_byte_is_answered),
		cmocka_unit_test(test_tcp_pipelined_queries_are_answered_in_order),
		cmocka_unit_test(test_tcp_half_close_still_gets_all_replies),
		cmocka_unit_test(test_tcp_largest_message_is_echoed),
		cmocka_unit_test(test_tcp_slow_reader_gets_everything),
		cmocka_unit_test(test_tcp_slow_reader_is_not_idle),
		cmocka_unit_test(test_tcp_reader_that_takes_nothing_is_closed),
		cmocka_unit_test(test_tcp_short_frame_closes_the_connection),
		cmocka_unit_test(test_tcp_over_the_cap_closes_the_one_idle_longest),
		cmocka_unit_test(test_tcp_idle_connections_are_closed),
		cmocka_unit_test(test_tcp_idle_limit_falls_when_there_are_many),
		cmocka_unit_test(test_tcp_large_message_in_pieces_between_small_ones),
	};
	struct rlimit files;

	/* Both ends of more than five hundred connections. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
