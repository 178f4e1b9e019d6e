/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* What a server says about itself, in class CH (RFC 4892): its name at id.server and
 * hostname.bind, its version at version.server and version.bind. */

struct answer_config;
struct query;
struct reply;

/** @param config  what may be said; NULL: nothing
 *  @return the rcode: REFUSED for all names that nothing may be said of */
unsigned chaos_answer(const struct answer_config *config, const struct query *query,
		      struct reply *reply);
