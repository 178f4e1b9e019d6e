/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *next;
	size_t cap;
	_Alignas(max_align_t) unsigned char bytes[];
};

enum {
	FIRST_BLOCK_CAP = 4096 - 64
};

void arena_init(struct arena *arena)
{
	memset(arena, 0, sizeof *arena);
}

struct arena_mark arena_mark(const struct arena *arena)
{
	return (struct arena_mark){arena->blocks, arena->used};
}

void arena_release(struct arena *arena, struct arena_mark mark)
{
	while (arena->blocks != mark.block) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	arena->used = mark.used;
}

void arena_fini(struct arena *arena)
{
	arena_release(arena, (struct arena_mark){NULL, 0});
	arena_init(arena);
}

static struct arena_block *add_block(struct arena *arena, size_t need)
{
	size_t cap = arena->blocks ? arena->blocks->cap * 2 : FIRST_BLOCK_CAP;
	struct arena_block *block;

	if (cap < need)
		cap = need;
	block = malloc(sizeof *block + cap);
	if (!block)
		return NULL;
	block->next = arena->blocks;
	block->cap = cap;
	arena->blocks = block;
	arena->used = 0;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *block = arena->blocks;
	void *at;

	if (size > SIZE_MAX / 4) {
		arena->failed = true;
		return NULL;
	}
	size = (size + align - 1) / align * align;
	if (!block || block->cap - arena->used < size)
		block = add_block(arena, size);
	if (!block) {
		arena->failed = true;
		return NULL;
	}
	at = block->bytes + arena->used;
	arena->used += size;
	return memset(at, 0, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	char *text = NULL;

	va_start(ap, fmt);
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, ap);
	if (len >= 0)
		text = arena_alloc(arena, (size_t)len + 1);
	if (text)
		(void)vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text;
}
