/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/activation.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "daemon/option-internal.h"

enum {
	FIRST_FD = 3, /* SD_LISTEN_FDS_START */
	FDS_MAX = 256,
};

struct handed {
	int fd;
	int type; /* SOCK_STREAM, SOCK_DGRAM */
	bool listens;
	bool is_api; /* by its name */
	struct sockaddr_storage addr;
	socklen_t addr_len;
};

/* How many sockets are ours. */
static int count_sockets(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");
	int n;

	if (!pid || !count || strtol(pid, NULL, 10) != getpid())
		return 0;
	n = atoi(count);
	return n < 0 ? 0 : n > FDS_MAX ? FDS_MAX : n;
}

static void forget_environment(void)
{
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
}

static gaz_status look_at(int fd, const char *name, struct handed *out,
			  struct gaz_error *err)
{
	socklen_t len = sizeof out->type;
	socklen_t flag_len = sizeof(int);
	int listens = 0;

	*out = (struct handed){.fd = fd, .addr_len = sizeof out->addr};
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &out->type, &len) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &flag_len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&out->addr, &out->addr_len) != 0)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "descriptor %d of LISTEN_FDS is no socket", fd);
	out->listens = listens != 0;
	out->is_api = name && strncmp(name, "api", 3) == 0;
	return GAZ_OK;
}

static gaz_status take_unix(struct options *c, const struct handed *h,
			    struct gaz_error *err)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&h->addr;
	size_t len = h->addr_len - offsetof(struct sockaddr_un, sun_path);

	if (h->type != SOCK_STREAM || !h->listens || c->socket_fd > 0)
		return gaz_error_set(err, GAZ_EFORMAT,
				     "the socket unit: one unix socket at most, with "
				     "ListenStream= and Accept=no");
	c->socket_fd = h->fd;
	(void)snprintf(c->socket, sizeof c->socket, "%s%.*s", un->sun_path[0] ? "" : "@",
		       (int)len - !un->sun_path[0], un->sun_path + !un->sun_path[0]);
	return GAZ_OK;
}

static bool is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	char text_a[NETADDR_TEXT_SIZE], text_b[NETADDR_TEXT_SIZE];

	return strcmp(netaddr_print_endpoint((const struct sockaddr *)a, text_a),
		      netaddr_print_endpoint((const struct sockaddr *)b, text_b)) == 0;
}

static gaz_status take_api(struct options *c, const struct handed *h,
			   struct gaz_error *err)
{
	size_t i = 0;

	while (i < c->api_count && !is_same(&c->api[i], &h->addr))
		i++;
	if (i == c->api_count) {
		if (!grow((void **)&c->api, i, sizeof *c->api))
			return out_of_memory(err);
		c->api[i] = h->addr;
		c->api_count++;
	}
	while (c->api_fd_count < c->api_count) {
		if (!grow((void **)&c->api_fds, c->api_fd_count, sizeof *c->api_fds))
			return out_of_memory(err);
		c->api_fd_count++;
	}
	c->api_fds[i] = h->fd;
	return GAZ_OK;
}

static gaz_status take_dns(struct options *c, const struct handed *h,
			   struct gaz_error *err)
{
	struct responder_endpoint *item;
	size_t i = 0;

	while (i < c->listen_count && !is_same(&c->listen[i].addr, &h->addr))
		i++;
	if (i == c->listen_count) {
		if (!grow((void **)&c->listen, i, sizeof *c->listen))
			return out_of_memory(err);
		c->listen[i].addr = h->addr;
		c->listen_count++;
	}
	item = &c->listen[i];
	if (h->type == SOCK_DGRAM)
		item->udp = h->fd;
	else
		item->tcp = h->fd;
	return GAZ_OK;
}

static gaz_status take(struct options *c, const struct handed *h, struct gaz_error *err)
{
	int family = h->addr.ss_family;

	if (family == AF_UNIX)
		return take_unix(c, h, err);
	if ((family != AF_INET && family != AF_INET6) ||
	    (h->type == SOCK_STREAM ? !h->listens : h->type != SOCK_DGRAM || h->is_api))
		return gaz_error_set(err, GAZ_EFORMAT,
				     "the socket unit: descriptor %d is neither DNS "
				     "(ListenDatagram= and ListenStream= of one address) "
				     "nor the API (ListenStream=); Accept= must be no",
				     h->fd);
	return h->is_api ? take_api(c, h, err) : take_dns(c, h, err);
}

static gaz_status check_pairs(const struct options *c, struct gaz_error *err)
{
	char text[NETADDR_TEXT_SIZE];

	for (size_t i = 0; i < c->listen_count; i++) {
		const struct responder_endpoint *item = &c->listen[i];

		if (!item->udp == !item->tcp)
			continue;
		netaddr_print_endpoint((const struct sockaddr *)&item->addr, text);
		return gaz_error_set(err, GAZ_EFORMAT,
				     "the socket unit: DNS needs UDP and TCP, add "
				     "%s=%s; an API socket needs "
				     "FileDescriptorName=api",
				     item->udp ? "ListenStream" : "ListenDatagram", text);
	}
	return GAZ_OK;
}

gaz_status activation_take(struct options *options, struct gaz_error *err)
{
	const char *env = getenv("LISTEN_FDNAMES");
	char *names = env ? strdup(env) : NULL, *rest = names;
	const int count = count_sockets();
	gaz_status st = env && !names ? out_of_memory(err) : GAZ_OK;
	struct handed handed;

	for (int i = 0; i < count && st == GAZ_OK; i++) {
		st = look_at(FIRST_FD + i, rest ? strsep(&rest, ":") : NULL, &handed,
			     err);
		if (st == GAZ_OK)
			st = take(options, &handed, err);
	}
	free(names);
	forget_environment();
	return st == GAZ_OK ? check_pairs(options, err) : st;
}
