/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Types, TTLs and record data as master files write them, to their wire form. The
 * types that make up nearly all of a large zone are read here, all others by ldns. */

struct masterfields;

/** "A", "TYPE65280", of any case. @return 0: no such type */
uint16_t masterdata_type(const char *text, size_t len);

/** "3600", "1h30m". @return false: not of that form, or over 32 bits */
bool masterdata_ttl(const char *text, size_t len, uint32_t *out);

enum {
	MASTERDATA_TYPE_SIZE = 24,
};

/** "A", "TYPE65280". @return out */
char *masterdata_print_type(uint16_t type, char out[MASTERDATA_TYPE_SIZE]);

/**
 * Record data as text that masterdata_read() reads back to the same, names absolute.
 *
 * @param out  to be freed
 * @return GAZ_OK, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status masterdata_print(uint16_t type, const uint8_t *rdata,
					   size_t len, char **out);

/**
 * @param rdata_out  room for MASTERFIELDS_DATA_MAX octets
 * @param what_out   on GAZ_EFORMAT: what is wrong
 * @return GAZ_OK, GAZ_EFORMAT, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status masterdata_read(uint16_t type,
					  const struct masterfields *fields,
					  uint8_t *rdata_out, size_t *len_out,
					  const char **what_out);
