/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/outbox.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/reply.h"
#include "responder/convoy.h"

/* A kernel that writes down what leaves, "PORT:SEQUENCE,SEQUENCE/LEN ", and has faults. */
static struct kernel {
	char log[4096];
	int group_fault;	/* errno of groups, */
	size_t group_fault_len; /* if their segments are as long; and of */
	uint16_t bad_port;	/* whatever goes there (EINVAL) */
	unsigned room;		/* datagrams, then EAGAIN */
	unsigned interrupts;	/* EINTR so often first */
	bool no_memory;		/* ENOBUFS */
	size_t mtu;
	unsigned calls;
} kernel;

/* The segments' length that a message asks for, and what must be before that. */
static size_t segment_of(const struct msghdr *msg)
{
	size_t found = 0;
	unsigned number = 0;

	for (const struct cmsghdr *c = CMSG_FIRSTHDR(msg); c;
	     c = CMSG_NXTHDR((struct msghdr *)msg, (struct cmsghdr *)c), number++) {
		uint16_t len;

		if (c->cmsg_level != IPPROTO_UDP) {
			assert_int_equal(c->cmsg_type, IP_PKTINFO);
			assert_int_equal(number, 0);
			continue;
		}
		assert_int_equal(c->cmsg_type, UDP_SEGMENT);
		assert_int_equal(c->cmsg_len, CMSG_LEN(sizeof len));
		memcpy(&len, CMSG_DATA(c), sizeof len);
		found = len;
	}
	return found;
}

static int fault_of(const struct msghdr *msg, uint16_t port, size_t segment)
{
	if (kernel.interrupts > 0) {
		kernel.interrupts--;
		return EINTR;
	}
	if (kernel.room == 0)
		return EAGAIN;
	if (kernel.no_memory)
		return ENOBUFS;
	if (port == kernel.bad_port)
		return EINVAL;
	if (segment && kernel.group_fault && segment >= kernel.group_fault_len)
		return kernel.group_fault;
	return msg->msg_iov->iov_len > kernel.mtu ? EMSGSIZE : 0;
}

static int leave(const struct msghdr *msg)
{
	uint16_t port = ntohs(((struct sockaddr_in *)msg->msg_name)->sin_port);
	size_t segment = segment_of(msg);
	int fault = fault_of(msg, port, segment);
	size_t at = strlen(kernel.log);

	if (fault) {
		errno = fault;
		return -1;
	}
	/* One datagram is what a message without segments is. */
	assert_true(segment ? msg->msg_iovlen > 1 : msg->msg_iovlen == 1);
	at += (size_t)sprintf(kernel.log + at, "%u:", port);
	for (size_t i = 0; i < msg->msg_iovlen; i++) {
		at += (size_t)sprintf(kernel.log + at, "%s%u", i ? "," : "",
				      *(uint8_t *)msg->msg_iov[i].iov_base);
		if (segment && i + 1 < msg->msg_iovlen)
			assert_int_equal(msg->msg_iov[i].iov_len, segment);
		assert_true(!segment || msg->msg_iov[i].iov_len <= segment);
	}
	(void)sprintf(kernel.log + at, "/%zu ", msg->msg_iov->iov_len);
	kernel.room -=
		kernel.room < msg->msg_iovlen ? kernel.room : (unsigned)msg->msg_iovlen;
	return 0;
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	assert_int_equal(fd, 7);
	assert_true(flags & MSG_DONTWAIT);
	kernel.calls++;
	for (unsigned i = 0; i < count; i++) {
		if (leave(&messages[i].msg_hdr) < 0)
			return i > 0 ? (int)i : -1;
	}
	return (int)count;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	assert_int_equal(fd, 7);
	assert_true(flags & MSG_DONTWAIT);
	kernel.calls++;
	return leave(msg) < 0 ? -1 : (ssize_t)msg->msg_iov->iov_len;
}

/* The replies: the first octet of each is its number. */
static struct outbox *box;
static unsigned added;
static uint8_t wires[CONVOY_REPLIES][REPLY_UDP_MAX];
static struct sockaddr_in names[CONVOY_REPLIES];
static struct reply replies[CONVOY_REPLIES];
static size_t cut_to; /* 0: they cannot be cut */

size_t reply_cut(struct reply *r)
{
	return cut_to ? cut_to : replies[r - replies].len;
}

static int set_up(void **state)
{
	(void)state;
	kernel = (struct kernel){.room = 1000, .mtu = 4000};
	cut_to = 0;
	box = outbox_new();
	added = 0;
	return box ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	outbox_free(&box);
	outbox_free(&box);
	return 0;
}

