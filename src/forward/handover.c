/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "dns/wire.h"
#include "forward/entry.h"
#include "forward/forward-internal.h"

/* The side of the DNS workers. */

_Static_assert((int)DESK_HEAD_MAX >= (int)REPLY_UDP_MAX, "a UDP reply fits a slot");

struct forward_desk *forward_desk(struct forward *f, unsigned number)
{
	return &f->desks[number];
}

/* Only its worker writes it. */
static void count_one(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter,
			      atomic_load_explicit(counter, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

enum forward_verdict forward_look(struct forward_desk *desk,
				  const struct forward_question *question,
				  unsigned *rcode_out)
{
	const struct forward *f = desk->forward;
	const struct cache_key key = {question->name, question->query->qtype,
				      question->query->dnssec_ok};
	const struct entry *entry;
	int64_t now_ms;

	if (question->reply->len > DESK_HEAD_MAX ||
	    (!f->has_root && route_find(f->routes, f->route_count, question->name) < 0))
		return FORWARD_NOWHERE;
	now_ms = clock_monotonic_ms();
	entry = cache_find(f->cache, &key, now_ms);
	if (!entry)
		return FORWARD_LATER;
	count_one(&desk->hits);
	*rcode_out = entry_answer(entry, question->reply, question->name_at, now_ms);
	return FORWARD_ANSWERED;
}

static void copy_client(struct desk_slot *slot, const struct forward_client *client)
{
	slot->fd = client->fd;
	slot->ticket = client->ticket;
	slot->address_len = client->address_len;
	memcpy(&slot->address, client->address, client->address_len);
	slot->control_len = client->control ? client->control_len : 0;
	if (slot->control_len)
		memcpy(slot->control, client->control, slot->control_len);
}

static void copy_question(struct desk_slot *slot, const struct forward_question *question)
{
	slot->reply = *question->reply;
	slot->query = *question->query;
	slot->name = *question->name;
	slot->name_at = question->name_at;
	memcpy(slot->head, question->reply->wire, question->reply->len);
	slot->reply.wire = slot->head;
	slot->reply.query = &slot->query;
	if (slot->reply.opt) {
		slot->opt = *slot->reply.opt;
		slot->reply.opt = &slot->opt;
		if (slot->opt.subnet)
			memcpy(slot->subnet, slot->opt.subnet, slot->opt.subnet_len);
		slot->opt.subnet = slot->opt.subnet ? slot->subnet : NULL;
	}
	slot->query.wire = slot->head;
}

bool forward_hand_over(struct forward_desk *desk, const struct forward_question *question,
		       const struct forward_client *client)
{
	struct forward *f = desk->forward;
	struct desk_slot *slot = NULL;

	if (client->control_len <= DESK_CONTROL_MAX &&
	    !atomic_load_explicit(&f->is_closing, memory_order_relaxed))
		slot = desk_get(desk);
	if (!slot) {
		count_one(&desk->turned_away);
		return false;
	}
	copy_client(slot, client);
	copy_question(slot, question);
	count_one(&desk->taken);
	desk_put_asked(desk, slot);
	return true;
}

size_t forward_fail(struct reply *reply, const struct query *query, enum edns_error error)
{
	reply->error = error;
	reply->len = DNS_HEADER_LEN + query->question_len;
	memset(reply->counts, 0, sizeof reply->counts);
	reply->flags &= (uint16_t) ~(DNS_FLAG_AA | DNS_FLAG_TC);
	return reply_end(reply, DNS_SERVFAIL);
}

void forward_wake(struct forward *f)
{
	const uint64_t one = 1;
	ssize_t written = write(f->wake_fd, &one, sizeof one);

	(void)written; /* cannot fail: the counter is far from its end */
}

void forward_flush(struct forward_desk *desk)
{
	if (!desk->must_wake)
		return;
	desk->must_wake = false;
	forward_wake(desk->forward);
}

int forward_desk_fd(const struct forward_desk *desk)
{
	return desk->wake_fd;
}

void forward_collect(struct forward_desk *desk,
		     void (*send)(void *arg, uint64_t ticket, const uint8_t *reply,
				  size_t len),
		     void *arg)
{
	struct desk_slot *slot;
	uint64_t count;
	ssize_t got = read(desk->wake_fd, &count, sizeof count);

	(void)got; /* nothing to read: there may be replies all the same */
	while ((slot = desk_take_done(desk))) {
		send(arg, slot->ticket, slot->done, slot->done_len);
		desk_release(desk, slot);
	}
}
