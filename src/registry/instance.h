/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/input.h"
#include "registry/namespace.h"
#include "registry/registry.h"

/* Instances: AWS Cloud Map API Reference, the operations named below. */

struct register_instance_in {
	const char *service_id;
	const char *instance_id;
	const char *creator_request_id;
	struct pair_list attributes;
};

/* DeregisterInstance, GetInstance */
struct instance_in {
	const char *service_id;
	const char *instance_id;
};

struct list_instances_in {
	const char *service_id;
	struct page_in page;
};

struct instance_out {
	const char *account;
	const char *id;
	const char *creator_request_id;
	struct pair_list attributes;
};

struct instance_page_out {
	const char *account;
	struct instance_out *items; /* by id */
	size_t count;
	const char *next_token;
};

registry_run instance_register;	  /* register_instance_in -> operation_started_out */
registry_run instance_deregister; /* instance_in -> operation_started_out */
registry_run instance_get;	  /* instance_in -> instance_out; a read */
registry_run instance_list;	  /* list_instances_in -> instance_page_out; a read */
