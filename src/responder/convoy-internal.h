/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "responder/convoy.h"

struct msghdr;

/** Of where a reply goes and where it leaves from. Two ways may have one: its test looks for
 *  such, so that they are told apart by more. */
uint32_t convoy_hash_way(const struct msghdr *msg);
