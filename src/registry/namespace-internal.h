/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/namespace.h"
#include "registry/operation-internal.h"

/* What the operations on namespaces share. */

/* What differs between the three kinds of namespace. */
struct namespace_kind {
	enum namespace_type type;
	const char *type_name;
	const char *create_call;
	const char *update_call;
};

extern const struct namespace_kind namespace_kind_http;
extern const struct namespace_kind namespace_kind_private;
extern const struct namespace_kind namespace_kind_public;

/** The key under which a namespace's own name is unique among its kind.
 *  @return GAZ_OK, GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status namespace_own_name_key(struct call *call,
						 const struct namespace_record *ns,
						 struct key *out);

/** The locks of every operation on a namespace. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status namespace_make_locks(struct call *call, const char *name,
					       const char *id,
					       struct operation_plan *plan);

/** Its place in the order of creation. */
void namespace_make_order_key(const struct call *call, const struct namespace_record *ns,
			      struct key *out);

/** Write the record alone. */
void namespace_save(struct call *call, const struct namespace_record *ns);

/** One namespace less counts against the quota. @return GAZ_OK, GAZ_ENOMEM, GAZ_ESTORE. */
GAZ_MUST_CHECK gaz_status namespace_give_place_back(struct call *call);

/** The records of its zone have changed, all but the SOA, which this changes where
 *  the serial counts. The tally is the namespace's; the caller saves it.
 *  @return GAZ_OK, GAZ_ENOMEM, GAZ_ESTORE */
GAZ_MUST_CHECK gaz_status namespace_count_change(struct call *call,
						 struct namespace_record *ns,
						 struct tally *tally);
