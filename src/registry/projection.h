/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/apex.h"
#include "registry/call.h"

/* From resources to DNS records: what Route 53 would hold for them. Each
 * function changes call->edit; with any status but GAZ_OK nothing of it was
 * changed, except after GAZ_ENOMEM, when the edit is lost. */

struct zonedit;

/** A name as text is usable as the name of a hosted zone. */
bool projection_is_zone_name(const char *name);

/** The zone of a DNS namespace with its SOA and NS records; nothing for HTTP. */
GAZ_MUST_CHECK gaz_status projection_add_namespace(struct zonedit *edit,
						   const struct apex_values *values,
						   const struct namespace_record *ns);

/** The SOA record anew, after ns->soa_ttl or ns->zone_changes changed; nothing for
 *  HTTP. */
GAZ_MUST_CHECK gaz_status projection_update_soa(struct zonedit *edit,
						const struct apex_values *values,
						const struct namespace_record *ns);

GAZ_MUST_CHECK gaz_status projection_remove_namespace(struct zonedit *edit,
						      const struct namespace_record *ns);

/**
 * Put one instance in the place of another, either of which may be NULL.
 *
 * @param why  on GAZ_EEXISTS and GAZ_EFORMAT: what stands in the way
 * @return GAZ_OK, GAZ_EEXISTS (conflicts with other records, or the set is full),
 *         GAZ_EFORMAT (a name too long for DNS), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status projection_replace_instance(struct zonedit *edit,
						      const struct namespace_record *ns,
						      const struct service_record *svc,
						      const struct instance_record *old,
						      const struct instance_record *new,
						      struct gaz_error *why);

/** Add one instance to an edit that nobody goes on with if this fails: at the start.
 *  @return as projection_replace_instance() */
GAZ_MUST_CHECK gaz_status projection_load_instance(struct zonedit *edit,
						   const struct namespace_record *ns,
						   const struct service_record *svc,
						   const struct instance_record *inst,
						   struct gaz_error *why);

/** Put an instance in the place of itself, with the other health: the same records,
 *  so they fit. @return GAZ_OK, GAZ_ENOTFOUND (they were not there), GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status projection_turn_instance(struct zonedit *edit,
						   const struct namespace_record *ns,
						   const struct service_record *svc,
						   const struct instance_record *old,
						   const struct instance_record *new);

/**
 * The records of all instances of a service anew, after its DnsConfig changed.
 * @return as projection_replace_instance()
 */
GAZ_MUST_CHECK gaz_status projection_replace_service(
	struct zonedit *edit, const struct namespace_record *ns,
	const struct service_record *old, const struct service_record *new,
	const struct instance_record *instances, size_t count, struct gaz_error *why);

/** The value of an attribute; NULL: there is none. */
const char *projection_attribute(const struct instance_record *inst, const char *key);
