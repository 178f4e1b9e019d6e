/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/reach.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "forward/route.h"

/* To connect a UDP socket is to look for a route and a source address, no more. */
static bool has_way(const struct sockaddr *address)
{
	int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found;

	if (fd < 0)
		return errno != EAFNOSUPPORT; /* too many descriptors tell nothing */
	found = connect(fd, address, netaddr_sockaddr_len(address)) == 0;
	close(fd);
	return found;
}

bool reach_is_cut_off(struct reach *reach, const struct route *route, int64_t now_ms)
{
	bool found = false;

	if (reach->looked_ms != 0 && now_ms - reach->looked_ms < REACH_AGAIN_MS)
		return reach->is_cut_off;
	for (size_t i = 0; !found && i < route->count; i++)
		found = has_way((const struct sockaddr *)&route->addresses[i]);
	reach->looked_ms = now_ms;
	reach->is_cut_off = !found;
	return reach->is_cut_off;
}
