/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "registry/registry.h"

/* A registry without a store, so that the API layer is tested alone. Every
 * operation's function ends here; the tests say what they return. */

struct stub {
	const char *last; /* the function that ran last, such as "namespace_get" */
	const void *in;	  /* its input: valid until the reply */
	char region[64];
	char account[16];
	gaz_status answer; /* GAZ_EREFUSED: with the fault below */
	struct fault fault;
	unsigned delay_ms; /* how long the writer takes for each job */
	unsigned copy_len; /* octets of a copy behind its first words */
};

extern struct stub stub;

/** Start and stop the writer thread that registry_submit() hands jobs to. */
void stub_start(void);
void stub_stop(void);

/** The number of mutations that were submitted, and that the writer has finished. */
unsigned stub_jobs_submitted(void);
unsigned stub_jobs_done(void);
