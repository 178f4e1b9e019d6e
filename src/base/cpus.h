/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* A set of CPUs, as lists such as "0-1,4" name them: a plain value. All zero it is
 * empty. Which of them there are is nothing that it knows. */

enum {
	CPUS_MAX = 8192, /* no Linux has more */
	CPUS_TEXT_SIZE = 128,
	CPUS_WORD_BITS = sizeof(unsigned long) * CHAR_BIT,
};

struct cpus {
	unsigned long bits[CPUS_MAX / CPUS_WORD_BITS]; /* as the kernel has them */
};

/**
 * Read a list: numbers and ranges, FIRST-LAST, with commas between them.
 *
 * @return GAZ_OK, GAZ_EFORMAT (no such list, or it names a CPU twice)
 */
GAZ_MUST_CHECK gaz_status cpus_parse(const char *text, struct cpus *out);

/** The list of a set, in ascending order, ranges made; cut with "..." where it has no
 *  room. @return out */
const char *cpus_print(const struct cpus *set, char out[CPUS_TEXT_SIZE]);

/** `cpu` lies below CPUS_MAX. */
void cpus_add(struct cpus *set, unsigned cpu);

/** False for whatever is no CPU's number, too. */
bool cpus_has(const struct cpus *set, unsigned long cpu);

unsigned cpus_count(const struct cpus *set);

/** The first one at or after `from`; -1: there is none. */
int cpus_next(const struct cpus *set, unsigned from);

/** The one that `turn` comes to when they take turns in ascending order; -1: none is there. */
int cpus_in_turn(const struct cpus *set, unsigned turn);

/** Those of `set` that are not in `without`. */
struct cpus cpus_subtract(const struct cpus *set, const struct cpus *without);
