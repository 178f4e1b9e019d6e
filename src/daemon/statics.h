/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/status.h"

/* The static zones of --zones: loaded at start. */

struct statics;
struct zonedb;

/**
 * Load the folder's zones and publish them. Before anything else edits the database;
 * the thread is an RCU thread (zonedb_enter_thread()).
 *
 * @return GAZ_OK, GAZ_EIO (the folder cannot be read), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status statics_open(const char *path, struct zonedb *db,
				       struct statics **out, struct gaz_error *err);

/** Accepts a pointer to NULL. */
void statics_close(struct statics **statics);
