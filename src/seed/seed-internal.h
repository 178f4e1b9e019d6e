/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "seed/seed.h"

/* What the files of this folder share. A function that returns GAZ_EREFUSED has told of
 * a fault of its item, and the next item's turn comes; any other error ends the work. */

enum {
	SEED_PATH_SIZE = 192, /* three indexes of 20 digits, and the names of members */
};

struct seed {
	const struct seed_api *api;
	const struct seed_observer *observer;
	struct seed_options options;
	size_t number;
	size_t total;
	size_t faults;
	json_t *vpcs;	    /* as Gazetteer.ListVpcs has them */
	json_t *namespaces; /* as Gazetteer.ListNamespaces has them */
};

/* A kind of namespaces, and its operations. */
struct seed_type {
	const char *name; /* the API's Type */
	const char *create;
	const char *update;
};

/** NULL: there is no such type. */
const struct seed_type *seed_find_type(const char *name);

/** The text of a member, "" when there is none. Borrowed. */
const char *seed_text(const json_t *object, const char *name);

/* call.c */

void seed_fault(struct seed *s, const char *path, const char *fmt, ...) GAZ_PRINTF(3, 4);

/** Tell of an item that is as it shall be. @return GAZ_OK; GAZ_EBUSY: give up */
GAZ_MUST_CHECK gaz_status seed_tell(struct seed *s, enum seed_action action,
				    const char *kind, const char *name, const char *path);

/**
 * Call an operation.
 *
 * @param take  freed in any case; NULL is GAZ_ENOMEM
 * @param out   a new reference, NULL after an error
 */
GAZ_MUST_CHECK gaz_status seed_call(struct seed *s, const char *path,
				    const char *operation, json_t *take, json_t **out);

/** Have the API check an input; tells of each violation with the path of its member.
 *  GAZ_OK also with violations. */
GAZ_MUST_CHECK gaz_status seed_try(struct seed *s, const char *path,
				   const char *operation, json_t *take);

/** Call a List operation until its last page. @param out  the whole list */
GAZ_MUST_CHECK gaz_status seed_list(struct seed *s, const char *path,
				    const char *operation, json_t *take, const char *list,
				    json_t **out);

/** Wait for the operation that a reply names. @param out  GetOperation's Operation, a new
 *  reference; may be NULL */
GAZ_MUST_CHECK gaz_status seed_await(struct seed *s, const char *path,
				     const json_t *started, json_t **out);

/** Wait until an operation has ended, well or badly. */
GAZ_MUST_CHECK gaz_status seed_settle(struct seed *s, const char *id);

/** Call an operation and wait for its end, without interest in its result. */
GAZ_MUST_CHECK gaz_status seed_run(struct seed *s, const char *path,
				   const char *operation, json_t *take);

/** The tags of a resource, {KEY: VALUE}. */
GAZ_MUST_CHECK gaz_status seed_list_tags(struct seed *s, const char *path,
					 const char *arn, json_t **out);

/* place.c */

/** Tell of every violation in the message of an error, each with the path of its member.
 *  @return false: there is none in it */
bool seed_tell_violations(struct seed *s, const char *path, const json_t *input,
			  const char *message);

/* check.c */

/** The first pass: everything that can be said without looking at what there is. */
GAZ_MUST_CHECK gaz_status seed_check(struct seed *s, const json_t *document);

/* compare.c */

/** Does `have` have all that `want` says? Members that `want` does not name, or has as
 *  null, do not matter, nor does the order of lists. */
bool seed_is_within(const json_t *want, const json_t *have);

/** Are these the attributes of an instance that was registered with `want`? */
bool seed_has_attributes(const json_t *want, const json_t *have);

/** The first object of a list whose member has this text; NULL: none. Borrowed. */
json_t *seed_find(const json_t *list, const char *member, const char *text);

/** What `want` says otherwise than the map `have`, a new reference; NULL: nothing. */
json_t *seed_pairs_to_change(const json_t *want, const json_t *have);

/** A list of {"Key", "Value"} as a map, a new reference. */
json_t *seed_tags_as_map(const json_t *tags);

/* apply.c */

/** Add the tags that a resource lacks or has otherwise. `*changed_out` is set if so. */
GAZ_MUST_CHECK gaz_status seed_apply_tags(struct seed *s, const char *path,
					  const json_t *want, const char *arn,
					  bool *changed_out);

/* service.c */

struct seed_place { /* what a service lies in */
	const char *path;
	const char *name;
	const char *id;	  /* NULL: not created, in a dry run */
	json_t *services; /* as ListServices has them */
};

/** A service and its instances. */
GAZ_MUST_CHECK gaz_status seed_apply_service(struct seed *s, const struct seed_place *ns,
					     size_t index, const json_t *want);
