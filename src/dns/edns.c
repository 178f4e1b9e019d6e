/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/edns.h"

#include <string.h>

#include "dns/wire.h"

enum {
	COOKIE_MIN = COOKIE_CLIENT_LEN + 8, /* with a server cookie (RFC 7873, 4.2) */
	COOKIE_MAX = COOKIE_CLIENT_LEN + 32,
	SUBNET_HEAD = 4, /* family, length of the source, of the scope */
	SUBNET_IPV4 = 1, /* address family numbers of IANA */
	SUBNET_IPV6 = 2,
};

static bool read_cookie(const uint8_t *data, size_t len, struct edns_query *out)
{
	if (out->cookie)
		return true;
	if (len != COOKIE_CLIENT_LEN && (len < COOKIE_MIN || len > COOKIE_MAX))
		return false;
	out->cookie = data;
	out->cookie_len = (uint8_t)len;
	return true;
}

static bool read_option(uint16_t code, const uint8_t *data, size_t len,
			struct edns_query *out)
{
	switch (code) {
	case EDNS_NSID:
		out->wants_nsid = true;
		return true;
	case EDNS_COOKIE:
		return read_cookie(data, len, out);
	case EDNS_TCP_KEEPALIVE:
		out->wants_keepalive = true;
		return true;
	case EDNS_CLIENT_SUBNET:
		out->subnet = data;
		out->subnet_len = (uint16_t)len;
		return true;
	default:
		return true;
	}
}

bool edns_read_options(const uint8_t *at, size_t len, struct edns_query *out)
{
	*out = (struct edns_query){.cookie = NULL};
	while (len >= EDNS_OPTION_HEAD) {
		size_t data_len = wire_get_u16(at + 2);

		if (data_len > len - EDNS_OPTION_HEAD ||
		    !read_option(wire_get_u16(at), at + EDNS_OPTION_HEAD, data_len, out))
			return false;
		at += EDNS_OPTION_HEAD + data_len;
		len -= EDNS_OPTION_HEAD + data_len;
	}
	return len == 0;
}

static bool has_bits_behind(const uint8_t *addr, size_t octets, unsigned bits)
{
	return bits % 8 != 0 && (addr[octets - 1] & (0xff >> bits % 8)) != 0;
}

gaz_status edns_read_subnet(const struct edns_query *query, struct netprefix *out)
{
	const uint8_t *data = query->subnet;
	struct netprefix prefix = {.len = 0};
	uint16_t family;
	size_t octets;

	if (query->subnet_len < SUBNET_HEAD || data[3] != 0)
		return GAZ_EFORMAT;
	family = wire_get_u16(data);
	if (family != SUBNET_IPV4 && family != SUBNET_IPV6)
		return GAZ_ENOTFOUND;
	prefix.addr.family = family == SUBNET_IPV4 ? AF_INET : AF_INET6;
	prefix.len = data[2];
	octets = (prefix.len + 7u) / 8;
	if (prefix.len > (family == SUBNET_IPV4 ? 32 : 128) ||
	    query->subnet_len != SUBNET_HEAD + octets ||
	    has_bits_behind(data + SUBNET_HEAD, octets, prefix.len))
		return GAZ_EFORMAT;
	memcpy(prefix.addr.bytes, data + SUBNET_HEAD, octets);
	*out = prefix;
	return GAZ_OK;
}

size_t edns_options_len(const struct edns_reply *reply)
{
	size_t len = 0;

	if (reply->subnet)
		len += EDNS_OPTION_HEAD + (size_t)reply->subnet_len;

	if (reply->nsid_len)
		len += EDNS_OPTION_HEAD + (size_t)reply->nsid_len;
	if (reply->has_cookie)
		len += EDNS_OPTION_HEAD + sizeof reply->cookie;
	if (reply->has_keepalive)
		len += EDNS_OPTION_HEAD + 2;
	return len;
}

static uint8_t *put_head(uint8_t *at, enum edns_option code, size_t len)
{
	wire_put_u16(at, (uint16_t)code);
	wire_put_u16(at + 2, (uint16_t)len);
	return at + EDNS_OPTION_HEAD;
}

static uint8_t *put_data(uint8_t *at, enum edns_option code, const void *data, size_t len)
{
	at = put_head(at, code, len);
	memcpy(at, data, len);
	return at + len;
}

static uint8_t *put_number(uint8_t *at, enum edns_option code, uint16_t number)
{
	at = put_head(at, code, 2);
	wire_put_u16(at, number);
	return at + 2;
}

/* The scope is as narrow as the source: another subnet may be in another VPC. */
static uint8_t *put_subnet(uint8_t *at, const struct edns_reply *reply)
{
	uint8_t *end = put_data(at, EDNS_CLIENT_SUBNET, reply->subnet, reply->subnet_len);

	at[EDNS_OPTION_HEAD + 3] = at[EDNS_OPTION_HEAD + 2];
	return end;
}

uint8_t *edns_put_options(uint8_t *at, const struct edns_reply *reply)
{
	if (reply->subnet)
		at = put_subnet(at, reply);
	if (reply->nsid_len)
		at = put_data(at, EDNS_NSID, reply->nsid, reply->nsid_len);
	if (reply->has_cookie)
		at = put_data(at, EDNS_COOKIE, reply->cookie, sizeof reply->cookie);
	if (reply->has_keepalive)
		at = put_number(at, EDNS_TCP_KEEPALIVE, reply->keepalive_ds);
	return at;
}

uint8_t *edns_put_error(uint8_t *at, enum edns_error error)
{
	return put_number(at, EDNS_EXTENDED_ERROR, (uint16_t)error);
}
