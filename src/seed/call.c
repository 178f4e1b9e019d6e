/* SPDX-License-Identifier: BSD-2-Clause */
#include "seed/call-internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "seed/place-internal.h"
#include "seed/reply.h"

enum {
	THROTTLED_MS = 50, /* until calls are made again */
};

struct seed_request {
	struct seed_request *next;
	struct seed_call call;
	json_t *input;
	seed_on_reply *then;
	void *arg;
	bool is_creation; /* lists are in the order of their items' creation */
	char path[SEED_PATH_SIZE];
};

/* ---- lists of requests ---- */

static void append(struct seed_requests *list, struct seed_request *r)
{
	if (!list->tail)
		list->tail = &list->head;
	*list->tail = r;
	list->tail = &r->next;
}

static struct seed_request *take_first(struct seed_requests *list)
{
	struct seed_request *r = list->head;

	if (r) {
		list->head = r->next;
		r->next = NULL;
	}
	if (!list->head)
		list->tail = &list->head;
	return r;
}

/* Put all of `take` before the rest. */
static void prepend_all(struct seed_requests *list, struct seed_requests *take)
{
	if (!take->head)
		return;
	*take->tail = list->head;
	if (!list->head)
		list->tail = take->tail;
	list->head = take->head;
	*take = (struct seed_requests){0};
}

/* ---- one call ---- */

static struct seed_request *request_new(const char *path, const char *operation,
					json_t *take)
{
	struct seed_request *r = take ? calloc(1, sizeof *r) : NULL;

	if (!r) {
		json_decref(take);
		return NULL;
	}
	r->call = (struct seed_call){.operation = operation, .input = take};
	r->input = take;
	(void)snprintf(r->path, sizeof r->path, "%s", path);
	return r;
}

static void request_free(struct seed_request *r)
{
	json_decref(r->input);
	free(r);
}

/* The first error that ends the work is the one that is told: of the calls that were under
 * way with it nobody knows more. */
static void end_work(struct seed *s, gaz_status st, const char *path,
		     const char *operation, const char *reason)
{
	if (s->status != GAZ_OK)
		return;
	s->status = st;
	seed_fault(s, path, "%s: %s", operation, reason);
}

static void tell_refusal(struct seed *s, const struct seed_request *r, const json_t *body)
{
	const char *message = reply_message(body);

	if (!r->call.trial || !seed_tell_violations(s, r->path, r->input, message))
		seed_fault(s, r->path, "%s: %s: %s", r->call.operation,
			   reply_text(body, "__type"), message);
}

/* Takes the request, whose end has come. */
static void finish(struct seed *s, struct seed_request *take, gaz_status st,
		   const json_t *reply)
{
	if (take->then) {
		s->is_in_reply = true;
		st = take->then(s, take->arg, st, reply);
		s->is_in_reply = false;
		prepend_all(&s->waiting, &s->following);
	}
	if (!seed_may_go_on(st) && s->status == GAZ_OK)
		s->status = st;
	request_free(take);
}

static void submit(struct seed *s, struct seed_request *take)
{
	struct gaz_error err = {.text = ""};
	gaz_status st = s->api->submit(s->api->arg, &take->call, &err);

	if (st == GAZ_OK) {
		append(&s->under_way, take);
		s->under_way_count++;
		s->creation_count += take->is_creation;
		return;
	}
	end_work(s, st, take->path, take->call.operation, err.text);
	finish(s, take, s->status, NULL);
}

/* Too many calls a second: is it to be made once more, as every SDK does? */
static bool is_to_be_repeated(struct seed *s, gaz_status st, const json_t *reply)
{
	const int64_t now_ms = clock_monotonic_ms();

	if (st != GAZ_EREFUSED ||
	    strcmp(reply_text(reply, "__type"), "ThrottlingException") != 0) {
		s->passed_ms = now_ms;
		return false;
	}
	return s->status == GAZ_OK && now_ms - s->passed_ms < s->options.timeout_ms;
}

static void repeat(struct seed *s, struct seed_request *take)
{
	struct seed_requests first = {.head = NULL};

	append(&first, take);
	prepend_all(&s->waiting, &first);
	s->is_throttled = true;
}

