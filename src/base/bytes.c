/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static const uint32_t ABSENT_TEXT = UINT32_MAX;

void bytes_init(struct bytes *b)
{
	memset(b, 0, sizeof *b);
}

void bytes_fini(struct bytes *b)
{
	free(b->data);
	bytes_init(b);
}

void bytes_reset(struct bytes *b)
{
	b->len = 0;
	b->failed = false;
}

static bool reserve(struct bytes *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 128;
	uint8_t *data;

	if (b->failed || more > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		return false;
	if (b->cap - b->len >= more)
		return true;
	while (cap - b->len < more)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data)
		return false;
	b->data = data;
	b->cap = cap;
	return true;
}

void bytes_put(struct bytes *b, const void *data, size_t len)
{
	if (len == 0)
		return;
	if (!reserve(b, len)) {
		b->failed = true;
		return;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void bytes_put_u8(struct bytes *b, uint8_t v)
{
	bytes_put(b, &v, 1);
}

void bytes_put_u16(struct bytes *b, uint16_t v)
{
	uint8_t wire[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	bytes_put(b, wire, sizeof wire);
}

void bytes_put_u32(struct bytes *b, uint32_t v)
{
	bytes_put_u16(b, (uint16_t)(v >> 16));
	bytes_put_u16(b, (uint16_t)v);
}

void bytes_put_u64(struct bytes *b, uint64_t v)
{
	bytes_put_u32(b, (uint32_t)(v >> 32));
	bytes_put_u32(b, (uint32_t)v);
}

void bytes_put_varint(struct bytes *b, uint64_t v)
{
	for (; v > 0x7f; v >>= 7)
		bytes_put_u8(b, (uint8_t)(v | 0x80));
	bytes_put_u8(b, (uint8_t)v);
}

void bytes_put_text(struct bytes *b, const char *text)
{
	if (!text) {
		bytes_put_u32(b, ABSENT_TEXT);
		return;
	}
	bytes_put_u32(b, (uint32_t)strlen(text));
	bytes_put(b, text, strlen(text));
}

void bytes_put_short_text(struct bytes *b, const char *text)
{
	bytes_put_varint(b, text ? strlen(text) + 1 : 0);
	if (text)
		bytes_put(b, text, strlen(text));
}

void reader_init(struct reader *r, struct span span)
{
	r->at = span.data;
	r->left = span.len;
	r->failed = false;
}

const uint8_t *reader_take(struct reader *r, size_t len)
{
	const uint8_t *at = r->at;

	if (r->failed || r->left < len) {
		r->failed = true;
		return NULL;
	}
	r->at += len;
	r->left -= len;
	return at;
}

uint8_t reader_u8(struct reader *r)
{
	const uint8_t *at = reader_take(r, 1);

	return at ? at[0] : 0;
}

uint16_t reader_u16(struct reader *r)
{
	const uint8_t *at = reader_take(r, 2);

	if (!at)
		return 0;
	return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t reader_u32(struct reader *r)
{
	uint32_t high = reader_u16(r);

	return high << 16 | reader_u16(r);
}

uint64_t reader_u64(struct reader *r)
{
	uint64_t high = reader_u32(r);

	return high << 32 | reader_u32(r);
}

uint64_t reader_varint(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t octet = reader_u8(r);

		v |= (uint64_t)(octet & 0x7f) << shift;
		if (!(octet & 0x80))
			return v;
	}
	r->failed = true;
	return 0;
}

static const char *take_text(struct reader *r, struct arena *arena, size_t len)
{
	const uint8_t *at = reader_take(r, len);
	const char *text;

	if (!at)
		return NULL;
	text = arena_strndup(arena, (const char *)at, len);
	if (!text)
		r->failed = true;
	return text;
}

const char *reader_text(struct reader *r, struct arena *arena)
{
	uint32_t len = reader_u32(r);

	return len != ABSENT_TEXT ? take_text(r, arena, len) : NULL;
}

const char *reader_short_text(struct reader *r, struct arena *arena)
{
	uint64_t len = reader_varint(r);

	return len > 0 ? take_text(r, arena, len - 1) : NULL;
}