static void add(uint16_t port, size_t len, const struct msghdr *control)
{
	struct msghdr in = {.msg_name = &names[added],
			    .msg_namelen = sizeof names[added]};

	names[added] =
		(struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
	if (control) {
		in.msg_control = control->msg_control;
		in.msg_controllen = control->msg_controllen;
	}
	wires[added][0] = (uint8_t)added;
	replies[added].len = len;
	outbox_add(box, &in, wires[added], len, &replies[added]);
	added++;
}

static void add_many(uint16_t port, size_t len, unsigned count)
{
	while (count-- > 0)
		add(port, len, NULL);
}

static void expect(bool may_group, const char *log, struct outbox_tally want)
{
	struct outbox_tally got = outbox_send(box, 7, may_group);

	assert_string_equal(kernel.log, log);
	assert_int_equal(got.sent, want.sent);
	assert_int_equal(got.grouped, want.grouped);
	assert_int_equal(got.messages, want.messages);
	assert_int_equal(got.truncated, want.truncated);
	kernel.log[0] = 0;
	added = 0;
}

static void test_groups_and_single_replies_leave_in_one_call(void **state)
{
	(void)state;
	add_many(1, 60, 2);
	add(2, 60, NULL);
	add(1, 50, NULL);
	add(1, 60, NULL);
	expect(true, "1:0,1,4,3/60 2:2/60 ", (struct outbox_tally){5, 4, 2, 0});
	assert_int_equal(kernel.calls, 1);
	expect(true, "", (struct outbox_tally){0}); /* none is left */
}

static void test_where_to_leave_from_stays(void **state)
{
	_Alignas(struct cmsghdr)
		uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))] = {0};
	struct msghdr msg = {.msg_control = control, .msg_controllen = sizeof control};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	(void)state;
	cmsg->cmsg_level = IPPROTO_IP;
	cmsg->cmsg_type = IP_PKTINFO;
	cmsg->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
	add(1, 60, &msg);
	add(1, 60, &msg);
	add(1, 60, NULL);
	expect(true, "1:0,1/60 1:2/60 ", (struct outbox_tally){3, 2, 2, 0});
}

static void test_socket_that_may_not_group(void **state)
{
	(void)state;
	add_many(1, 60, 3);
	expect(false, "1:0/60 1:1/60 1:2/60 ", (struct outbox_tally){3, 0, 3, 0});
	assert_int_equal(kernel.calls, 1);
}

static void test_a_refused_group_leaves_one_by_one(void **state)
{
	static const int faults[] = {EINVAL, EMSGSIZE, EIO, EPERM};

	(void)state;
	for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) {
		tear_down(NULL);
		set_up(NULL);
		kernel.group_fault = faults[i];
		add(2, 60, NULL);
		add_many(1, 60, 2);
		add(3, 60, NULL);
		add(1, 60, NULL);
		expect(true, "2:0/60 1:1/60 1:2/60 1:4/60 3:3/60 ",
		       (struct outbox_tally){5, 0, 5, 0});
		/* Groups are not tried for a while, */
		kernel.calls = 0;
		add_many(1, 60, 2);
		expect(true, "1:0/60 1:1/60 ", (struct outbox_tally){2, 0, 2, 0});
		assert_int_equal(kernel.calls, 1);
		/* but again when that is over. */
		kernel.group_fault = 0;
		for (unsigned batch = 0; batch < 1024; batch++)
			(void)outbox_send(box, 7, true);
		add_many(1, 60, 2);
		expect(true, "1:0,1/60 ", (struct outbox_tally){2, 2, 1, 0});
	}
}

static void test_shorter_replies_leave_together_where_longer_ones_cannot(void **state)
{
	(void)state;
	kernel.group_fault = EMSGSIZE;
	kernel.group_fault_len = 600;
	add_many(1, 700, 2);
	expect(true, "1:0/700 1:1/700 ", (struct outbox_tally){2, 0, 2, 0});
	add_many(1, 700, 2);
	add_many(1, 100, 2);
	expect(true, "1:0/700 1:1/700 1:2,3/100 ", (struct outbox_tally){4, 2, 3, 0});
}

/* Clients of one batch have different replies: the shortest that was refused counts. */
static void test_what_was_refused_is_not_tried_again_at_once(void **state)
{
	(void)state;
	kernel.group_fault = EMSGSIZE;
	kernel.group_fault_len = 200;
	add_many(1, 300, 2);
	add_many(2, 700, 2);
	expect(true, "1:0/300 1:1/300 2:2/700 2:3/700 ",
	       (struct outbox_tally){4, 0, 4, 0});
	kernel.calls = 0;
	add_many(1, 300, 2);
	expect(true, "1:0/300 1:1/300 ", (struct outbox_tally){2, 0, 2, 0});
	assert_int_equal(kernel.calls, 1);
}

static void test_a_way_without_room_for_groups_gets_none(void **state)
{
	(void)state;
	kernel.group_fault = EIO;
	kernel.group_fault_len = 600;
	add_many(1, 700, 2);
	expect(true, "1:0/700 1:1/700 ", (struct outbox_tally){2, 0, 2, 0});
	add_many(1, 100, 2);
	expect(true, "1:0/100 1:1/100 ", (struct outbox_tally){2, 0, 2, 0});
}

