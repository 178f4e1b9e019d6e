/* SPDX-License-Identifier: BSD-2-Clause */

/* Any bytes as a DNS stream over TCP, in pieces of any sizes. The first byte says how
 * many follow that are sizes of pieces (0: as much as there is room for), to be used
 * in turn; the rest is the stream. Whatever the pieces, the messages are those that
 * the stream holds when it is looked at as a whole. */

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "responder/frames.h"

struct stream {
	const uint8_t *data;
	size_t size;
	size_t read; /* by the server */
	size_t at;   /* the next message that must come */
};

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The message at `at`; 0: not all of it is there, or it is broken. */
static size_t whole_len(const struct stream *s)
{
	size_t len;

	if (s->size - s->at < FRAMES_PREFIX_LEN)
		return 0;
	len = (size_t)(s->data[s->at] * 256 + s->data[s->at + 1]);
	return len < FRAMES_MESSAGE_MIN || s->size - s->at - FRAMES_PREFIX_LEN < len
		       ? 0
		       : len;
}

/* False: the stream is broken. */
static bool take_messages(struct frames *frames, struct stream *s)
{
	const uint8_t *message;
	size_t len;
	enum frames_next next;

	while ((next = frames_next(frames, &message, &len)) == FRAMES_WHOLE) {
		CHECK(len == whole_len(s));
		CHECK(memcmp(message, s->data + s->at + FRAMES_PREFIX_LEN, len) == 0);
		s->at += FRAMES_PREFIX_LEN + len;
		CHECK(s->at <= s->read);
	}
	if (next == FRAMES_PARTIAL)
		return true;
	CHECK(s->read - s->at >= FRAMES_PREFIX_LEN);
	CHECK(s->data[s->at] == 0 && s->data[s->at + 1] < FRAMES_MESSAGE_MIN);
	return false;
}

static void put_piece(struct frames *frames, struct stream *s, size_t wanted)
{
	size_t room;
	uint8_t *at = frames_room(frames, &room);
	size_t len = min(room, s->size - s->read);

	CHECK(room > 0 && room <= FRAMES_PREFIX_LEN + 0xffff);
	if (wanted > 0)
		len = min(len, wanted);
	memcpy(at, s->data + s->read, len);
	frames_received(frames, len);
	s->read += len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t sizes = size > 0 ? min(data[0], size - 1) : 0;
	struct stream s = {data + 1 + sizes, size > 0 ? size - 1 - sizes : 0, 0, 0};
	struct frames frames;
	bool is_sound = true;

	CHECK(frames_init(&frames) == GAZ_OK);
	for (size_t i = 0; is_sound && s.read < s.size; i++) {
		put_piece(&frames, &s, sizes > 0 ? data[1 + i % sizes] : 0);
		is_sound = take_messages(&frames, &s);
		CHECK(!is_sound || frames_settle(&frames) == GAZ_OK);
	}
	CHECK(whole_len(&s) == 0);
	frames_fini(&frames);
	return 0;
}
