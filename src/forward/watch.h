/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/status.h"
#include "forward/route.h"

/* The system's own nameservers: a file in the format of resolv.conf(5), read again when
 * it changes. Our own listeners in it do not count: once the machine has been pointed at
 * us and nobody else, the upstreams are those that the file had before. */

struct watch;

/**
 * All three are copied.
 *
 * @param given  upstreams for all names that are asked besides the file's; NULL: none
 * @return GAZ_OK, GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status watch_new(const char *path, const struct route *given,
				    const struct sockaddr *const *listeners, size_t count,
				    struct watch **out);

/** Read the file: `route` becomes what was given and what it says. @return GAZ_OK,
 *  GAZ_EREFUSED (it names nobody but us), GAZ_EIO (cannot be read), GAZ_ELIMIT (too many
 *  addresses together) */
GAZ_MUST_CHECK gaz_status watch_read(struct watch *watch, struct route *route,
				     struct gaz_error *err);

/** Look whether the file has changed; one that could not be read is read again the next
 *  time. @return true when it names other upstreams than the route has, which has them now */
bool watch_look(struct watch *watch, struct route *route);

/** What watch_look() found cannot be used yet: the next time it is found again.
 *  @return false: so it was the last time */
bool watch_again(struct watch *watch);

const char *watch_path(const struct watch *watch);

/** Accepts a pointer to NULL. */
void watch_free(struct watch **watch);
