/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "dns/edns.h"

/* The last step of a query that was handed over: its reply is finished and, over UDP,
 * sent. */

struct desk_slot;
struct entry;

/**
 * @param entry  the answer; NULL: SERVFAIL, with this error
 * @param out    room for REPLY_TCP_MAX octets, to work in
 * @param rcodes counters by rcode; counted before it is sent
 */
void deliver(struct desk_slot *slot, const struct entry *entry, enum edns_error error,
	     int64_t now_ms, uint8_t *out, _Atomic uint64_t rcodes[16]);
