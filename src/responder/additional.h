/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

/* The additional section: addresses of hosts that the records before it name. They are
 * looked for in the zones that the client sees, at most ANSWER_HOSTS_MAX hosts beside the
 * servers of a referral that lie below its cut. */

struct answer_job;
struct zone;

/**
 * Addresses for NS, MX or SRV records of the answer (RFC 1034, section 4.3.2, step 6; RFC
 * 2782), for SVCB and HTTPS records these of their target too (RFC 9460, section 4.1).
 * What does not fit is left out, and nobody misses it.
 *
 * @param zone  the one that the records are of
 * @param at    where the first of them stands; the last is the reply's last record
 */
void additional_add_hosts(struct answer_job *job, const struct zone *zone, size_t at);

/**
 * Addresses for the NS records of a referral. Those of servers below the cut cannot be
 * had in any other way: they come first, all of them, and one that does not fit sets TC
 * (RFC 9471, section 3.1).
 *
 * @param cut_labels  of the delegated name, a suffix of the name at work
 */
void additional_add_glue(struct answer_job *job, const struct zone *zone, size_t at,
			 unsigned cut_labels);
