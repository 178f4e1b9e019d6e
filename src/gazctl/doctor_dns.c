/* SPDX-License-Identifier: BSD-2-Clause */
#include "gazctl/doctor_dns.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	/* An answer may take gazetteerd 3.5 s, if it waits for another resolver. */
	TRY_MS = 5000,
	QUERY_MAX = NS_HFIXEDSZ + NS_MAXCDNAME + NS_QFIXEDSZ,
	REPLY_MAX = 65535,
	LENGTH_SIZE = 2, /* of the length before a message over TCP */
};

struct exchange {
	int fd;
	bool tcp;
	uint8_t query[LENGTH_SIZE + QUERY_MAX]; /* the length first */
	size_t query_len;			/* without the length */
	uint8_t reply[REPLY_MAX];
};

static void put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static bool make_query(struct exchange *x, const char *name, int class, int type)
{
	uint8_t *at = x->query + LENGTH_SIZE;
	uint8_t wire[NS_MAXCDNAME];
	int len;

	if (ns_name_pton(name, wire, sizeof wire) < 0)
		return false;
	len = ns_name_pack(wire, at + NS_HFIXEDSZ, NS_MAXCDNAME, NULL, NULL);
	if (len < 0)
		return false;
	memset(at, 0, NS_HFIXEDSZ);
	put_u16(at, (unsigned)clock_monotonic_ms() ^ (unsigned)getpid());
	at[2] = 1; /* RD */
	at[5] = 1; /* one question */
	put_u16(at + NS_HFIXEDSZ + len, (unsigned)type);
	put_u16(at + NS_HFIXEDSZ + len + 2, (unsigned)class);
	x->query_len = NS_HFIXEDSZ + (size_t)len + NS_QFIXEDSZ;
	put_u16(x->query, (unsigned)x->query_len);
	return true;
}

static bool wait_for(const struct exchange *x, short events, int64_t end_ms)
{
	struct pollfd item = {.fd = x->fd, .events = events};
	int64_t left = end_ms - clock_monotonic_ms();

	return left > 0 && poll(&item, 1, (int)left) == 1;
}

static size_t receive_udp(struct exchange *x, int64_t end_ms)
{
	while (wait_for(x, POLLIN, end_ms)) {
		ssize_t got = recv(x->fd, x->reply, sizeof x->reply, 0);

		if (got < 0)
			return 0; /* refused, mostly */
		if (got >= NS_HFIXEDSZ &&
		    memcmp(x->reply, x->query + LENGTH_SIZE, 2) == 0)
			return (size_t)got;
	}
	return 0;
}

static bool receive_exactly(const struct exchange *x, uint8_t *out, size_t len,
			    int64_t end_ms)
{
	while (len > 0 && wait_for(x, POLLIN, end_ms)) {
		ssize_t got = recv(x->fd, out, len, 0);

		if (got <= 0)
			return false;
		out += got;
		len -= (size_t)got;
	}
	return len == 0;
}

static size_t receive_tcp(struct exchange *x, int64_t end_ms)
{
	uint8_t head[LENGTH_SIZE];
	size_t len;

	if (!receive_exactly(x, head, sizeof head, end_ms))
		return 0;
	len = (size_t)(head[0] << 8 | head[1]);
	return receive_exactly(x, x->reply, len, end_ms) ? len : 0;
}

static size_t ask_once(struct exchange *x, const struct sockaddr *server)
{
	int64_t end_ms = clock_monotonic_ms() + TRY_MS;
	size_t skip = x->tcp ? 0 : LENGTH_SIZE;
	size_t got = 0;

	x->fd = socket(server->sa_family,
		       (x->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0);
	if (x->fd < 0)
		return 0;
	if ((connect(x->fd, server, netaddr_sockaddr_len(server)) == 0 ||
	     errno == EINPROGRESS) &&
	    wait_for(x, POLLOUT, end_ms) &&
	    send(x->fd, x->query + skip, x->query_len + LENGTH_SIZE - skip,
		 MSG_NOSIGNAL) > 0)
		got = x->tcp ? receive_tcp(x, end_ms) : receive_udp(x, end_ms);
	close(x->fd);
	return got;
}

static void read_text(const ns_rr *rr, struct dns_reply *out)
{
	const uint8_t *at = ns_rr_rdata(*rr), *end = at + ns_rr_rdlen(*rr);

	while (at < end && at + 1 + *at <= end) {
		size_t used = strlen(out->text);

		(void)snprintf(out->text + used, sizeof out->text - used, "%.*s ", *at,
			       (const char *)at + 1);
		at += 1 + *at;
	}
}

static void read_record(const ns_msg *message, const ns_rr *rr, struct dns_reply *out)
{
	if (ns_rr_type(*rr) == ns_t_txt)
		read_text(rr, out);
	if (ns_rr_type(*rr) == ns_t_soa &&
	    ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message),
			       ns_rr_rdata(*rr), out->text, sizeof out->text) < 0)
		out->text[0] = '\0';
	if (ns_rr_type(*rr) != ns_t_a || ns_rr_rdlen(*rr) != 4 ||
	    out->address_count == DNS_ADDRESSES_MAX)
		return;
	out->addresses[out->address_count].family = AF_INET;
	memcpy(out->addresses[out->address_count++].bytes, ns_rr_rdata(*rr), 4);
}

void dns_ask(const struct sockaddr *server, bool tcp, const char *name, int class,
	     int type, struct dns_reply *out)
{
	static struct exchange x; /* too large for the stack */
	size_t len;
	ns_msg message;
	ns_rr rr;

	x.tcp = tcp;
	*out = (struct dns_reply){.rcode = DNS_NO_REPLY};
	if (!make_query(&x, name, class, type))
		return;
	len = ask_once(&x, server);
	if (len < NS_HFIXEDSZ || ns_initparse(x.reply, (int)len, &message) != 0)
		return;
	out->rcode = ns_msg_getflag(message, ns_f_rcode);
	out->answer_count = ns_msg_count(message, ns_s_an);
	for (size_t i = 0; i < out->answer_count; i++) {
		if (ns_parserr(&message, ns_s_an, (int)i, &rr) != 0)
			break;
		read_record(&message, &rr, out);
	}
}
