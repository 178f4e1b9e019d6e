/* SPDX-License-Identifier: BSD-2-Clause */
#include "seed/operation-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "seed/reply.h"

enum {
	WAIT_FIRST_MS = 1,
	WAIT_MAX_MS = 250,
};

/* An operation that was started in the background. */
struct seed_pending {
	struct seed_pending *next;
	seed_on_reply *then;
	void *arg;
	char *id;
	char path[SEED_PATH_SIZE];
};

static json_t *ask_for(const char *id)
{
	return json_pack("{s:s}", "OperationId", id);
}

static void pause_ms(int64_t ms)
{
	const struct timespec ts = {.tv_nsec = ms * 1000000};

	(void)nanosleep(&ts, NULL);
}

static gaz_status poll_operation(struct seed *s, const char *path, const char *id,
				 json_t **out)
{
	const int64_t end_ms = clock_monotonic_ms() + s->options.timeout_ms;
	json_t *reply;

	for (int64_t wait_ms = WAIT_FIRST_MS;;
	     wait_ms = wait_ms * 2 < WAIT_MAX_MS ? wait_ms * 2 : WAIT_MAX_MS) {
		gaz_status st = seed_call(s, path, "GetOperation", ask_for(id), &reply);

		if (st != GAZ_OK)
			return st;
		*out = json_incref(json_object_get(reply, "Operation"));
		json_decref(reply);
		if (reply_has_ended(*out))
			return GAZ_OK;
		json_decref(*out);
		*out = NULL;
		if (seed_is_over(s))
			return GAZ_EBUSY;
		if (clock_monotonic_ms() > end_ms) {
			seed_fault(s, path, "the operation %s has not ended in time", id);
			return GAZ_EREFUSED;
		}
		pause_ms(wait_ms);
	}
}

gaz_status seed_settle(struct seed *s, const char *id)
{
	json_t *operation = NULL;
	gaz_status st = poll_operation(s, "", id, &operation);

	json_decref(operation);
	return st;
}

static gaz_status judge(struct seed *s, const char *path, const json_t *operation)
{
	if (strcmp(reply_text(operation, "Status"), "FAIL") != 0)
		return GAZ_OK;
	seed_fault(s, path, "%s failed: %s: %s", reply_text(operation, "Type"),
		   reply_text(operation, "ErrorCode"),
		   reply_text(operation, "ErrorMessage"));
	return GAZ_EREFUSED;
}

static gaz_status await(struct seed *s, const char *path, const char *id, json_t **out)
{
	gaz_status st = poll_operation(s, path, id, out);

	return st == GAZ_OK ? judge(s, path, *out) : st;
}

gaz_status seed_run(struct seed *s, const char *path, const char *operation, json_t *take)
{
	json_t *started, *ended = NULL;
	gaz_status st = seed_call(s, path, operation, take, &started);

	if (st == GAZ_OK)
		st = await(s, path, reply_text(started, "OperationId"), &ended);
	json_decref(started);
	json_decref(ended);
	return st;
}

/* ---- in the background ---- */

/* Takes what is pending, as its end has come. */
static gaz_status finish(struct seed *s, struct seed_pending *take, gaz_status st,
			 const json_t *operation)
{
	st = take->then(s, take->arg, st, st == GAZ_OK ? operation : NULL);
	free(take->id);
	free(take);
	return st;
}

/* One that has not ended at the first look is waited for behind all others. */
static gaz_status on_operation(struct seed *s, void *arg, gaz_status st,
			       const json_t *reply)
{
	const json_t *operation = json_object_get(reply, "Operation");
	struct seed_pending *p = arg;

	if (st != GAZ_OK || reply_has_ended(operation))
		return finish(s, p, st == GAZ_OK ? judge(s, p->path, operation) : st,
			      operation);
	if (s->pending)
		s->last_pending->next = p;
	else
		s->pending = p;
	s->last_pending = p;
	return GAZ_OK;
}

static gaz_status on_started(struct seed *s, void *arg, gaz_status st,
			     const json_t *reply)
{
	struct seed_pending *p = arg;

	if (st != GAZ_OK)
		return finish(s, p, st, NULL);
	p->id = strdup(reply_text(reply, "OperationId"));
	if (!p->id)
		return finish(s, p, GAZ_ENOMEM, NULL);
	return seed_send(s, p->path, "GetOperation", ask_for(p->id), on_operation, p);
}

gaz_status seed_send_run(struct seed *s, const char *path, const char *operation,
			 json_t *take, seed_on_reply *then, void *arg)
{
	struct seed_pending *p = calloc(1, sizeof *p);

	if (!p) {
		json_decref(take);
		seed_fault(s, path, "%s: out of memory", operation);
		return then(s, arg, GAZ_ENOMEM, NULL);
	}
	p->then = then;
	p->arg = arg;
	(void)snprintf(p->path, sizeof p->path, "%s", path);
	return seed_send(s, path, operation, take, on_started, p);
}

static gaz_status finish_first(struct seed *s)
{
	struct seed_pending *p = s->pending;
	json_t *operation = NULL;
	gaz_status st;

	s->pending = p->next;
	st = await(s, p->path, p->id, &operation);
	st = finish(s, p, st, operation);
	json_decref(operation);
	return st;
}

/* What follows the end of an operation may start others. */
gaz_status seed_finish(struct seed *s)
{
	gaz_status st = seed_drain(s);

	while (s->pending) {
		gaz_status ended = finish_first(s);

		if (!seed_may_go_on(ended) && s->status == GAZ_OK)
			s->status = ended;
		st = seed_drain(s);
	}
	return st;
}
