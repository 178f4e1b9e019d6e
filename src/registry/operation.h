/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/input.h"
#include "registry/registry.h"

/* Operations: GetOperation, ListOperations. */

enum operation_type { /* OperationType */
	OPERATION_CREATE_NAMESPACE = 1,
	OPERATION_DELETE_NAMESPACE,
	OPERATION_UPDATE_NAMESPACE,
	OPERATION_UPDATE_SERVICE,
	OPERATION_REGISTER_INSTANCE,
	OPERATION_DEREGISTER_INSTANCE,
};

enum operation_status { /* OperationStatus */
	OPERATION_SUBMITTED = 1,
	OPERATION_PENDING,
	OPERATION_SUCCESS,
	OPERATION_FAIL,
};

struct operation_record {
	const char *id;
	const char *account;
	enum operation_type type;
	enum operation_status status;
	int64_t create_ms;
	int64_t update_ms;
	const char *namespace_id; /* target NAMESPACE, or NULL */
	const char *service_id;	  /* target SERVICE, or NULL */
	const char *instance_id;  /* target INSTANCE, or NULL */
	const char *error_code;	  /* only with OPERATION_FAIL */
	const char *error_message;
};

struct get_operation_in {
	const char *operation_id;
	const char *owner_account;
};

struct operation_page_out {
	struct operation_record *items; /* only id and status matter */
	size_t count;
	const char *next_token;
};

enum operation_filter { /* OperationFilterName */
	OPERATION_FILTER_NAMESPACE_ID = 1,
	OPERATION_FILTER_SERVICE_ID,
	OPERATION_FILTER_STATUS,
	OPERATION_FILTER_TYPE,
	OPERATION_FILTER_UPDATE_DATE,
};

registry_run operation_get;  /* get_operation_in -> operation_record; a read */
registry_run operation_list; /* page_in -> operation_page_out; a read */
