/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/convoy-internal.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct batch {
	struct mmsghdr replies[CONVOY_REPLIES];
	struct sockaddr_in6 names[CONVOY_REPLIES]; /* or struct sockaddr_in */
	_Alignas(struct cmsghdr)
		uint8_t controls[CONVOY_REPLIES][CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct iovec iov[CONVOY_REPLIES];
	unsigned count;
} batch;

static int forget(void **state)
{
	(void)state;
	memset(&batch, 0, sizeof batch);
	return 0;
}

static struct msghdr *add(size_t len)
{
	struct msghdr *msg = &batch.replies[batch.count].msg_hdr;

	batch.iov[batch.count].iov_len = len;
	msg->msg_iov = &batch.iov[batch.count];
	msg->msg_iovlen = 1;
	msg->msg_name = &batch.names[batch.count++];
	return msg;
}

static struct msghdr *add_v4(uint32_t address, uint16_t port, size_t len)
{
	struct msghdr *msg = add(len);

	*(struct sockaddr_in *)msg->msg_name =
		(struct sockaddr_in){AF_INET, htons(port), {htonl(address)}, {0}};
	msg->msg_namelen = sizeof(struct sockaddr_in);
	return msg;
}

static struct msghdr *add_v6(uint8_t last, uint16_t port, uint32_t scope, size_t len)
{
	struct msghdr *msg = add(len);
	struct sockaddr_in6 *name = msg->msg_name;

	name->sin6_family = AF_INET6;
	name->sin6_port = htons(port);
	name->sin6_addr.s6_addr[0] = 0xfe;
	name->sin6_addr.s6_addr[1] = 0x80;
	name->sin6_addr.s6_addr[15] = last;
	name->sin6_scope_id = scope;
	msg->msg_namelen = sizeof *name;
	return msg;
}

/* What says where a reply leaves from, with `junk` where the kernel writes nothing. */
static void leave_from(struct msghdr *msg, int level, int type, const void *info,
		       size_t len, uint8_t junk)
{
	uint8_t *control = batch.controls[batch.count - 1];
	struct cmsghdr *cmsg = (struct cmsghdr *)(void *)control;

	memset(control, junk, sizeof batch.controls[0]);
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(len);
	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), info, len);
}

static void leave_from_v4(struct msghdr *msg, uint32_t address, uint8_t junk)
{
	const struct in_pktinfo info = {.ipi_spec_dst = {htonl(address)},
					.ipi_addr = {htonl(address)}};

	leave_from(msg, IPPROTO_IP, IP_PKTINFO, &info, sizeof info, junk);
}

static void leave_from_v6(struct msghdr *msg, uint8_t last, unsigned ifindex)
{
	struct in6_pktinfo info = {.ipi6_ifindex = ifindex};

	info.ipi6_addr.s6_addr[15] = last;
	leave_from(msg, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info, 0);
}

static struct convoy convoy;

/* Form it, and see that it is one: each reply once, in each message one way and one
 * length but for the end, and nothing that is too long or too much. */
static unsigned form(size_t longest)
{
	unsigned messages = convoy_form(batch.replies, batch.count, longest, &convoy);
	bool seen[CONVOY_REPLIES] = {false};
	unsigned at = 0;

	for (unsigned m = 0; m < messages; m++) {
		const struct mmsghdr *first = &batch.replies[convoy.order[at]];
		size_t len = first->msg_hdr.msg_iov->iov_len;
		size_t octets = 0;

		assert_in_range(convoy.sizes[m], 1, CONVOY_SEGMENTS);
		assert_true(convoy.sizes[m] == 1 || len <= longest);
		for (unsigned n = 0; n < convoy.sizes[m]; n++, at++) {
			const struct msghdr *msg =
				&batch.replies[convoy.order[at]].msg_hdr;

			assert_in_range(convoy.order[at], 0, batch.count - 1);
			assert_false(seen[convoy.order[at]]);
			seen[convoy.order[at]] = true;
			assert_int_equal(msg->msg_namelen, first->msg_hdr.msg_namelen);
			assert_memory_equal(msg->msg_name, first->msg_hdr.msg_name,
					    msg->msg_namelen);
			assert_int_equal(msg->msg_controllen,
					 first->msg_hdr.msg_controllen);
			if (msg->msg_controllen)
				assert_memory_equal(msg->msg_control,
						    first->msg_hdr.msg_control,
						    CMSG_FIRSTHDR(msg)->cmsg_len);
			if (n + 1 < convoy.sizes[m])
				assert_int_equal(msg->msg_iov->iov_len, len);
			assert_true(msg->msg_iov->iov_len <= len);
			octets += msg->msg_iov->iov_len;
		}
		assert_true(convoy.sizes[m] == 1 || octets <= CONVOY_OCTETS);
	}
	assert_int_equal(at, batch.count);
	return messages;
}

