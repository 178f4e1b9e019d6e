/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/status.h"

/* Sets up forwarding as the options say, for a responder that is open. */

struct forward;
struct job;
struct options;
struct responder;

/** @param out  NULL when nothing is to be forwarded
 *  @return GAZ_OK, GAZ_EREFUSED, GAZ_EIO, GAZ_ENOMEM; err says what to do */
GAZ_MUST_CHECK gaz_status forwarding_open(const struct options *options,
					  struct responder *responder,
					  struct forward **out, struct gaz_error *err);

/** Have forwarding forget all answers, then call the job's `done`. `arg` is the struct
 *  forward. */
void forwarding_flush(void *arg, struct job *job);
