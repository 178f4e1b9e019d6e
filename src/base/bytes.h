/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Byte strings for keys and values: a growing writer and a bounded reader.
 * Both latch the first error, so that a chain of calls is checked once.
 * Integers are big-endian: their byte order is their sort order. */

struct bytes {
	uint8_t *data; /* owned; NULL while empty */
	size_t len;
	size_t cap;
	bool failed; /* out of memory: the contents are incomplete */
};

void bytes_init(struct bytes *b);
void bytes_fini(struct bytes *b);

/** Empty it, keep the memory, forget a failure. */
void bytes_reset(struct bytes *b);

void bytes_put(struct bytes *b, const void *data, size_t len);
void bytes_put_u8(struct bytes *b, uint8_t v);
void bytes_put_u16(struct bytes *b, uint16_t v);
void bytes_put_u32(struct bytes *b, uint32_t v);
void bytes_put_u64(struct bytes *b, uint64_t v);

/** A number in as few octets as it takes, seven bits in each. */
void bytes_put_varint(struct bytes *b, uint64_t v);

/** A string with its length before it; NULL is kept apart from "". */
void bytes_put_text(struct bytes *b, const char *text);

/** The same with a varint for the length. */
void bytes_put_short_text(struct bytes *b, const char *text);

/* A piece of memory that somebody else owns. */
struct span {
	const uint8_t *data;
	size_t len;
};

struct reader {
	const uint8_t *at;
	size_t left;
	bool failed; /* something was read that is not there */
};

void reader_init(struct reader *r, struct span span);

/** `len` bytes inside the span, or NULL. */
const uint8_t *reader_take(struct reader *r, size_t len);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
uint64_t reader_varint(struct reader *r);

struct arena;

/** The string that bytes_put_text() wrote, copied into the arena; NULL for a
 *  NULL that was written, and on error. */
const char *reader_text(struct reader *r, struct arena *arena);

/** Likewise what bytes_put_short_text() wrote. */
const char *reader_short_text(struct reader *r, struct arena *arena);
