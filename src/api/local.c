/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/local.h"

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
};

struct local_call {
	struct job job; /* first: on_done() casts */
	const struct action *action;
	struct arena arena;
	struct json_out text; /* of the reply */
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

static gaz_status run(const struct api_local *local, struct local_call *c)
{
	struct job *job = &c->job;

	if (c->action->way == ACTION_READ)
		return registry_read(local->registry, &job->call, job->run, job->in,
				     job->out);
	job->done = on_done;
	registry_submit(local->registry, job);
	pthread_mutex_lock(&c->mutex);
	while (!c->has_ended)
		pthread_cond_wait(&c->ended, &c->mutex);
	pthread_mutex_unlock(&c->mutex);
	return job->status;
}

static gaz_status execute(const struct api_local *local, struct local_call *c)
{
	struct job *job = &c->job;
	gaz_status st;

	job->run = c->action->run;
	job->out = arena_alloc(&c->arena, c->action->out_size);
	job->call.arena = &c->arena;
	job->call.region = local->region;
	job->call.account = local->account;
	if (!job->out)
		return GAZ_ENOMEM;
	st = run(local, c);
	if (st == GAZ_EREFUSED && job->call.fault.code != FAULT_NONE)
		return refuse(c, (int)job->call.fault.code, job->call.fault.message,
			      &job->call.fault);
	if (st == GAZ_OK)
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

gaz_status api_local_call(struct api_local *local, const char *target, bool trial,
			  const json_t *input, json_t **out)
{
	struct local_call c = {
		.action = action_find(target),
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.ended = PTHREAD_COND_INITIALIZER,
	};
	gaz_status st;

	arena_init(&c.arena);
	json_init(&c.text);
	if (!c.action ||
	    (c.action->way != ACTION_READ && c.action->way != ACTION_MUTATION))
		st = refuse(&c, ERROR_UNKNOWN_OPERATION, "No such operation.", NULL);
	else
		st = decode(local, &c, trial, input);
	if (st == GAZ_OK && trial)
		encode_nothing(&c.job.call, NULL, &c.text);
	else if (st == GAZ_OK)
		st = execute(local, &c);
	if (st == GAZ_OK || st == GAZ_EREFUSED)
		st = read_reply(&c, st, out);
	json_fini(&c.text);
	arena_fini(&c.arena);
	return st;
}
