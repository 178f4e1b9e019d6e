/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "seed/work-internal.h"

struct seed seed_begin(const struct seed_api *api, const struct seed_observer *observer,
		       const struct seed_options *options)
{
	return (struct seed){
		.api = api,
		.observer = observer,
		.options = *options,
		.passed_ms = clock_monotonic_ms(),
	};
}

bool seed_may_go_on(gaz_status st)
{
	return st == GAZ_OK || st == GAZ_EREFUSED;
}

bool seed_is_over(const struct seed *s)
{
	return s->observer->is_over && s->observer->is_over(s->observer->arg);
}

void seed_fault(struct seed *s, const char *path, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	s->faults++;
	s->observer->on_fault(s->observer->arg, path, text);
}

gaz_status seed_tell(struct seed *s, enum seed_action action, const char *kind,
		     const char *name, const char *path)
{
	const struct seed_item item = {
		.action = action,
		.kind = kind,
		.name = name,
		.path = path,
		.number = ++s->number,
		.total = s->total,
	};

	s->observer->on_item(s->observer->arg, &item);
	return seed_is_over(s) ? GAZ_EBUSY : GAZ_OK;
}
