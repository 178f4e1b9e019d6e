/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/status.h"

/* IP addresses, socket addresses and prefixes as plain values. */

struct netaddr {
	uint8_t family; /* AF_INET or AF_INET6; an IPv4-mapped IPv6 address is AF_INET */
	uint8_t bytes[16]; /* network order; 4 used for AF_INET */
};

struct netprefix {
	struct netaddr addr;
	uint8_t len; /* bits */
};

struct netprefix_list { /* borrows them */
	const struct netprefix *items;
	size_t count;
};

enum {
	NETADDR_TEXT_SIZE = 64, /* "[address]:port" or "address/len" with the NUL */
};

/** @return GAZ_OK, or GAZ_EFORMAT for anything but AF_INET and AF_INET6. */
GAZ_MUST_CHECK gaz_status netaddr_from_sockaddr(const struct sockaddr *sa,
						struct netaddr *out);

/** "192.0.2.1" or "2001:db8::1". @return GAZ_OK, GAZ_EFORMAT. */
GAZ_MUST_CHECK gaz_status netaddr_parse(const char *text, struct netaddr *out);

/**
 * "ADDR", "ADDR:PORT", "[ADDR6]:PORT", "[ADDR6]", or an IPv6 address bare.
 * @param default_port  used where the text names none; -1: a port is required
 * @return GAZ_OK, GAZ_EFORMAT
 */
GAZ_MUST_CHECK gaz_status netaddr_parse_endpoint(const char *text, int default_port,
						 struct sockaddr_storage *out);

/** "10.0.0.0/16"; an address without a length is a prefix of all its bits.
 *  One of IPv4-mapped addresses becomes the IPv4 prefix that it means.
 *  @return GAZ_OK, GAZ_EFORMAT (not a prefix, or host bits set). */
GAZ_MUST_CHECK gaz_status netaddr_parse_prefix(const char *text, struct netprefix *out);

bool netaddr_is_loopback(const struct netaddr *addr);

/** True when the address lies in the prefix. */
bool netprefix_holds(const struct netprefix *prefix, const struct netaddr *addr);

/** True when it lies in one of them. */
bool netprefix_list_holds(const struct netprefix_list *list, const struct netaddr *addr);

/** Each writes a text with NUL and returns `out`. */
char *netaddr_print_endpoint(const struct sockaddr *sa, char out[NETADDR_TEXT_SIZE]);
char *netaddr_print_prefix(const struct netprefix *prefix, char out[NETADDR_TEXT_SIZE]);

socklen_t netaddr_sockaddr_len(const struct sockaddr *sa);
