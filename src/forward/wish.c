/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/forward-internal.h"

/* The queue of wishes: any thread adds to it, the resolver takes them all at once. */

struct forward_wish *forward_take_wishes(struct forward *f)
{
	return atomic_exchange(&f->wishes, NULL);
}

void forward_end_wishes(struct forward_wish *wishes, gaz_status st)
{
	while (wishes) {
		struct forward_wish *wish = wishes;

		wishes = wish->next;
		wish->done(wish, st);
	}
}

void forward_forget(struct forward *f, struct forward_wish *wish)
{
	wish->next = atomic_load(&f->wishes);
	while (!atomic_compare_exchange_weak(&f->wishes, &wish->next, wish))
		; /* `next` is what is there now */
	forward_wake(f);
	/* The resolver may have ended without having seen it. */
	if (atomic_load(&f->has_ended))
		forward_end_wishes(forward_take_wishes(f), GAZ_EBUSY);
}
