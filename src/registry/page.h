/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/call.h"

/* The List operations' common part: filter, then page, then resume by key. */

/**
 * Load one candidate into a zeroed item.
 *
 * @param suffix  the entry's key behind the prefix
 * @return GAZ_OK, GAZ_ENOTFOUND (a filter leaves it out), any other status ends the call
 */
typedef gaz_status page_load(struct call *call, struct span suffix, struct span value,
			     const void *arg, void *item);

/**
 * A list that is not a range of a table: where does it go on?
 *
 * @param value  of the entry at `key`; empty at the start, where `key` is the prefix
 * @param key    becomes the next entry's; empty at the end
 * @return GAZ_OK, or a status that ends the call
 */
typedef gaz_status page_follow(struct call *call, struct span value, const void *arg,
			       struct key *key);

struct page_spec {
	const char *operation; /* part of what a token is good for */
	const struct page_in *in;
	enum schema_table table; /* TABLE_INSTANCE: all instances, young ones too */
	struct key prefix;
	page_load *load; /* with `follow`, its suffix is the whole key */
	const void *arg;
	size_t item_size;
	page_follow *follow; /* NULL: all keys of the table that begin with the prefix */
};

struct page_result {
	void *items;
	size_t count;
	const char *next_token; /* NULL: no more */
};

/** @return GAZ_OK, GAZ_EREFUSED (InvalidInput: a token of ours it is not), ... */
GAZ_MUST_CHECK gaz_status page_read(struct call *call, const struct page_spec *spec,
				    struct page_result *out);

/** The id at the end of a key that goes by time. @return GAZ_OK, GAZ_ESTORE, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status page_read_id(struct call *call, struct span suffix,
				       const char **id_out);

/* ---- filters ---- */

/* What one filter of an operation accepts. */
struct filter_rule {
	const char *name;
	bool begins_with; /* allowed conditions beside EQ */
	bool in;
	bool between;		   /* then only BETWEEN */
	const char *const *values; /* NULL-terminated; NULL: any text */
};

/**
 * Check conditions and numbers of values. Rules are indexed by filter name.
 * @return GAZ_OK, GAZ_EREFUSED (InvalidInput)
 */
GAZ_MUST_CHECK gaz_status filter_check(struct call *call,
				       const struct filter_list *filters,
				       const struct filter_rule *rules);

/** True if the text equals one of the values, or begins with the one value. */
bool filter_matches(const struct filter *filter, const char *text);
