/* SPDX-License-Identifier: BSD-2-Clause */
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/action.h"
#include "api/encode.h"
#include "api/error.h"
#include "api/http.h"
#include "api/json.h"
#include "api/places.h"
#include "api/server-internal.h"
#include "api/sigv4.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

/* One API call, from the parsed HTTP request to the reply. Everything runs on
 * the API thread but on_done(). */

struct api_request {
	struct job job; /* first: on_done() casts */
	struct api_server *server;
	struct evhttp_request *req; /* evhttp's; given back by http_reply() */
	struct arena arena;
	const struct action *action;
	struct sigv4_identity identity;
	struct api_request *next_done;
	bool trial;  /* check the input, and do nothing */
	int copy_fd; /* the file that is the reply; -1: none */

	/* The outcome. */
	int error; /* 0: success */
	const char *message;
	const struct fault *fault;
	bool close;
};

static struct log_limit failure_limit;

static bool refuse(struct api_request *c, int error, const char *message)
{
	c->error = error;
	c->message = message;
	return false;
}

static bool refuse_and_close(struct api_request *c, int error, const char *message)
{
	c->close = true;
	return refuse(c, error, message);
}

static bool fail(struct api_request *c, gaz_status st)
{
	uint32_t suppressed;

	/* Of mutations that fail the writer has told. */
	bool is_told =
		st == GAZ_EBUSY || (c->action && c->action->way == ACTION_MUTATION);

	if (!is_told && log_limit_pass(&failure_limit, &suppressed))
		log_error("api-call-failed", "target=%s reason=\"%s\" suppressed=%u",
			  c->action ? c->action->target : "none", gaz_status_text(st),
			  suppressed);
	return refuse(c, error_from_status(st),
		      st == GAZ_EBUSY ? "The service is shutting down."
				      : "The request could not be processed; the log of "
					"gazetteerd says why.");
}

static const char *find_header(void *arg, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(arg), name);
}

/* The checks of a request, in the order in which clients see them. Each
 * returns false after refuse(). */

static bool check_http(struct api_request *c)
{
	const char *fault = c->req->major == 1 ? http_framing_fault(c->req)
					       : "The HTTP version is not 1.1 or 1.0";

	if (c->server->draining)
		return refuse_and_close(c, ERROR_SERVICE_UNAVAILABLE,
					"The service is shutting down.");
	if (fault)
		return refuse_and_close(c, ERROR_MALFORMED_HTTP, fault);
	/* evhttp leaves the body of some methods in the stream. */
	if (evhttp_request_get_command(c->req) != EVHTTP_REQ_POST)
		return refuse_and_close(c, ERROR_METHOD_NOT_ALLOWED,
					"Every operation is a POST request.");
	return true;
}

static bool find_action(struct api_request *c)
{
	if (!http_has_json_type(c->req))
		return refuse(c, ERROR_UNKNOWN_OPERATION,
			      "Content-Type must be application/x-amz-json-1.1.");
	c->action = action_find(find_header(c->req, "X-Amz-Target"));
	c->trial = find_header(c->req, "X-Gazetteer-Trial") != NULL;
	if (!c->action)
		return refuse(c, ERROR_UNKNOWN_OPERATION,
			      "X-Amz-Target is missing or names no operation.");
	return true;
}

/* The JSON of the body; NULL after refuse(). */
static json_t *load_body(struct api_request *c)
{
	struct evbuffer *buffer = evhttp_request_get_input_buffer(c->req);
	size_t len = evbuffer_get_length(buffer);
	const char *data = len ? (const char *)evbuffer_pullup(buffer, -1) : "{}";
	json_error_t error;
	json_t *json;

	if (!data) {
		fail(c, GAZ_ENOMEM);
		return NULL;
	}
	json = json_loadb(data, len ? len : 2, JSON_ALLOW_NUL, &error);
	/* An integer that is too large for us: in a member of ours its type is wrong, in
	 * another one it does not matter. */
	if (!json && json_error_code(&error) == json_error_numeric_overflow)
		json = json_loadb(data, len ? len : 2,
				  JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
	if (!json && json_error_code(&error) == json_error_out_of_memory)
		fail(c, GAZ_ENOMEM);
	else if (!json)
		refuse(c, ERROR_SERIALIZATION,
		       arena_printf(&c->arena, "The body is not JSON: line %d, column %d",
				    error.line, error.column));
	return json;
}

/* Whoever may open the unix socket is trusted: its mode is the credential. */
static bool came_by_unix_socket(const struct api_request *c)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(c->req);
	const struct sockaddr *peer = evcon ? evhttp_connection_get_addr(evcon) : NULL;

	return peer && peer->sa_family == AF_UNIX;
}

