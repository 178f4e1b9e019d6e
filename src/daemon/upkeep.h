/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <signal.h>

#include "daemon/options.h"
#include "store/store.h"

/* Reading stores that may be damaged, and what is done with a store that no daemon
 * uses: --check-store, --restore. */

enum {
	UPKEEP_SIGNALS = 3,
};

struct store_faults {
	struct sigaction old[UPKEEP_SIGNALS];
};

/** The store in a directory, or in a file that is a copy of one. */
struct store_config upkeep_store_config(const char *path);

/** From now on a fault while reading the store ends the process with advice. */
void upkeep_catch_faults(struct store_faults *faults);
void upkeep_release_faults(const struct store_faults *faults);

/** Do options->task. @return the exit status. */
int upkeep_run(const struct options *options);