static void collect(struct seed *s)
{
	struct seed_request *r = take_first(&s->under_way);
	struct gaz_error err = {.text = ""};
	json_t *reply = NULL;
	gaz_status st = s->api->collect(s->api->arg, &reply, &err);

	s->under_way_count--;
	s->creation_count -= r->is_creation;
	if (seed_is_over(s) && s->status == GAZ_OK)
		s->status = GAZ_EBUSY;
	if (is_to_be_repeated(s, st, reply)) {
		json_decref(reply);
		repeat(s, r);
		return;
	}
	if (st == GAZ_EREFUSED)
		tell_refusal(s, r, reply);
	else if (st != GAZ_OK)
		end_work(s, st, r->path, r->call.operation, err.text);
	finish(s, r, st, st == GAZ_OK ? reply : NULL);
	json_decref(reply);
}

static void pause_work(struct seed *s)
{
	const struct timespec ts = {.tv_nsec = THROTTLED_MS * 1000000L};

	s->is_throttled = false;
	(void)nanosleep(&ts, NULL);
}

static bool may_begin(const struct seed *s, const struct seed_request *r)
{
	if (s->under_way_count == s->api->window)
		return false;
	return !r->is_creation || s->api->is_in_order || s->creation_count == 0;
}

/* Begin what may begin. When the work has ended, nothing more is begun. */
static void make_way(struct seed *s)
{
	while (s->waiting.head &&
	       (s->status != GAZ_OK || may_begin(s, s->waiting.head))) {
		struct seed_request *r = take_first(&s->waiting);

		if (s->is_throttled)
			pause_work(s);
		if (s->status == GAZ_OK)
			submit(s, r);
		else
			finish(s, r, s->status, NULL);
	}
}

/* ---- for the rest of the folder ---- */

static gaz_status send_request(struct seed *s, struct seed_request *take)
{
	if (s->is_in_reply) {
		append(&s->following, take);
		return s->status;
	}
	append(&s->waiting, take);
	make_way(s);
	while (s->waiting.head) {
		collect(s);
		make_way(s);
	}
	return s->status;
}

gaz_status seed_send(struct seed *s, const char *path, const char *operation,
		     json_t *take, seed_on_reply *then, void *arg)
{
	struct seed_request *r = request_new(path, operation, take);

	if (!r) {
		end_work(s, GAZ_ENOMEM, path, operation, "out of memory");
		if (then)
			(void)then(s, arg, GAZ_ENOMEM, NULL);
		return s->status;
	}
	r->is_creation = strncmp(operation, "Create", strlen("Create")) == 0;
	r->then = then;
	r->arg = arg;
	return send_request(s, r);
}

gaz_status seed_send_trial(struct seed *s, const char *path, const char *operation,
			   json_t *take)
{
	struct seed_request *r = request_new(path, operation, take);

	if (!r) {
		end_work(s, GAZ_ENOMEM, path, operation, "out of memory");
		return s->status;
	}
	r->call.trial = true;
	return send_request(s, r);
}

gaz_status seed_drain(struct seed *s)
{
	assert(!s->is_in_reply);
	make_way(s);
	while (s->under_way_count > 0) {
		collect(s);
		make_way(s);
	}
	return s->status;
}

/* ---- a call that is waited for ---- */

struct awaited {
	bool has_ended;
	gaz_status status;
	json_t *reply;
};

static gaz_status on_awaited(struct seed *s, void *arg, gaz_status st,
			     const json_t *reply)
{
	struct awaited *a = arg;

	(void)s;
	*a = (struct awaited){true, st, json_incref((json_t *)reply)};
	return st;
}

gaz_status seed_call(struct seed *s, const char *path, const char *operation,
		     json_t *take, json_t **out)
{
	struct awaited a = {.has_ended = false};

	assert(!s->is_in_reply);
	*out = NULL;
	(void)seed_send(s, path, operation, take, on_awaited, &a);
	while (!a.has_ended) {
		collect(s);
		make_way(s);
	}
	*out = a.reply;
	return a.status;
}

gaz_status seed_list(struct seed *s, const char *path, const char *operation,
		     json_t *take, const char *list, json_t **out)
{
	struct reply_list pages = {.member = list, .input = take};
	json_t *page;
	gaz_status st;

	do
		st = seed_call(s, path, operation, json_incref(take), &page);
	while (st == GAZ_OK && reply_add_page(&pages, page));
	json_decref(take);
	if (st == GAZ_OK)
		*out = json_incref(json_object_get(pages.all, list));
	json_decref(pages.all);
	return st;
}
