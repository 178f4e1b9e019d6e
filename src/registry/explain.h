/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "registry/health.h"
#include "registry/namespace.h"
#include "registry/registry.h"
#include "registry/service.h"
#include "zone/present.h"
#include "zone/trace.h"

/* Our own part of the API: Gazetteer.ExplainAnswer. Why a client gets the answer that
 * it gets: view, zone, service, instances, and the answer itself. */

struct explain_in {
	const char *name;
	const char *type; /* NULL: A */
	const char *from; /* an address; NULL: 127.0.0.1 */
	const char *to;	  /* an address of ours, with its port; NULL: one without a VPC */
};

enum explain_rule {	      /* what chose the view */
	EXPLAIN_LISTENER = 1, /* the listener's VPC */
	EXPLAIN_PREFIX,	      /* the longest prefix that holds the source */
	EXPLAIN_UNDECLARED,   /* a loopback source: all VPCs that nobody declared */
	EXPLAIN_NO_VPC,	      /* public namespaces and static zones only */
};

struct explain_instance {
	const char *id;
	const char *data; /* what it contributes to this answer, or NULL */
	enum health_status status;
	bool eligible; /* the answer may hold its data */
};

struct explain_out {
	const char *name; /* presentation form, with the final dot */
	const char *type;
	const char *source;
	const char *listener; /* NULL: none was named */
	enum explain_rule rule;
	const char *prefix; /* of EXPLAIN_PREFIX */
	struct trace trace;
	bool has_namespace; /* the zone is one of the call's region and account */
	struct namespace_record ns;
	bool has_service;
	struct service_record service;
	struct explain_instance *instances;
	size_t instance_count;
	bool fail_open;	   /* no instance is healthy, so all of them answer */
	bool is_forwarded; /* an upstream would be asked; there is no reply */
	bool is_special;   /* none would: forwarding itself answers; no reply either */
	bool has_reply;
	struct present_reply reply;
};

registry_run explain_answer; /* explain_in -> explain_out; a read */