static bool authenticate(struct api_request *c)
{
	const struct api_server *s = c->server;
	struct evbuffer *body = evhttp_request_get_input_buffer(c->req);
	const struct sigv4_policy policy = {
		.mode = came_by_unix_socket(c) ? API_AUTH_OFF : s->auth,
		.keys = s->keys,
		.key_count = s->key_count,
		.default_region = s->default_region,
		.default_account = s->default_account,
		.now_ms = clock_now_ms(&s->clock),
	};
	const struct sigv4_request request = {
		.method = "POST",
		.uri = evhttp_request_get_uri(c->req),
		.header = find_header,
		.header_arg = c->req,
		.body = evbuffer_get_length(body) ? evbuffer_pullup(body, -1) : NULL,
		.body_len = evbuffer_get_length(body),
	};
	struct sigv4_refusal refusal;
	gaz_status st = sigv4_authenticate(&policy, &request, &c->identity, &refusal);

	if (st == GAZ_EREFUSED)
		return refuse(c, refusal.error, refusal.message);
	return st == GAZ_OK || fail(c, st);
}

/* Every call of a known caller counts, also one that will be refused. The registry
 * is not asked: how often somebody calls is nothing that a resource knows, and the
 * buckets are this thread's alone. */
static bool check_rate(struct api_request *c)
{
	const struct api_server *s = c->server;
	enum rate_kind kind;

	if (!action_rate(c->action, &kind) ||
	    rate_take(s->rates, kind, c->identity.region, c->identity.account,
		      clock_now_ms(&s->clock)))
		return true;
	return refuse(
		c, kind == RATE_OTHER ? ERROR_THROTTLING : FAULT_REQUEST_LIMIT_EXCEEDED,
		"Rate exceeded");
}

/* Types are checked before the signature, constraints after it. */
static bool decode(struct api_request *c)
{
	const struct shape *shape = c->action->input;
	void *in = arena_alloc(&c->arena, shape->size);
	struct shape_problem problem = {0};
	gaz_status st = GAZ_ENOMEM;
	json_t *json = load_body(c);

	if (!json)
		return false;
	if (in)
		st = shape_decode(c->server->patterns, shape,
				  c->trial ? SHAPE_STRICT : SHAPE_LENIENT, json,
				  &c->arena, in, &problem);
	json_decref(json);
	if (problem.wrong_type)
		return refuse(c, ERROR_SERIALIZATION, problem.wrong_type);
	if (st != GAZ_OK && !problem.violations)
		return fail(c, st);
	if (!authenticate(c) || !check_rate(c))
		return false;
	if (problem.violations)
		return refuse(c, FAULT_INVALID_INPUT, problem.violations);
	c->job.in = in;
	return true;
}

static bool prepare(struct api_request *c)
{
	struct job *job = &c->job;

	job->out = arena_alloc(&c->arena, c->action->out_size);
	job->run = c->action->run;
	job->call.arena = &c->arena;
	job->call.region = c->identity.region;
	job->call.account = c->identity.account;
	return job->out || fail(c, GAZ_ENOMEM);
}

static void free_request(struct api_request *c)
{
	if (c->copy_fd >= 0)
		close(c->copy_fd);
	arena_fini(&c->arena);
	free(c);
}

static void encode_result(struct api_request *c, struct json_out *w)
{
	gaz_status st;

	if (c->trial)
		encode_nothing(&c->job.call, NULL, w);
	else
		c->action->encode(&c->job.call, c->job.out, w);
	st = json_status(w);
	if (st != GAZ_OK)
		fail(c, st);
}

static void reply(struct api_request *c)
{
	struct json_out *body = &c->server->body;
	int status = HTTP_OK;

	if (!c->error && c->copy_fd >= 0) {
		places_note_file(c->server->places,
				 evhttp_request_get_connection(c->req));
		http_reply_file(c->req, &c->copy_fd);
		free_request(c);
		return;
	}
	json_reset(body);
	if (!c->error)
		encode_result(c, body);
	if (c->error) {
		status = error_http_status(c->error);
		json_reset(body);
		error_body(c->error, c->message ? c->message : "", c->fault, body);
	}
	http_reply(c->req, status, c->error ? error_name(c->error) : NULL, body,
		   c->close);
	free_request(c);
}

/* The registry has run the call. */
static void finish(struct api_request *c, gaz_status st)
{
	struct api_copier *copier = &c->server->copier;

	if (copier->request == c) {
		copier->request = NULL;
		if (copier->cancelled)
			st = GAZ_EBUSY;
	}
	if (st == GAZ_EREFUSED && c->job.call.fault.code != FAULT_NONE) {
		c->fault = &c->job.call.fault;
		refuse(c, (int)c->fault->code, c->fault->message);
	} else if (st != GAZ_OK) {
		fail(c, st);
	}
	reply(c);
}

/* On the writer thread: only hand the call over. */
static void on_done(struct job *job)
{
	struct api_request *c = (struct api_request *)job;
	struct api_done *done = &c->server->done;
	bool was_empty;

	c->next_done = NULL;
	pthread_mutex_lock(&done->mutex);
	was_empty = !done->first;
	*done->end = c;
	done->end = &c->next_done;
	/* Inside the lock: the server may be gone once the list was taken. */
	if (was_empty)
		(void)eventfd_write(done->event_fd, 1);
	pthread_mutex_unlock(&done->mutex);
}

