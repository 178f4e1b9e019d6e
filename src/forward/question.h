/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/keyhash.h"
#include "base/status.h"
#include "dns/name.h"

/* The questions that upstreams are being asked, each of them once, and who waits for
 * the answer. A fixed number of places; the resolver thread's alone. */

struct desk_slot;
struct forward_desk;
struct resolver;

struct question {
	struct resolver *resolver;
	struct question *next;	/* with the same hash, or free */
	struct question *older; /* of those with a deadline, the first to be over first */
	struct question *newer;
	struct desk_slot *waiting; /* none: the answer is for the cache */
	int64_t deadline_ms;
	int route;
	uint16_t qtype;
	bool is_used; /* not free */
	bool is_probe;
	uint64_t generation; /* of the upstreams that are being asked */
	struct dname name;
};

enum {
	QUESTION_BUCKETS = 2048,
};

struct questions {
	struct keyhash_key key;
	struct question *buckets[QUESTION_BUCKETS];
	struct question *free;
	struct question *oldest;
	struct question *newest;
	struct question *places;
};

/** @return GAZ_OK, GAZ_ENOMEM, GAZ_EIO */
GAZ_MUST_CHECK gaz_status questions_init(struct questions *q, struct resolver *resolver,
					 size_t count);
void questions_fini(struct questions *q);

struct question *questions_find(const struct questions *q, const struct dname *name,
				uint16_t qtype);

/** A place for one more, which nobody waits for; NULL: there is none left. */
struct question *questions_add(struct questions *q, const struct dname *name,
			       uint16_t qtype, int route);

/** One more client waits, until the deadline of the first one. */
void questions_wait(struct questions *q, struct question *question,
		    struct desk_slot *slot, int64_t deadline_ms);

/** Take all who wait off the question; it has no deadline any more. */
struct desk_slot *questions_take_waiting(struct questions *q, struct question *question);

/** Nobody waits for it. */
void questions_remove(struct questions *q, struct question *question);
