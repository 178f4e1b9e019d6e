/* SPDX-License-Identifier: BSD-2-Clause */

/* How long a DNS server takes to answer at a fixed rate of queries for A records.
 * The time of a reply is when the kernel had it (SO_TIMESTAMPNS), not when we
 * came to read it: on a machine with few cores we wait for one, too, and that is
 * not the server's doing. Nor does a slow reply hold up the queries behind it. */

#define _GNU_SOURCE /* ppoll */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"

enum {
	SOCKETS = 8, /* so that all workers of the server get some */
	NAMES_MAX = 1000000,
	QUERY_CAP = 300,
	REPLY_CAP = 2048,
	HEADER_LEN = 12,
	IDS = 65536,
	LAST_REPLIES_MS = 1000,
};

struct query {
	uint16_t len;
	uint8_t data[QUERY_CAP];
};

struct client {
	double rate;
	double duration_s;
	struct sockaddr_in addr;
	struct query *queries;
	size_t query_count;
	struct pollfd sockets[SOCKETS];
	uint64_t sent_ns[IDS]; /* of the real-time clock; 0: not under way */
	uint64_t sent;
	uint64_t answered;
	uint64_t failed; /* answered with another rcode than NOERROR */
	struct histogram latency;
};

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "dnslat: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static _Noreturn void die_of(const char *what)
{
	(void)fprintf(stderr, "dnslat: %s\n", what);
	exit(EXIT_FAILURE);
}

static uint64_t to_ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec;
}

static bool encode_query(const char *name, struct query *out)
{
	static const uint8_t header[HEADER_LEN] = {0, 0, 1, 0, 0, 1};
	static const uint8_t end[] = {0, 0, 1, 0, 1};
	size_t len = HEADER_LEN;

	memcpy(out->data, header, HEADER_LEN);
	while (*name && *name != '\n') {
		size_t label = strcspn(name, ".\n");

		if (label == 0 || label > 63 || len + label + 1 + sizeof end > QUERY_CAP)
			return false;
		out->data[len] = (uint8_t)label;
		memcpy(out->data + len + 1, name, label);
		len += label + 1;
		name += label + (name[label] == '.');
	}
	memcpy(out->data + len, end, sizeof end);
	out->len = (uint16_t)(len + sizeof end);
	return true;
}

static void read_names(struct client *c, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[QUERY_CAP];

	c->queries = calloc(NAMES_MAX, sizeof *c->queries);
	if (!file || !c->queries)
		die(path);
	while (c->query_count < NAMES_MAX && fgets(line, sizeof line, file)) {
		if (!encode_query(line, &c->queries[c->query_count]))
			die_of("a name is malformed");
		c->query_count++;
	}
	(void)fclose(file);
	if (c->query_count == 0)
		die_of("the file has no names");
}

static void open_sockets(struct client *c)
{
	const int on = 1;

	for (int i = 0; i < SOCKETS; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd < 0 || connect(fd, (void *)&c->addr, sizeof c->addr) != 0 ||
		    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0)
			die("cannot open a socket");
		c->sockets[i] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
}

static void send_query(struct client *c)
{
	struct query *q = &c->queries[(uint64_t)random() % c->query_count];
	uint16_t id = (uint16_t)c->sent;
	struct timespec now;

	q->data[0] = (uint8_t)(id >> 8);
	q->data[1] = (uint8_t)id;
	clock_gettime(CLOCK_REALTIME, &now);
	c->sent_ns[id] = to_ns(&now);
	if (send(c->sockets[c->sent % SOCKETS].fd, q->data, q->len, 0) != q->len &&
	    errno != EAGAIN && errno != ENOBUFS)
		die("cannot send");
	c->sent++;
}

static void count_reply(struct client *c, const uint8_t *reply, uint64_t at_ns)
{
	unsigned id = (unsigned)reply[0] << 8 | reply[1];

	if (c->sent_ns[id] == 0)
		return;
	histogram_add(&c->latency, at_ns > c->sent_ns[id] ? at_ns - c->sent_ns[id] : 0);
	c->sent_ns[id] = 0;
	c->answered++;
	c->failed += (reply[3] & 15) != 0;
}

