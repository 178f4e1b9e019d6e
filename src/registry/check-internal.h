/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/check_walk.h"

/* What the parts of the check offer: they know what each kind of entry must be like. */

/** List the links of a resource; none if it does not exist or cannot be read. */
typedef gaz_status check_list_links(struct check *c, const char *id,
				    struct check_link links[CHECK_LINKS_MAX],
				    size_t *count_out);
check_list_links check_namespace_links;
check_list_links check_service_links;
check_list_links check_operation_links;

/** Load a resource by its id: any status but GAZ_ENOMEM is no fault of the asker.
 *  @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ESTORE, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status check_load_namespace(struct check *c, const char *id,
					       struct namespace_record *out);
GAZ_MUST_CHECK gaz_status check_load_service(struct check *c, const char *id,
					     struct service_record *out);

/* The entries of each table. */
check_entry check_pending_entry; /* first: it gathers what is held */
check_entry check_operation_entry;
check_entry check_operation_last_entry;
void check_operation_lists(struct check *c); /* behind the two */
check_entry check_namespace_entry;
check_entry check_service_entry;
check_entry check_instance_entry;
check_entry check_attributes_entry;
check_entry check_tag_entry;
check_entry check_tally_entry;	/* not the beginnings of lists of operations */
check_entry check_beside_tally; /* those, too */
check_entry check_health_entry;
check_entry check_vpc_entry;
