/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder/udp.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <urcu.h>

#include "base/clock.h"
#include "base/proxyv2.h"
#include "forward/forward.h"
#include "responder/answer.h"
#include "responder/convoy.h"
#include "responder/core.h"
#include "responder/gather.h"
#include "responder/outbox.h"

enum {
	BATCH_SIZE = CONVOY_REPLIES,
	BATCHES_PER_WAKEUP = 4,	 /* then the loop gives TCP its turn */
	BATCHES_PER_DRAIN = 128, /* more than a full receive buffer holds */
	QUERY_CAP = 4160,	 /* a longer datagram is no query */
	CONTROL_CAP = 128,	 /* more than one message: see aim_control() */
};

/* The room for one datagram and its reply. Its size is an odd number of cache
 * lines, so that the slots do not compete for the same lines. */
struct slot {
	_Alignas(64) struct sockaddr_storage source;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_CAP];
	uint8_t query[QUERY_CAP];
	uint8_t reply[ANSWER_UDP_CAP];
};

struct udp_socket {
	struct udp_socket *next;
	struct udp *udp;
	struct event *event;
	int fd;
	int listener_vpc;
	bool may_group;
	struct gather gather;
	bool rest_is_due;
};

struct udp {
	struct worker_core *core;
	struct udp_socket *sockets;
	struct outbox *outbox;
	uint32_t gather_us; /* how long a rest is; 0: there is none */
	struct mmsghdr received[BATCH_SIZE];
	struct iovec query_iov[BATCH_SIZE];
	struct slot slots[BATCH_SIZE];
	struct answer_job jobs[BATCH_SIZE];
};

/* The kernel overwrites these lengths with what it delivered. */
static void reset_received(struct udp *udp, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct msghdr *msg = &udp->received[i].msg_hdr;

		msg->msg_namelen = sizeof udp->slots[i].source;
		msg->msg_controllen = sizeof udp->slots[i].control;
	}
}

/* Whether it tells where a datagram was sent to. One that had no room is not whole. */
static bool is_destination(const struct cmsghdr *cmsg)
{
	if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO)
		return cmsg->cmsg_len == CMSG_LEN(sizeof(struct in_pktinfo));
	return cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO &&
	       cmsg->cmsg_len == CMSG_LEN(sizeof(struct in6_pktinfo));
}

/* The interface is left to the routing table, except for link-local addresses, which
 * mean nothing without theirs. */
static void forget_interface(struct cmsghdr *cmsg)
{
	if (cmsg->cmsg_level == IPPROTO_IP) {
		struct in_pktinfo *info = (struct in_pktinfo *)(void *)CMSG_DATA(cmsg);

		info->ipi_ifindex = 0;
	} else {
		struct in6_pktinfo *info = (struct in6_pktinfo *)(void *)CMSG_DATA(cmsg);

		if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
			info->ipi6_ifindex = 0;
	}
}

/* Turn the control message that tells where a datagram was sent to into one that sends the
 * reply from there. No other stays: to a socket that was opened for us come also those that
 * its opener has asked for (Timestamping= of a socket unit), with which nothing can be
 * sent. */
static void aim_control(struct msghdr *msg)
{
	struct cmsghdr *cmsg = msg->msg_controllen ? CMSG_FIRSTHDR(msg) : NULL;

	while (cmsg && !is_destination(cmsg))
		cmsg = CMSG_NXTHDR(msg, cmsg);
	msg->msg_controllen = 0;
	if (!cmsg)
		return;
	forget_interface(cmsg);
	msg->msg_controllen = CMSG_ALIGN(cmsg->cmsg_len);
	memmove(msg->msg_control, cmsg, cmsg->cmsg_len);
}

/* A proxy that we believe says first for whom it asks; who that is decides, and no
 * listener. False: it does not, so nobody may be answered. */
static bool take_proxy_header(const struct answer_config *config,
			      struct answer_request *req)
{
	size_t header;

	if (!config || !netprefix_list_holds(&config->proxy_from, &req->source))
		return true;
	switch (proxyv2_parse(req->query, req->len, &header, &req->source)) {
	case PROXYV2_SOURCE:
		req->listener_vpc = ANSWER_NO_VPC;
		break;
	case PROXYV2_LOCAL:
		break;
	default:
		return false;
	}
	req->query += header;
	req->len -= header;
	return true;
}

