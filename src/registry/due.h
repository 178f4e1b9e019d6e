/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/registry.h"
#include "registry/schema.h"
#include "store/store.h"

/* What waits for its time: operations and custom health statuses. */

/**
 * The entry of TABLE_PENDING or TABLE_HEALTH_DUE whose turn is next. `value_out` points
 * into the store.
 *
 * @param wait_ms_out  until then; 0: now
 * @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ESTORE
 */
GAZ_MUST_CHECK gaz_status due_find(struct store_txn *txn,
				   const struct registry_config *config,
				   enum schema_table table, int64_t now_ms,
				   struct key *key_out, struct span *value_out,
				   int64_t *wait_ms_out);
