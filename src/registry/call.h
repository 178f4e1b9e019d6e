/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/id.h"
#include "registry/arn.h"
#include "registry/registry.h"
#include "registry/schema.h"

/* What every operation does with its call: read through its own changes,
 * record changes, and load resources of its region and account. For the
 * registry's own files. Statuses: GAZ_OK, GAZ_ENOTFOUND, GAZ_ENOMEM and
 * GAZ_ESTORE, unless said otherwise. */

/** The value as this call sees it: its own changes first, then the store. */
GAZ_MUST_CHECK gaz_status call_get(struct call *call, enum schema_table table,
				   struct span key, struct span *out);

/* Changes are gathered; running out of memory is latched and fails the call. */
void call_put(struct call *call, enum schema_table table, struct span key,
	      const struct bytes *value);
void call_delete(struct call *call, enum schema_table table, struct span key);

/** The first entry of a table as the store has it; `value_out` points into it. */
GAZ_MUST_CHECK gaz_status call_read_first(struct store_txn *txn, enum schema_table table,
					  struct key *key_out, struct span *value_out);

/**
 * Let a time be later than that of the last entry of a table by time, so that what comes
 * one after the other within a millisecond keeps its order.
 *
 * @param prefix    what the keys have before their time
 * @param ahead_ms  entries that lie so far ahead of the time do not matter
 * @return GAZ_OK, GAZ_ENOMEM, GAZ_ESTORE
 */
GAZ_MUST_CHECK gaz_status call_follow_last(struct call *call, enum schema_table table,
					   const struct key *prefix, int64_t ahead_ms,
					   int64_t *time_ms);

/** Append "region NUL account NUL". */
void call_put_partition(const struct call *call, struct key *key);

enum {
	CALL_DIGEST_SIZE = 2 * ID_DIGEST_LEN + 1,
};

/** The digest of some bytes in hexadecimal. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status call_digest(const struct bytes *bytes,
				      char out[CALL_DIGEST_SIZE]);

/* ---- unique names ---- */

enum name_kind {
	NAME_HTTP = 'h',      /* an HTTP namespace's name, exact */
	NAME_PRIVATE = 'r',   /* a private namespace's DNS name, within its VPC */
	NAME_PUBLIC = 'u',    /* a public namespace's DNS name */
	NAME_DISCOVERY = 'd', /* HttpName, exact */
	NAME_SERVICE = 's',   /* a service's name, within its namespace */
	NAME_LOCK = 'l',      /* what a pending operation holds */
	NAME_TOKEN = 't',     /* a request that was made */
};

/** The key of a unique name: a digest, because names outgrow LMDB's keys.
 *  @param within  NULL, or what the name is unique in. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status call_name_key(const struct call *call, enum name_kind kind,
					const char *within, const char *name,
					struct key *out);

/** The id that holds a name, in the call's arena. */
GAZ_MUST_CHECK gaz_status call_find_name(struct call *call, const struct key *name,
					 const char **id_out);
void call_claim_name(struct call *call, const struct key *name, const char *id);

/** The form in which DNS names are compared: of all ways to write a name one.
 *  A text that is no DNS name is only put into lower case.
 *  @return NULL when out of memory. */
const char *call_fold_name(struct call *call, const char *name);

/* ---- resources ---- */

/**
 * An id or an ARN to an id.
 * @param kind  "namespace" or "service"
 * @return GAZ_OK, GAZ_ENOTFOUND (an ARN of another kind, region or account), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status call_resolve_id(struct call *call, const char *kind,
					  const char *id_or_arn, const char **id_out);

/** A namespace of the call's region and account, counts filled in. */
GAZ_MUST_CHECK gaz_status call_load_namespace(struct call *call, const char *id,
					      struct namespace_record *out);
GAZ_MUST_CHECK gaz_status call_load_service(struct call *call, const char *id,
					    struct service_record *out);

/** Like the above for a member of a request that may be an ARN.
 *  @return also GAZ_EREFUSED: no such namespace or service, the fault is set */
GAZ_MUST_CHECK gaz_status call_require_namespace(struct call *call, const char *id_or_arn,
						 struct namespace_record *out);
GAZ_MUST_CHECK gaz_status call_require_service(struct call *call, const char *id_or_arn,
					       struct service_record *out);

void call_save_service(struct call *call, const struct service_record *svc);

/** The key and value pairs that a table keeps for an id; none is no error. */
GAZ_MUST_CHECK gaz_status call_load_pairs(struct call *call, enum schema_table table,
					  const char *id, struct pair_list *out);
void call_save_pairs(struct call *call, enum schema_table table, const char *id,
		     const struct pair_list *pairs);

/** Leave out the pairs whose keys are listed. */
void call_remove_pairs(struct pair_list *pairs, const struct text_list *keys);

/** All zero when there is none yet. */
GAZ_MUST_CHECK gaz_status call_load_tally(struct call *call, char kind, const char *id,
					  struct tally *out);
void call_save_tally(struct call *call, char kind, const char *id,
		     const struct tally *tally);
void call_drop_tally(struct call *call, char kind, const char *id);

/** A tally, or what lies beside it, by its key. @return as call_get() */
GAZ_MUST_CHECK gaz_status call_get_tally(struct call *call, const struct key *key,
					 struct span *out);
void call_put_tally(struct call *call, const struct key *key, struct span value);
void call_delete_tally(struct call *call, const struct key *key);

/** The id under which a partition keeps its tally ('p'). NULL: out of memory. */
const char *call_partition_id(struct call *call);
