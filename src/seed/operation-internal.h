/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "seed/call-internal.h"

/* Operations that end after the call that started them. */

/** Call an operation and wait for its end, without interest in its result. */
GAZ_MUST_CHECK gaz_status seed_run(struct seed *s, const char *path,
				   const char *operation, json_t *take);

/** The same, but as seed_send(); the reply is GetOperation's Operation, which succeeded. */
gaz_status seed_send_run(struct seed *s, const char *path, const char *operation,
			 json_t *take, seed_on_reply *then, void *arg);

/** Wait until all that was sent has ended. @return what ended the work */
GAZ_MUST_CHECK gaz_status seed_finish(struct seed *s);

/** Wait until an operation has ended, well or badly. */
GAZ_MUST_CHECK gaz_status seed_settle(struct seed *s, const char *id);
