/* SPDX-License-Identifier: BSD-2-Clause */

/* Loads the API, and takes little of the CPU that it shares with the daemon: one
 * epoll loop, keep-alive connections, one request under way on each. A request
 * is written once for each connection; what differs from one to the next is
 * patched into it in place. Of a reply it reads the status and the length. */

#define _GNU_SOURCE /* epoll_pwait2, memmem */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "histogram.h"

enum {
	CONNECTIONS_MAX = 4096,
	SERVICES_MAX = 100000,
	SERVICE_ID_MAX = 64,
	REQUEST_CAP = 1024,
	HEAD_CAP = 4096,
	BODY_CAP = 2048, /* of a template */
	EVENTS_MAX = 256,
	NUMBER_DIGITS = 8,
};

static const uint64_t NUMBER_END = 100000000; /* the first with more digits */

struct connection {
	int fd;
	uint64_t sent_ns; /* 0: no request is under way */
	size_t got;	  /* of the head */
	size_t body_left; /* counts once the head is there */
	bool head_done;
	bool failed; /* this reply has another status than 200 */
	size_t request_len;
	char *service; /* places in the request, NULL where there is none */
	char *token;
	char *instance;
	char *address;
	char request[REQUEST_CAP];
	char head[HEAD_CAP];
};

struct load {
	bool registers; /* else it discovers */
	struct sockaddr_in addr;
	unsigned connections;
	uint64_t first;
	uint64_t count;	      /* requests; UINT64_MAX: no end */
	uint64_t duration_ns; /* 0: no end */
	double rate;	      /* requests in a second; 0: as they come */
	const char *namespace_name;
	const char *service_name;
	char *ids; /* of the services, service_id_len each */
	size_t id_count;
	size_t id_len;

	int epoll;
	struct connection *all;
	unsigned *idle; /* a stack of connections */
	unsigned idle_count;
	uint64_t begin_ns;
	uint64_t started;
	uint64_t done;
	uint64_t errors;
	struct histogram latency;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "apiload: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static _Noreturn void die_of(const char *what)
{
	(void)fprintf(stderr, "apiload: %s\n", what);
	exit(EXIT_FAILURE);
}

/* ---- requests ------------------------------------------------------------- */

static void write_number(char *to, uint64_t number)
{
	for (int i = NUMBER_DIGITS - 1; i >= 0; i--) {
		to[i] = (char)('0' + number % 10);
		number /= 10;
	}
}

/* 12345678 becomes 112.134.156.178: no octet changes its length. */
static void write_address(char *to, uint64_t number)
{
	char digits[NUMBER_DIGITS];

	write_number(digits, number);
	for (int i = 0; i < 4; i++)
		memcpy(to + 4 * i + 1, digits + 2 * i, 2);
}

static void write_request(const struct load *l, struct connection *c,
			  const char *operation, const char *body)
{
	int len = snprintf(c->request, sizeof c->request,
			   "POST / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
			   "Content-Type: application/x-amz-json-1.1\r\n"
			   "X-Amz-Target: Route53AutoNaming_v20170314.%s\r\n"
			   "Content-Length: %zu\r\n\r\n%s",
			   ntohs(l->addr.sin_port), operation, strlen(body), body);

	if (len < 0 || (size_t)len >= sizeof c->request)
		die_of("the names are too long");
	c->request_len = (size_t)len;
}

static char *behind(struct connection *c, const char *text)
{
	return (char *)memmem(c->request, c->request_len, text, strlen(text)) +
	       strlen(text);
}

/* As the SDKs send it: with a token of its own for each call. */
static void prepare_register(const struct load *l, struct connection *c)
{
	char body[BODY_CAP];

	(void)snprintf(body, sizeof body,
		       "{\"ServiceId\":\"%.*s\",\"InstanceId\":\"i00000000\","
		       "\"CreatorRequestId\":\"00000000-0000-4000-8000-000000000000\","
		       "\"Attributes\":{\"AWS_INSTANCE_IPV4\":\"100.100.100.100\","
		       "\"AWS_INSTANCE_PORT\":\"8080\"}}",
		       (int)l->id_len, l->ids);
	write_request(l, c, "RegisterInstance", body);
	c->service = behind(c, "\"ServiceId\":\"");
	c->instance = behind(c, "\"InstanceId\":\"i");
	c->token = behind(c, "\"CreatorRequestId\":\"");
	c->address = behind(c, "\"AWS_INSTANCE_IPV4\":\"");
}

static void prepare_discover(const struct load *l, struct connection *c)
{
	char body[BODY_CAP];

	(void)snprintf(body, sizeof body,
		       "{\"NamespaceName\":\"%.500s\",\"ServiceName\":\"%.500s\"}",
		       l->namespace_name, l->service_name);
	write_request(l, c, "DiscoverInstances", body);
}

static void patch(const struct load *l, struct connection *c, uint64_t number)
{
	if (!l->registers)
		return;
	memcpy(c->service, l->ids + number % l->id_count * l->id_len, l->id_len);
	write_number(c->instance, number);
	write_number(c->token, number);
	write_address(c->address, number);
}

/* ---- connections ---------------------------------------------------------- */

static void open_connection(struct load *l, unsigned index)
{
	struct connection *c = &l->all[index];
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
	const int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (void *)&l->addr, sizeof l->addr) != 0)
		die("cannot connect");
	if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
		die("cannot prepare a connection");
	if (l->registers)
		prepare_register(l, c);
	else
		prepare_discover(l, c);
	l->idle[l->idle_count++] = index;
}