static bool receive_reply(struct client *c, int fd)
{
	uint8_t reply[REPLY_CAP];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct timespec))];
	} control;
	struct iovec iov = {reply, sizeof reply};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof control};
	ssize_t got = recvmsg(fd, &msg, 0);
	const struct cmsghdr *stamp = CMSG_FIRSTHDR(&msg);
	struct timespec at;

	if (got < 0)
		return false;
	if (got < HEADER_LEN || !stamp || stamp->cmsg_type != SCM_TIMESTAMPNS)
		return true;
	memcpy(&at, CMSG_DATA(stamp), sizeof at);
	count_reply(c, reply, to_ns(&at));
	return true;
}

static void wait_for_replies(struct client *c, uint64_t until_ns)
{
	uint64_t now_ns = monotonic_ns();
	uint64_t wait_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	struct timespec wait = {(time_t)(wait_ns / 1000000000),
				(long)(wait_ns % 1000000000)};

	if (ppoll(c->sockets, SOCKETS, &wait, NULL) < 0 && errno != EINTR)
		die("poll");
	for (int i = 0; i < SOCKETS; i++) {
		if (c->sockets[i].revents) {
			while (receive_reply(c, c->sockets[i].fd))
				;
		}
	}
}

static void run(struct client *c)
{
	const uint64_t total = (uint64_t)(c->rate * c->duration_s);
	const uint64_t begin_ns = monotonic_ns();
	uint64_t end_ns;

	while (c->sent < total) {
		uint64_t due_ns = begin_ns + (uint64_t)((double)c->sent * 1e9 / c->rate);

		if (due_ns <= monotonic_ns())
			send_query(c);
		else
			wait_for_replies(c, due_ns);
	}
	end_ns = monotonic_ns() + (uint64_t)LAST_REPLIES_MS * 1000000;
	while (c->answered < c->sent && monotonic_ns() < end_ns)
		wait_for_replies(c, end_ns);
}

static _Noreturn void die_of_usage(void)
{
	(void)fprintf(stderr,
		      "usage: dnslat [--rate N] [--duration S] ADDR PORT NAMES\n\n"
		      "Asks for the A records of the names in the file NAMES, N "
		      "times in a second\n(10000) for S seconds (3). Prints one "
		      "line of JSON.\n");
	exit(2);
}

static void read_options(struct client *c, int argc, char **argv)
{
	static const struct option options[] = {
		{"rate", required_argument, NULL, 'r'},
		{"duration", required_argument, NULL, 'd'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	c->rate = 10000;
	c->duration_s = 3;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'r')
			c->rate = strtod(optarg, NULL);
		else if (opt == 'd')
			c->duration_s = strtod(optarg, NULL);
		else
			die_of_usage();
	}
	if (optind + 3 != argc || !(c->rate >= 1) || !(c->duration_s > 0))
		die_of_usage();
	c->addr.sin_family = AF_INET;
	c->addr.sin_port = htons((uint16_t)strtoul(argv[optind + 1], NULL, 10));
	if (inet_pton(AF_INET, argv[optind], &c->addr.sin_addr) != 1)
		die_of_usage();
	read_names(c, argv[optind + 2]);
}

int main(int argc, char **argv)
{
	static struct client c;
	uint64_t used_us;

	read_options(&c, argc, argv);
	(void)prctl(PR_SET_TIMERSLACK, 1UL); /* or the queries go out in bursts */
	open_sockets(&c);
	used_us = cpu_us();
	run(&c);
	printf("{\"sent\": %llu, \"answered\": %llu, \"failed\": %llu, \"cpu_us\": "
	       "%llu, ",
	       (unsigned long long)c.sent, (unsigned long long)c.answered,
	       (unsigned long long)c.failed, (unsigned long long)(cpu_us() - used_us));
	histogram_print(&c.latency, stdout);
	printf("}\n");
	return 0;
}
