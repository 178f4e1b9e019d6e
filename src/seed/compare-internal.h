/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/** Does `have` have all that `want` says? Members that `want` does not name, or has as
 *  null, do not matter, nor does the order of lists. */
bool seed_is_within(const json_t *want, const json_t *have);

/** Are these the attributes of an instance that was registered with `want`? */
bool seed_has_attributes(const json_t *want, const json_t *have);

/** The first object of a list whose member has this text; NULL: none. Borrowed. */
json_t *seed_find(const json_t *list, const char *member, const char *text);

/** A list as a map by the text of a member, a new reference. */
json_t *seed_by_key(const json_t *list, const char *member);

/** What `want` says otherwise than the map `have`, a new reference; NULL: nothing. */
json_t *seed_pairs_to_change(const json_t *want, const json_t *have);

/** A list of {"Key", "Value"} as a map, a new reference. */
json_t *seed_tags_as_map(const json_t *tags);