static void send_next(struct load *l, struct connection *c)
{
	patch(l, c, l->first + l->started);
	l->started++;
	c->got = 0;
	c->head_done = false;
	c->sent_ns = monotonic_ns();
	if (send(c->fd, c->request, c->request_len, MSG_NOSIGNAL) !=
	    (ssize_t)c->request_len)
		die("cannot send");
}

static void tell_once(const char *head, const char *body, size_t len)
{
	static bool told;

	if (!told)
		(void)fprintf(stderr, "apiload: %s\n%.*s\n", head, (int)len, body);
	told = true;
}

/* @return the head is there, and body_left counts what is missing of the body */
static bool read_head(struct connection *c)
{
	char *end = memmem(c->head, c->got, "\r\n\r\n", 4);
	const char *length;

	if (!end && c->got == sizeof c->head)
		die_of("a reply has too long a head");
	if (!end)
		return false;
	*end = '\0';
	length = strcasestr(c->head, "\r\nContent-Length:");
	if (strncmp(c->head, "HTTP/1.1 ", 9) != 0 || !length)
		die_of("a reply is not what we understand");
	c->failed = strncmp(c->head + 9, "200 ", 4) != 0;
	c->head_done = true;
	c->body_left = strtoul(length + 17, NULL, 10);
	c->got -= (size_t)(end - c->head) + 4;
	if (c->failed)
		tell_once(c->head + 9, end + 4, c->got);
	if (c->got > c->body_left)
		die_of("a reply is longer than it says");
	c->body_left -= c->got;
	return true;
}

static size_t receive(struct connection *c, char *to, size_t cap)
{
	ssize_t got = recv(c->fd, to, cap, MSG_DONTWAIT);

	if (got < 0 && errno != EAGAIN)
		die("cannot receive");
	if (got == 0)
		die_of("the daemon closed a connection");
	return got < 0 ? 0 : (size_t)got;
}

/* @return the reply is complete */
static bool read_reply(struct connection *c)
{
	char rest[HEAD_CAP];

	if (!c->head_done) {
		c->got += receive(c, c->head + c->got, sizeof c->head - c->got);
		return read_head(c) && c->body_left == 0;
	}
	while (c->body_left > 0) {
		size_t got = receive(
			c, rest, c->body_left < sizeof rest ? c->body_left : sizeof rest);

		if (got == 0)
			break;
		c->body_left -= got;
	}
	return c->body_left == 0;
}

static void on_readable(struct load *l, unsigned index)
{
	struct connection *c = &l->all[index];

	if (c->sent_ns == 0)
		die_of("the daemon says something without being asked");
	if (!read_reply(c))
		return;
	histogram_add(&l->latency, monotonic_ns() - c->sent_ns);
	c->sent_ns = 0;
	l->done++;
	l->errors += c->failed;
	l->idle[l->idle_count++] = index;
}

/* ---- the loop ------------------------------------------------------------- */

static bool may_send_more(const struct load *l, uint64_t now_ns)
{
	return !stopped && l->started < l->count &&
	       (l->duration_ns == 0 || now_ns - l->begin_ns < l->duration_ns);
}

/* How long until the next request is due; UINT64_MAX: a reply decides. */
static uint64_t send_what_is_due(struct load *l)
{
	uint64_t now_ns = monotonic_ns();

	while (l->idle_count > 0 && may_send_more(l, now_ns)) {
		uint64_t due_ns = now_ns;

		if (l->rate > 0)
			due_ns = l->begin_ns +
				 (uint64_t)((double)l->started * 1e9 / l->rate);
		if (due_ns > now_ns)
			return due_ns - now_ns;
		send_next(l, &l->all[l->idle[--l->idle_count]]);
	}
	return UINT64_MAX;
}

static void run(struct load *l)
{
	struct epoll_event events[EVENTS_MAX];

	l->begin_ns = monotonic_ns();
	for (;;) {
		uint64_t wait_ns = send_what_is_due(l);
		struct timespec wait = {(time_t)(wait_ns / 1000000000),
					(long)(wait_ns % 1000000000)};
		int got;

		if (l->idle_count == l->connections && wait_ns == UINT64_MAX)
			return;
		got = epoll_pwait2(l->epoll, events, EVENTS_MAX,
				   wait_ns == UINT64_MAX ? NULL : &wait, NULL);
		if (got < 0 && errno != EINTR)
			die("epoll");
		for (int i = 0; i < got; i++)
			on_readable(l, events[i].data.u32);
	}
}

