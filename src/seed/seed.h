/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A seed is a JSON document that says which VPCs, namespaces, services and instances
 * shall be there, with the API's own members:
 *
 *   {"Vpcs": [{"Id", "Cidrs"}],
 *    "Namespaces": [{"Name", "Type", "Vpc", "Description", "Properties", "Tags",
 *      "Services": [{"Name", "DnsConfig", "HealthCheckConfig", ..., "Attributes",
 *        "Instances": [{"InstanceId", "Attributes"}]}]}]}
 *
 * It is applied and exported by calls of the API; who makes them, and how, is the user's
 * part. All rules are the API's: here is only what belongs to the document. */

struct seed_call {
	const char *operation; /* "CreateService", "Gazetteer.PutVpc" */
	bool trial;	       /* X-Gazetteer-Trial: only check the input */
	const json_t *input;
};

/* Calls are begun one after the other, and `window` of them may be under way. Those that
 * are under way do not depend on each other: which of them is executed first is the API's
 * own choice, unless it says otherwise. Namespaces and services are created in the order of
 * the document, in which they are listed later. */
struct seed_api {
	size_t window;
	bool is_in_order; /* calls are executed in the order in which they are begun */

	/** Begin a call. What it says is there until its reply has been collected.
	 *  @return GAZ_OK; any error ends the work, and `err` says why */
	gaz_status (*submit)(void *arg, const struct seed_call *call,
			     struct gaz_error *err);
	/** Wait for the reply to the oldest call that is under way. @param out  a new
	 *  reference: the output, or with GAZ_EREFUSED the body of the error. Any other
	 *  error ends the work: what is under way is collected, and nothing more begun. */
	gaz_status (*collect)(void *arg, json_t **out, struct gaz_error *err);
	void *arg;
};

enum seed_action {
	SEED_CREATED,
	SEED_CHANGED,
	SEED_UNCHANGED,
};

struct seed_item {
	enum seed_action action; /* in a dry run: what would be done */
	const char *kind;	 /* "vpc", "namespace", "service", "instance" */
	const char *name;	 /* "dev.internal/web/web-1" */
	const char *path;	 /* "Namespaces[0].Services[1].Instances[0]" */
	size_t number;		 /* of all items, from 1 */
	size_t total;
};

struct seed_observer {
	/** An item is what the document says; a change has come to its end. */
	void (*on_item)(void *arg, const struct seed_item *item);
	/** Something is wrong. @param path  of the member; "" for the whole */
	void (*on_fault)(void *arg, const char *path, const char *message);
	/** Shall the work be given up? NULL: never. */
	bool (*is_over)(void *arg);
	void *arg;
};

struct seed_options {
	bool dry_run;
	int64_t timeout_ms; /* for each operation to end, and to be throttled in a row */
};

/**
 * Read a document.
 *
 * @param path  "-" is the standard input
 * @param out   a new reference
 * @return GAZ_OK, GAZ_EFORMAT (err has the line), GAZ_EIO
 */
GAZ_MUST_CHECK gaz_status seed_read(const char *path, json_t **out,
				    struct gaz_error *err);

/**
 * Make what there is equal to the document: what is missing is created, what differs is
 * changed, the rest is left alone. The whole document is checked first: while its
 * members alone are wrong somewhere, nothing is done. Waits first for the operations
 * that are under way, and returns when its own have ended.
 *
 * @return GAZ_OK; GAZ_EREFUSED: the observer was told of each fault, and what lies
 *         outside the faulty items is done; GAZ_EBUSY: given up; else the error of a
 *         call that could not be made, which the observer was told as well
 */
GAZ_MUST_CHECK gaz_status seed_apply(const struct seed_api *api,
				     const struct seed_observer *observer,
				     const struct seed_options *options,
				     const json_t *document);

/**
 * The document of what is there. Health is not in it.
 *
 * @param timeout_ms  to be throttled in a row
 * @param namespace   by id or name; NULL: all, and every VPC
 * @param out         a new reference
 * @return as seed_apply()
 */
GAZ_MUST_CHECK gaz_status seed_export(const struct seed_api *api,
				      const struct seed_observer *observer,
				      int64_t timeout_ms, const char *namespace,
				      json_t **out);
