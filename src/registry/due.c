/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/due.h"

#include <string.h>

#include "base/id.h"
#include "registry/call.h"

enum {
	/* Operations on one target are submitted at different times, the later ones
	 * somewhat ahead of the clock if need be. */
	CLOCK_SLACK_MS = 1000,
};

/* The times are the clock's, which may be set back by hours while something waits, or
 * while the daemon is down. Clients wait some minutes for an operation: what was begun
 * in what is the future now has waited for long enough. Of an operation the id says when
 * that was; a status was asked for before what is due latest, were it asked for now. */
static bool is_left_behind(const struct registry_config *config, enum schema_table table,
			   const struct key *key, int64_t now_ms)
{
	const int64_t now = now_ms + CLOCK_SLACK_MS;
	char id[ID_OPERATION_SIZE];
	size_t len = key->len - sizeof(int64_t);
	int64_t begun_ms;

	if (table == TABLE_HEALTH_DUE)
		return config->custom_health_delay_ms > 0 &&
		       key_time_ms(key) > now + config->custom_health_delay_ms;
	if (len >= sizeof id)
		return false;
	memcpy(id, key->data + sizeof(int64_t), len);
	id[len] = '\0';
	return id_operation_time(id, &begun_ms) == GAZ_OK && begun_ms > now;
}

static gaz_status read_last(struct store_txn *txn, enum schema_table table,
			    struct key *key_out, struct span *value_out)
{
	struct store_cursor *cursor = NULL;
	struct key end = {0};
	struct span key;
	gaz_status st = store_cursor_open(txn, table, &cursor);

	key_put_u64(&end, UINT64_MAX);
	if (st == GAZ_OK)
		st = store_cursor_seek_below(cursor, key_span(&end), &key, value_out);
	if (st == GAZ_OK) {
		key_out->len = 0;
		key_put(key_out, key.data, key.len);
	}
	store_cursor_close(&cursor);
	return st;
}

gaz_status due_find(struct store_txn *txn, const struct registry_config *config,
		    enum schema_table table, int64_t now_ms, struct key *key_out,
		    struct span *value_out, int64_t *wait_ms_out)
{
	struct key last = {0};
	struct span value;
	gaz_status st = call_read_first(txn, table, key_out, value_out);

	if (st != GAZ_OK)
		return st;
	*wait_ms_out = key_time_ms(key_out) - now_ms;
	if (*wait_ms_out <= 0) {
		*wait_ms_out = 0;
		return GAZ_OK;
	}
	/* What came later is due earlier, so these are at the end. */
	st = read_last(txn, table, &last, &value);
	if (st == GAZ_OK && is_left_behind(config, table, &last, now_ms)) {
		*key_out = last;
		*value_out = value;
		*wait_ms_out = 0;
	}
	return st;
}
