/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <urcu.h>

#include "base/status.h"

/* An answer that came from an upstream, in the form in which it goes out: one piece of
 * memory, immutable but for one flag, so that workers may read it under RCU. */

struct dname;
struct reply;

enum {
	ENTRY_SCRATCH_SIZE = 65535,
	ENTRY_TTL_MAX = 86400, /* seconds */
};

struct entry {
	struct rcu_head rcu;
	uint64_t hash; /* of name, type and with_dnssec, for its owner's use */
	int64_t stored_ms;
	int64_t expires_ms; /* monotonic; equal to stored_ms: for those who wait only */
	_Atomic uint8_t is_used; /* somebody was answered by it */
	bool with_dnssec;
	uint8_t rcode;
	uint16_t qtype;
	uint16_t counts[3]; /* records by section */
	uint16_t ttl_count;
	uint32_t records_at;   /* in `wire`: behind header and question */
	uint32_t ends[3];      /* of the sections */
	uint32_t size;	       /* octets of all this */
	uint32_t addresses_at; /* in `wire`: the addresses at the answer's end, */
	uint16_t addresses;    /* so many, */
	uint16_t address_len;  /* each record of so many octets */
	const uint8_t *wire;   /* the message; its question is lower-case */
	uint16_t ttls[];       /* where the TTLs stand in the message; then the message */
};

struct entry_source {
	const uint8_t *packet; /* what the upstream said: hostile */
	size_t len;
	const struct dname *name; /* what it was asked for */
	uint16_t qtype;
	bool with_dnssec;
	int64_t now_ms;
};

/**
 * @param scratch  ENTRY_SCRATCH_SIZE octets of work space
 * @return GAZ_OK, GAZ_EFORMAT (not a reply of use), GAZ_ELIMIT, GAZ_ENOMEM. The entry is
 *         one allocation, to be freed with free().
 */
GAZ_MUST_CHECK gaz_status entry_new(const struct entry_source *source, uint8_t *scratch,
				    struct entry **out);

/**
 * Add what the entry says to a reply, its TTLs lowered by the time since. Which address
 * comes first differs from reply to reply: many clients take that one. Sections that
 * do not fit stay out: the additional one, then that of a positive answer's authority;
 * if it does not fit even so, all do, and the reply is marked as truncated.
 *
 * @param name_at  where the reply holds the name: in its question, or as the target of
 *                 a CNAME record in it
 * @return the rcode
 */
unsigned entry_answer(const struct entry *entry, struct reply *reply, size_t name_at,
		      int64_t now_ms);
