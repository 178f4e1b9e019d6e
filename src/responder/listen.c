/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "base/portowner.h"

enum {
	UDP_RECEIVE_BUFFER = 4 << 20, /* rides out a commit's worth of queries */
	UDP_SEND_BUFFER = 1 << 20,
	TCP_BACKLOG = 1024,
	PORT_ATTEMPTS = 32,
};

static uint16_t *port_of(struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET ? &((struct sockaddr_in *)addr)->sin_port
					  : &((struct sockaddr_in6 *)addr)->sin6_port;
}

bool listen_is_wildcard(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr ==
		       htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(
		&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

static bool set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/* What must hold before bind(). SO_REUSEADDR only for TCP: there it allows a
 * restart while old connections linger, for UDP it would share the port. */
static bool prepare_socket(int fd, int family, int type, bool exclusive)
{
	return (family != AF_INET6 || set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
	       (type != SOCK_STREAM || set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1)) &&
	       (exclusive || set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1));
}

/* Ask for the address each datagram was sent to, so that the reply can come
 * from it; take no part in path MTU discovery, whose ICMP messages anybody can
 * forge: no reply is larger than what the networks are known to carry (--udp-size).
 * Over IPv4 replies are not to be fragmented either (RFC 9715, section 3.1), which also
 * spares each an identification. */
static bool tune_udp(int fd, const struct sockaddr *sa)
{
	bool v4 = sa->sa_family == AF_INET;

	/* The kernel caps these silently, which is all right. */
	(void)set_int(fd, SOL_SOCKET, SO_RCVBUF, UDP_RECEIVE_BUFFER);
	(void)set_int(fd, SOL_SOCKET, SO_SNDBUF, UDP_SEND_BUFFER);
	if (v4)
		(void)set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	else
		(void)set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
	if (!listen_is_wildcard(sa))
		return true;
	return v4 ? set_int(fd, IPPROTO_IP, IP_PKTINFO, 1)
		  : set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

/* One bound socket, or -1 with errno set. The first socket of an address is
 * bound without SO_REUSEPORT, so that a port which anybody else holds is an
 * error, even another daemon of the same user; setting the option afterwards
 * opens the port for our other workers. */
static int open_socket(const struct sockaddr *sa, int type, bool exclusive)
{
	int fd = socket(sa->sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (prepare_socket(fd, sa->sa_family, type, exclusive) &&
	    bind(fd, sa, netaddr_sockaddr_len(sa)) == 0 &&
	    (!exclusive || set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
	    (type == SOCK_STREAM ? listen(fd, TCP_BACKLOG) == 0 : tune_udp(fd, sa)))
		return fd;

	int cause = errno;

	close(fd);
	errno = cause;
	return -1;
}

/* One socket that was bound for us, for one more worker; -1 with errno set. */
static int share_socket(int fd, const struct sockaddr *sa, int type)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy >= 0 && (type == SOCK_STREAM || tune_udp(copy, sa)))
		return copy;

	int cause = errno;

	if (copy >= 0)
		close(copy);
	errno = cause;
	return -1;
}

static void close_pair(struct listen_pair *pair)
{
	if (pair->udp >= 0)
		close(pair->udp);
	if (pair->tcp >= 0)
		close(pair->tcp);
	pair->udp = pair->tcp = -1;
}

static bool open_pair(struct sockaddr_storage *addr, bool exclusive,
		      struct listen_pair *pair)
{
	const struct sockaddr *sa = (const struct sockaddr *)addr;
	socklen_t len = sizeof *addr;
	int cause;

	pair->tcp = -1;
	pair->udp = open_socket(sa, SOCK_DGRAM, exclusive);
	if (pair->udp >= 0 && getsockname(pair->udp, (struct sockaddr *)addr, &len) == 0)
		pair->tcp = open_socket(sa, SOCK_STREAM, exclusive);
	if (pair->tcp >= 0)
		return true;
	cause = errno;
	close_pair(pair);
	errno = cause;
	return false;
}

/* With port 0 UDP chooses the port, and TCP may find that one taken. */
static bool open_first_pair(struct sockaddr_storage *addr, bool exclusive,
			    struct listen_pair *pair)
{
	const struct sockaddr_storage asked = *addr;
	bool choose = *port_of(addr) == 0;

	for (int i = 0; i < PORT_ATTEMPTS; i++) {
		*addr = asked;
		if (open_pair(addr, exclusive, pair))
			return true;
		if (!choose || errno != EADDRINUSE)
			break;
	}
	return false;
}

static gaz_status explain(const struct sockaddr_storage *addr, int cause,
			  struct gaz_error *err)
{
	char owner[PORTOWNER_SIZE] = "another program, which has ended meanwhile";
	char text[NETADDR_TEXT_SIZE];

	netaddr_print_endpoint((const struct sockaddr *)addr, text);
	switch (cause) {
	case EADDRINUSE:
		(void)portowner_find((const struct sockaddr *)addr, owner);
		return gaz_error_set(err, GAZ_EIO,
				     "%s is in use by %s; stop that or choose another "
				     "--listen",
				     text, owner);
	case EACCES:
	case EPERM:
		return gaz_error_set(err, GAZ_EIO,
				     "no permission to listen on %s; grant "
				     "CAP_NET_BIND_SERVICE or choose a port above 1023",
				     text);
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return gaz_error_set(
			err, GAZ_EIO,
			"%s is not an address of this machine; choose another "
			"--listen or configure the address first",
			text);
	case EMFILE:
	case ENFILE:
		return gaz_error_set(
			err, GAZ_EIO,
			"too many open files while opening %s; raise the limit "
			"(ulimit -n) or use fewer --workers",
			text);
	default:
		return gaz_error_set(err, GAZ_EIO, "cannot listen on %s: %s", text,
				     strerror(cause));
	}
}

gaz_status listen_open(struct sockaddr_storage *addr, bool exclusive,
		       struct listen_pair *pairs, size_t count, struct gaz_error *err)
{
	struct sockaddr_storage actual = *addr;

	for (size_t i = 0; i < count; i++) {
		bool ok = i == 0 ? open_first_pair(&actual, exclusive, &pairs[0])
				 : open_pair(&actual, false, &pairs[i]);

		if (!ok) {
			int cause = errno;

			while (i > 0)
				close_pair(&pairs[--i]);
			return explain(&actual, cause, err);
		}
	}
	*addr = actual;
	return GAZ_OK;
}

gaz_status listen_share(const struct sockaddr *sa, const struct listen_pair *bound,
			struct listen_pair *pairs, size_t count, struct gaz_error *err)
{
	for (size_t i = 0; i < count; i++) {
		pairs[i].udp = share_socket(bound->udp, sa, SOCK_DGRAM);
		pairs[i].tcp =
			pairs[i].udp < 0 ? -1 : share_socket(bound->tcp, sa, SOCK_STREAM);
		if (pairs[i].tcp < 0) {
			int cause = errno;

			for (size_t k = 0; k <= i; k++)
				close_pair(&pairs[k]);
			return gaz_error_set(err, GAZ_EIO,
					     "cannot use a socket of the service "
					     "manager: %s",
					     strerror(cause));
		}
	}
	return GAZ_OK;
}
