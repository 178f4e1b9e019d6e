/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The one thing of an HTTP response that a health check looks at. The bytes are
 * whatever the other side sent. */

enum statusline_verdict {
	STATUSLINE_BAD = 0, /* this is no HTTP */
	STATUSLINE_MORE,    /* more bytes are needed */
	STATUSLINE_FOUND,
};

/**
 * The status of the final response: interim ones (1xx), whole with their headers,
 * may stand before it.
 *
 * @param code_out  three digits, set when FOUND
 */
enum statusline_verdict statusline_parse(const uint8_t *data, size_t len,
					 unsigned *code_out);
