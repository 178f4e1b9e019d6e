/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/input.h"
#include "registry/registry.h"

/* Tags of namespaces and services: TagResource, UntagResource,
 * ListTagsForResource. */

struct tag_resource_in {
	const char *resource_arn;
	struct pair_list tags;
};

struct untag_resource_in {
	const char *resource_arn;
	struct text_list tag_keys;
};

struct list_tags_in {
	const char *resource_arn;
};

struct tags_out {
	struct pair_list tags; /* sorted by key */
};

registry_run tag_add;	 /* tag_resource_in -> nothing */
registry_run tag_remove; /* untag_resource_in -> nothing */
registry_run tag_list;	 /* list_tags_in -> tags_out; a read */