static void print_result(const struct load *l, uint64_t wall_ns, uint64_t used_us)
{
	const double s = (double)wall_ns / 1e9;

	printf("{\"done\": %llu, \"errors\": %llu, \"seconds\": %.3f, \"per_s\": %.1f, "
	       "\"cpu_us\": %llu, ",
	       (unsigned long long)l->done, (unsigned long long)l->errors, s,
	       (double)l->done / s, (unsigned long long)used_us);
	histogram_print(&l->latency, stdout);
	printf("}\n");
}

/* ---- options -------------------------------------------------------------- */

static _Noreturn void die_of_usage(void)
{
	(void)fprintf(
		stderr,
		"usage: apiload register --services FILE [OPTION...] ADDR:PORT\n"
		"       apiload discover --namespace NAME --service NAME [OPTION...] "
		"ADDR:PORT\n\n"
		"  --connections N  keep-alive connections (1)\n"
		"  --count N        end after so many requests\n"
		"  --duration S     end after so many seconds; SIGTERM ends it, too\n"
		"  --rate N         requests in a second at most\n"
		"  --first N        the number of the first instance (0)\n"
		"  --services FILE  ids of services, one a line; they take turns\n\n"
		"Instances are named i00000000 and so on. Prints one line of JSON; exit\n"
		"status 1: not every reply had the status 200.\n");
	exit(2);
}

static void read_services(struct load *l, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[SERVICE_ID_MAX + 2];

	if (!file)
		die(path);
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		if (l->id_count == 0)
			l->id_len = strlen(line);
		if (l->id_len == 0 || strlen(line) != l->id_len ||
		    l->id_count == SERVICES_MAX)
			die_of("the ids of services must all be equally long");
		l->ids = realloc(l->ids, (l->id_count + 1) * l->id_len);
		if (!l->ids)
			die("memory");
		memcpy(l->ids + l->id_count++ * l->id_len, line, l->id_len);
	}
	(void)fclose(file);
}

static double read_number(const char *text)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end != '\0' || !(number >= 0))
		die_of_usage();
	return number;
}

static void read_address(const char *text, struct sockaddr_in *out)
{
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN] = "";

	if (!colon || (size_t)(colon - text) >= sizeof host)
		die_of_usage();
	memcpy(host, text, (size_t)(colon - text));
	out->sin_family = AF_INET;
	out->sin_port = htons((uint16_t)read_number(colon + 1));
	if (inet_pton(AF_INET, host, &out->sin_addr) != 1)
		die_of_usage();
}

static void read_option(struct load *l, int opt)
{
	switch (opt) {
	case 'c':
		l->connections = (unsigned)read_number(optarg);
		break;
	case 'n':
		l->count = (uint64_t)read_number(optarg);
		break;
	case 'd':
		l->duration_ns = (uint64_t)(read_number(optarg) * 1e9);
		break;
	case 'r':
		l->rate = read_number(optarg);
		break;
	case 'f':
		l->first = (uint64_t)read_number(optarg);
		break;
	case 's':
		read_services(l, optarg);
		break;
	case 'N':
		l->namespace_name = optarg;
		break;
	case 'S':
		l->service_name = optarg;
		break;
	default:
		die_of_usage();
	}
}

static void read_options(struct load *l, int argc, char **argv)
{
	static const struct option options[] = {
		{"connections", required_argument, NULL, 'c'},
		{"count", required_argument, NULL, 'n'},
		{"duration", required_argument, NULL, 'd'},
		{"rate", required_argument, NULL, 'r'},
		{"first", required_argument, NULL, 'f'},
		{"services", required_argument, NULL, 's'},
		{"namespace", required_argument, NULL, 'N'},
		{"service", required_argument, NULL, 'S'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		read_option(l, opt);
	if (optind + 2 != argc)
		die_of_usage();
	l->registers = strcmp(argv[optind], "register") == 0;
	if (l->registers ? l->id_count == 0
			 : strcmp(argv[optind], "discover") != 0 || !l->namespace_name ||
				   !l->service_name)
		die_of_usage();
	if (l->connections == 0 || l->connections > CONNECTIONS_MAX ||
	    l->first >= NUMBER_END ||
	    (l->count != UINT64_MAX && l->count > NUMBER_END - l->first))
		die_of("a number is too large");
	read_address(argv[optind + 1], &l->addr);
}

int main(int argc, char **argv)
{
	static struct load l = {.connections = 1, .count = UINT64_MAX};
	const struct sigaction on_end = {.sa_handler = on_signal};
	uint64_t used_us;

	read_options(&l, argc, argv);
	sigaction(SIGTERM, &on_end, NULL);
	sigaction(SIGINT, &on_end, NULL);
	(void)prctl(PR_SET_TIMERSLACK, 1UL); /* or a high rate goes out in bursts */
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	l.all = calloc(l.connections, sizeof *l.all);
	l.idle = calloc(l.connections, sizeof *l.idle);
	if (l.epoll < 0 || !l.all || !l.idle)
		die("cannot start");
	for (unsigned i = l.connections; i-- > 0;)
		open_connection(&l, i);
	used_us = cpu_us();
	run(&l);
	print_result(&l, monotonic_ns() - l.begin_ns, cpu_us() - used_us);
	return l.errors == 0 ? 0 : 1;
}
