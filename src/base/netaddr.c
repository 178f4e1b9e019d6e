/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/netaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

gaz_status netaddr_from_sockaddr(const struct sockaddr *sa, struct netaddr *out)
{
	memset(out, 0, sizeof *out);
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in =
			(const struct sockaddr_in *)(const void *)sa;

		out->family = AF_INET;
		memcpy(out->bytes, &in->sin_addr, 4);
		return GAZ_OK;
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 =
			(const struct sockaddr_in6 *)(const void *)sa;

		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			out->family = AF_INET;
			memcpy(out->bytes, in6->sin6_addr.s6_addr + 12, 4);
		} else {
			out->family = AF_INET6;
			memcpy(out->bytes, &in6->sin6_addr, 16);
		}
		return GAZ_OK;
	}
	return GAZ_EFORMAT;
}

static bool is_mapped(const struct netaddr *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return addr->family == AF_INET6 && memcmp(addr->bytes, mapped, 12) == 0;
}

static void unmap(struct netaddr *addr)
{
	addr->family = AF_INET;
	memmove(addr->bytes, addr->bytes + 12, 4);
	memset(addr->bytes + 4, 0, 12);
}

gaz_status netaddr_parse(const char *text, struct netaddr *out)
{
	struct netaddr addr = {0};

	if (inet_pton(AF_INET, text, addr.bytes) == 1)
		addr.family = AF_INET;
	else if (inet_pton(AF_INET6, text, addr.bytes) == 1)
		addr.family = AF_INET6;
	else
		return GAZ_EFORMAT;
	*out = addr;
	return GAZ_OK;
}

static gaz_status parse_number(const char *text, long max, long *out)
{
	char *end;
	long value;

	if (*text < '0' || *text > '9')
		return GAZ_EFORMAT;
	value = strtol(text, &end, 10);
	if (*end != '\0' || value < 0 || value > max)
		return GAZ_EFORMAT;
	*out = value;
	return GAZ_OK;
}

static void make_sockaddr(const struct netaddr *addr, uint16_t port,
			  struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (addr->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, addr->bytes, 4);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, addr->bytes, 16);
	}
}

gaz_status netaddr_parse_endpoint(const char *text, int default_port,
				  struct sockaddr_storage *out)
{
	char host[NETADDR_TEXT_SIZE];
	const char *host_at = text;
	const char *host_end;
	const char *port_text = NULL;
	struct netaddr addr;
	long port = default_port;

	if (*text == '[') {
		host_at++;
		host_end = strchr(text, ']');
		if (!host_end || (host_end[1] != '\0' && host_end[1] != ':'))
			return GAZ_EFORMAT;
		if (host_end[1] == ':')
			port_text = host_end + 2;
	} else {
		const char *colon = strchr(text, ':');

		host_end = text + strlen(text);
		/* More than one colon: a bare IPv6 address without a port. */
		if (colon && !strchr(colon + 1, ':')) {
			host_end = colon;
			port_text = colon + 1;
		}
	}
	if ((size_t)(host_end - host_at) >= sizeof host)
		return GAZ_EFORMAT;
	memcpy(host, host_at, (size_t)(host_end - host_at));
	host[host_end - host_at] = '\0';
	if (netaddr_parse(host, &addr) != GAZ_OK ||
	    (*text == '[' && addr.family != AF_INET6) ||
	    (port_text && parse_number(port_text, 65535, &port) != GAZ_OK) || port < 0)
		return GAZ_EFORMAT;
	if (is_mapped(&addr))
		unmap(&addr);
	make_sockaddr(&addr, (uint16_t)port, out);
	return GAZ_OK;
}

static bool host_bits_are_zero(const struct netprefix *prefix)
{
	unsigned total = prefix->addr.family == AF_INET ? 32 : 128;

	for (unsigned bit = prefix->len; bit < total; bit++) {
		if (prefix->addr.bytes[bit / 8] & (0x80u >> (bit % 8)))
			return false;
	}
	return true;
}

gaz_status netaddr_parse_prefix(const char *text, struct netprefix *out)
{
	char host[NETADDR_TEXT_SIZE];
	const char *slash = strchr(text, '/');
	size_t host_len = slash ? (size_t)(slash - text) : strlen(text);
	struct netprefix prefix;
	long len;

	if (host_len >= sizeof host)
		return GAZ_EFORMAT;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	if (netaddr_parse(host, &prefix.addr) != GAZ_OK)
		return GAZ_EFORMAT;
	len = prefix.addr.family == AF_INET ? 32 : 128;
	if (slash && parse_number(slash + 1, len, &len) != GAZ_OK)
		return GAZ_EFORMAT;
	prefix.len = (uint8_t)len;
	if (!host_bits_are_zero(&prefix))
		return GAZ_EFORMAT;
	/* Sources of that form count as IPv4, and so must prefixes. */
	if (is_mapped(&prefix.addr)) {
		if (prefix.len < 96)
			return GAZ_EFORMAT;
		unmap(&prefix.addr);
		prefix.len = (uint8_t)(prefix.len - 96);
	}
	*out = prefix;
	return GAZ_OK;
}

bool netprefix_holds(const struct netprefix *prefix, const struct netaddr *addr)
{
	unsigned whole = prefix->len / 8;
	unsigned rest = prefix->len % 8;

	return prefix->addr.family == addr->family &&
	       memcmp(prefix->addr.bytes, addr->bytes, whole) == 0 &&
	       (rest == 0 ||
		(prefix->addr.bytes[whole] ^ addr->bytes[whole]) >> (8 - rest) == 0);
}

bool netprefix_list_holds(const struct netprefix_list *list, const struct netaddr *addr)
{
	for (size_t i = 0; i < list->count; i++) {
		if (netprefix_holds(&list->items[i], addr))
			return true;
	}
	return false;
}

char *netaddr_print_endpoint(const struct sockaddr *sa, char out[NETADDR_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in =
			(const struct sockaddr_in *)(const void *)sa;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
		(void)snprintf(out, NETADDR_TEXT_SIZE, "%s:%u", host,
			       ntohs(in->sin_port));
	} else {
		const struct sockaddr_in6 *in6 =
			(const struct sockaddr_in6 *)(const void *)sa;

		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
		(void)snprintf(out, NETADDR_TEXT_SIZE, "[%s]:%u", host,
			       ntohs(in6->sin6_port));
	}
	return out;
}

char *netaddr_print_prefix(const struct netprefix *prefix, char out[NETADDR_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(prefix->addr.family, prefix->addr.bytes, host, sizeof host);
	(void)snprintf(out, NETADDR_TEXT_SIZE, "%s/%u", host, prefix->len);
	return out;
}

socklen_t netaddr_sockaddr_len(const struct sockaddr *sa)
{
	return sa->sa_family == AF_INET ? sizeof(struct sockaddr_in)
					: sizeof(struct sockaddr_in6);
}

bool netaddr_is_loopback(const struct netaddr *addr)
{
	static const uint8_t v6[sizeof addr->bytes] = {[15] = 1};

	return addr->family == AF_INET ? addr->bytes[0] == 127
				       : memcmp(addr->bytes, v6, sizeof v6) == 0;
}
