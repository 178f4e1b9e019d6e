/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/cpus.h"

#include <stdio.h>
#include <string.h>

void cpus_add(struct cpus *set, unsigned cpu)
{
	set->bits[cpu / CPUS_WORD_BITS] |= 1UL << cpu % CPUS_WORD_BITS;
}

bool cpus_has(const struct cpus *set, unsigned long cpu)
{
	return cpu < CPUS_MAX &&
	       (set->bits[cpu / CPUS_WORD_BITS] >> cpu % CPUS_WORD_BITS & 1) != 0;
}

int cpus_next(const struct cpus *set, unsigned from)
{
	for (unsigned cpu = from; cpu < CPUS_MAX; cpu++) {
		if (cpus_has(set, cpu))
			return (int)cpu;
	}
	return -1;
}

unsigned cpus_count(const struct cpus *set)
{
	unsigned count = 0;

	for (int cpu = cpus_next(set, 0); cpu >= 0;
	     cpu = cpus_next(set, (unsigned)cpu + 1))
		count++;
	return count;
}

int cpus_in_turn(const struct cpus *set, unsigned turn)
{
	unsigned count = cpus_count(set);
	int cpu = cpus_next(set, 0);

	for (unsigned left = count ? turn % count : 0; left > 0; left--)
		cpu = cpus_next(set, (unsigned)cpu + 1);
	return cpu;
}

struct cpus cpus_subtract(const struct cpus *set, const struct cpus *without)
{
	struct cpus left = *set;

	for (size_t i = 0; i < sizeof left.bits / sizeof *left.bits; i++)
		left.bits[i] &= ~without->bits[i];
	return left;
}

/* A number and nothing else: no sign, no space. Moves `text` behind it. */
static bool read_cpu(const char **text, unsigned *out)
{
	unsigned number = 0;
	const char *at = *text;

	for (; *at >= '0' && *at <= '9'; at++) {
		number = number * 10 + (unsigned)(*at - '0');
		if (number >= CPUS_MAX)
			return false;
	}
	if (at == *text)
		return false;
	*text = at;
	*out = number;
	return true;
}

/* One number or range. */
static bool read_part(const char **text, struct cpus *set)
{
	unsigned first;
	unsigned last;

	if (!read_cpu(text, &first))
		return false;
	last = first;
	if (**text == '-') {
		++*text;
		if (!read_cpu(text, &last) || last < first)
			return false;
	}
	for (unsigned cpu = first; cpu <= last; cpu++) {
		if (cpus_has(set, cpu))
			return false;
		cpus_add(set, cpu);
	}
	return true;
}

gaz_status cpus_parse(const char *text, struct cpus *out)
{
	struct cpus set = {{0}};

	for (;;) {
		if (!read_part(&text, &set))
			return GAZ_EFORMAT;
		if (*text == '\0')
			break;
		if (*text++ != ',')
			return GAZ_EFORMAT;
	}
	*out = set;
	return GAZ_OK;
}

static unsigned end_of_range(const struct cpus *set, unsigned first)
{
	while (cpus_has(set, first + 1UL))
		first++;
	return first;
}

const char *cpus_print(const struct cpus *set, char out[CPUS_TEXT_SIZE])
{
	static const char more[] = ",...";
	size_t used = 0;
	int first = cpus_next(set, 0);

	out[0] = '\0';
	while (first >= 0) {
		char part[32];
		unsigned last = end_of_range(set, (unsigned)first);
		int len = last == (unsigned)first
				  ? snprintf(part, sizeof part, "%s%d", used ? "," : "",
					     first)
				  : snprintf(part, sizeof part, "%s%d-%u",
					     used ? "," : "", first, last);

		if (used + (size_t)len + sizeof more > CPUS_TEXT_SIZE) {
			memcpy(out + used, more, sizeof more);
			break;
		}
		memcpy(out + used, part, (size_t)len + 1);
		used += (size_t)len;
		first = cpus_next(set, last + 1);
	}
	return out;
}
