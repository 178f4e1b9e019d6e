/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/deliver.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dns/wire.h"
#include "forward/desk.h"
#include "forward/entry.h"

static size_t finish(struct desk_slot *slot, const struct entry *entry,
		     enum edns_error error, int64_t now_ms, uint8_t *out)
{
	struct reply *reply = &slot->reply;
	unsigned rcode;

	memcpy(out, slot->head, reply->len);
	reply->wire = out;
	if (!entry)
		return forward_fail(reply, &slot->query, error);
	rcode = entry_answer(entry, reply, slot->name_at, now_ms);
	return reply_end(reply, rcode);
}

/* A reply that the kernel does not take at once is lost, as in the workers; one that is
 * too large for the network is truncated, as there. */
static void send_datagram(struct desk_slot *slot, uint8_t *reply, size_t len)
{
	struct iovec iov = {reply, len};
	const struct msghdr msg = {
		.msg_name = &slot->address,
		.msg_namelen = slot->address_len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = slot->control_len ? slot->control : NULL,
		.msg_controllen = slot->control_len,
	};

	if (sendmsg(slot->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	    errno != EMSGSIZE)
		return;
	iov.iov_len = reply_cut(&slot->reply);
	(void)sendmsg(slot->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void deliver(struct desk_slot *slot, const struct entry *entry, enum edns_error error,
	     int64_t now_ms, uint8_t *out, _Atomic uint64_t rcodes[16])
{
	size_t len = finish(slot, entry, error, now_ms, out);

	atomic_fetch_add_explicit(&rcodes[out[3] & 15], 1, memory_order_relaxed);
	if (slot->fd >= 0) {
		send_datagram(slot, out, len);
		return;
	}
	slot->done = malloc(len);
	slot->done_len = slot->done ? len : 0;
	if (slot->done)
		memcpy(slot->done, out, len);
}
