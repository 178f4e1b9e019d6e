/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* What code that runs under ThreadSanitizer must know of it. What ThreadSanitizer must
 * know of liburcu is told to it in tsan.c. */

#include <stdbool.h>

/**
 * Whether this is a build with ThreadSanitizer ("configure --enable-tsan"), which holds
 * that nobody may use a descriptor's number once it has been closed.
 */
static inline bool tsan_is_on(void)
{
#ifdef GAZ_TSAN
	return true;
#else
	return false;
#endif
}
