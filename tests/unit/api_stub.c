/* SPDX-License-Identifier: BSD-2-Clause */
#include "api_stub.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "registry/discovery.h"
#include "registry/explain.h"
#include "registry/health.h"
#include "registry/instance.h"
#include "registry/namespace.h"
#include "registry/operation.h"
#include "registry/service.h"
#include "registry/tag.h"
#include "registry/vpc.h"
#include "registry/zone.h"

struct stub stub;

/* Held in answer(), which the API thread and the writer call. */
static pthread_mutex_t answering = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct job *queue;
static struct job **queue_end = &queue;
static bool ending;
static pthread_t writer;
static _Atomic unsigned jobs_submitted;
static _Atomic unsigned jobs_done;

static gaz_status answer(const char *name, struct call *call, const void *in)
{
	gaz_status st;

	pthread_mutex_lock(&answering);
	stub.last = name;
	stub.in = in;
	(void)snprintf(stub.region, sizeof stub.region, "%s", call->region);
	(void)snprintf(stub.account, sizeof stub.account, "%s", call->account);
	st = stub.answer;
	if (st == GAZ_EREFUSED)
		call->fault = stub.fault;
	pthread_mutex_unlock(&answering);
	return st;
}

#define STARTS(name)                                                                     \
	gaz_status name(struct call *call, const void *in, void *out)                    \
	{                                                                                \
		struct operation_started_out *started = out;                             \
                                                                                         \
		started->operation_id = "operation-1";                                   \
		return answer(#name, call, in);                                          \
	}
#define RETURNS(name)                                                                    \
	gaz_status name(struct call *call, const void *in, void *out)                    \
	{                                                                                \
		(void)out;                                                               \
		return answer(#name, call, in);                                          \
	}

STARTS(namespace_create_http)
STARTS(namespace_create_private_dns)
STARTS(namespace_create_public_dns)
STARTS(namespace_update_http)
STARTS(namespace_update_private_dns)
STARTS(namespace_update_public_dns)
STARTS(namespace_delete)
STARTS(service_update)
STARTS(instance_register)
STARTS(instance_deregister)
RETURNS(namespace_list)
RETURNS(service_create)
RETURNS(service_get)
RETURNS(service_delete)
RETURNS(service_list)
RETURNS(service_get_attributes)
RETURNS(service_update_attributes)
RETURNS(service_delete_attributes)
RETURNS(instance_get)
RETURNS(instance_list)
RETURNS(discovery_find_instances)
RETURNS(discovery_get_revision)
RETURNS(health_update)
RETURNS(health_list)
RETURNS(operation_get)
RETURNS(operation_list)
RETURNS(tag_add)
RETURNS(tag_remove)
RETURNS(tag_list)
RETURNS(vpc_put)
RETURNS(vpc_delete)
RETURNS(vpc_list)
RETURNS(explain_answer)
RETURNS(zone_list)
RETURNS(zone_export)

gaz_status namespace_get(struct call *call, const void *in, void *out)
{
	struct namespace_record *ns = out;
	const struct id_in *id = in;

	ns->type = NAMESPACE_HTTP;
	ns->id = id->id;
	ns->arn = "arn";
	ns->account = call->account;
	ns->name = "name";
	ns->http_name = "name";
	return answer("namespace_get", call, in);
}

gaz_status registry_read(struct registry *r, struct call *call, registry_run *run,
			 const void *in, void *out)
{
	(void)r;
	return run(call, in, out);
}

void registry_submit(struct registry *r, struct job *job)
{
	(void)r;
	pthread_mutex_lock(&mutex);
	job->next = NULL;
	*queue_end = job;
	queue_end = &job->next;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
	atomic_fetch_add(&jobs_submitted, 1);
}

static struct job *next_job(void)
{
	struct job *job;

	pthread_mutex_lock(&mutex);
	while (!queue && !ending)
		pthread_cond_wait(&changed, &mutex);
	job = queue;
	if (job) {
		queue = job->next;
		if (!queue)
			queue_end = &queue;
	}
	pthread_mutex_unlock(&mutex);
	return job;
}

static void *write_jobs(void *arg)
{
	struct job *job;

	(void)arg;
	while ((job = next_job())) {
		if (stub.delay_ms)
			usleep(stub.delay_ms * 1000);
		job->status = job->run(&job->call, job->in, job->out);
		job->done(job);
		atomic_fetch_add(&jobs_done, 1);
	}
	return NULL;
}

void stub_start(void)
{
	memset(&stub, 0, sizeof stub);
	ending = false;
	atomic_store(&jobs_submitted, 0);
	atomic_store(&jobs_done, 0);
	(void)pthread_create(&writer, NULL, write_jobs, NULL);
}

void stub_stop(void)
{
	pthread_mutex_lock(&mutex);
	ending = true;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&mutex);
	pthread_join(writer, NULL);
}

unsigned stub_jobs_submitted(void)
{
	return atomic_load(&jobs_submitted);
}

unsigned stub_jobs_done(void)
{
	return atomic_load(&jobs_done);
}

gaz_status registry_open_spool(struct registry *r, int *fd_out)
{
	(void)r;
	*fd_out = memfd_create("spool", MFD_CLOEXEC);
	return *fd_out >= 0 ? GAZ_OK : GAZ_EIO;
}

gaz_status registry_write_file(struct registry *r, struct call *call, registry_run *run,
			       const void *in, int fd)
{
	(void)r;
	return run(call, in, &fd);
}

gaz_status registry_copy(struct call *call, const void *in, void *out)
{
	const int *fd = out;

	(void)call;
	(void)in;
	return write(*fd, "the store", 9) == 9 && ftruncate(*fd, 9 + stub.copy_len) == 0
		       ? GAZ_OK
		       : GAZ_EIO;
}
