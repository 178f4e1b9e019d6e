/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/loop.h"

#include <string.h>

#include "base/rng.h"

static void print_hex(const uint8_t *bytes, size_t len, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = (uint8_t)digits[bytes[i] >> 4];
		*out++ = (uint8_t)digits[bytes[i] & 15];
	}
}

bool loop_begin_probe(struct loop *loop, const uint8_t *suffix, int64_t now_ms,
		      struct dname *out)
{
	uint8_t secret[LOOP_LABEL_LEN / 2];
	uint8_t name[1 + LOOP_LABEL_LEN + DNAME_MAX];
	size_t suffix_len = dname_len(suffix);

	if (loop->probed_ms != 0 && now_ms - loop->probed_ms < LOOP_PROBE_EVERY_MS)
		return false;
	if (rng_secret(secret, sizeof secret) != GAZ_OK)
		return false;
	loop->probed_ms = now_ms;
	loop->label[0] = LOOP_LABEL_LEN;
	print_hex(secret, sizeof secret, loop->label + 1);
	memcpy(name, loop->label, sizeof loop->label);
	memcpy(name + sizeof loop->label, suffix, suffix_len);
	/* A suffix may be too long for it: then there is no such name. */
	return dname_parse(name, sizeof loop->label + suffix_len, out) != 0;
}

bool loop_is_probe(const struct loop *loop, const struct dname *name)
{
	return loop->label[0] != 0 && name->len > sizeof loop->label &&
	       memcmp(name->wire, loop->label, sizeof loop->label) == 0;
}

bool loop_is_closed(const struct loop *loop, int64_t now_ms)
{
	return now_ms < loop->over_ms;
}
