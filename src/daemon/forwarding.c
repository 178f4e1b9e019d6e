/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/forwarding.h"

#include <stdlib.h>

#include "daemon/options.h"
#include "forward/forward.h"
#include "registry/registry.h"
#include "responder/recursion.h"
#include "responder/responder.h"

/* The addresses of listeners that are bound. @return their number */
static size_t gather_listeners(const struct options *o, const struct responder *responder,
			       const struct sockaddr **out)
{
	size_t count = 0;

	for (size_t i = 0; i < o->listen_count; i++) {
		const struct sockaddr *sa = responder_address(responder, i);

		if (sa)
			out[count++] = sa;
	}
	return count;
}

gaz_status forwarding_open(const struct options *o, struct responder *responder,
			   struct forward **out, struct gaz_error *err)
{
	const struct sockaddr **listeners;
	struct forward_config config = {
		.routes = o->routes,
		.route_count = o->route_count,
		.resolv_conf = o->forward_file[0] ? o->forward_file : NULL,
		.desks = o->workers + 1, /* the API explains answers */
	};
	const struct recursion recursion = {
		{o->allow_recursion, o->allow_recursion_count}};
	gaz_status st;

	if (o->route_count == 0 && !config.resolv_conf)
		return GAZ_OK;
	listeners = calloc(o->listen_count + 1, sizeof *listeners);
	if (!listeners)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	config.listeners = listeners;
	config.listener_count = gather_listeners(o, responder, listeners);
	st = forward_open(&config, out, err);
	if (st == GAZ_OK && responder_forward(responder, *out, &recursion) != GAZ_OK)
		st = gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	free(listeners);
	return st;
}

struct flush {
	struct forward_wish wish; /* the first member: one address for both */
	struct job *job;
};

static void end_job(struct job *job, gaz_status st)
{
	job->status = st;
	job->done(job);
}

static void on_flushed(struct forward_wish *wish, gaz_status st)
{
	struct flush *flush = (struct flush *)wish;
	struct job *job = flush->job;

	free(flush);
	end_job(job, st);
}

void forwarding_flush(void *arg, struct job *job)
{
	struct flush *flush = malloc(sizeof *flush);

	if (!flush) {
		end_job(job, GAZ_ENOMEM);
		return;
	}
	*flush = (struct flush){{.done = on_flushed}, job};
	forward_forget(arg, &flush->wish);
}
