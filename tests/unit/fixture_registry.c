/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture_registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/schema.h"

struct waiting_job {
	struct job job;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool done;
};

gaz_status fixture_open(struct fixture *f)
{
	gaz_status st =
		store_open(&(struct store_config){f->dir, schema_table_names, TABLE_COUNT,
						  SCHEMA_FORMAT, SCHEMA_FORMAT_OLDEST},
			   &f->store, NULL);

	if (st == GAZ_OK)
		st = zonedb_new(&f->db);
	if (st == GAZ_OK)
		st = registry_open(&f->config, f->store, f->db, &f->registry, NULL);
	if (st == GAZ_OK)
		st = registry_start(f->registry);
	return st;
}

gaz_status fixture_init(struct fixture *f)
{
	f->config.operation_keep_ms = 86400000;
	f->config.operation_max = 1000000;
	f->config.max_custom_attributes = 30;
	f->config.max_service_attributes = 30;
	f->config.max_tags = 50;
	strcpy(f->dir, "/tmp/gaz-registry-XXXXXX");
	arena_init(&f->arena);
	return mkdtemp(f->dir) ? fixture_open(f) : GAZ_EIO;
}

void fixture_close(struct fixture *f)
{
	registry_close(&f->registry);
	zonedb_free(&f->db);
	store_close(&f->store);
}

void fixture_fini(struct fixture *f)
{
	char command[128];

	fixture_close(f);
	arena_fini(&f->arena);
	(void)snprintf(command, sizeof command, "rm -rf %s", f->dir);
	if (system(command) != 0)
		abort();
}

gaz_status fixture_init_at(struct fixture *f, int64_t now_ms)
{
	memset(f, 0, sizeof *f);
	f->config.clock.fixed_ms = now_ms;
	return fixture_init(f);
}

void fixture_reopen_at(struct fixture *f, int64_t now_ms, uint32_t delay_ms)
{
	fixture_close(f);
	f->config.clock.fixed_ms = now_ms;
	f->config.operation_delay_ms = delay_ms;
	assert_int_equal(fixture_open(f), GAZ_OK);
}

static void on_done(struct job *job)
{
	struct waiting_job *w = (struct waiting_job *)job;

	pthread_mutex_lock(&w->mutex);
	w->done = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mutex);
}

gaz_status fixture_mutate(struct fixture *f, registry_run *run, const void *in, void *out)
{
	struct waiting_job w = {
		.job = {.call = {.arena = &f->arena,
				 .region = "us-east-1",
				 .account = "000000000000"},
			.run = run,
			.in = in,
			.out = out,
			.done = on_done},
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.cond = PTHREAD_COND_INITIALIZER,
	};

	registry_submit(f->registry, &w.job);
	pthread_mutex_lock(&w.mutex);
	while (!w.done)
		pthread_cond_wait(&w.cond, &w.mutex);
	pthread_mutex_unlock(&w.mutex);
	f->fault = w.job.call.fault;
	return w.job.status;
}

gaz_status fixture_read(struct fixture *f, registry_run *run, const void *in, void *out)
{
	struct call call = {
		.arena = &f->arena, .region = "us-east-1", .account = "000000000000"};
	gaz_status st = registry_read(f->registry, &call, run, in, out);

	f->fault = call.fault;
	return st;
}

gaz_status fixture_create_namespace(struct fixture *f, const char *name, const char *vpc,
				    const char **id_out)
{
	struct create_namespace_in in = {.name = name, .vpc = vpc};
	struct operation_started_out started = {0};
	struct operation_record op = {0};
	gaz_status st = fixture_mutate(
		f, vpc ? namespace_create_private_dns : namespace_create_public_dns, &in,
		&started);

	if (st == GAZ_OK)
		st = fixture_read(f, operation_get,
				  &(struct get_operation_in){started.operation_id, NULL},
				  &op);
	*id_out = op.namespace_id;
	return st;
}

gaz_status fixture_create_service(struct fixture *f, const char *namespace_id,
				  const char *name, const char **id_out)
{
	struct dns_record_in record = {RECORD_A, {true, 60}};
	struct dns_config_in dns = {.dns_records = {&record, 1, true}};
	struct create_service_in in = {
		.name = name, .namespace_id = namespace_id, .dns_config = &dns};
	struct service_record svc = {0};
	gaz_status st = fixture_mutate(f, service_create, &in, &svc);

	*id_out = svc.id;
	return st;
}

gaz_status fixture_register(struct fixture *f, const char *service_id, const char *id,
			    const char *ipv4, const char **operation_id_out)
{
	struct text_pair pair = {"AWS_INSTANCE_IPV4", ipv4};
	struct register_instance_in in = {.service_id = service_id,
					  .instance_id = id,
					  .attributes = {&pair, 1, true}};
	struct operation_started_out started = {0};
	gaz_status st = fixture_mutate(f, instance_register, &in, &started);

	if (operation_id_out)
		*operation_id_out = started.operation_id;
	return st;
}

size_t fixture_names(const struct fixture *f)
{
	struct zonedb_stats stats;

	zonedb_stats(f->db, &stats);
	return stats.names;
}
