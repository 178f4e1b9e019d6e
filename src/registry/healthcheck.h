/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/netaddr.h"
#include "registry/registry.h"
#include "registry/service.h"

/* Health checks that are executed (HealthCheckConfig): the registry tells the
 * listener of its configuration what is to be checked, and is told the results
 * by healthcheck_report(). */

/* An instance to check from now on, in the place of what was said of it before;
 * or one that is to be checked no longer. One piece of memory, texts and all. */
struct healthcheck_notice {
	struct healthcheck_notice *next;
	uint64_t fingerprint; /* of the registration and of the service's check */
	const char *region;
	const char *account;
	const char *service_id;
	const char *instance_id;
	const char *path; /* "" for TCP */
	struct netaddr addr;
	uint16_t port;
	uint8_t threshold;
	enum health_check_type type;
	bool healthy; /* as the store has it */
	bool is_gone; /* no longer: only the ids count */
};

void healthcheck_free_notices(struct healthcheck_notice *list);

struct healthcheck_report_in {
	const char *service_id;
	const char *instance_id;
	uint64_t fingerprint; /* of what was checked */
	bool healthy;
};

struct healthcheck_report_out {
	bool taken;   /* false: the instance, its registration or the check has gone */
	bool changed; /* the status was another one before */
};

/* The new status of an instance, in the store and in DNS; a mutation. */
registry_run healthcheck_report; /* healthcheck_report_in -> healthcheck_report_out */