/* Begin with datagram i; false when it is no query of ours. */
static bool begin_slot(struct udp_socket *sock, unsigned i)
{
	struct udp *udp = sock->udp;
	struct slot *slot = &udp->slots[i];
	struct mmsghdr *in = &udp->received[i];
	struct answer_request *req = &udp->jobs[i].req;

	req->query = slot->query;
	req->len = in->msg_len;
	req->listener_vpc = sock->listener_vpc;
	req->tcp = false;
	if ((in->msg_hdr.msg_flags & MSG_TRUNC) ||
	    netaddr_from_sockaddr((struct sockaddr *)&slot->source, &req->source) !=
		    GAZ_OK)
		return false;
	if (!take_proxy_header(udp->core->ctx.config, req))
		return false;
	answer_begin(&udp->core->ctx, &udp->jobs[i]);
	return true;
}

/* The reply to datagram i is in its slot. */
static void post_reply(struct udp *udp, unsigned i, size_t len)
{
	struct msghdr *in = &udp->received[i].msg_hdr;

	aim_control(in);
	outbox_add(udp->outbox, in, udp->slots[i].reply, len, &udp->jobs[i].reply);
}

/* Datagram i asks for what upstreams know. @return the reply's length, 0: not now */
static size_t hand_over(struct udp_socket *sock, unsigned i)
{
	struct udp *udp = sock->udp;
	struct msghdr *msg = &udp->received[i].msg_hdr;
	struct forward_client client = {
		.fd = sock->fd,
		.address = msg->msg_name,
		.address_len = msg->msg_namelen,
	};
	size_t len;

	aim_control(msg);
	client.control = msg->msg_controllen ? msg->msg_control : NULL;
	client.control_len = msg->msg_controllen;
	len = answer_hand_over(&udp->jobs[i], &client);
	udp->core->tally.handed_over += len == 0;
	return len;
}

/* Answer the first `count` datagrams; the replies go into the outbox. */
static void answer_batch(struct udp_socket *sock, unsigned count)
{
	struct udp *udp = sock->udp;
	uint8_t begun[BATCH_SIZE];
	unsigned queries = 0;

	rcu_read_lock();
	core_begin_batch(udp->core);
	for (unsigned i = 0; i < count; i++) {
		if (begin_slot(sock, i))
			begun[queries++] = (uint8_t)i;
	}
	for (unsigned k = 0; k < queries; k++)
		answer_locate(&udp->jobs[begun[k]]);
	for (unsigned k = 0; k < queries; k++) {
		struct slot *slot = &udp->slots[begun[k]];
		size_t len = answer_finish(&udp->jobs[begun[k]], slot->reply,
					   sizeof slot->reply);

		if (len == ANSWER_LATER)
			len = hand_over(sock, begun[k]);
		if (len > 0)
			post_reply(udp, begun[k], len);
	}
	rcu_read_unlock();
}

/* Count what became of a batch, and see whether it pays to rest before the next. */
static void end_batch(struct udp_socket *sock, unsigned queries, unsigned handed_over,
		      const struct outbox_tally *replies)
{
	struct worker_core *core = sock->udp->core;

	core->tally.udp_queries += queries;
	core->tally.udp_grouped += replies->grouped;
	core->tally.answered += replies->sent;
	core->tally.dropped += queries - replies->sent - handed_over;
	core->ctx.counters.truncated += replies->truncated;
	core_publish_counters(core);
	sock->rest_is_due = sock->udp->gather_us > 0 &&
			    gather_is_due(&sock->gather, clock_monotonic_ns(), queries,
					  replies->sent, replies->messages);
}

/* One batch; returns true when there may be more to receive. An error reported
 * by recvmmsg concerns a reply sent earlier (ICMP): it is over with being read. */
