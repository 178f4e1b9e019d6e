/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/input.h"
#include "registry/registry.h"

/* Declared VPCs, our own part of the API: Gazetteer.PutVpc, ListVpcs,
 * DeleteVpc. VPCs are shared by all regions and accounts. */

struct put_vpc_in {
	const char *vpc_id;
	struct text_list cidrs;
};

struct vpc_id_in {
	const char *vpc_id;
};

struct vpc_record {
	const char *id;
	const char **cidrs; /* canonical text */
	size_t cidr_count;
	bool fixed; /* declared by configuration: cannot be changed or deleted */
};

struct vpc_page_out {
	struct vpc_record *items; /* by id */
	size_t count;
};

registry_run vpc_put;	 /* put_vpc_in -> vpc_record; an upsert */
registry_run vpc_delete; /* vpc_id_in -> nothing; FAULT_RESOURCE_NOT_FOUND when unknown */
registry_run vpc_list;	 /* nothing -> vpc_page_out; a read */
