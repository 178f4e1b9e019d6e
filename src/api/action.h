/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/encode.h"
#include "api/rate.h"
#include "api/shape.h"
#include "registry/registry.h"

/* The one table of operations. A new operation is one row here, its input
 * shape in model.c or model_service.c, and its result in encode.c or
 * encode_service.c. */

enum action_way {	 /* how an operation is carried out */
	ACTION_READ = 0, /* on the API thread */
	ACTION_MUTATION, /* by the writer */
	ACTION_STATUS,	 /* the daemon fills in its api_status */
	ACTION_FLUSH,	 /* the daemon forgets what upstreams have answered */
	/* From here on over the management socket only: */
	ACTION_LOCAL_READ,
	ACTION_RELOAD, /* a read, once the daemon has read the zone files again */
	ACTION_FILE,   /* the reply is a file that a thread of its own writes */
};

struct action {
	const char *target;	   /* the X-Amz-Target header */
	const struct shape *input; /* decodes into a struct of input->size bytes */
	size_t out_size;
	enum action_way way;
	registry_run *run;	 /* NULL for ACTION_STATUS and ACTION_FLUSH */
	encode_function *encode; /* NULL for ACTION_FILE */
};

/** @return the operation, or NULL when no such target exists (also for NULL) */
const struct action *action_find(const char *target);

/** Which limit counts a call. @return false: none, it is of Gazetteer's own part. */
bool action_rate(const struct action *action, enum rate_kind *out);

/** All of them, for tests. */
const struct action *action_table(size_t *count_out);
