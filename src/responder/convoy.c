/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/convoy-internal.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

enum {
	TABLE_SIZE = 2 * CONVOY_REPLIES, /* a power of two */
	LEN_BITS = 13,
	INDEX_BITS = 6,
};

_Static_assert(CONVOY_REPLIES <= 1 << INDEX_BITS, "a sort key holds its reply");
_Static_assert(CONVOY_REPLY_MAX < 1 << LEN_BITS, "and its length");

/* The ways of a batch's replies: where to, and from where. A table with open addressing:
 * who makes clients' addresses collide has all of it searched, which is short. */
struct ways {
	uint8_t table[TABLE_SIZE];	 /* number of a way + 1; 0: free */
	uint32_t hashes[CONVOY_REPLIES]; /* of each way */
	uint8_t firsts[CONVOY_REPLIES];	 /* the first reply that takes it */
	unsigned count;
};

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t word;

	for (; len > 0; len -= len < sizeof word ? len : sizeof word) {
		word = 0;
		memcpy(&word, at, len < sizeof word ? len : sizeof word);
		at += sizeof word;
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return hash;
}

/* The octets behind the control message, up to the next one's alignment, are anything. */
static size_t control_len(const struct msghdr *msg)
{
	return msg->msg_controllen ? CMSG_FIRSTHDR(msg)->cmsg_len : 0;
}

uint32_t convoy_hash_way(const struct msghdr *msg)
{
	uint64_t hash = mix(msg->msg_namelen, msg->msg_name, msg->msg_namelen);

	return (uint32_t)mix(hash, msg->msg_control, control_len(msg));
}

static bool is_same_way(const struct msghdr *a, const struct msghdr *b)
{
	return a->msg_namelen == b->msg_namelen && control_len(a) == control_len(b) &&
	       memcmp(a->msg_name, b->msg_name, a->msg_namelen) == 0 &&
	       (a->msg_controllen == 0 ||
		memcmp(a->msg_control, b->msg_control, control_len(a)) == 0);
}

/* The number of the way that reply i takes: ways are numbered as they appear. */
static unsigned find_way(struct ways *ways, const struct mmsghdr *replies, unsigned i)
{
	const struct msghdr *msg = &replies[i].msg_hdr;
	uint32_t hash = convoy_hash_way(msg);
	uint8_t *place;

	for (unsigned at = hash; *(place = &ways->table[at % TABLE_SIZE]) != 0; at++) {
		unsigned way = *place - 1U;

		if (ways->hashes[way] == hash &&
		    is_same_way(&replies[ways->firsts[way]].msg_hdr, msg))
			return way;
	}
	ways->hashes[ways->count] = hash;
	ways->firsts[ways->count] = (uint8_t)i;
	*place = (uint8_t)++ways->count;
	return ways->count - 1;
}

static size_t len_of(const struct mmsghdr *reply)
{
	return reply->msg_hdr.msg_iov->iov_len;
}

/* Sort by way, the longest replies of each first, equals as they came: only then can one
 * that is shorter end a message. Replies to as many clients are in order already. */
static uint32_t sort_key(unsigned way, size_t len, unsigned i)
{
	return (way << LEN_BITS | ((1U << LEN_BITS) - 1 - (unsigned)len)) << INDEX_BITS |
	       i;
}

static void insert(uint32_t *keys, unsigned count, uint32_t key)
{
	for (; count > 0 && keys[count - 1] > key; count--)
		keys[count] = keys[count - 1];
	keys[count] = key;
}

/* How many of the replies from the first of `keys` on leave together. */
static unsigned join(const struct mmsghdr *replies, const struct convoy *convoy,
		     const uint32_t *keys, unsigned at, unsigned count, size_t longest)
{
	size_t len = len_of(&replies[convoy->order[at]]);
	unsigned most = CONVOY_OCTETS / (unsigned)(len + 1);
	unsigned n = 1;

	if (len > longest)
		return 1;
	if (most > CONVOY_SEGMENTS)
		most = CONVOY_SEGMENTS;
	while (n < most && at + n < count &&
	       (keys[at] ^ keys[at + n]) >> (LEN_BITS + INDEX_BITS) == 0) {
		if (len_of(&replies[convoy->order[at + n++]]) != len)
			break;
	}
	return n;
}

unsigned convoy_form(const struct mmsghdr *replies, unsigned count, size_t longest,
		     struct convoy *out)
{
	struct ways ways;
	uint32_t keys[CONVOY_REPLIES];
	unsigned messages = 0;

	if (count < 2 || longest == 0) {
		for (; messages < count; messages++) {
			out->order[messages] = (uint8_t)messages;
			out->sizes[messages] = 1;
		}
		return messages;
	}
	ways.count = 0;
	memset(ways.table, 0, sizeof ways.table);
	for (unsigned i = 0; i < count; i++)
		insert(keys, i,
		       sort_key(find_way(&ways, replies, i), len_of(&replies[i]), i));
	for (unsigned i = 0; i < count; i++)
		out->order[i] = keys[i] & ((1U << INDEX_BITS) - 1);
	for (unsigned at = 0; at < count; at += out->sizes[messages++])
		out->sizes[messages] =
			(uint8_t)join(replies, out, keys, at, count, longest);
	return messages;
}
