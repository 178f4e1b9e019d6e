/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Memory with the lifetime of one request: allocate freely, free everything
 * at once. A failed allocation is latched, so that a chain of calls can be
 * checked once at its end. */

struct arena_block;

struct arena {
	struct arena_block *blocks;
	size_t used; /* in the newest block */
	bool failed; /* an allocation failed since the last reset */
};

void arena_init(struct arena *arena);

/* How full an arena was. */
struct arena_mark {
	struct arena_block *block;
	size_t used;
};

struct arena_mark arena_mark(const struct arena *arena);

/** Free what has been allocated since the mark; a failure stays latched. */
void arena_release(struct arena *arena, struct arena_mark mark);

/** Free all memory. The arena is empty and usable afterwards. */
void arena_fini(struct arena *arena);

/** Zeroed memory aligned for any type, or NULL (then `failed` is set). */
void *arena_alloc(struct arena *arena, size_t size);

/** A copy with a terminating NUL, or NULL. */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *fmt, ...) GAZ_PRINTF(2, 3);
