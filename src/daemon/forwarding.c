/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/forwarding.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "daemon/options.h"
#include "forward/forward.h"
#include "registry/registry.h"
#include "responder/recursion.h"
#include "responder/responder.h"
#include "zone/masterdata.h"

_Static_assert((int)FORWARD_TYPE_SIZE >= (int)MASTERDATA_TYPE_SIZE,
	       "room for what prints a type");

/* Sockets that we open for every IPv6 address have no IPv4 address; those of the service
 * manager may (BindIPv6Only= of the socket unit). */
static bool has_both_families(const struct responder_endpoint *endpoint)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&endpoint->addr;
	int v6only = 1;
	socklen_t len = sizeof v6only;

	return endpoint->udp > 0 && in6->sin6_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) &&
	       getsockopt(endpoint->udp, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &len) == 0 &&
	       v6only == 0;
}

/* The addresses of listeners that are bound. @param both  room for one for each, which is
 * among them where a listener has both families. @return their number */
static size_t gather_listeners(const struct options *o, const struct responder *responder,
			       struct sockaddr_in *both, const struct sockaddr **out)
{
	size_t count = 0;

	for (size_t i = 0; i < o->listen_count; i++) {
		const struct sockaddr *sa = responder_address(responder, i);

		if (!sa)
			continue;
		out[count++] = sa;
		if (!has_both_families(&o->listen[i]))
			continue;
		both[i].sin_family = AF_INET;
		both[i].sin_port =
			((const struct sockaddr_in6 *)(const void *)sa)->sin6_port;
		out[count++] = (const struct sockaddr *)&both[i];
	}
	return count;
}

gaz_status forwarding_open(const struct options *o, struct responder *responder,
			   struct forward **out, struct gaz_error *err)
{
	const struct sockaddr **listeners;
	struct sockaddr_in *both;
	struct forward_config config = {
		.routes = o->routes,
		.route_count = o->route_count,
		.resolv_conf = o->forward_file[0] ? o->forward_file : NULL,
		.desks = o->workers + 1, /* the API explains answers */
		.print_type = masterdata_print_type,
	};
	const struct recursion recursion = {
		{o->allow_recursion, o->allow_recursion_count}};
	gaz_status st;

	if (o->route_count == 0 && !config.resolv_conf)
		return GAZ_OK;
	listeners = calloc(2 * o->listen_count + 1, sizeof *listeners);
	both = calloc(o->listen_count + 1, sizeof *both);
	if (!listeners || !both) {
		st = gaz_error_set(err, GAZ_ENOMEM, "out of memory");
		goto out;
	}
	config.listeners = listeners;
	config.listener_count = gather_listeners(o, responder, both, listeners);
	st = forward_open(&config, out, err);
	if (st == GAZ_OK && responder_forward(responder, *out, &recursion) != GAZ_OK)
		st = gaz_error_set(err, GAZ_ENOMEM, "out of memory");
out:
	free(listeners);
	free(both);
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
