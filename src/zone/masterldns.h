/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct masterfields;

/**
 * Record data of the types that masterdata.c does not read itself, read by ldns, with
 * the checks that ldns leaves out. The parameters are those of masterdata_read().
 *
 * @param generic  the words are those of RFC 3597
 */
GAZ_MUST_CHECK gaz_status masterldns_read(uint16_t type, bool generic,
					  const struct masterfields *fields,
					  uint8_t *rdata_out, size_t *len_out,
					  const char **what_out);

/** Does ldns read this text to that data? */
bool masterldns_is_text_of(uint16_t type, const char *text, const uint8_t *rdata,
			   size_t len);
