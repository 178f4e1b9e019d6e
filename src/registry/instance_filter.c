/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/instance_filter.h"

#include <bloom.h>
#include <stdint.h>
#include <stdlib.h>

enum {
	ROOM_MIN = 1 << 16, /* instances */
	ROOM_MAX = 1 << 27, /* the library counts bits in an int */
};

static const double ERROR_RATE = 0.01;

/* The library's filter, and what may be added to it. */
struct bits {
	struct bloom bloom; /* all zero: there is none */
	size_t left;
};

struct instance_filter {
	struct bits now;
	struct bits next; /* the successor */
};

struct instance_filter *instance_filter_new(void)
{
	return calloc(1, sizeof(struct instance_filter));
}

static void clear(struct bits *bits)
{
	bloom_free(&bits->bloom);
	*bits = (struct bits){.left = 0};
}

void instance_filter_free(struct instance_filter **filter)
{
	if (!*filter)
		return;
	clear(&(*filter)->now);
	clear(&(*filter)->next);
	free(*filter);
	*filter = NULL;
}

bool instance_filter_excludes(const struct instance_filter *filter, struct span key)
{
	/* The library's parameter is not const, but nothing is changed. */
	struct bloom *bloom = (struct bloom *)(uintptr_t)&filter->now.bloom;

	return bloom->ready && bloom_check(bloom, key.data, (int)key.len) == 0;
}

static void add(struct bits *bits, struct span key)
{
	if (bits->bloom.ready)
		(void)bloom_add(&bits->bloom, key.data, (int)key.len);
	if (bits->left > 0)
		bits->left--;
}

void instance_filter_add(struct instance_filter *filter, struct span key)
{
	add(&filter->now, key);
	add(&filter->next, key);
}

bool instance_filter_is_full(const struct instance_filter *filter)
{
	return filter->now.left == 0;
}

gaz_status instance_filter_begin(struct instance_filter *filter, size_t instances)
{
	size_t room = instances < ROOM_MAX / 2 ? 2 * instances : ROOM_MAX;

	if (room < ROOM_MIN)
		room = ROOM_MIN;
	if (bloom_init(&filter->next.bloom, (int)room, ERROR_RATE) != 0)
		return GAZ_ENOMEM;
	filter->next.left =
		instances + ROOM_MIN / 2 < room ? room - instances : ROOM_MIN / 2;
	return GAZ_OK;
}

void instance_filter_put(struct instance_filter *filter, struct span key)
{
	(void)bloom_add(&filter->next.bloom, key.data, (int)key.len);
}

void instance_filter_finish(struct instance_filter *filter)
{
	bloom_free(&filter->now.bloom);
	filter->now = filter->next;
	filter->next = (struct bits){.left = 0};
}

void instance_filter_give_up(struct instance_filter *filter)
{
	clear(&filter->next);
	filter->now.left = ROOM_MIN;
}