static struct api_request *take_done(struct api_done *done)
{
	struct api_request *first;

	pthread_mutex_lock(&done->mutex);
	first = done->first;
	done->first = NULL;
	done->end = &done->first;
	pthread_mutex_unlock(&done->mutex);
	return first;
}

void request_reply_done(struct api_server *s)
{
	struct api_request *next;

	for (struct api_request *c = take_done(&s->done); c; c = next) {
		next = c->next_done;
		s->calls_in_flight--;
		finish(c, c->job.status);
	}
}

void request_drop_done(struct api_server *s)
{
	struct api_request *next;

	for (struct api_request *c = take_done(&s->done); c; c = next) {
		next = c->next_done;
		/* A request that still has a connection is freed with it. */
		if (!evhttp_request_get_connection(c->req))
			evhttp_request_free(c->req);
		free_request(c);
	}
}

/* ---- replies that are files ---- */

/* Writing the whole store, or a zone, takes its time: a thread of its own does it, so
 * that calls go on. */
static void *run_copy(void *arg)
{
	struct api_request *c = arg;

	c->job.status = registry_write_file(c->server->registry, &c->job.call, c->job.run,
					    c->job.in, c->copy_fd);
	on_done(&c->job);
	return NULL;
}

static void join_copier(struct api_copier *copier)
{
	if (copier->has_thread)
		pthread_join(copier->thread, NULL);
	copier->has_thread = false;
}

static void start_copy(struct api_request *c)
{
	struct api_server *s = c->server;
	gaz_status st;

	if (s->copier.request) {
		refuse(c, FAULT_RESOURCE_IN_USE,
		       "Another backup or export is being written; try again when it has "
		       "ended.");
	} else {
		join_copier(&s->copier);
		st = registry_open_spool(s->registry, &c->copy_fd);
		if (st == GAZ_OK)
			st = thread_start(&s->copier.thread, "copier", THREAD_BEHIND,
					  run_copy, c);
		if (st == GAZ_OK) {
			s->copier.has_thread = true;
			s->copier.request = c;
			s->copier.fd = c->copy_fd;
			s->calls_in_flight++;
			return;
		}
		fail(c, st);
	}
	reply(c);
}

void request_cancel_copy(struct api_server *s, bool wait)
{
	struct api_copier *copier = &s->copier;
	int fd = copier->request ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;

	/* The copier's next write fails: its descriptor cannot be written to any more. */
	if (fd >= 0) {
		(void)dup3(fd, copier->fd, O_CLOEXEC);
		close(fd);
		copier->cancelled = true;
	}
	if (wait)
		join_copier(copier);
}

/* To the daemon, which has the job done by somebody. */
static void hand_over(struct api_request *c, void (*work)(void *arg, struct job *job),
		      void *arg, const char *absent)
{
	if (!work) {
		refuse(c, FAULT_INVALID_INPUT, absent);
		reply(c);
		return;
	}
	c->job.done = on_done;
	c->server->calls_in_flight++;
	work(arg, &c->job);
}

static void read_status(const struct api_server *s, struct api_status *out)
{
	if (s->read_status)
		s->read_status(s->read_status_arg, out);
	out->api_given_up = places_given_up(s->places);
}

static void run(struct api_request *c)
{
	struct api_server *s = c->server;
	struct job *job = &c->job;

	/* These give out what all accounts have, secrets of the machine among it. */
	if (c->action->way >= ACTION_LOCAL_READ && !came_by_unix_socket(c)) {
		refuse(c, ERROR_ACCESS_DENIED,
		       "This operation is for the management socket only.");
		reply(c);
		return;
	}
	if (c->trial) {
		reply(c);
		return;
	}
	switch (c->action->way) {
	case ACTION_STATUS:
		read_status(s, job->out);
		reply(c);
		break;
	case ACTION_MUTATION:
		job->done = on_done;
		s->calls_in_flight++;
		registry_submit(s->registry, job);
		break;
	case ACTION_RELOAD:
		hand_over(c, s->reload, s->reload_arg,
			  "There are no zone files: the daemon was started without "
			  "--zones.");
		break;
	case ACTION_FLUSH:
		hand_over(c, s->flush, s->flush_arg,
			  "There are no answers of others to forget: the daemon was "
			  "started without --forward.");
		break;
	case ACTION_FILE:
		start_copy(c);
		break;
	default:
		finish(c, registry_read(s->registry, &job->call, job->run, job->in,
					job->out));
		break;
	}
}

void request_handle(struct evhttp_request *req, void *arg)
{
	struct api_server *s = arg;
	struct api_request *c = calloc(1, sizeof *c);

	if (!c) {
		http_reply_failure(req);
		return;
	}
	arena_init(&c->arena);
	c->server = s;
	c->req = req;
	c->copy_fd = -1;
	if (check_http(c) && find_action(c) && decode(c) && prepare(c))
		run(c);
	else
		reply(c);
}
