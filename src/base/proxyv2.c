/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/proxyv2.h"

#include <netinet/in.h>
#include <string.h>

enum {
	HEAD_LEN = 16, /* signature, version and command, family, length */
	VERSION = 0x20,
	COMMAND_LOCAL = 0,
	COMMAND_PROXY = 1,
	FAMILY_INET = 1,
	FAMILY_INET6 = 2,
	ADDRESSES_INET = 4 + 4 + 2 + 2,
	ADDRESSES_INET6 = 16 + 16 + 2 + 2,
};

static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
				      0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

/* By way of a socket address, so that IPv4-mapped addresses become what they mean. */
static enum proxyv2_verdict read_source(unsigned family, const uint8_t *addresses,
					size_t len, struct netaddr *out)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	const struct sockaddr *sa = (const struct sockaddr *)&in;

	if (family == FAMILY_INET && len >= ADDRESSES_INET) {
		memcpy(&in.sin_addr, addresses, sizeof in.sin_addr);
	} else if (family == FAMILY_INET6 && len >= ADDRESSES_INET6) {
		memcpy(&in6.sin6_addr, addresses, sizeof in6.sin6_addr);
		sa = (const struct sockaddr *)&in6;
	} else {
		return family == FAMILY_INET || family == FAMILY_INET6 ? PROXYV2_BROKEN
								       : PROXYV2_LOCAL;
	}
	return netaddr_from_sockaddr(sa, out) == GAZ_OK ? PROXYV2_SOURCE : PROXYV2_BROKEN;
}

enum proxyv2_verdict proxyv2_parse(const uint8_t *bytes, size_t len, size_t *len_out,
				   struct netaddr *source_out)
{
	size_t known = len < sizeof signature ? len : sizeof signature;
	size_t addresses_len;

	if (memcmp(bytes, signature, known) != 0)
		return PROXYV2_BROKEN;
	if (len < HEAD_LEN)
		return PROXYV2_PARTIAL;
	addresses_len = (size_t)bytes[14] << 8 | bytes[15];
	if ((bytes[12] & 0xf0) != VERSION || (bytes[12] & 0x0f) > COMMAND_PROXY ||
	    HEAD_LEN + addresses_len > PROXYV2_MAX)
		return PROXYV2_BROKEN;
	if (len < HEAD_LEN + addresses_len)
		return PROXYV2_PARTIAL;
	*len_out = HEAD_LEN + addresses_len;
	if ((bytes[12] & 0x0f) == COMMAND_LOCAL)
		return PROXYV2_LOCAL;
	return read_source(bytes[13] >> 4, bytes + HEAD_LEN, addresses_len, source_out);
}