static void test_replies_to_one_client_leave_together_in_their_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONVOY_REPLIES; i++)
		add_v4(0x7f000001, 5000, 60);
	assert_int_equal(form(1232), 1);
	for (unsigned i = 0; i < CONVOY_REPLIES; i++)
		assert_int_equal(convoy.order[i], i);
}

static void test_replies_to_as_many_clients_leave_alone_as_they_came(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONVOY_REPLIES; i++)
		add_v4(0x7f000001 + i % 2, (uint16_t)(5000 + i), 100 - i);
	assert_int_equal(form(1232), CONVOY_REPLIES);
	for (unsigned i = 0; i < CONVOY_REPLIES; i++)
		assert_int_equal(convoy.order[i], i);
}

static void test_nobody_leaves_together_when_nothing_may(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		add_v4(0x7f000001, 5000, 60 + i);
	assert_int_equal(form(0), 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(convoy.order[i], i);
}

static void test_empty_batch_and_single_reply(void **state)
{
	(void)state;
	assert_int_equal(convoy_form(batch.replies, 0, 1232, &convoy), 0);
	add_v4(0x7f000001, 5000, 60);
	assert_int_equal(form(1232), 1);
}

static void test_a_shorter_reply_ends_a_message(void **state)
{
	static const size_t lens[] = {60, 50, 60, 70, 60, 50, 40};
	static const uint8_t order[] = {3, 0, 2, 4, 1, 5, 6};
	static const uint8_t sizes[] = {2, 3, 2};

	(void)state;
	for (unsigned i = 0; i < sizeof lens / sizeof *lens; i++)
		add_v4(0x7f000001, 5000, lens[i]);
	/* 70 60 | 60 60 50 | 50 40 */
	assert_int_equal(form(1232), 3);
	assert_memory_equal(convoy.order, order, sizeof order);
	assert_memory_equal(convoy.sizes, sizes, sizeof sizes);
}

static void test_all_lengths_differ(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONVOY_REPLIES; i++)
		add_v4(0x7f000001, 5000, 40 + i * 7 % CONVOY_REPLIES);
	assert_int_equal(form(1232), CONVOY_REPLIES / 2);
}

static void test_long_replies_stay_alone_but_may_not_hold_up_others(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		add_v4(0x7f000001, 5000, i % 2 ? 1233 : 1232);
	assert_int_equal(form(1232), 6);
	assert_int_equal(form(4096), 2); /* 4 + 1 long ones, the rest */
}

static void test_octets_of_a_message_are_limited(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONVOY_REPLIES; i++)
		add_v4(0x7f000001, 5000, 1232);
	assert_int_equal(form(1232), 2);
	forget(NULL);
	for (unsigned i = 0; i < CONVOY_REPLIES; i++)
		add_v4(0x7f000001, 5000, CONVOY_REPLY_MAX);
	assert_int_equal(form(CONVOY_REPLY_MAX), 5); /* of 14 */
}

static void test_whatever_differs_in_the_way_keeps_replies_apart(void **state)
{
	(void)state;
	add_v4(0x7f000001, 5000, 60);
	add_v4(0x7f000001, 5001, 60);				    /* port */
	add_v4(0x7f000002, 5000, 60);				    /* address */
	leave_from_v4(add_v4(0x7f000001, 5000, 60), 0x7f000009, 0); /* where from */
	leave_from_v4(add_v4(0x7f000001, 5000, 60), 0x7f00000a, 0);
	add_v6(1, 5000, 0, 60); /* family */
	add_v6(1, 5000, 2, 60); /* the client's link */
	add_v6(1, 5000, 3, 60);
	leave_from_v6(add_v6(1, 5000, 2, 60), 9, 0);
	leave_from_v6(add_v6(1, 5000, 2, 60), 9, 2); /* our link */
	leave_from_v6(add_v6(1, 5000, 2, 60), 9, 3);
	leave_from_v6(add_v6(1, 5000, 2, 60), 8, 3);
	assert_int_equal(form(1232), batch.count);
}

static void test_the_same_ways_meet_however_they_are_mixed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONVOY_REPLIES; i += 4) {
		add_v4(0x7f000001, 5000, 60);
		leave_from_v4(add_v4(0x7f000001, 5000, 60), 0x7f000009, 0);
		add_v6(1, 5000, 2, 60);
		leave_from_v6(add_v6(1, 5000, 2, 60), 9, 2);
	}
	assert_int_equal(form(1232), 4);
}

