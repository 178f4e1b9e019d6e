/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <jansson.h>

#include "gazctl/resolver_plan.h"

/* What "resolver install" has changed, and what was there before: kept in
 * /var/lib/gazetteer-resolver of the tree until it is undone. state.json says what there
 * is; N.before and N.after are the bytes of the N-th file before and after. It is written
 * before anything is changed, so that a half-done change can be undone too. */

enum state_verdict {
	STATE_IN_PLACE,	 /* as it was written */
	STATE_UNTOUCHED, /* as it was before: not written, or undone by hand */
	STATE_CHANGED,	 /* somebody else has changed it since */
};

struct state_file {
	char *path;
	struct tree_entry before;
	struct tree_entry after;
};

struct state {
	json_t *root; /* NULL: nothing is installed */
	const struct plan_method *method;
	const char *server; /* borrowed from root */
	struct state_file files[PLAN_CHANGES_MAX];
	size_t file_count;
};

/** @param out  for state_fini()
 *  @return GAZ_OK (nothing installed included), GAZ_EFORMAT (damaged), GAZ_EIO, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status state_load(const struct tree *tree, struct state *out,
				     struct gaz_error *err);
void state_fini(struct state *state);

/** What has become of a file. */
GAZ_MUST_CHECK gaz_status state_judge(const struct tree *tree,
				      const struct state_file *file,
				      enum state_verdict *out, struct gaz_error *err);

/** Note the plan, then change the files. When a change fails, what was done is undone.
 *  @return GAZ_OK, GAZ_EIO, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status state_apply(const struct tree *tree, const struct plan *plan,
				      const struct plan_request *request,
				      struct gaz_error *err);

/** Put one file back. */
GAZ_MUST_CHECK gaz_status state_restore(const struct tree *tree,
					const struct state_file *file,
					struct gaz_error *err);

/** Forget it all: the directories that it made, if they are empty, and the backups. */
void state_forget(const struct tree *tree, const struct state *state);

/** Was it installed for the same? */
bool state_is_for(const struct state *state, const struct plan_method *method,
		  const struct plan_request *request);
