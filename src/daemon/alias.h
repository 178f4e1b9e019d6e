/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/netaddr.h"
#include "base/status.h"
#include "dns/name.h"

/* A host of aliases with its addresses, as --alias gives it. */

struct alias_host {
	uint8_t name[DNAME_MAX]; /* in wire form */
	struct netaddr *addresses;
	size_t address_count;
	uint32_t ttl;
};

/**
 * Read HOST=ADDR[,ADDR...][@TTL].
 *
 * @param out  zeroed; its addresses are to be freed in any case
 * @return GAZ_OK, GAZ_EFORMAT (err says what is wrong), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status alias_parse(const char *text, struct alias_host *out,
				      struct gaz_error *err);
