/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/context.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unbound-event.h>
#include <unbound.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "forward/local.h"

/* No validator: the upstreams may not know DNSSEC. That an upstream is dead is remembered
 * long enough to use another one, and forgotten before libunbound, whose timeouts double
 * each time, would ask it no more. */
static const char settings[] = "server:\n"
			       " module-config: \"iterator\"\n"
			       " do-not-query-localhost: no\n"
			       " outgoing-range: 1000\n"
			       " num-queries-per-thread: 1000\n"
			       " outgoing-num-tcp: 50\n"
			       " infra-host-ttl: 5\n"
			       " outbound-msg-retry: 4\n"
			       " qname-minimisation: no\n"
			       " aggressive-nsec: no\n"
			       " minimal-responses: no\n"
			       " cache-max-negative-ttl: 3600\n";

static void print_upstream(FILE *out, const struct sockaddr *sa)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in =
			(const struct sockaddr_in *)(const void *)sa;

		fprintf(out, " forward-addr: %s@%u\n",
			inet_ntop(AF_INET, &in->sin_addr, text, sizeof text),
			ntohs(in->sin_port));
	} else {
		const struct sockaddr_in6 *in6 =
			(const struct sockaddr_in6 *)(const void *)sa;

		fprintf(out, " forward-addr: %s@%u\n",
			inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text),
			ntohs(in6->sin6_port));
	}
}

static void print_route(FILE *out, const struct route *route)
{
	char suffix[DNAME_TEXT_SIZE];

	fprintf(out, "forward-zone:\n name: \"%s\"\n",
		dname_to_text(route->suffix, suffix));
	for (size_t i = 0; i < route->count; i++)
		print_upstream(out, (const struct sockaddr *)&route->addresses[i]);
}

/* Its configuration, in a file that exists in memory only. @return -1: none */
static int write_settings(const struct route *routes, size_t count)
{
	int fd = memfd_create("forward", MFD_CLOEXEC);
	int copy = fd >= 0 ? dup(fd) : -1;
	FILE *out = copy >= 0 ? fdopen(copy, "w") : NULL;
	bool failed;

	if (!out) {
		if (copy >= 0)
			close(copy);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	(void)fputs(settings, out);
	local_print(out, routes, count);
	for (size_t i = 0; i < count; i++)
		print_route(out, &routes[i]);
	failed = ferror(out) != 0;
	if (fclose(out) != 0 || failed) {
		close(fd);
		return -1;
	}
	return fd;
}

gaz_status context_new(struct event_base *base, const struct route *routes, size_t count,
		       struct ub_ctx **out)
{
	char path[64];
	struct ub_ctx *ctx;
	int fd = write_settings(routes, count);
	int failed;

	if (fd < 0)
		return GAZ_EIO;
	ctx = ub_ctx_create_event(base);
	if (!ctx) {
		close(fd);
		return GAZ_ENOMEM;
	}
	(void)ub_ctx_debugout(ctx, NULL); /* its log is not ours */
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	failed = ub_ctx_config(ctx, path);
	close(fd);
	if (failed) {
		ub_ctx_delete(ctx);
		return GAZ_EIO;
	}
	*out = ctx;
	return GAZ_OK;
}
