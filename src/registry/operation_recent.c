/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/operation_recent.h"

#include <stdlib.h>
#include <string.h>

#include "base/keyhash.h"
#include "base/rng.h"

enum {
	PLACES = 4096, /* a power of two; scopes that meet at one displace each other */
};

struct place {
	uint64_t scope; /* hashes; 0: nothing is known */
	uint64_t operation;
};

struct operation_recent {
	struct keyhash_key key;
	struct place places[PLACES];
};

gaz_status operation_recent_new(struct operation_recent **out)
{
	struct operation_recent *recent = calloc(1, sizeof *recent);
	gaz_status st =
		recent ? rng_secret(&recent->key, sizeof recent->key) : GAZ_ENOMEM;

	if (st == GAZ_OK) {
		*out = recent;
		recent = NULL;
	}
	operation_recent_free(&recent);
	return st;
}

void operation_recent_free(struct operation_recent **recent)
{
	free(*recent);
	*recent = NULL;
}

static uint64_t hash(const struct operation_recent *recent, struct span bytes)
{
	return keyhash_extend(&recent->key, 0, bytes.data, bytes.len) | 1;
}

void operation_recent_note(struct operation_recent *recent, const struct key *scope,
			   struct span operation)
{
	uint64_t h = hash(recent, key_span(scope));

	recent->places[h / 2 % PLACES] =
		operation.len > 0 ? (struct place){h, hash(recent, operation)}
				  : (struct place){0};
}

void operation_recent_forget(struct operation_recent *recent)
{
	memset(recent->places, 0, sizeof recent->places);
}

bool operation_recent_is_other(const struct operation_recent *recent,
			       const struct key *scope, struct span operation)
{
	uint64_t h = hash(recent, key_span(scope));
	const struct place *place = &recent->places[h / 2 % PLACES];

	return place->scope == h && place->operation != hash(recent, operation);
}
