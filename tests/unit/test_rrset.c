/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/rrset.h"

enum {
	RECORDS_MAX = 64,
	VALUES = 40, /* so few that equal ones are common */
	SET_SIZE = 8192,
	SCRATCH_SIZE = 2 * RECORDS_MAX + 256,
};

/* A set that is changed again and again, as the writer does it. */
struct scene {
	struct rrset_input records[RECORDS_MAX];
	size_t count;
	uint8_t values[VALUES][8];
	uint64_t random;
	uint32_t set[SET_SIZE / 4];
};

static uint32_t draw(struct scene *s, uint32_t below)
{
	s->random = s->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(s->random >> 33) % below;
}

static void add(struct scene *s)
{
	uint32_t value = draw(s, VALUES);

	if (s->count < RECORDS_MAX)
		s->records[s->count++] = (struct rrset_input){
			s->values[value], (uint16_t)(value % 3 ? 4 : 7), draw(s, 4) > 0,
			false};
}

static void take_away(struct scene *s)
{
	uint32_t at = draw(s, (uint32_t)s->count);

	memmove(&s->records[at], &s->records[at + 1],
		(--s->count - at) * sizeof *s->records);
}

static struct rrset *render(struct scene *s)
{
	static uint32_t scratch[SCRATCH_SIZE];
	struct rrset *set = (struct rrset *)s->set;

	assert_true(rrset_size(s->records, s->count) <= SET_SIZE);
	memset(s->set, 0, sizeof s->set);
	rrset_render(set, 1, 60, RRSET_MULTIVALUE, s->records, s->count, NULL, scratch);
	return set;
}

/* As the writer reads an old set before it changes it. */
static void read_back(struct scene *s, const struct rrset *set)
{
	bool is_known = set->count == set->distinct;

	for (size_t i = 0; i < s->count; i++)
		s->records[i].is_known = is_known;
}

static void forget_what_is_known(struct scene *s)
{
	for (size_t i = 0; i < s->count; i++)
		s->records[i].is_known = false;
}

static void test_known_records_change_nothing_but_the_effort(void **state)
{
	static struct scene s;
	static uint32_t expected[SET_SIZE / 4];
	unsigned with_twins = 0;
	unsigned without = 0;

	(void)state;
	s.random = 1;
	for (uint32_t i = 0; i < VALUES; i++)
		memset(s.values[i], (int)i, sizeof s.values[i]);
	for (int round = 0; round < 20000; round++) {
		struct rrset_input kept[RECORDS_MAX];

		for (uint32_t changes = draw(&s, 12); changes > 0; changes--) {
			if (s.count > 1 && draw(&s, 20) < s.count)
				take_away(&s);
			else
				add(&s);
		}
		if (s.count == 0)
			add(&s);
		memcpy(kept, s.records, sizeof kept);
		forget_what_is_known(&s);
		memcpy(expected, render(&s), sizeof expected);
		memcpy(s.records, kept, sizeof kept);
		assert_memory_equal(render(&s), expected, sizeof expected);
		read_back(&s, (struct rrset *)s.set);
		if (((struct rrset *)s.set)->distinct < s.count)
			with_twins++;
		else
			without++;
	}
	assert_true(with_twins > 1000 && without > 1000);
}

static void test_twins_stand_behind_the_distinct_records(void **state)
{
	static const uint8_t a[4] = {1};
	static const uint8_t b[4] = {2};
	static struct scene s;
	struct rrset *set;

	(void)state;
	s.records[0] = (struct rrset_input){a, 4, false, false};
	s.records[1] = (struct rrset_input){b, 4, true, false};
	s.records[2] = (struct rrset_input){a, 4, true, false};
	s.records[3] = (struct rrset_input){b, 4, true, false};
	s.count = 4;
	set = render(&s);
	assert_int_equal(set->count, 4);
	assert_int_equal(set->distinct, 2);
	assert_int_equal(set->healthy, 2);
	assert_int_equal(set->healthy_twins, 1);
	assert_true(rrset_is_healthy(set, 0) && rrset_is_healthy(set, 2));
	assert_false(rrset_is_healthy(set, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_records_change_nothing_but_the_effort),
		cmocka_unit_test(test_twins_stand_behind_the_distinct_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
