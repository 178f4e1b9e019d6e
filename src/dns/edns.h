/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/netaddr.h"
#include "base/status.h"
#include "dns/cookie.h"

/* The options of OPT records (RFC 6891): the one place that reads those of queries and
 * writes those of replies. */

enum edns_option {
	EDNS_NSID = 3,		  /* RFC 5001 */
	EDNS_CLIENT_SUBNET = 8,	  /* RFC 7871 */
	EDNS_COOKIE = 10,	  /* RFC 7873 */
	EDNS_TCP_KEEPALIVE = 11,  /* RFC 7828 */
	EDNS_EXTENDED_ERROR = 15, /* RFC 8914 */
};

enum edns_error { /* the info codes of RFC 8914 that we give */
	EDNS_ERROR_NONE = -1,
	EDNS_ERROR_OTHER = 0,
	EDNS_ERROR_PROHIBITED = 18,
	EDNS_ERROR_NOT_AUTHORITATIVE = 20,
	EDNS_ERROR_NOT_SUPPORTED = 21,
	EDNS_ERROR_NO_REACHABLE_AUTHORITY = 22,
	EDNS_ERROR_NETWORK = 23,
	EDNS_ERROR_INVALID_QUERY_TYPE = 30, /* RFC 9824 */
};

enum {
	EDNS_OPTION_HEAD = 4, /* code and length */
	EDNS_ERROR_LEN = EDNS_OPTION_HEAD + 2,
	EDNS_NSID_MAX = 128, /* so that an error with all options fits 512 octets */
};

struct edns_query {
	bool wants_nsid;
	bool wants_keepalive;
	uint8_t cookie_len;    /* 8, or 16 to 40; 0: none */
	const uint8_t *cookie; /* in the message */
	const uint8_t
		*subnet; /* in the message: a client subnet as it came; NULL: none */
	uint16_t subnet_len;
};

/** Read the options of a query's OPT record; those we do not know mean nothing (RFC 6891,
 *  section 6.1.2), of several cookies the first counts (RFC 7873, section 5.2).
 *  @return false: one is cut short, or a cookie has a length that none can have */
bool edns_read_options(const uint8_t *at, size_t len, struct edns_query *out);

/**
 * Read the client subnet of a query that has one: for servers that heed it (RFC 7871,
 * section 6).
 *
 * @return GAZ_OK; GAZ_ENOTFOUND: it is of a family that we do not know; GAZ_EFORMAT:
 *         malformed, the query is to get FORMERR
 */
GAZ_MUST_CHECK gaz_status edns_read_subnet(const struct edns_query *query,
					   struct netprefix *out);

struct edns_reply {
	uint16_t udp_size;     /* what we take over UDP (RFC 6891, section 6.2.5) */
	const uint8_t *subnet; /* NULL: none; else the query's, which has been heeded */
	uint16_t subnet_len;
	const uint8_t *nsid;
	uint8_t nsid_len; /* 0: none */
	bool has_cookie;
	bool has_keepalive;
	uint16_t keepalive_ds; /* in units of 100 ms */
	uint8_t cookie[COOKIE_LEN];
};

/** The octets that edns_put_options() writes. */
size_t edns_options_len(const struct edns_reply *reply);

/** @return the end of the options */
uint8_t *edns_put_options(uint8_t *at, const struct edns_reply *reply);
uint8_t *edns_put_error(uint8_t *at, enum edns_error error);
