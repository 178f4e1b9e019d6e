/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/question.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "forward/desk.h"

gaz_status questions_init(struct questions *q, struct resolver *resolver, size_t count)
{
	q->places = calloc(count, sizeof *q->places);
	if (!q->places)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		q->places[i].resolver = resolver;
		q->places[i].next = q->free;
		q->free = &q->places[i];
	}
	return rng_secret(&q->key, sizeof q->key);
}

void questions_fini(struct questions *q)
{
	free(q->places);
	q->places = NULL;
}

static struct question **bucket_of(struct questions *q, const struct dname *name,
				   uint16_t qtype)
{
	uint64_t hash = keyhash_extend(&q->key, qtype, name->wire, name->len);

	return &q->buckets[hash % QUESTION_BUCKETS];
}

struct question *questions_find(const struct questions *q, const struct dname *name,
				uint16_t qtype)
{
	struct question *at = *bucket_of((struct questions *)(uintptr_t)q, name, qtype);

	while (at && !(at->qtype == qtype && at->name.len == name->len &&
		       memcmp(at->name.wire, name->wire, name->len) == 0))
		at = at->next;
	return at;
}

struct question *questions_add(struct questions *q, const struct dname *name,
			       uint16_t qtype, int route)
{
	struct question **bucket = bucket_of(q, name, qtype);
	struct question *question = q->free;

	if (!question)
		return NULL;
	q->free = question->next;
	question->waiting = NULL;
	question->route = route;
	question->qtype = qtype;
	question->is_used = true;
	question->is_probe = false;
	question->name = *name;
	question->next = *bucket;
	*bucket = question;
	return question;
}

void questions_wait(struct questions *q, struct question *question,
		    struct desk_slot *slot, int64_t deadline_ms)
{
	if (!question->waiting) {
		question->deadline_ms = deadline_ms;
		question->newer = NULL;
		question->older = q->newest;
		*(q->newest ? &q->newest->newer : &q->oldest) = question;
		q->newest = question;
	}
	slot->next = question->waiting;
	question->waiting = slot;
}

struct desk_slot *questions_take_waiting(struct questions *q, struct question *question)
{
	struct desk_slot *waiting = question->waiting;

	if (!waiting)
		return NULL;
	question->waiting = NULL;
	*(question->older ? &question->older->newer : &q->oldest) = question->newer;
	*(question->newer ? &question->newer->older : &q->newest) = question->older;
	return waiting;
}

void questions_remove(struct questions *q, struct question *question)
{
	struct question **at = bucket_of(q, &question->name, question->qtype);

	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
	question->is_used = false;
	question->next = q->free;
	q->free = question;
}
