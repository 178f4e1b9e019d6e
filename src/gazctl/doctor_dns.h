/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/netaddr.h"

/* One question to one name server, for "gazctl doctor": what comes back, or not. */

enum {
	DNS_ADDRESSES_MAX = 16,
	DNS_TEXT_SIZE = 512,
	DNS_NO_REPLY = -1,
};

struct dns_reply {
	int rcode; /* DNS_NO_REPLY: none came, or none that can be read */
	size_t answer_count;
	struct netaddr addresses[DNS_ADDRESSES_MAX]; /* of A records */
	size_t address_count;
	char text[DNS_TEXT_SIZE]; /* of TXT records, a space behind each string; or the
				     first name of a SOA record */
};

/** Waits five seconds at most. @param class  C_IN, C_CHAOS
 *  @param type  of <arpa/nameser.h> */
void dns_ask(const struct sockaddr *server, bool tcp, const char *name, int class,
	     int type, struct dns_reply *out);
