/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/call.h"
#include "registry/tag.h"

/** Check the tags that a Create call brings. @return GAZ_OK, GAZ_EREFUSED (InvalidInput,
 *  TooManyTagsException), GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status tag_check(struct call *call, const struct pair_list *tags);

/** Store the tags of a new resource. */
void tag_save(struct call *call, const char *id, const struct pair_list *tags);

/** Forget the tags of a deleted resource. */
void tag_forget(struct call *call, const char *id);
