/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/netaddr.h"

/* The header that a proxy sends before what it passes on, to tell where it came from: the
 * PROXY protocol, version 2 (haproxy.org, doc/proxy-protocol.txt, section 2.2). */

enum {
	PROXYV2_MAX = 536, /* octets; a longer header is refused */
};

enum proxyv2_verdict {
	PROXYV2_BROKEN = 0, /* no such header, or one that is longer or makes no sense */
	PROXYV2_PARTIAL,    /* so far it is one */
	PROXYV2_LOCAL,	    /* the proxy itself asks, or it does not tell for whom */
	PROXYV2_SOURCE,	    /* for somebody else */
};

/**
 * Read the header that `bytes` begin with.
 *
 * @param len_out     its length, with PROXYV2_LOCAL and PROXYV2_SOURCE
 * @param source_out  who asks, with PROXYV2_SOURCE
 */
enum proxyv2_verdict proxyv2_parse(const uint8_t *bytes, size_t len, size_t *len_out,
				   struct netaddr *source_out);
