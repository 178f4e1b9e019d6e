/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/status.h"

/* What is to be done when: a binary heap of items by their time. Each operation
 * costs the logarithm of their number at most. The items are the caller's. */

struct schedule_item {
	int64_t due_ms;
	size_t at; /* its place in the heap; 0: it is in none */
};

struct schedule {
	struct schedule_item **heap; /* from 1 on */
	size_t count;
	size_t cap;
};

void schedule_init(struct schedule *s);
void schedule_fini(struct schedule *s);

/** Room for so many items, so that schedule_add() cannot fail. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status schedule_reserve(struct schedule *s, size_t count);

/** The item must not be in it. */
void schedule_add(struct schedule *s, struct schedule_item *item, int64_t due_ms);

/** Does nothing for an item that is in none. */
void schedule_remove(struct schedule *s, struct schedule_item *item);

/** The item that is due first; NULL: there is none. */
struct schedule_item *schedule_first(const struct schedule *s);

/* Many items with one interval are spread over it, and stay spread: each begins
 * somewhere within the interval, and no two keep step for long. */

/** When a new item is due first. */
int64_t schedule_begin_ms(struct rng *rng, int64_t now_ms, uint32_t interval_ms);

/** When an item that was due is due again: an interval later, give or take a
 *  twentieth, but not before now. */
int64_t schedule_next_ms(struct rng *rng, int64_t due_ms, int64_t now_ms,
			 uint32_t interval_ms);
