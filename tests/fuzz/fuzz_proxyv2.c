/* SPDX-License-Identifier: BSD-2-Clause */

/* Any bytes as what a proxy sends first. Whatever part of it has come, nobody reads behind
 * that; the header counts when all of it is there and not before, and what follows it
 * changes nothing. */

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/proxyv2.h"

struct seen {
	enum proxyv2_verdict verdict;
	size_t len;
	struct netaddr source;
};

static struct seen parse(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1); /* its end is guarded by sanitizers */
	struct seen seen = {0};

	CHECK(copy);
	memcpy(copy, data, size);
	seen.verdict = proxyv2_parse(copy, size, &seen.len, &seen.source);
	free(copy);
	return seen;
}

static bool is_whole(const struct seen *seen)
{
	return seen->verdict == PROXYV2_LOCAL || seen->verdict == PROXYV2_SOURCE;
}

static void check_seen(const struct seen *seen, size_t size)
{
	if (is_whole(seen))
		CHECK(seen->len <= size && seen->len <= PROXYV2_MAX);
	if (seen->verdict == PROXYV2_PARTIAL)
		CHECK(size < PROXYV2_MAX);
	if (seen->verdict == PROXYV2_SOURCE)
		CHECK(seen->source.family == AF_INET || seen->source.family == AF_INET6);
}

/* What the first `size` octets of data say, which as a whole say `all`. */
static void check_part(const uint8_t *data, size_t size, const struct seen *all)
{
	struct seen part = parse(data, size);

	check_seen(&part, size);
	if (all->verdict == PROXYV2_PARTIAL || (is_whole(all) && size < all->len)) {
		CHECK(part.verdict == PROXYV2_PARTIAL);
	} else if (is_whole(all)) {
		CHECK(part.verdict == all->verdict && part.len == all->len);
		CHECK(memcmp(&part.source, &all->source, sizeof part.source) == 0);
	} else {
		CHECK(!is_whole(&part));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen all = parse(data, size);

	check_seen(&all, size);
	for (size_t part = 0; part < size && part <= PROXYV2_MAX; part++)
		check_part(data, part, &all);
	return 0;
}
