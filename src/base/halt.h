/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Work that takes long looks every few milliseconds whether it is to end before it is
 * done; then it fails with GAZ_EBUSY, and has changed nothing. */

struct halt {
	bool (*is_wanted)(void *arg); /* cheap; from the thread that works. NULL: never */
	void *arg;
};

/** @param halt  NULL: never */
static inline bool halt_is_wanted(const struct halt *halt)
{
	return halt && halt->is_wanted && halt->is_wanted(halt->arg);
}
