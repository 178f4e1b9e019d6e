/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/status.h"

/* The static zones of --zones: loaded at start, and again when files change, on SIGHUP,
 * and on Gazetteer.ReloadZones. A thread of its own reads and checks them, so that neither
 * queries nor calls wait for that; the registry's writer publishes them. */

struct halt;
struct job;
struct registry;
struct statics;
struct zonedb;
struct zonedir;

/** Nothing is loaded yet. @param path  borrowed. @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status statics_new(const char *path, struct zonedb *db,
				      struct statics **out, struct gaz_error *err);

/** For registry_config. Borrowed. */
struct zonedir *statics_dir(struct statics *statics);

/**
 * Load the folder's zones and publish them. Before the registry's writer runs; the
 * thread is an RCU thread (zonedb_enter_thread()).
 *
 * @return GAZ_OK, GAZ_EIO (the folder cannot be read), GAZ_ENOMEM, GAZ_EBUSY (halted)
 */
GAZ_MUST_CHECK gaz_status statics_load(struct statics *statics, const struct halt *halt,
				       struct gaz_error *err);

/** Start the thread; the registry runs. @return GAZ_OK, GAZ_EIO. */
GAZ_MUST_CHECK gaz_status statics_start(struct statics *statics,
					struct registry *registry);

/** Read all files again, soon. Any thread. */
void statics_refresh(struct statics *statics);

/** api_config.reload; `arg` is the statics. */
void statics_reload(void *arg, struct job *job);

/** End the thread, and soon what it loads; jobs that wait, also those that come later,
 *  are done with GAZ_EBUSY. The registry still runs. */
void statics_stop(struct statics *statics);

/** Accepts a pointer to NULL. */
void statics_close(struct statics **statics);
