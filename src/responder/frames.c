/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/frames.h"

#include <stdlib.h>
#include <string.h>

enum {
	FIRST_CAP =
		4096, /* more than a PROXY header has; grows when a longer message is announced */
};

gaz_status frames_init(struct frames *frames)
{
	*frames = (struct frames){.bytes = malloc(FIRST_CAP), .cap = FIRST_CAP};
	return frames->bytes ? GAZ_OK : GAZ_ENOMEM;
}

void frames_fini(struct frames *frames)
{
	free(frames->bytes);
	frames->bytes = NULL;
}

uint8_t *frames_room(const struct frames *frames, size_t *len_out)
{
	*len_out = frames->cap - frames->len;
	return frames->bytes + frames->len;
}

void frames_received(struct frames *frames, size_t len)
{
	frames->len += len;
}

size_t frames_peek(const struct frames *frames, const uint8_t **out)
{
	*out = frames->bytes + frames->taken;
	return frames->len - frames->taken;
}

void frames_skip(struct frames *frames, size_t len)
{
	frames->taken += len;
}

static size_t message_len(const uint8_t *prefix)
{
	return (size_t)prefix[0] << 8 | prefix[1];
}

enum frames_next frames_next(struct frames *frames, const uint8_t **message_out,
			     size_t *len_out)
{
	const uint8_t *at = frames->bytes + frames->taken;
	size_t left = frames->len - frames->taken;
	size_t len;

	if (left < FRAMES_PREFIX_LEN)
		return FRAMES_PARTIAL;
	len = message_len(at);
	if (len < FRAMES_MESSAGE_MIN)
		return FRAMES_BROKEN;
	if (left < FRAMES_PREFIX_LEN + len)
		return FRAMES_PARTIAL;
	*message_out = at + FRAMES_PREFIX_LEN;
	*len_out = len;
	frames->taken += FRAMES_PREFIX_LEN + len;
	return FRAMES_WHOLE;
}

gaz_status frames_settle(struct frames *frames)
{
	size_t need = FRAMES_PREFIX_LEN;
	uint8_t *grown;

	if (frames->taken > 0) {
		frames->len -= frames->taken;
		memmove(frames->bytes, frames->bytes + frames->taken, frames->len);
		frames->taken = 0;
	}
	if (frames->len >= FRAMES_PREFIX_LEN)
		need += message_len(frames->bytes);
	if (need <= frames->cap)
		return GAZ_OK;
	grown = realloc(frames->bytes, need);
	if (!grown)
		return GAZ_ENOMEM;
	frames->bytes = grown;
	frames->cap = need;
	return GAZ_OK;
}
