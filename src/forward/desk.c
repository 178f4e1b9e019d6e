/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/desk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

gaz_status desk_init(struct forward_desk *desk, struct forward *forward)
{
	desk->forward = forward;
	desk->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (desk->wake_fd < 0)
		return GAZ_EIO;
	desk->slots = calloc(DESK_SLOTS, sizeof *desk->slots);
	if (!desk->slots)
		return GAZ_ENOMEM;
	for (unsigned i = 0; i < DESK_SLOTS; i++)
		desk->free[i] = (uint16_t)(DESK_SLOTS - 1 - i);
	desk->free_count = DESK_SLOTS;
	return GAZ_OK;
}

void desk_fini(struct forward_desk *desk)
{
	if (!desk->forward)
		return;
	for (unsigned i = 0; desk->slots && i < DESK_SLOTS; i++)
		free(desk->slots[i].done);
	free(desk->slots);
	if (desk->wake_fd >= 0)
		close(desk->wake_fd);
}

static void put(struct desk_ring *ring, uint16_t item)
{
	uint32_t at = atomic_load_explicit(&ring->put, memory_order_relaxed);

	ring->items[at % DESK_SLOTS] = item;
	atomic_store_explicit(&ring->put, at + 1, memory_order_release);
}

static bool take(struct desk_ring *ring, uint16_t *item_out)
{
	uint32_t at = atomic_load_explicit(&ring->taken, memory_order_relaxed);

	if (at == atomic_load_explicit(&ring->put, memory_order_acquire))
		return false;
	*item_out = ring->items[at % DESK_SLOTS];
	atomic_store_explicit(&ring->taken, at + 1, memory_order_release);
	return true;
}

static uint16_t number_of(const struct forward_desk *desk, const struct desk_slot *slot)
{
	return (uint16_t)(slot - desk->slots);
}

struct desk_slot *desk_get(struct forward_desk *desk)
{
	struct desk_slot *slot;
	uint16_t item;

	while (desk->free_count == 0 && take(&desk->back, &item))
		desk->free[desk->free_count++] = item;
	if (desk->free_count == 0)
		return NULL;
	slot = &desk->slots[desk->free[--desk->free_count]];
	slot->desk = desk;
	return slot;
}

void desk_put_asked(struct forward_desk *desk, const struct desk_slot *slot)
{
	put(&desk->asked, number_of(desk, slot));
	desk->must_wake = true;
}

void desk_release(struct forward_desk *desk, struct desk_slot *slot)
{
	free(slot->done);
	slot->done = NULL;
	desk->free[desk->free_count++] = number_of(desk, slot);
}

struct desk_slot *desk_take_done(struct forward_desk *desk)
{
	uint16_t item;

	return take(&desk->done, &item) ? &desk->slots[item] : NULL;
}

struct desk_slot *desk_take_asked(struct forward_desk *desk)
{
	uint16_t item;

	return take(&desk->asked, &item) ? &desk->slots[item] : NULL;
}

void desk_put_back(struct forward_desk *desk, const struct desk_slot *slot)
{
	const uint64_t one = 1;
	bool is_tcp = slot->fd < 0;
	ssize_t written;

	put(is_tcp ? &desk->done : &desk->back, number_of(desk, slot));
	/* The slot is the worker's from here. */
	if (is_tcp) {
		written = write(desk->wake_fd, &one, sizeof one);
		(void)written; /* cannot fail: the counter is far from its end */
	}
}
