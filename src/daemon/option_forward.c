/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/option.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/option-internal.h"

/* The options of forwarding. */

static gaz_status set_file(struct options *c, const char *path, struct gaz_error *err)
{
	if (strlen(path) >= sizeof c->forward_file)
		return gaz_error_set(err, GAZ_EFORMAT, "--forward: not a usable path");
	if (c->forward_file[0] && strcmp(c->forward_file, path) != 0)
		return gaz_error_set(
			err, GAZ_EFORMAT,
			"--forward: %s and %.200s: only one file can have the "
			"upstreams",
			c->forward_file, path);
	strcpy(c->forward_file, path);
	return GAZ_OK;
}

gaz_status option_set_forward(struct options *c, const char *value, struct gaz_error *err)
{
	struct route route;
	gaz_status st;

	if (strcmp(value, "none") == 0)
		return GAZ_OK;
	if (strcmp(value, "resolv.conf") == 0)
		return set_file(c, "/etc/resolv.conf", err);
	if (*value == '/')
		return set_file(c, value, err);
	st = route_parse(value, &route, err);
	if (st != GAZ_OK)
		return st;
	if (!c->routes)
		c->routes = calloc(ROUTES_MAX, sizeof *c->routes);
	return c->routes ? route_add(c->routes, &c->route_count, &route, err)
			 : out_of_memory(err);
}

gaz_status option_set_allow_recursion(struct options *c, const char *value,
				      struct gaz_error *err)
{
	return option_add_prefixes("--allow-recursion", value, &c->allow_recursion,
				   &c->allow_recursion_count, err);
}

void option_free_forward(struct options *c)
{
	free(c->routes);
	free(c->allow_recursion);
}
