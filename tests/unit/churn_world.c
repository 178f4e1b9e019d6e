/* SPDX-License-Identifier: BSD-2-Clause */
#include "churn_world.h"

#include <string.h>

enum {
	STRICT_MAX = 8, /* worlds; more are judged one by one */
	NOERROR = 0,
	NXDOMAIN = 3,
	REFUSED = 5,
};

static uint8_t next_version(uint8_t version)
{
	return version == UINT8_MAX ? 1 : (uint8_t)(version + 1);
}

static void fill_zone(struct churn_zone *zone, struct rng *rng)
{
	zone->exists = true;
	zone->cname = rng_below(rng, 2);
	zone->alias = rng_below(rng, 2);
	zone->far = rng_below(rng, 2);
	zone->many = rng_below(rng, 8) == 0;
	zone->www = (uint8_t)rng_below(rng, 256);
	zone->wild = rng_below(rng, 3) ? 0 : (uint8_t)rng_below(rng, 256);
	zone->apex = (uint8_t)rng_below(rng, 256);
	zone->web = (uint8_t)rng_below(rng, 256);
	zone->big = rng_below(rng, 2) ? (uint8_t)(50 + rng_below(rng, 30)) : 0;
}

/* Mostly one more, for which the others stay where they are. */
static void change_big(struct churn_zone *zone, struct rng *rng)
{
	if (zone->big == 0)
		zone->big = (uint8_t)(8 + rng_below(rng, 100));
	else if (rng_below(rng, 16) == 0)
		zone->big = 0;
	else if (rng_below(rng, 8) == 0 || zone->big == CHURN_BIG_MAX)
		zone->big--;
	else
		zone->big++;
}

static void change_zone(struct churn_zone *zone, struct rng *rng)
{
	switch (rng_below(rng, 18)) {
	case 0:
		*zone = (struct churn_zone){0};
		break;
	case 1:
		zone->cname = !zone->cname;
		break;
	case 2:
		zone->alias = !zone->alias;
		break;
	case 3:
		zone->far = !zone->far;
		break;
	case 4:
		zone->many = !zone->many;
		break;
	case 5:
		zone->www = 0;
		break;
	case 6:
		zone->wild = zone->wild ? 0 : (uint8_t)(1 + rng_below(rng, 255));
		break;
	case 7:
	case 8:
	case 9:
		zone->web ^= (uint8_t)(1u << rng_below(rng, 8));
		break;
	case 10:
		zone->apex = zone->apex ? 0 : 1;
		break;
	case 11:
		zone->apex = next_version(zone->apex);
		break;
	case 12:
	case 13:
	case 14:
	case 15:
		change_big(zone, rng);
		break;
	default:
		zone->www = next_version(zone->www);
	}
}

void churn_advance(const struct churn_world *from, struct rng *rng,
		   struct churn_world *to)
{
	struct churn_zone *zone =
		&to->zones[rng_below(rng, CHURN_PLACES)][rng_below(rng, CHURN_KINDS)];

	*to = *from;
	if (rng_below(rng, 20) == 0)
		to->declared = (uint8_t)((from->declared + 1) % CHURN_KINDS);
	else if (zone->exists)
		change_zone(zone, rng);
	else
		fill_zone(zone, rng);
}

/* ---- what a question may be answered with ---- */

static bool may_see(enum churn_source source, uint8_t declared, int kind)
{
	if (kind == CHURN_PUBLIC)
		return true;
	return source == CHURN_LISTENER ? kind == CHURN_IN_A
					: source == CHURN_DECLARED && kind == declared;
}

/* The private zone of a place that is seen, else the public one, else -1. */
static int private_at(const struct churn_world *world, int place,
		      enum churn_source source, uint8_t declared)
{
	for (int kind = CHURN_IN_A; kind < CHURN_KINDS; kind++) {
		if (world->zones[place][kind].exists && may_see(source, declared, kind))
			return kind;
	}
	return -1;
}

/* The place whose zones are asked when those of this one do not answer, or -1. */
static int place_above(int place)
{
	return place == CHURN_SUB_EXAMPLE ? CHURN_EXAMPLE : -1;
}

static void add_address(struct churn_reply *reply, int zone, int label, uint8_t version)
{
	uint8_t address[4] = {CHURN_NET, (uint8_t)zone, (uint8_t)label, version};

	memcpy(reply->addresses[reply->count++], address, sizeof address);
}

