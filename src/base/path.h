/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/status.h"

/* Where things are when nobody says otherwise; the daemon and its client agree
 * here. For root these are the system's directories, for anybody else the
 * user's own (XDG Base Directory Specification); what systemd hands a unit
 * (RUNTIME_DIRECTORY, STATE_DIRECTORY) comes first. */

enum {
	PATH_SIZE = 4096,
};

/** The management socket, "…/gazetteer/api.sock".
 *  @return GAZ_OK, GAZ_ELIMIT (the environment names too long a path) */
GAZ_MUST_CHECK gaz_status path_default_socket(char out[PATH_SIZE]);

/** The directory of the store, "…/gazetteer". @return as above. */
GAZ_MUST_CHECK gaz_status path_default_data(char out[PATH_SIZE]);

/** Create the missing parents of a file or directory, mode 0755.
 *  @param err  names the one that could not be created. @return GAZ_OK, GAZ_EIO. */
GAZ_MUST_CHECK gaz_status path_make_parents(const char *path, struct gaz_error *err);
