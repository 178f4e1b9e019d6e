/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/netaddr.h"

struct watch {
	char *path;
	struct stat seen;
	bool is_due;			    /* it is to be read again, changed or not, */
	bool is_told;			    /* and that has been told */
	struct route given;		    /* by options, besides the file's */
	struct sockaddr_storage *addresses; /* of our listeners */
	const struct sockaddr **listeners;  /* each points there */
	size_t count;
};

gaz_status watch_new(const char *path, const struct route *given,
		     const struct sockaddr *const *listeners, size_t count,
		     struct watch **out)
{
	struct watch *w = calloc(1, sizeof *w);

	if (!w)
		return GAZ_ENOMEM;
	w->path = strdup(path);
	w->addresses = calloc(count + 1, sizeof *w->addresses);
	w->listeners = calloc(count + 1, sizeof *w->listeners);
	if (!w->path || !w->addresses || !w->listeners) {
		watch_free(&w);
		return GAZ_ENOMEM;
	}
	w->given = given ? *given : (struct route){.count = 0};
	w->count = count;
	for (size_t i = 0; i < count; i++) {
		memcpy(&w->addresses[i], listeners[i],
		       netaddr_sockaddr_len(listeners[i]));
		w->listeners[i] = (const struct sockaddr *)&w->addresses[i];
	}
	*out = w;
	return GAZ_OK;
}

gaz_status watch_read(struct watch *w, struct route *route, struct gaz_error *err)
{
	struct route joined = w->given;
	struct route read = {.count = 0};
	size_t count = 1;
	gaz_status st;

	(void)stat(w->path, &w->seen);
	if (route_read_resolv_conf(w->path, &read) != GAZ_OK)
		return gaz_error_set(err, GAZ_EIO,
				     "--forward: cannot read %s: %s; name a file of "
				     "nameservers that is there, or the address of one, "
				     "--forward ADDR",
				     w->path, strerror(errno));
	(void)route_remove_own(&read, w->listeners, w->count);
	if (read.count > 0) {
		st = route_add(&joined, &count, &read, err);
		if (st == GAZ_OK)
			*route = joined;
		return st;
	}
	return gaz_error_set(
		err, GAZ_EREFUSED,
		"--forward: %s names no other nameserver than this one; give "
		"the address of one, --forward ADDR",
		w->path);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool has_same_addresses(const struct route *a, const struct route *b)
{
	return a->count == b->count &&
	       memcmp(a->addresses, b->addresses, a->count * sizeof *a->addresses) == 0;
}

bool watch_again(struct watch *w)
{
	bool was_told = w->is_told;

	w->is_due = w->is_told = true;
	return !was_told;
}

bool watch_look(struct watch *w, struct route *route)
{
	struct route read = {.count = 0};
	struct gaz_error err;
	struct stat now;
	gaz_status st;

	if (stat(w->path, &now) != 0)
		return false;
	if (!is_same_file(&now, &w->seen))
		w->is_told = false;
	else if (!w->is_due)
		return false;
	w->is_due = false;
	st = watch_read(w, &read, &err);
	if (st != GAZ_OK) {
		if (st != GAZ_EIO || watch_again(w))
			log_info("forward-upstreams-kept", "file=%s cause=\"%s\"",
				 w->path, err.text);
		return false;
	}
	if (has_same_addresses(&read, route))
		return false;
	*route = read;
	return true;
}

const char *watch_path(const struct watch *w)
{
	return w->path;
}

void watch_free(struct watch **watch)
{
	struct watch *w = *watch;

	if (!w)
		return;
	free(w->path);
	free(w->addresses);
	free(w->listeners);
	free(w);
	*watch = NULL;
}
