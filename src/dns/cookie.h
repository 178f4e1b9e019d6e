/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/netaddr.h"
#include "base/siphash.h"
#include "base/status.h"

/* DNS cookies (RFC 7873) in the form that all servers of one address can make and check
 * (RFC 9018): client cookie, version 1, three reserved octets, a time, and a hash of all
 * that and the client's address under a secret. */

enum {
	COOKIE_CLIENT_LEN = 8,
	COOKIE_LEN = COOKIE_CLIENT_LEN + 16, /* with our server cookie */
	COOKIE_SECRETS_MAX = 4,
};

struct cookie_secrets {				     /* of all workers */
	struct siphash_key keys[COOKIE_SECRETS_MAX]; /* the first one makes, all check */
	uint8_t count;
	bool rotates; /* the one key is the source of a new secret every day */
};

/** One secret that cannot be guessed, and rotates. @return GAZ_OK, GAZ_EIO */
GAZ_MUST_CHECK gaz_status cookie_secrets_random(struct cookie_secrets *out);

/**
 * Add a secret behind those that are there; the first one begins with none.
 *
 * @param hex  32 hexadecimal digits, and nothing else in its `len` octets
 * @return GAZ_OK, GAZ_EFORMAT (no such text), GAZ_ELIMIT (COOKIE_SECRETS_MAX are there)
 */
GAZ_MUST_CHECK gaz_status cookie_secrets_add(struct cookie_secrets *secrets,
					     const char *hex, size_t len);

struct cookie_jar {			      /* one per worker */
	const struct cookie_secrets *secrets; /* borrowed; NULL: no cookies */
	uint32_t now_s;			      /* seconds since the Unix epoch */
	uint32_t day;			      /* that `keys` are for */
	struct siphash_key keys[2];	      /* with rotation: today's and yesterday's */
};

/** To be called before the first cookie, and as time goes by. */
void cookie_set_time(struct cookie_jar *jar, uint32_t now_s);

/** The cookie that a client with this client cookie gets now. The jar has secrets. */
void cookie_make(const struct cookie_jar *jar, const struct netaddr *source,
		 const uint8_t client[COOKIE_CLIENT_LEN], uint8_t out[COOKIE_LEN]);

/** True when the client, at that address, got this cookie from a server with one of our
 *  secrets: an hour ago at most, or five minutes ahead of us (RFC 9018, section 4.3). */
bool cookie_is_valid(const struct cookie_jar *jar, const struct netaddr *source,
		     const uint8_t *cookie, size_t len);