static bool is_equal(const struct churn_reply *a, const struct churn_reply *b)
{
	return a->rcode == b->rcode && a->has_cname == b->has_cname &&
	       a->count == b->count &&
	       memcmp(a->addresses, b->addresses, a->count * 4) == 0;
}

struct case_at_hand {
	const struct churn_world *worlds;
	size_t count;
	enum churn_source source;
};

static bool is_possible(const struct case_at_hand *c, int place, enum churn_label label,
			const struct churn_reply *reply);

static bool is_chain_possible(const struct case_at_hand *c, int place,
			      enum churn_label label, const struct churn_reply *reply)
{
	struct churn_reply rest = *reply;
	struct churn_reply refused = {.rcode = REFUSED};

	if (label == CHURN_FAR)
		return reply->rcode == NOERROR && !reply->has_cname &&
		       (reply->count == 0 ||
			(reply->count == 1 && reply->addresses[0][0] == CHURN_FAR_NET));
	if (label == CHURN_CNAME) {
		rest.has_cname = false;
		return reply->has_cname &&
		       (is_possible(c, place, CHURN_WWW, &rest) ||
			(reply->rcode == NOERROR && reply->count == 0 &&
			 is_possible(c, place, CHURN_WWW, &refused)));
	}
	if (reply->rcode != NOERROR || reply->has_cname)
		return false;
	if (reply->count > 0)
		return is_possible(c, place, CHURN_WEB, reply);
	rest.rcode = NXDOMAIN;
	return is_possible(c, place, CHURN_WEB, &rest) ||
	       is_possible(c, place, CHURN_WEB, &refused);
}

/* Has a zone, as it was in one world, a node of that name? */
static bool has_node(const struct churn_zone *zone, enum churn_label label)
{
	const bool has[CHURN_LABELS] = {
		[CHURN_WWW] = zone->www,     [CHURN_WEB] = zone->web,
		[CHURN_CNAME] = zone->cname, [CHURN_ALIAS] = zone->alias,
		[CHURN_FAR] = zone->far,     [CHURN_MANY] = zone->many,
		[CHURN_APEX] = true,	     [CHURN_BIG] = zone->big,
		[CHURN_BIG_TXT] = zone->big,
	};

	return has[label];
}

/* Eight of the first so many, or all of them. */
static bool is_choice(const struct churn_reply *reply, int number, int label, uint8_t big)
{
	uint8_t head[3] = {CHURN_NET, (uint8_t)number, (uint8_t)label};

	for (uint8_t i = 0; i < reply->count; i++) {
		if (memcmp(reply->addresses[i], head, 3) != 0 ||
		    reply->addresses[i][3] >= big ||
		    (i > 0 && reply->addresses[i][3] == reply->addresses[i - 1][3]))
			return false;
	}
	return reply->rcode == NOERROR && !reply->has_cname &&
	       reply->count == (big < CHURN_ADDRESSES_MAX ? big : CHURN_ADDRESSES_MAX);
}

/* May that node answer so? */
static bool is_node_answer(const struct case_at_hand *c, const struct churn_zone *zone,
			   int number, enum churn_label label,
			   const struct churn_reply *reply)
{
	struct churn_reply expected = {0};

	if (label == CHURN_CNAME || label == CHURN_ALIAS || label == CHURN_FAR)
		return is_chain_possible(c, number / CHURN_KINDS, label, reply);
	if (label == CHURN_BIG || label == CHURN_BIG_TXT)
		return is_choice(reply, number, label, zone->big);
	if (label == CHURN_WWW)
		add_address(&expected, number, label, zone->www);
	else if (label == CHURN_MANY)
		add_address(&expected, number, label, 1);
	else if (label == CHURN_APEX && zone->apex)
		add_address(&expected, number, label, zone->apex);
	for (uint8_t i = 0; i < 8 && label == CHURN_WEB; i++) {
		if (zone->web >> i & 1)
			add_address(&expected, number, label, i);
	}
	return is_equal(&expected, reply);
}

/* So the wildcard, or that there is none? */
static bool is_other_answer(const struct churn_zone *zone, int number,
			    enum churn_label label, const struct churn_reply *reply)
{
	struct churn_reply expected = {0};

	if (zone->wild && label != CHURN_BIG_TXT)
		add_address(&expected, number, CHURN_WILD, zone->wild);
	else if (!zone->wild)
		expected.rcode = NXDOMAIN;
	return is_equal(&expected, reply);
}

/* The zone was found in world `from`; the name and the wildcard are read then or
 * later, but what was in a zone when it was removed stays in it. */
