/* SPDX-License-Identifier: BSD-2-Clause */
#include "prober/schedule.h"

#include <assert.h>
#include <stdlib.h>

enum {
	CAP_MIN = 64,
	JITTER_PARTS = 20, /* each way: this part of the interval */
};

void schedule_init(struct schedule *s)
{
	*s = (struct schedule){0};
}

void schedule_fini(struct schedule *s)
{
	free(s->heap);
	schedule_init(s);
}

gaz_status schedule_reserve(struct schedule *s, size_t count)
{
	struct schedule_item **more;
	size_t cap = s->cap ? s->cap : CAP_MIN;

	while (cap <= count)
		cap *= 2;
	if (cap == s->cap)
		return GAZ_OK;
	more = realloc(s->heap, cap * sizeof *more);
	if (!more)
		return GAZ_ENOMEM;
	s->heap = more;
	s->cap = cap;
	return GAZ_OK;
}

static void put(struct schedule *s, size_t at, struct schedule_item *item)
{
	s->heap[at] = item;
	item->at = at;
}

/* Find the item its place, which is `at` or nearer to the top. */
static void rise(struct schedule *s, size_t at, struct schedule_item *item)
{
	while (at > 1 && s->heap[at / 2]->due_ms > item->due_ms) {
		put(s, at, s->heap[at / 2]);
		at /= 2;
	}
	put(s, at, item);
}

/* Find the item its place, which is `at` or farther from the top. */
static void sink(struct schedule *s, size_t at, struct schedule_item *item)
{
	for (;;) {
		size_t child = 2 * at;

		if (child < s->count &&
		    s->heap[child + 1]->due_ms < s->heap[child]->due_ms)
			child++;
		if (child > s->count || s->heap[child]->due_ms >= item->due_ms)
			break;
		put(s, at, s->heap[child]);
		at = child;
	}
	put(s, at, item);
}

void schedule_add(struct schedule *s, struct schedule_item *item, int64_t due_ms)
{
	assert(item->at == 0 && s->count + 1 < s->cap);
	item->due_ms = due_ms;
	rise(s, ++s->count, item);
}

void schedule_remove(struct schedule *s, struct schedule_item *item)
{
	struct schedule_item *last;
	size_t at = item->at;

	if (at == 0)
		return;
	item->at = 0;
	last = s->heap[s->count--];
	if (last == item)
		return;
	if (last->due_ms < item->due_ms)
		rise(s, at, last);
	else
		sink(s, at, last);
}

struct schedule_item *schedule_first(const struct schedule *s)
{
	return s->count > 0 ? s->heap[1] : NULL;
}

int64_t schedule_begin_ms(struct rng *rng, int64_t now_ms, uint32_t interval_ms)
{
	return now_ms + rng_below(rng, interval_ms);
}

int64_t schedule_next_ms(struct rng *rng, int64_t due_ms, int64_t now_ms,
			 uint32_t interval_ms)
{
	uint32_t jitter_ms = interval_ms / JITTER_PARTS;
	int64_t next_ms =
		due_ms + interval_ms - jitter_ms + rng_below(rng, 2 * jitter_ms + 1);

	return next_ms > now_ms ? next_ms : now_ms;
}
