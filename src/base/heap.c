/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/heap.h"

#include <malloc.h>
#include <stddef.h>

/* jemalloc's, where the program is linked with it (configure --without-jemalloc). */
extern int mallctl(const char *name, void *old, size_t *old_len, void *new_value,
		   size_t new_len) __attribute__((weak));

void heap_trim(void)
{
	if (!mallctl) {
		(void)malloc_trim(0);
		return;
	}
	(void)mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	(void)mallctl("arena.4096.purge", NULL, NULL, NULL, 0); /* MALLCTL_ARENAS_ALL */
}