static bool is_answer_since(const struct case_at_hand *c, size_t from, int number,
			    int place, enum churn_label label,
			    const struct churn_reply *reply)
{
	bool is_own = number / CHURN_KINDS == place;
	bool may_miss = false;
	bool may_be_other = false;

	for (size_t i = from; i < c->count; i++) {
		const struct churn_zone *zone =
			&c->worlds[i].zones[number / CHURN_KINDS][number % CHURN_KINDS];

		if (!zone->exists)
			break;
		may_be_other |= is_other_answer(zone, number, label, reply);
		if (!is_own || !has_node(zone, label))
			may_miss = true;
		else if (is_node_answer(c, zone, number, label, reply))
			return true;
	}
	return may_miss && may_be_other;
}

/* A question on its way up from place to place. */
struct climb {
	uint8_t declared;
	int place;
	enum churn_label label;
	const struct churn_reply *reply;
	int found;	 /* the first public zone on the way, or -1, */
	size_t found_in; /* and the world in which it was found */
};

/* May the zones of `place` and those above, read in world `from` or later, give the
 * reply? Of one place, the private zones are read first. */
static bool may_zones_answer(const struct case_at_hand *c, struct climb climb, int place,
			     size_t from)
{
	const struct churn_reply refused = {.rcode = REFUSED};

	if (place < 0 && climb.found < 0)
		return is_equal(climb.reply, &refused);
	if (place < 0)
		return is_answer_since(c, climb.found_in, climb.found, climb.place,
				       climb.label, climb.reply);
	for (size_t i = from; i < c->count; i++) {
		int kind = private_at(&c->worlds[i], place, c->source, climb.declared);

		if (kind >= 0) {
			if (is_answer_since(c, i, place * CHURN_KINDS + kind, climb.place,
					    climb.label, climb.reply))
				return true;
			continue;
		}
		for (size_t j = i; j < c->count; j++) {
			struct climb next = climb;

			if (next.found < 0 &&
			    c->worlds[j].zones[place][CHURN_PUBLIC].exists) {
				next.found = place * CHURN_KINDS;
				next.found_in = j;
			}
			if (may_zones_answer(c, next, place_above(place), j))
				return true;
		}
	}
	return false;
}

static bool is_possible(const struct case_at_hand *c, int place, enum churn_label label,
			const struct churn_reply *reply)
{
	bool is_tried[CHURN_KINDS] = {false};

	for (size_t i = 0; i < c->count; i++) {
		uint8_t declared = c->worlds[i].declared;

		struct climb climb = {declared, place, label, reply, -1, 0};

		if (!is_tried[declared] && may_zones_answer(c, climb, place, 0))
			return true;
		is_tried[declared] = true;
	}
	return false;
}

/* Was there, in one of the worlds, this address, and was it to be seen? */
static bool was_true(const struct churn_world *world, enum churn_source source,
		     const uint8_t *address)
{
	int kind = address[1] % CHURN_KINDS;
	const struct churn_zone *zone = &world->zones[address[1] / CHURN_KINDS][kind];
	uint8_t version = address[3];

	if (!zone->exists)
		return false;
	if (kind != CHURN_PUBLIC && source == CHURN_OUTSIDE)
		return false;
	switch ((int)address[2]) {
	case CHURN_WWW:
		return zone->www == version;
	case CHURN_WEB:
		return zone->web >> version & 1;
	case CHURN_MANY:
		return zone->many;
	case CHURN_WILD:
		return zone->wild == version;
	case CHURN_APEX:
		return zone->apex == version;
	case CHURN_BIG:
	case CHURN_BIG_TXT:
		return zone->big > version;
	default:
		return false;
	}
}

static bool is_plausible(const struct case_at_hand *c, const struct churn_reply *reply)
{
	for (uint8_t a = 0; a < reply->count; a++) {
		bool is_true = reply->addresses[a][0] == CHURN_FAR_NET;

		for (size_t i = 0; i < c->count && !is_true; i++)
			is_true = was_true(&c->worlds[i], c->source, reply->addresses[a]);
		if (!is_true)
			return false;
	}
	return true;
}

enum churn_verdict churn_judge(const struct churn_world *worlds, size_t count,
			       const struct churn_question *question,
			       const struct churn_reply *reply)
{
	const struct case_at_hand c = {worlds, count, question->source};

	if (count > STRICT_MAX)
		return is_plausible(&c, reply) ? CHURN_PLAUSIBLE : CHURN_WRONG;
	return is_possible(&c, question->place, question->label, reply) ? CHURN_RIGHT
									: CHURN_WRONG;
}
