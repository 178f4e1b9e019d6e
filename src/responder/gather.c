/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/gather.h"

static void begin_window(struct gather *gather, uint64_t now_ns)
{
	gather->now = (struct gather_window){.since_ns = now_ns};
}

/* True: it is whole now. */
static bool add_batch(struct gather_window *window, uint64_t now_ns, unsigned replies,
		      unsigned messages)
{
	window->replies += replies;
	window->messages += messages;
	window->lasted_ns = now_ns - window->since_ns;
	return ++window->batches == GATHER_WINDOW;
}

static bool has_paid(const struct gather_window *with,
		     const struct gather_window *without)
{
	return 2 * with->replies >= 3 * without->replies &&
	       2 * with->replies >= 3 * with->messages &&
	       4 * with->replies * without->lasted_ns >=
		       3 * without->replies * with->lasted_ns;
}

static void end_row(struct gather *gather, bool failed)
{
	gather->row = 0;
	gather->rested = false;
	gather->failures = failed ? gather->failures + 1 : 0;
	gather->pause = GATHER_WINDOW;
	for (unsigned i = 1; i < gather->failures && gather->pause < GATHER_PAUSE_MAX;
	     i++)
		gather->pause *= 2;
}

/* A batch without rests: true when they are to be tried. */
static bool may_begin(struct gather *gather, bool is_whole, unsigned queries,
		      unsigned replies)
{
	if (is_whole)
		gather->plain = gather->now;
	if (gather->pause > 0) {
		gather->pause--;
		return false;
	}
	return gather->plain.batches > 0 && replies >= GATHER_REPLIES_MIN &&
	       queries < GATHER_QUERIES_MAX;
}

bool gather_is_due(struct gather *gather, uint64_t now_ns, unsigned queries,
		   unsigned replies, unsigned messages)
{
	bool is_whole = add_batch(&gather->now, now_ns, replies, messages);
	bool had_row = gather->row > 0;

	if (!had_row) {
		if (may_begin(gather, is_whole, queries, replies))
			gather->row = GATHER_ROW;
	} else if (gather->rested && replies < GATHER_REPLIES_MIN) {
		end_row(gather, gather->row > GATHER_ROW - GATHER_WINDOW);
	} else if (is_whole && !has_paid(&gather->now, &gather->plain)) {
		end_row(gather, true);
	} else {
		if (is_whole)
			gather->failures = 0;
		if (--gather->row == 0)
			end_row(gather, false);
	}
	if (is_whole || had_row != (gather->row > 0))
		begin_window(gather, now_ns);
	gather->rested = gather->row > 0 && queries < GATHER_QUERIES_MAX;
	return gather->rested;
}