/* A group needs more memory at once than a reply does. */
static void test_a_group_without_memory_leaves_one_by_one(void **state)
{
	static const int faults[] = {ENOBUFS, ENOMEM};

	(void)state;
	for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) {
		tear_down(NULL);
		set_up(NULL);
		kernel.group_fault = faults[i];
		add_many(1, 60, 2);
		add(3, 60, NULL);
		expect(true, "1:0/60 1:1/60 3:2/60 ", (struct outbox_tally){3, 0, 3, 0});
		kernel.calls = 0;
		add_many(1, 60, 2);
		expect(true, "1:0/60 1:1/60 ", (struct outbox_tally){2, 0, 2, 0});
		assert_int_equal(kernel.calls, 1);
	}
}

/* Without memory for a single reply there is none for the rest. */
static void test_a_reply_without_memory_ends_the_batch(void **state)
{
	(void)state;
	kernel.no_memory = true;
	add_many(1, 60, 2);
	add(3, 60, NULL);
	expect(true, "", (struct outbox_tally){0});
	assert_int_equal(kernel.calls, 2);
	add(1, 60, NULL);
	add(3, 60, NULL);
	expect(true, "", (struct outbox_tally){0});
	assert_int_equal(kernel.calls, 3);
	kernel.no_memory = false; /* that was no refusal of groups */
	add_many(1, 60, 2);
	expect(true, "1:0,1/60 ", (struct outbox_tally){2, 2, 1, 0});
}

/* A source port of 0, say: anybody can send queries with that. */
static void test_a_destination_that_is_nonsense_changes_nothing_for_others(void **state)
{
	(void)state;
	kernel.bad_port = 1;
	add_many(1, 60, 3);
	add_many(2, 60, 2);
	add(1, 50, NULL);
	add(1, 70, NULL);
	expect(true, "2:3,4/60 ", (struct outbox_tally){2, 2, 1, 0});
	add_many(3, 60, 2);
	expect(true, "3:0,1/60 ", (struct outbox_tally){2, 2, 1, 0});
	kernel.calls = 0;
	add(1, 60, NULL);
	expect(true, "", (struct outbox_tally){0});
	assert_int_equal(kernel.calls, 1); /* not again */
}

static void test_too_large_replies_are_cut(void **state)
{
	(void)state;
	kernel.mtu = 600;
	cut_to = 30;
	add_many(1, 700, 2);
	add(2, 1300, NULL);
	add(2, 500, NULL);
	expect(true, "1:0/30 1:1/30 2:2/30 2:3/500 ", (struct outbox_tally){4, 0, 4, 3});
}

static void test_replies_that_cannot_be_cut_are_skipped(void **state)
{
	(void)state;
	kernel.mtu = 600;
	add_many(1, 700, 2);
	add(2, 1300, NULL);
	add(2, 500, NULL);
	expect(true, "2:3/500 ", (struct outbox_tally){1, 0, 1, 0});
}

static void test_full_send_buffer_ends_the_batch(void **state)
{
	(void)state;
	kernel.room = 3;
	add(2, 60, NULL);
	add_many(1, 60, 2);
	add_many(3, 60, 2);
	expect(true, "2:0/60 1:1,2/60 ", (struct outbox_tally){3, 2, 2, 0});
	kernel.room = 1;
	kernel.group_fault = EINVAL; /* also in the middle of what was a group */
	add_many(1, 60, 2);
	add(2, 60, NULL);
	expect(true, "1:0/60 ", (struct outbox_tally){1, 0, 1, 0});
}

static void test_interrupted_calls_are_made_again(void **state)
{
	(void)state;
	kernel.interrupts = 3;
	add_many(1, 60, 2);
	expect(true, "1:0,1/60 ", (struct outbox_tally){2, 2, 1, 0});
	kernel.group_fault = EINVAL;
	add_many(1, 60, 2);
	expect(true, "1:0/60 1:1/60 ", (struct outbox_tally){2, 0, 2, 0});
}

static void test_a_full_batch(void **state)
{
	(void)state;
	add_many(1, 1232, CONVOY_REPLIES);
	{
		struct outbox_tally got = outbox_send(box, 7, true);

		assert_int_equal(got.sent, CONVOY_REPLIES);
		assert_int_equal(got.grouped, CONVOY_REPLIES);
		assert_int_equal(got.messages, 2);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_groups_and_single_replies_leave_in_one_call),
		T(test_where_to_leave_from_stays),
		T(test_socket_that_may_not_group),
		T(test_a_refused_group_leaves_one_by_one),
		T(test_shorter_replies_leave_together_where_longer_ones_cannot),
		T(test_what_was_refused_is_not_tried_again_at_once),
		T(test_a_way_without_room_for_groups_gets_none),
		T(test_a_group_without_memory_leaves_one_by_one),
		T(test_a_reply_without_memory_ends_the_batch),
		T(test_a_destination_that_is_nonsense_changes_nothing_for_others),
		T(test_too_large_replies_are_cut),
		T(test_replies_that_cannot_be_cut_are_skipped),
		T(test_full_send_buffer_ends_the_batch),
		T(test_interrupted_calls_are_made_again),
		T(test_a_full_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
