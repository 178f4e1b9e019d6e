/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* The allocator beneath malloc(). */

/** Give memory that is free back to the system: after work that took much of it for a
 *  while, such as loading a zone. Takes some milliseconds. Any thread. */
void heap_trim(void);
