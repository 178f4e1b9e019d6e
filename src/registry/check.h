/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"

/* The check of a whole store: does every value decode, and do the tables agree?
 * Whatever one table says of another is looked up there; what nothing speaks of is
 * found by counting. At last the zone database is built from it, as at start. */

struct store;

struct check_listener {
	void *arg;
	/* Something is wrong with one entry; the key is empty where there is none. */
	void (*fault)(void *arg, const char *table, struct span key, const char *what);
	/* Now and then, some times a second at most. */
	void (*progress)(void *arg, const char *table, size_t done, size_t total);
};

struct check_result {
	size_t entries; /* that were looked at */
	size_t faults;
};

/**
 * Check a store, which stays as it is. Takes memory for what is pending, and at last
 * for the zone database, not for the entries.
 *
 * @return GAZ_OK (the result says how many faults there are), GAZ_ENOMEM, GAZ_ESTORE
 *         (it cannot be read to its end), GAZ_ELIMIT (too many readers)
 */
GAZ_MUST_CHECK gaz_status check_store(struct store *store,
				      const struct check_listener *listener,
				      struct check_result *out);
