/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/call.h"
#include "registry/operation.h"

/* The life of an operation. A call that starts one makes its checks, then
 * submits a plan; the effect is applied at once when there is no delay, else
 * by the writer when it is due. Either way one function per type applies it,
 * from the intent that was stored at submission. */

enum {
	OPERATION_LOCKS_MAX = 2,
};

struct operation_plan {
	enum operation_type type;
	const char *call_name;	  /* the API call, "CreateHttpNamespace" */
	const char *namespace_id; /* target NAMESPACE, or NULL */
	const char *service_id;
	const char *instance_id;
	const char *scope_namespace; /* the namespace it works in, for ListOperations */
	struct key locks[OPERATION_LOCKS_MAX]; /* the first one makes the id */
	size_t lock_count;
	struct key token;	    /* empty: the request had none */
	const struct bytes *intent; /* what the apply function reads; borrowed */
};

/* Why an operation fails; both NULL: it does not. */
struct operation_failure {
	const char *code;
	const char *message;
};

/**
 * Make an operation's effect: changes in call->changes, then in call->edit.
 * On failure nothing of it may be in either.
 *
 * @param fail  fill it for a FAIL, and return GAZ_OK
 * @return GAZ_OK, GAZ_ENOMEM, GAZ_ESTORE
 */
typedef gaz_status operation_apply(struct call *call, struct reader *intent,
				   struct operation_failure *fail);

operation_apply namespace_apply_create;
operation_apply namespace_apply_update;
operation_apply namespace_apply_delete;
operation_apply service_apply_update;
operation_apply instance_apply_register;
operation_apply instance_apply_deregister;

/** Give back what the call that started an operation has reserved for it; the
 *  intent may be damaged. @return GAZ_OK, GAZ_ENOMEM, GAZ_ESTORE. */
typedef gaz_status operation_abandon(struct call *call, struct reader *intent);

operation_abandon namespace_abandon_create;
operation_abandon instance_abandon_register;

/** Fail as Route 53 does when it refuses records. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status operation_fail_batch(struct call *call,
					       const struct gaz_error *why,
					       struct operation_failure *fail);

/** The key of a lock on a thing. @return GAZ_OK, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status operation_lock_key(struct call *call, const char *kind,
					     const char *name, struct key *out);

/**
 * The operation that an identical request has started before: the same call, token
 * and parameters. Sets plan->token, by which this request will be known.
 *
 * @param token  NULL: the request has none, so there is no such operation
 * @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ENOMEM, GAZ_ESTORE
 */
GAZ_MUST_CHECK gaz_status operation_find_retry(struct call *call,
					       struct operation_plan *plan,
					       const char *token,
					       const struct bytes *parameters,
					       const char **operation_id_out);

/** Who holds a lock. @return GAZ_OK, GAZ_ENOTFOUND (nobody), GAZ_ENOMEM, GAZ_ESTORE. */
GAZ_MUST_CHECK gaz_status operation_find_lock(struct call *call, const struct key *lock,
					      const char **operation_id_out,
					      const char **call_name_out);

/** @return GAZ_OK, or GAZ_EREFUSED with DuplicateRequest when a lock of the plan is held. */
GAZ_MUST_CHECK gaz_status operation_check_locks(struct call *call,
						const struct operation_plan *plan);

/** An operation of any region and account, its status as of now.
 *  @return GAZ_OK, GAZ_ENOTFOUND, GAZ_ENOMEM, GAZ_ESTORE */
GAZ_MUST_CHECK gaz_status operation_load(struct call *call, const char *id,
					 struct operation_record *op,
					 struct operation_extra *extra);

/* ---- operations in the store (operation_log.c) ---- */

/* The kinds of lists that an operation may be in. */
enum {
	OPERATION_IN_PARTITION = 0,
	OPERATION_IN_NAMESPACE,
	OPERATION_IN_SERVICE,
};

void operation_scope_partition(const struct call *call, struct key *out);
void operation_scope_namespace(const char *id, struct key *out);
void operation_scope_service(const char *id, struct key *out);

/** The scopes whose lists show the operation, into zeroed keys; an empty one: none of
 *  that kind. The call's region and account are the operation's. */
void operation_make_scopes(const struct call *call, const struct operation_record *op,
			   const struct operation_extra *extra,
			   struct key out[OPERATION_SCOPES]);

/** The operation that the list of a scope begins with. @return GAZ_OK, GAZ_ESTORE. */
GAZ_MUST_CHECK gaz_status operation_find_last(struct call *call, const struct key *scope,
					      struct operation_link *out);

/** Is that a key of the tables of tallies under which the beginning of a list is kept? */
bool operation_is_last_key(struct span key, struct span *scope_out);

/** The key of a new operation. @return GAZ_ENOTFOUND (it is free), GAZ_OK (one has the
 *  key, be it of another id), GAZ_ESTORE */
GAZ_MUST_CHECK gaz_status operation_probe_key(struct call *call, const char *id,
					      struct operation_link *out);

/** A new operation with a free key, into the lists too; sets extra->before. */
GAZ_MUST_CHECK gaz_status operation_add(struct call *call,
					const struct operation_record *op,
					struct operation_extra *extra);

/** One that is there already, changed. */
void operation_save(struct call *call, const struct operation_record *op,
		    const struct operation_extra *extra);

/** An entry of TABLE_OPERATION, its status as of now.
 *  @return GAZ_OK, GAZ_ENOMEM, GAZ_ESTORE */
GAZ_MUST_CHECK gaz_status operation_decode(struct call *call, struct span key,
					   struct span value, struct operation_record *op,
					   struct operation_extra *extra);

/** Store the operation and apply it, now or later. @return GAZ_OK, GAZ_ENOMEM, GAZ_ESTORE. */
GAZ_MUST_CHECK gaz_status operation_submit(struct call *call,
					   const struct operation_plan *plan,
					   const char **operation_id_out);

/**
 * Remove the oldest operation if it has ended and is older than operations are
 * kept, or if there are too many; now or, for its age, within a second. Tells in
 * the registry whether to go on (sweeping), and when to look again at the latest
 * (sweep_due_ms).
 * @return GAZ_OK, GAZ_ENOTFOUND (nothing to remove), GAZ_ENOMEM, GAZ_ESTORE
 */
GAZ_MUST_CHECK gaz_status operation_sweep(struct call *call);

/**
 * Finish the earliest pending operation if it is due at call->now_ms. Sets
 * the call's region and account to the operation's.
 * @return GAZ_OK, GAZ_ENOTFOUND (none is due), GAZ_EFORMAT (what was stored of it is
 *         damaged: abandon it), GAZ_ENOMEM, GAZ_ESTORE
 */
GAZ_MUST_CHECK gaz_status operation_finish_next(struct call *call);

/** End that operation as failed, without its effect: for one that cannot be applied,
 *  so that none is pending for ever. @return as operation_finish_next() */
GAZ_MUST_CHECK gaz_status operation_abandon_next(struct call *call);
