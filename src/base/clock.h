/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/* Time comes in through this, so that tests own it. */

struct clock {
	int64_t fixed_ms; /* 0: the real clock; else the time it always shows */
};

/** Wall-clock time, milliseconds since the Unix epoch. */
int64_t clock_now_ms(const struct clock *clock);

/** Seconds since the Unix epoch, read as cheaply as can be; never virtual. */
uint32_t clock_seconds(void);

/** Monotonic time in milliseconds, for timeouts; never virtual. */
int64_t clock_monotonic_ms(void);

/** The same in nanoseconds, to measure short times. */
uint64_t clock_monotonic_ns(void);
