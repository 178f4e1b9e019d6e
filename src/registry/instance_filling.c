/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/instance_filling.h"

#include "registry/instance_store.h"
#include "store/store.h"

/* Young instances are read before the others: while they are, some may move to these
 * (instance_store.h), and none moves back. */
static const enum schema_table places[] = {TABLE_TALLY, TABLE_INSTANCE};

enum {
	PLACES = sizeof places / sizeof *places,
};

static gaz_status begin(struct instance_filling *filling, struct instance_filter *filter,
			struct store_txn *txn)
{
	size_t instances = 0;
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < PLACES; i++) {
		size_t count = 0;

		st = store_count(txn, places[i], &count);
		instances += count;
	}
	if (st == GAZ_OK)
		st = instance_filter_begin(filter, instances);
	*filling = (struct instance_filling){.is_under_way = st == GAZ_OK};
	return st;
}

static void put(struct instance_filter *filter, enum schema_table place, struct span key)
{
	if (place == TABLE_INSTANCE || instance_is_young(key, &key))
		instance_filter_put(filter, key);
}

/* @return GAZ_OK: there is more; GAZ_ENOTFOUND: the table has been read; GAZ_ENOMEM,
 *         GAZ_ESTORE */
static gaz_status read_some(struct instance_filling *filling,
			    struct instance_filter *filter, struct store_txn *txn,
			    size_t entries)
{
	enum schema_table place = places[filling->place];
	struct store_cursor *cursor = NULL;
	struct span key;
	struct span value;
	gaz_status st = store_cursor_open(txn, place, &cursor);

	if (st == GAZ_OK)
		st = store_cursor_seek(cursor, key_span(&filling->at), &key, &value);
	for (; st == GAZ_OK && entries > 0; entries--) {
		put(filter, place, key);
		st = store_cursor_next(cursor, &key, &value);
	}
	filling->at = (struct key){.len = 0};
	if (st == GAZ_OK)
		key_put(&filling->at, key.data, key.len);
	store_cursor_close(&cursor);
	return st;
}

bool instance_filling_step(struct instance_filling *filling,
			   struct instance_filter *filter, struct store *store,
			   size_t entries)
{
	struct store_txn *txn = NULL;
	gaz_status st;

	if (!filling->is_under_way && !instance_filter_is_full(filter))
		return false;
	st = store_begin_read(store, &txn);
	if (st == GAZ_OK && !filling->is_under_way)
		st = begin(filling, filter, txn);
	if (st == GAZ_OK)
		st = read_some(filling, filter, txn, entries);
	store_abort(&txn);
	if (st == GAZ_ENOTFOUND && ++filling->place == PLACES) {
		instance_filter_finish(filter);
		filling->is_under_way = false;
	} else if (st != GAZ_OK && st != GAZ_ENOTFOUND) {
		instance_filter_give_up(filter);
		filling->is_under_way = false;
	}
	return filling->is_under_way;
}
