/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "responder/answerjob.h"

/* Whom we take a client for. "whoami.gazetteer CH TXT" is answered with the source of
 * the query and how many VPCs it is in: what is between the two (NAT, a proxy, another
 * resolver) may have put its own address in the place of the client's, and then private
 * names are not there. "gazctl doctor" asks it. Tells nobody but the source of itself. */

bool whoami_is_asked(const struct query *query);

/**
 * One TXT record, TTL 0: "source=192.0.2.1" "vpcs=2" "undeclared=no" "listener=no"
 * "subnet=no". undeclared: it is in every VPC that is not declared, as loopback is.
 * listener: the address that was asked has a VPC, which counts instead of the source.
 * subnet: the client subnet of the query counts instead of both. The view has been chosen.
 *
 * @return the rcode
 */
unsigned whoami_answer(struct answer_job *job);
