/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/registry.h"

/* All zones that DNS answers from, our own part of the API: Gazetteer.ListZones,
 * ReloadZones, ExportZone. Zones are shared by all regions and accounts. */

struct zone_in {
	const char *zone; /* its name or id; NULL: all of them */
};

struct zone_item {
	const char *name; /* without the final dot, but for the root */
	const char *id;
	const char *type;   /* STATIC, DNS_PRIVATE or DNS_PUBLIC */
	const char *vpc_id; /* DNS_PRIVATE: the VPC that sees it */
	const char *path;   /* STATIC: the file */
	bool is_served;
	bool has_serial;
	uint32_t serial;
	uint64_t names; /* owner names and empty non-terminals */
	uint64_t records;
	int64_t loaded_ms; /* when what is served was loaded, or the namespace made; or 0 */
	int64_t tried_ms;  /* STATIC: when the file was read the last time */
	const char *error; /* why that failed; NULL: it did not */
	uint64_t warnings;
};

struct zone_page_out {
	struct zone_item *items; /* in the order of their names */
	size_t count;
};

registry_run zone_list; /* zone_in -> zone_page_out; FAULT_RESOURCE_NOT_FOUND */

/** zone_in, with a zone -> a file that is open for writing, its descriptor an int: the
 *  zone as a master file. FAULT_RESOURCE_NOT_FOUND; FAULT_INVALID_INPUT (several zones
 *  have that name). Takes its time; needs neither transaction nor writer. */
registry_run zone_export;

/** Publish what a folder of zone files has made ready, as a job (struct zonedir as its
 *  input): nothing in the store changes. */
registry_run zone_publish_files;