static void test_octets_between_control_messages_mean_nothing(void **state)
{
	(void)state;
	_Static_assert(CMSG_SPACE(sizeof(struct in_pktinfo)) >
			       CMSG_LEN(sizeof(struct in_pktinfo)),
		       "there are none");
	for (unsigned i = 0; i < 8; i++)
		leave_from_v4(add_v4(0x7f000001, 5000, 60), 0x7f000009, (uint8_t)i);
	assert_int_equal(form(1232), 1);
}

/* ---- ways with one hash ---- */

/* A way, by what it was made from. */
struct hashed {
	uint32_t hash;
	uint32_t number;
};

enum {
	HASHED = 1 << 19, /* with so many some 30 pairs have one hash */
};

typedef void make_way(uint32_t number, size_t len);

static void to_client(uint32_t number, size_t len)
{
	add_v4(number, 5000, len);
}

static void to_client_v6(uint32_t number, size_t len)
{
	add_v6((uint8_t)number, (uint16_t)(number >> 8), number >> 24, len);
}

static void from_address(uint32_t number, size_t len)
{
	leave_from_v4(add_v4(0x7f000001, 5000, len), number, 0);
}

static int compare_hashes(const void *a, const void *b)
{
	uint32_t x = ((const struct hashed *)a)->hash;
	uint32_t y = ((const struct hashed *)b)->hash;

	return x < y ? -1 : x > y;
}

/* The batch is of two ways that have one hash, each twice; they must leave apart. */
static void part(make_way *make, const struct hashed pair[2])
{
	forget(NULL);
	for (unsigned i = 0; i < 4; i++)
		make(pair[i % 2].number, 60);
	assert_int_equal(convoy_hash_way(&batch.replies[0].msg_hdr),
			 convoy_hash_way(&batch.replies[1].msg_hdr));
	assert_int_equal(form(1232), 2);
	assert_int_equal(convoy.order[0], 0);
	assert_int_equal(convoy.order[1], 2);
}

static void part_pairs(make_way *make)
{
	struct hashed *all = malloc(HASHED * sizeof *all);
	unsigned pairs = 0;

	assert_non_null(all);
	for (uint32_t i = 0; i < HASHED; i++) {
		forget(NULL);
		make(i, 60);
		all[i] = (struct hashed){convoy_hash_way(&batch.replies[0].msg_hdr), i};
	}
	qsort(all, HASHED, sizeof *all, compare_hashes);
	for (uint32_t i = 1; i < HASHED; i++) {
		if (all[i].hash != all[i - 1].hash)
			continue;
		pairs++;
		part(make, &all[i - 1]);
	}
	free(all);
	assert_true(pairs > 0);
}

static void test_clients_with_one_hash_are_told_apart(void **state)
{
	(void)state;
	part_pairs(to_client);
	part_pairs(to_client_v6);
}

static void test_own_addresses_with_one_hash_are_told_apart(void **state)
{
	(void)state;
	part_pairs(from_address);
}

/* All kinds of batches: form() sees that they are right, and here that they are good:
 * with lengths of two kinds there are two messages for each way at most. */
static void test_random_batches(void **state)
{
	(void)state;
	srandom(1);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned clients = 1 + (unsigned)random() % CONVOY_REPLIES;
		unsigned lens = 1 + (unsigned)random() % 4;
		unsigned count = 1 + (unsigned)random() % CONVOY_REPLIES;
		unsigned messages;

		forget(NULL);
		while (batch.count < count) {
			uint32_t client = (uint32_t)random() % clients;
			size_t len = 40 + (size_t)random() % lens;

			if (client % 3 == 0)
				add_v6((uint8_t)client, 53, client % 2, len);
			else if (client % 3 == 1)
				leave_from_v4(add_v4(client, 53, len), 9, (uint8_t)len);
			else
				add_v4(client, 53, len);
		}
		messages = form(1232);
		assert_true(messages <= lens * clients);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, forget)
	const struct CMUnitTest tests[] = {
		T(test_replies_to_one_client_leave_together_in_their_order),
		T(test_replies_to_as_many_clients_leave_alone_as_they_came),
		T(test_nobody_leaves_together_when_nothing_may),
		T(test_empty_batch_and_single_reply),
		T(test_a_shorter_reply_ends_a_message),
		T(test_all_lengths_differ),
		T(test_long_replies_stay_alone_but_may_not_hold_up_others),
		T(test_octets_of_a_message_are_limited),
		T(test_whatever_differs_in_the_way_keeps_replies_apart),
		T(test_the_same_ways_meet_however_they_are_mixed),
		T(test_octets_between_control_messages_mean_nothing),
		T(test_clients_with_one_hash_are_told_apart),
		T(test_own_addresses_with_one_hash_are_told_apart),
		T(test_random_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
