/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* Who holds a port of this machine, from /proc: for messages, since the answer may be
 * out of date when it is there. Linux only, as is the rest. */

enum {
	PORTOWNER_SIZE = 64,
};

/**
 * Find a socket that keeps others from binding an address: a UDP socket or a TCP
 * listener on the same port of that address or of all addresses.
 *
 * @param sa   AF_INET or AF_INET6, its port not 0
 * @param out  "dnsmasq (pid 1234)"; "a program of another user" when only root may
 *             see whose it is. Printable. Untouched when nobody holds it
 * @return somebody holds it
 */
bool portowner_find(const struct sockaddr *sa, char out[PORTOWNER_SIZE]);