static bool serve_batch(struct udp_socket *sock)
{
	struct udp *udp = sock->udp;
	struct outbox_tally replies = {0};
	int got = recvmmsg(sock->fd, udp->received, BATCH_SIZE, MSG_DONTWAIT, NULL);
	uint64_t before = udp->core->tally.handed_over;
	bool may_be_more = got == BATCH_SIZE || (got < 0 && errno != EAGAIN);

	if (got > 0) {
		answer_batch(sock, (unsigned)got);
		replies = outbox_send(udp->outbox, sock->fd, sock->may_group);
		if (udp->core->ctx.desk)
			forward_flush(udp->core->ctx.desk);
		reset_received(udp, (unsigned)got);
	}
	end_batch(sock, got > 0 ? (unsigned)got : 0,
		  (unsigned)(udp->core->tally.handed_over - before), &replies);
	return may_be_more;
}

/* The one place where a worker waits: for a moment, as a network card does before it
 * interrupts, so that more queries of busy clients come, and their replies go through
 * the kernel together. */
static void rest(struct udp_socket *sock)
{
	const struct timespec moment = {.tv_nsec = (long)sock->udp->gather_us * 1000};

	if (!sock->rest_is_due)
		return;
	sock->udp->core->tally.udp_rests++;
	(void)nanosleep(&moment, NULL); /* a worker gets no signals */
}

/* A rest ends the socket's turn, although more will have come: who asks the worker's other
 * sockets, or over TCP, waits for this rest, and must not wait for further ones. */
static void serve(struct udp_socket *sock, unsigned max_batches)
{
	while (max_batches-- > 0 && serve_batch(sock))
		;
	rest(sock);
}

static void on_udp_readable(evutil_socket_t fd, short what, void *arg)
{
	struct udp_socket *sock = arg;

	(void)fd;
	(void)what;
	serve(sock, BATCHES_PER_WAKEUP);
}

gaz_status udp_new(struct worker_core *core, uint32_t gather_us, struct udp **out)
{
	struct udp *udp = aligned_alloc(_Alignof(struct udp), sizeof *udp);

	_Static_assert(sizeof(struct slot) / 64 % 2 == 1, "slots share cache sets");
	if (!udp)
		return GAZ_ENOMEM;
	memset(udp, 0, sizeof *udp);
	udp->core = core;
	udp->gather_us = gather_us;
	udp->outbox = outbox_new();
	if (!udp->outbox) {
		free(udp);
		return GAZ_ENOMEM;
	}
	for (unsigned i = 0; i < BATCH_SIZE; i++) {
		struct msghdr *msg = &udp->received[i].msg_hdr;

		udp->query_iov[i] = (struct iovec){udp->slots[i].query, QUERY_CAP};
		msg->msg_name = &udp->slots[i].source;
		msg->msg_control = udp->slots[i].control;
		msg->msg_iov = &udp->query_iov[i];
		msg->msg_iovlen = 1;
	}
	reset_received(udp, BATCH_SIZE);
	*out = udp;
	return GAZ_OK;
}

gaz_status udp_add(struct udp *udp, int *take, int listener_vpc)
{
	struct udp_socket *sock = calloc(1, sizeof *sock);

	if (!sock)
		return GAZ_ENOMEM;
	sock->udp = udp;
	sock->fd = *take;
	sock->listener_vpc = listener_vpc;
	sock->may_group = outbox_may_group(*take);
	sock->event = event_new(udp->core->base, *take, EV_READ | EV_PERSIST,
				on_udp_readable, sock);
	if (!sock->event || event_add(sock->event, NULL) != 0) {
		if (sock->event)
			event_free(sock->event);
		free(sock);
		return GAZ_ENOMEM;
	}
	sock->next = udp->sockets;
	udp->sockets = sock;
	*take = -1;
	return GAZ_OK;
}

void udp_drain(struct udp *udp)
{
	udp->gather_us = 0;
	for (struct udp_socket *sock = udp->sockets; sock; sock = sock->next) {
		event_del(sock->event);
		serve(sock, BATCHES_PER_DRAIN);
	}
}

void udp_free(struct udp **udp)
{
	if (!*udp)
		return;
	for (struct udp_socket *sock = (*udp)->sockets, *next; sock; sock = next) {
		next = sock->next;
		event_free(sock->event);
		close(sock->fd);
		free(sock);
	}
	outbox_free(&(*udp)->outbox);
	free(*udp);
	*udp = NULL;
}
