/* SPDX-License-Identifier: BSD-2-Clause */

/* The floor: what UDP sockets cost when nothing is looked up. Receives with
 * recvmmsg, sets the QR bit, sends with sendmmsg; one libevent loop and one
 * SO_REUSEPORT socket per thread, like the DNS workers. */

#define _GNU_SOURCE /* recvmmsg */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BATCH_SIZE = 64,
	BATCHES_PER_WAKEUP = 4,
	DATAGRAM_CAP = 2112,
	WORKERS_MAX = 256,
	SOCKET_BUFFER = 4 << 20,
};

struct reflector {
	int fd;
	struct mmsghdr messages[BATCH_SIZE];
	struct iovec iovs[BATCH_SIZE];
	struct sockaddr_storage peers[BATCH_SIZE];
	uint8_t datagrams[BATCH_SIZE][DATAGRAM_CAP];
};

static void reset(struct reflector *r, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct msghdr *msg = &r->messages[i].msg_hdr;

		r->iovs[i] = (struct iovec){r->datagrams[i], DATAGRAM_CAP};
		msg->msg_name = &r->peers[i];
		msg->msg_namelen = sizeof r->peers[i];
		msg->msg_iov = &r->iovs[i];
		msg->msg_iovlen = 1;
	}
}

static bool reflect_batch(struct reflector *r)
{
	int got = recvmmsg(r->fd, r->messages, BATCH_SIZE, MSG_DONTWAIT, NULL);

	if (got <= 0)
		return false;
	for (int i = 0; i < got; i++) {
		r->iovs[i].iov_len = r->messages[i].msg_len;
		if (r->messages[i].msg_len > 2)
			r->datagrams[i][2] |= 0x80;
	}
	for (int at = 0; at < got;) {
		int n = sendmmsg(r->fd, r->messages + at, (unsigned)(got - at),
				 MSG_DONTWAIT);

		at += n > 0 ? n : 1;
	}
	reset(r, (unsigned)got);
	return got == BATCH_SIZE;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	for (int i = 0; i < BATCHES_PER_WAKEUP && reflect_batch(arg); i++)
		;
}

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "reflector: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static struct reflector *open_reflector(struct sockaddr_storage *addr)
{
	struct reflector *r = calloc(1, sizeof *r);
	struct sockaddr *sa = (struct sockaddr *)addr;
	socklen_t len = addr->ss_family == AF_INET ? sizeof(struct sockaddr_in)
						   : sizeof(struct sockaddr_in6);
	const int on = 1;
	const int size = SOCKET_BUFFER;

	if (!r)
		die("memory");
	r->fd = socket(addr->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (r->fd < 0 ||
	    setsockopt(r->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
	    bind(r->fd, sa, len) != 0 || getsockname(r->fd, sa, &len) != 0)
		die("cannot bind");
	(void)setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	(void)setsockopt(r->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	reset(r, BATCH_SIZE);
	return r;
}

static void *run(void *arg)
{
	struct reflector *r = arg;
	struct event_base *base = event_base_new();
	struct event *event =
		base ? event_new(base, r->fd, EV_READ | EV_PERSIST, on_readable, r)
		     : NULL;

	if (!event || event_add(event, NULL) != 0)
		die("libevent");
	event_base_dispatch(base);
	return NULL;
}

/* libevent takes no port 0, but reads an address without port as that. */
static bool parse_address(const char *text, struct sockaddr_storage *out)
{
	char copy[64];
	int len = sizeof *out;
	size_t end = strlen(text);

	if (end > 2 && strcmp(text + end - 2, ":0") == 0)
		end -= 2;
	if (end >= sizeof copy)
		return false;
	memcpy(copy, text, end);
	copy[end] = '\0';
	memset(out, 0, sizeof *out);
	return evutil_parse_sockaddr_port(copy, (struct sockaddr *)out, &len) == 0;
}

static void print_ready(const struct sockaddr_storage *addr)
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (addr->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)addr;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
		(void)fprintf(stderr, "ready %s:%u\n", host, ntohs(in->sin_port));
	} else {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;

		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
		(void)fprintf(stderr, "ready [%s]:%u\n", host, ntohs(in6->sin6_port));
	}
}

static _Noreturn void die_of_usage(void)
{
	(void)fprintf(stderr, "usage: reflector [--workers N] [--listen] ADDR:PORT\n");
	exit(2);
}

static void read_options(int argc, char **argv, struct sockaddr_storage *addr,
			 long *workers)
{
	static const struct option options[] = {
		{"listen", required_argument, NULL, 'l'},
		{"workers", required_argument, NULL, 'w'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	*workers = 1;
	if (!parse_address("127.0.0.1:0", addr))
		die("cannot parse an address");
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		bool ok = false;

		if (opt == 'l')
			ok = parse_address(optarg, addr);
		else if (opt == 'w')
			ok = (*workers = strtol(optarg, NULL, 10)) > 0 &&
			     *workers <= WORKERS_MAX;
		if (!ok)
			die_of_usage();
	}
	if (optind < argc && (!parse_address(argv[optind], addr) || optind + 1 < argc))
		die_of_usage();
}

int main(int argc, char **argv)
{
	struct sockaddr_storage addr;
	sigset_t ends;
	long workers;
	int sig;

	read_options(argc, argv, &addr, &workers);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	for (long i = 0; i < workers; i++) {
		struct reflector *r = open_reflector(&addr);
		pthread_t thread;

		if ((errno = pthread_create(&thread, NULL, run, r)) != 0)
			die("thread");
	}
	print_ready(&addr);
	sigwait(&ends, &sig);
	return 0; /* ends the threads, too */
}
