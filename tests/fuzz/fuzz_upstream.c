/* SPDX-License-Identifier: BSD-2-Clause */

/* Any bytes as what an upstream said, and the replies that become of it. The first byte
 * chooses: DNSSEC records or not, the room of the reply, and whether a CNAME record of
 * ours stands before. What goes out has whole records, as many as it says, within its
 * limit, and names that end. */

#include "fuzz.h"

#include <string.h>

#include "dns/message.h"
#include "dns/name.h"
#include "dns/reply.h"
#include "dns/wire.h"
#include "forward/entry.h"

enum {
	LIMIT_MIN = 512,
};

/* A question, and behind it what stands before the records. */
static const uint8_t asked[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3WwW\7example\0\0\1\0\1";
static const uint8_t alias[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\1a\4test\0\0\1\0\1";
static const uint8_t cname[] = "\3www\7example";

static uint8_t out[REPLY_TCP_MAX];

static void make_name(struct dname *name)
{
	CHECK(dname_parse(asked + DNS_HEADER_LEN, sizeof asked - DNS_HEADER_LEN, name) >
	      0);
}

/* The end of the name at `at`, which is followed to its own end. */
static size_t check_name(size_t len, size_t at)
{
	size_t before = at;
	size_t end = 0;
	size_t octets = 0;

	for (;;) {
		CHECK(at < len);
		if (out[at] >= 0xc0) {
			CHECK(at + 1 < len);
			end = end ? end : at + 2;
			at = wire_get_u16(out + at) & 0x3fff;
			CHECK(at >= DNS_HEADER_LEN && at < before);
			before = at;
			continue;
		}
		CHECK(out[at] <= DNAME_LABEL_MAX);
		octets += out[at] + 1u;
		CHECK(octets <= DNAME_MAX);
		if (out[at] == 0)
			return end ? end : at + 1;
		at += out[at] + 1u;
	}
}

static void check_reply(size_t len)
{
	size_t at = check_name(len, DNS_HEADER_LEN) + 4;
	unsigned count = 0;

	for (int i = 0; i < 3; i++)
		count += wire_get_u16(out + 6 + 2 * i);
	for (; at < len; count--) {
		CHECK(count > 0);
		at = check_name(len, at);
		CHECK(len - at >= DNS_RR_FIXED_LEN);
		CHECK(wire_get_u16(out + at) != DNS_TYPE_OPT);
		at += DNS_RR_FIXED_LEN + wire_get_u16(out + at + 8);
		CHECK(at <= len);
	}
	CHECK(count == 0);
}

static void answer(const struct entry *entry, size_t limit, int has_alias)
{
	const uint8_t *question = has_alias ? alias : asked;
	size_t question_len = (has_alias ? sizeof alias : sizeof asked) - 1;
	size_t name_at = DNS_HEADER_LEN;
	struct query query;
	struct reply reply;
	unsigned rcode;
	size_t len;

	CHECK(query_parse(question, question_len, &query) == QUERY_OK);
	reply_begin(&reply, &query, NULL, out, limit);
	if (has_alias)
		name_at = reply_add_record(&reply, REPLY_ANSWER, DNS_TYPE_CNAME, 60,
					   DNS_HEADER_LEN, cname, sizeof cname) +
			  12;
	rcode = entry_answer(entry, &reply, name_at, 5000);
	len = reply_end(&reply, rcode);
	CHECK(len <= limit);
	check_reply(len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t limits[] = {LIMIT_MIN, REPLY_UDP_DEFAULT, REPLY_UDP_MAX,
					REPLY_TCP_MAX};
	static uint8_t scratch[ENTRY_SCRATCH_SIZE];
	struct dname name;
	struct entry *entry = NULL;
	struct entry_source source = {.name = &name, .qtype = DNS_TYPE_A};
	uint8_t *copy;

	if (size < 1 || size > 65536)
		return 0;
	copy = malloc(size); /* its end is guarded by sanitizers */
	CHECK(copy);
	memcpy(copy, data + 1, size - 1);
	make_name(&name);
	source.packet = copy;
	source.len = size - 1;
	source.with_dnssec = data[0] & 1;
	if (entry_new(&source, scratch, &entry) == GAZ_OK)
		answer(entry, limits[data[0] >> 1 & 3], data[0] >> 3 & 1);
	free(entry);
	free(copy);
	return 0;
}
