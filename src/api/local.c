/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/local.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "api/action.h"
#include "api/encode.h"
#include "api/error.h"
#include "api/json.h"
#include "api/model.h"
#include "base/arena.h"

struct api_local {
	struct registry *registry;
	struct shape_patterns *patterns;
	const char *region;
	const char *account;
	struct local_call *oldest; /* of those that have not been collected */
	struct local_call *newest;
};

struct local_call {
	struct job job; /* first: on_done() casts */
	struct local_call *next;
	const struct action *action;
	struct arena arena;
	struct json_out text; /* of the reply */
	gaz_status status;    /* of what was done on our thread */
	bool is_with_writer;
	pthread_mutex_t mutex;
	pthread_cond_t ended;
	bool has_ended;
};

gaz_status api_local_new(struct registry *registry, const char *region,
			 const char *account, struct api_local **out)
{
	struct api_local *local = calloc(1, sizeof *local);
	gaz_status st;

	if (!local)
		return GAZ_ENOMEM;
	local->registry = registry;
	local->region = region;
	local->account = account;
	st = shape_patterns_new(model_patterns, model_pattern_count, &local->patterns);
	if (st == GAZ_OK)
		*out = local;
	else
		free(local);
	return st;
}

void api_local_free(struct api_local **local)
{
	if (!*local)
		return;
	assert(!(*local)->oldest);
	shape_patterns_free(&(*local)->patterns);
	free(*local);
	*local = NULL;
}

static gaz_status refuse(struct local_call *c, int error, const char *message,
			 const struct fault *fault)
{
	json_reset(&c->text);
	error_body(error, message ? message : "", fault, &c->text);
	return GAZ_EREFUSED;
}

static gaz_status decode(const struct api_local *local, struct local_call *c, bool trial,
			 const json_t *input)
{
	const struct shape *shape = c->action->input;
	void *in = arena_alloc(&c->arena, shape->size);
	struct shape_problem problem = {0};
	gaz_status st;

	if (!in)
		return GAZ_ENOMEM;
	st = shape_decode(local->patterns, shape, trial ? SHAPE_STRICT : SHAPE_LENIENT,
			  input, &c->arena, in, &problem);
	if (problem.wrong_type)
		return refuse(c, ERROR_SERIALIZATION, problem.wrong_type, NULL);
	if (problem.violations)
		return refuse(c, FAULT_INVALID_INPUT, problem.violations, NULL);
	c->job.in = in;
	return st;
}

/* On the writer thread. */
static void on_done(struct job *job)
{
	struct local_call *c = (struct local_call *)job;

	pthread_mutex_lock(&c->mutex);
	c->has_ended = true;
	pthread_cond_signal(&c->ended);
	pthread_mutex_unlock(&c->mutex);
}

static gaz_status await(struct local_call *c)
{
	pthread_mutex_lock(&c->mutex);
	while (!c->has_ended)
		pthread_cond_wait(&c->ended, &c->mutex);
	pthread_mutex_unlock(&c->mutex);
	return c->job.status;
}

static gaz_status execute(const struct api_local *local, struct local_call *c)
{
	struct job *job = &c->job;

	job->run = c->action->run;
	job->out = arena_alloc(&c->arena, c->action->out_size);
	job->call.arena = &c->arena;
	job->call.region = local->region;
	job->call.account = local->account;
	if (!job->out)
		return GAZ_ENOMEM;
	if (c->action->way == ACTION_READ)
		return registry_read(local->registry, &job->call, job->run, job->in,
				     job->out);
	job->done = on_done;
	c->is_with_writer = true;
	registry_submit(local->registry, job);
	return GAZ_OK;
}

static gaz_status encode(struct local_call *c, gaz_status st)
{
	const struct job *job = &c->job;

	if (st == GAZ_EREFUSED && job->call.fault.code != FAULT_NONE)
		return refuse(c, (int)job->call.fault.code, job->call.fault.message,
			      &job->call.fault);
	if (st == GAZ_OK && job->out)
		c->action->encode(&job->call, job->out, &c->text);
	return st;
}

/* The text that an HTTP client would have got. */
static gaz_status read_reply(struct local_call *c, gaz_status st, json_t **out)
{
	json_error_t error;
	json_t *reply;

	if (json_status(&c->text) != GAZ_OK)
		return json_status(&c->text);
	reply = c->text.text.len == 0 ? json_object()
				      : json_loadb((const char *)c->text.text.data,
						   c->text.text.len, 0, &error);
	if (!reply)
		return GAZ_ENOMEM;
	*out = reply;
	return st;
}

static struct local_call *call_new(const char *target)
{
	struct local_call *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->action = action_find(target);
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->ended, NULL);
	arena_init(&c->arena);
	json_init(&c->text);
	return c;
}

static void call_free(struct local_call *c)
{
	json_fini(&c->text);
	arena_fini(&c->arena);
	pthread_cond_destroy(&c->ended);
	pthread_mutex_destroy(&c->mutex);
	free(c);
}

gaz_status api_local_submit(struct api_local *local, const char *target, bool trial,
			    const json_t *input)
{
	struct local_call *c = call_new(target);

	if (!c)
		return GAZ_ENOMEM;
	if (!c->action ||
	    (c->action->way != ACTION_READ && c->action->way != ACTION_MUTATION))
		c->status =
			refuse(c, ERROR_UNKNOWN_OPERATION, "No such operation.", NULL);
	else
		c->status = decode(local, c, trial, input);
	if (c->status == GAZ_OK && !trial)
		c->status = execute(local, c);
	if (local->oldest)
		local->newest->next = c;
	else
		local->oldest = c;
	local->newest = c;
	return GAZ_OK;
}

gaz_status api_local_collect(struct api_local *local, json_t **out)
{
	struct local_call *c = local->oldest;
	gaz_status st;

	assert(c);
	local->oldest = c->next;
	st = encode(c, c->is_with_writer ? await(c) : c->status);
	if (st == GAZ_OK || st == GAZ_EREFUSED)
		st = read_reply(c, st, out);
	call_free(c);
	return st;
}
