/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/outbox.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#include "dns/reply.h"
#include "responder/convoy.h"

enum {
	/* A longer reply may not fit the network, and then its group would be sent for
	 * nothing first. */
	GROUPED_MAX = REPLY_UDP_DEFAULT,
	PAUSE_BATCHES = 1024,
	CONTROL_CAP =
		CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t)),
};

struct control {
	_Alignas(struct cmsghdr) uint8_t octets[CONTROL_CAP];
};

struct outbox {
	unsigned count;
	struct mmsghdr replies[CONVOY_REPLIES]; /* each as a message of its own */
	struct iovec iov[CONVOY_REPLIES];
	struct reply *made_of[CONVOY_REPLIES];
	/* How they leave: as few messages, each with some of the replies. */
	struct convoy convoy;
	unsigned messages;
	struct mmsghdr out[CONVOY_REPLIES];
	struct iovec out_iov[CONVOY_REPLIES];
	struct control control[CONVOY_REPLIES];
	size_t longest; /* of replies that are grouped */
	unsigned pause; /* batches until it is GROUPED_MAX again */
};

struct outbox *outbox_new(void)
{
	struct outbox *box = calloc(1, sizeof *box);

	if (!box)
		return NULL;
	box->longest = GROUPED_MAX;
	for (unsigned i = 0; i < CONVOY_REPLIES; i++) {
		box->replies[i].msg_hdr.msg_iov = &box->iov[i];
		box->replies[i].msg_hdr.msg_iovlen = 1;
	}
	return box;
}

void outbox_free(struct outbox **box)
{
	free(*box);
	*box = NULL;
}

/* A kernel that does not know the option (before Linux 4.18) would pass over it in a
 * message, and send all of that as one datagram. */
bool outbox_may_group(int fd)
{
	int size;
	socklen_t len = sizeof size;

	return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, &len) == 0;
}

void outbox_add(struct outbox *box, const struct msghdr *in, uint8_t *wire, size_t len,
		struct reply *reply)
{
	struct msghdr *msg = &box->replies[box->count].msg_hdr;

	box->iov[box->count] = (struct iovec){wire, len};
	box->made_of[box->count++] = reply;
	msg->msg_name = in->msg_name;
	msg->msg_namelen = in->msg_namelen;
	msg->msg_control = in->msg_controllen ? in->msg_control : NULL;
	msg->msg_controllen = in->msg_controllen;
}

/* Say behind what says where a message leaves from how long its datagrams are. */
static void add_segment_len(struct msghdr *msg, struct control *control, size_t len)
{
	const uint16_t segment = (uint16_t)len;
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	size_t at = cmsg ? CMSG_ALIGN(cmsg->cmsg_len) : 0;

	if (cmsg)
		memcpy(control->octets, msg->msg_control, at);
	cmsg = (struct cmsghdr *)(void *)(control->octets + at);
	cmsg->cmsg_level = IPPROTO_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof segment);
	memcpy(CMSG_DATA(cmsg), &segment, sizeof segment);
	msg->msg_control = control->octets;
	msg->msg_controllen = at + CMSG_SPACE(sizeof segment);
}

/* The replies become messages, as few as there can be. */
static void pack(struct outbox *box, size_t longest)
{
	const uint8_t *members = box->convoy.order;

	box->messages = convoy_form(box->replies, box->count, longest, &box->convoy);
	for (unsigned i = 0; i < box->count; i++)
		box->out_iov[i] = box->iov[members[i]];
	for (unsigned m = 0, at = 0; m < box->messages; at += box->convoy.sizes[m++]) {
		struct msghdr *msg = &box->out[m].msg_hdr;

		*msg = box->replies[members[at]].msg_hdr;
		msg->msg_iov = &box->out_iov[at];
		msg->msg_iovlen = box->convoy.sizes[m];
		if (msg->msg_iovlen > 1)
			add_segment_len(msg, &box->control[m], msg->msg_iov->iov_len);
	}
}

static bool is_full(int cause)
{
	return cause == EAGAIN || cause == ENOBUFS || cause == ENOMEM;
}

/* Send replies one by one, as they are. False: the send buffer is full. */
static bool send_singly(struct outbox *box, int fd, const uint8_t *members,
			unsigned count, struct outbox_tally *tally)
{
	while (count > 0) {
		unsigned i = *members;
		struct msghdr *msg = &box->replies[i].msg_hdr;
		size_t before = msg->msg_iov->iov_len;

		if (sendmsg(fd, msg, MSG_DONTWAIT) >= 0) {
			tally->sent++;
			tally->messages++;
		} else if (is_full(errno)) {
			return false;
		} else if (errno == EINTR) {
			continue;
		} else if (errno == EMSGSIZE) {
			/* Too large for the network: truncated, it may not be. */
			msg->msg_iov->iov_len = reply_cut(box->made_of[i]);
			if (msg->msg_iov->iov_len < before) {
				tally->truncated++;
				continue;
			}
		}
		members++;
		count--;
	}
	return true;
}

/* The kernel refuses message m, whose replies begin at `members`. When it takes them one
 * by one, it is groups that it refuses. They are too long for the interface (EMSGSIZE, or
 * EINVAL before Linux 6.14): shorter ones may do. Or the way has no room for groups at all
 * (EIO: IPsec, or before 6.11 a device that makes no checksums), or there is not so much
 * memory at once. For some time we do not try again, or all that goes there would be sent
 * twice. */
static bool send_refused(struct outbox *box, int fd, unsigned m, const uint8_t *members,
			 int cause, struct outbox_tally *tally)
{
	unsigned before = tally->sent;
	unsigned count = box->convoy.sizes[m];
	size_t len = box->iov[members[0]].iov_len;
	size_t longest;
	bool has_room;

	if (count == 1 && cause != EMSGSIZE)
		return true;
	has_room = send_singly(box, fd, members, count, tally);
	if (count > 1 && tally->sent > before) {
		longest = cause == EMSGSIZE || cause == EINVAL ? len - 1 : 0;
		if (longest < box->longest) /* this batch may have had shorter ones */
			box->longest = longest;
		box->pause = PAUSE_BATCHES;
	}
	return has_room;
}

/* Whether nothing else can leave either. A group needs more memory at once than a reply. */
static bool is_in_vain(int cause, unsigned replies)
{
	return replies == 1 ? is_full(cause) : cause == EAGAIN;
}

static void send_packed(struct outbox *box, int fd, struct outbox_tally *tally)
{
	const uint8_t *members = box->convoy.order;
	unsigned m = 0;

	while (m < box->messages) {
		int n = sendmmsg(fd, box->out + m, box->messages - m, MSG_DONTWAIT);
		int cause = errno;

		tally->messages += n > 0 ? (unsigned)n : 0;
		for (; n > 0; n--, members += box->convoy.sizes[m++]) {
			tally->sent += box->convoy.sizes[m];
			if (box->convoy.sizes[m] > 1)
				tally->grouped += box->convoy.sizes[m];
		}
		if (n == 0 || cause == EINTR)
			continue;
		if (is_in_vain(cause, box->convoy.sizes[m]) ||
		    !send_refused(box, fd, m, members, cause, tally))
			return;
		members += box->convoy.sizes[m++];
	}
}

struct outbox_tally outbox_send(struct outbox *box, int fd, bool may_group)
{
	struct outbox_tally tally = {0};

	if (box->pause > 0 && --box->pause == 0)
		box->longest = GROUPED_MAX;
	pack(box, may_group ? box->longest : 0);
	send_packed(box, fd, &tally);
	box->count = 0;
	return tally;
}
