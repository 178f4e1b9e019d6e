/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "base/status.h"

/* Static zones from master files (RFC 1035, section 5), read with ldns. */

struct zonedit;

/**
 * Add the zone of one file to an edit. The origin is the file's name without
 * ".zone" ("example.org.zone"; "root.zone" is the root).
 *
 * @param err  on error: path, line and what is wrong
 * @return GAZ_OK, GAZ_EFORMAT, GAZ_EEXISTS (that origin is loaded already),
 *         GAZ_EIO, GAZ_ELIMIT, GAZ_ENOMEM (then free the edit); on any other
 *         error nothing of the file is in the edit
 */
GAZ_MUST_CHECK gaz_status zonefile_load(struct zonedit *edit, const char *path,
					struct gaz_error *err);

/**
 * Add every "*.zone" file of a directory, in the order of their names. A bad
 * file is logged with file and line and left out.
 *
 * @param loaded_out  the number of zones added
 * @return GAZ_OK, GAZ_EIO (the directory cannot be read), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status zonefile_load_dir(struct zonedit *edit, const char *dir,
					    size_t *loaded_out, struct gaz_error *err);
