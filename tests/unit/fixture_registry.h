/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "registry/instance.h"
#include "registry/namespace.h"
#include "registry/operation.h"
#include "registry/registry.h"
#include "registry/service.h"
#include "store/store.h"
#include "zone/zonedb.h"

/* A registry on a real store in a temporary directory. */

struct fixture {
	char dir[64];
	struct registry_config config;
	struct store *store;
	struct zonedb *db;
	struct registry *registry;
	struct arena arena; /* of the results */
	struct fault fault; /* of the last call */
};

/** Make a directory and open; the configuration is the fixture's as it is. */
gaz_status fixture_init(struct fixture *f);
gaz_status fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
void fixture_fini(struct fixture *f);

/** The same with a clock that stands, and nothing else configured. */
gaz_status fixture_init_at(struct fixture *f, int64_t now_ms);
/** Close, and open at another time, with another operation_delay_ms. */
void fixture_reopen_at(struct fixture *f, int64_t now_ms, uint32_t delay_ms);

/** Run a mutation through the writer and wait for it. */
gaz_status fixture_mutate(struct fixture *f, registry_run *run, const void *in,
			  void *out);
gaz_status fixture_read(struct fixture *f, registry_run *run, const void *in, void *out);

/** The namespace, the service of A records and the instance that most tests need. */
gaz_status fixture_create_namespace(struct fixture *f, const char *name, const char *vpc,
				    const char **id_out);
gaz_status fixture_create_service(struct fixture *f, const char *namespace_id,
				  const char *name, const char **id_out);
gaz_status fixture_register(struct fixture *f, const char *service_id, const char *id,
			    const char *ipv4, const char **operation_id_out);

size_t fixture_names(const struct fixture *f);
