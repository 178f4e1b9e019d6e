/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "registry/input.h"
#include "registry/instance_filling.h"
#include "registry/operation_recent.h"
#include "registry/registry.h"
#include "store/changeset.h"

struct registry {
	struct registry_config config; /* vpcs owned */
	struct store *store;
	struct zonedb *db;
	_Atomic uint64_t shuffles; /* done so far, when a seed makes them */

	/* The queue of the writer; the mutex guards it and the flags. */
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct job *head;
	struct job **tail;
	bool stopping;
	bool running;
	pthread_t thread;

	/* The writer's own. */
	struct changeset changes;   /* of the call at work, memory reused */
	struct token_index *tokens; /* NULL: not read yet */
	struct operation_recent *recent;
	struct instance_filter *filter;
	struct instance_filling filling;
	bool vpcs_changed;	  /* by the group at work: project them at its end */
	bool has_pending;	  /* operations may be waiting for their time */
	bool finish_failed;	  /* the last attempt to finish due ones did */
	bool sweeping;		  /* more old operations than can go in one group */
	bool has_wide_operations; /* or had when the store was opened; see schema.h */
	bool has_former_tallies;  /* likewise, of the first two formats */
	int64_t next_sweep_ms;	  /* for their age alone not before; monotonic */
	int64_t sweep_due_ms;	  /* when to sweep if nothing has happened by then */
	struct healthcheck_notice *notices; /* of the group at work */
	struct healthcheck_notice **notices_tail;
};

/** Fill in a call's part of the registry. */
void registry_prepare_call(struct registry *r, struct call *call, struct store_txn *txn,
			   int64_t now_ms);

/** The thread: take the queue, one transaction, one commit, publish, report. */
void *writer_main(void *registry);

/** Declare the configured and the stored VPCs in call->edit, as the store has them. */
GAZ_MUST_CHECK gaz_status vpc_project(struct call *call);

/** @return GAZ_OK: declared; GAZ_ENOTFOUND, ... */
GAZ_MUST_CHECK gaz_status vpc_find(struct call *call, const char *id);

/** The prefixes of a stored VPC, as texts. @return GAZ_OK, GAZ_ESTORE, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status vpc_read_cidrs(struct call *call, struct span value,
					 struct text_list *out);
