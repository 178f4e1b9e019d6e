/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "prober/statusline.h"

/* The beginning of an answer to a health check. Whatever comes after a verdict cannot
 * change it, and what is a status in the end was never wrong before. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum statusline_verdict last = STATUSLINE_MORE;
	unsigned last_code = 0;

	if (size > 4096)
		size = 4096;
	for (size_t len = 0; len <= size; len++) {
		uint8_t *copy = malloc(len + 1); /* its end is guarded by sanitizers */
		unsigned code = 0;
		enum statusline_verdict verdict;

		CHECK(copy);
		memcpy(copy + 1, data, len);
		verdict = statusline_parse(copy + 1, len, &code);
		free(copy);
		CHECK(last == STATUSLINE_MORE || (verdict == last && code == last_code));
		CHECK(verdict != STATUSLINE_FOUND || (code >= 200 && code <= 599));
		last = verdict;
		last_code = code;
	}
	return 0;
}
