/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/forward.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "forward/forward-internal.h"
#include "forward/local.h"
#include "forward/watch.h"

static gaz_status refuse_own(const struct forward_config *config, struct gaz_error *err)
{
	for (size_t i = 0; i < config->route_count; i++) {
		const struct route *route = &config->routes[i];

		for (size_t k = 0; k < route->count; k++) {
			const struct sockaddr *sa =
				(const struct sockaddr *)&route->addresses[k];
			char text[NETADDR_TEXT_SIZE];

			if (route_is_own(sa, config->listeners, config->listener_count))
				return gaz_error_set(
					err, GAZ_EREFUSED,
					"--forward: %s is this server itself; name the "
					"resolver that is to be asked",
					netaddr_print_endpoint(sa, text));
		}
	}
	return GAZ_OK;
}

/* The upstreams for all names, which have a route if there is none yet. */
static struct route *root_route(struct forward *f)
{
	static const struct route none;

	for (size_t i = 0; i < f->route_count; i++) {
		if (f->routes[i].suffix[0] == 0)
			return &f->routes[i];
	}
	if (f->route_count == ROUTES_MAX)
		return NULL;
	f->routes[f->route_count] = none;
	return &f->routes[f->route_count++];
}

/* What the file says joins what was given, without which it must say something. */
static gaz_status add_file(const struct forward_config *config, struct forward *f,
			   struct gaz_error *err)
{
	struct route *root = root_route(f);
	gaz_status st;

	if (!root)
		return gaz_error_set(err, GAZ_ELIMIT, "--forward: %d suffixes at most",
				     ROUTES_MAX);
	st = watch_new(config->resolv_conf, root, config->listeners,
		       config->listener_count, &f->watch);
	if (st == GAZ_OK)
		st = watch_read(f->watch, root, err);
	return st == GAZ_EREFUSED && root->count > 0 ? GAZ_OK : st;
}

static gaz_status copy_routes(const struct forward_config *config, struct forward *f,
			      struct gaz_error *err)
{
	f->routes = calloc(ROUTES_MAX, sizeof *f->routes);
	if (!f->routes)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < config->route_count; i++)
		f->routes[i] = config->routes[i];
	f->route_count = config->route_count;
	if (config->resolv_conf) {
		gaz_status st = add_file(config, f, err);

		if (st != GAZ_OK)
			return st;
	}
	for (size_t i = 0; i < f->route_count; i++) {
		if (f->routes[i].suffix[0] == 0) {
			f->has_root = true;
			f->root = (int)i;
		}
	}
	return GAZ_OK;
}

static gaz_status open_desks(struct forward *f, unsigned count)
{
	gaz_status st = GAZ_OK;

	f->desks = aligned_alloc(_Alignof(struct forward_desk), count * sizeof *f->desks);
	if (!f->desks)
		return GAZ_ENOMEM;
	memset(f->desks, 0, count * sizeof *f->desks);
	f->desk_count = count;
	for (unsigned i = 0; st == GAZ_OK && i < count; i++)
		st = desk_init(&f->desks[i], f);
	return st;
}

gaz_status forward_open(const struct forward_config *config, struct forward **out,
			struct gaz_error *err)
{
	struct forward *f = calloc(1, sizeof *f);
	gaz_status st;

	if (!f)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	f->print_type = config->print_type;
	f->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	gaz_error_set(err, GAZ_OK, "--forward: cannot set up forwarding");
	if ((st = f->wake_fd < 0 ? GAZ_EIO : GAZ_OK) != GAZ_OK ||
	    (st = refuse_own(config, err)) != GAZ_OK ||
	    (st = copy_routes(config, f, err)) != GAZ_OK ||
	    (st = cache_new(FORWARD_CACHE_BYTES, &f->cache)) != GAZ_OK ||
	    (st = open_desks(f, config->desks)) != GAZ_OK ||
	    (st = resolver_open(f, f->watch, f->root, &f->resolver)) != GAZ_OK)
		forward_close(&f);
	else
		*out = f;
	return st;
}

gaz_status forward_start(struct forward *f)
{
	return resolver_start(f->resolver);
}

bool forward_stays_here(const struct forward *f, const struct dname *name)
{
	return local_holds(f->routes, f->route_count, name);
}

void forward_stop(struct forward *f)
{
	atomic_store_explicit(&f->is_closing, true, memory_order_release);
	resolver_stop(f->resolver);
}

void forward_close(struct forward **forward)
{
	struct forward *f = *forward;

	if (!f)
		return;
	if (f->resolver) {
		forward_stop(f);
		resolver_give_up(f->resolver);
	}
	resolver_close(&f->resolver);
	for (unsigned i = 0; i < f->desk_count; i++)
		desk_fini(&f->desks[i]);
	free(f->desks);
	cache_free(&f->cache);
	watch_free(&f->watch);
	if (f->wake_fd >= 0)
		close(f->wake_fd);
	free(f->routes);
	free(f);
	*forward = NULL;
}

void forward_read_counters(const struct forward *f, struct forward_counters *out)
{
	memset(out, 0, sizeof *out);
	for (unsigned i = 0; i < f->desk_count; i++) {
		const struct forward_desk *desk = &f->desks[i];

		out->queries += atomic_load_explicit(&desk->taken, memory_order_relaxed);
		out->hits += atomic_load_explicit(&desk->hits, memory_order_relaxed);
		out->turned_away +=
			atomic_load_explicit(&desk->turned_away, memory_order_relaxed);
	}
	resolver_read_counters(f->resolver, out);
}
