/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "daemon/options.h"
#include "registry/registry.h"
#include "responder/responder.h"

/* Lets the registry ask the DNS side what it would answer, for people who ask why. */

struct explainer {
	const struct options *options;
	struct responder *const *responder; /* open before the first call comes */
	struct forward *const *forward;	    /* NULL there: nothing is forwarded */
	struct registry_dns dns;	    /* for struct registry_config */
};

void explain_init(struct explainer *e, const struct options *options,
		  struct responder *const *responder, struct forward *const *forward);
