/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "api/json.h"
#include "api/listen.h"
#include "api/places.h"
#include "api/server.h"
#include "api/shape.h"

/* What server.c (listeners, thread) and request.c (requests) share. */

struct api_request;

/* Finished mutations on their way from the writer to the API thread. */
struct api_done {
	pthread_mutex_t mutex;
	struct api_request *first; /* in the order of completion */
	struct api_request **end;
	int event_fd; /* readable when something is in the list, or on stop */
};

/* The file that is being written for a reply, such as a copy of the store: one at a time. */
struct api_copier {
	pthread_t thread;
	bool has_thread;	     /* running, or ended and to be joined */
	struct api_request *request; /* that waits for it; NULL: none is under way */
	int fd;			     /* of the request's file */
	bool cancelled;
};

struct api_tcp {
	struct sockaddr_storage address;
	struct evhttp_bound_socket *bound;
};

struct api_server {
	struct registry *registry;
	enum api_auth auth;
	struct api_key *keys; /* owned, with their texts */
	size_t key_count;
	char *default_region;
	char *default_account;
	struct clock clock;
	struct rate_table *rates; /* NULL: nothing is limited */
	void (*reload)(void *arg, struct job *job);
	void *reload_arg;
	void (*flush)(void *arg, struct job *job);
	void *flush_arg;
	void (*read_status)(void *arg, struct api_status *out);
	void *read_status_arg;

	struct shape_patterns *patterns;
	struct event_base *base;
	struct evhttp *http;
	struct places *places; /* for connections */
	struct api_tcp *tcp;
	size_t tcp_count;
	bool is_inherited; /* the listening sockets are the service manager's too */
	struct listen_path socket_path;
	struct evhttp_bound_socket *unix_bound;
	struct event *wake;  /* on done.event_fd */
	struct event *timer; /* resumes accepting; while stopping, ends the loop */

	pthread_t thread;
	bool has_thread;
	_Atomic bool stopping;	/* set by api_server_stop() */
	bool draining;		/* the API thread has seen it */
	unsigned drain_ticks;	/* while it stops */
	unsigned quiet_ticks;	/* of these, the last ones without a call */
	struct json_out body;	/* of the reply being written; API thread only */
	size_t calls_in_flight; /* queued to the writer; API thread only */
	struct api_done done;
	struct api_copier copier; /* API thread only */
};

/** evhttp's callback for every request. `arg` is the api_server. */
void request_handle(struct evhttp_request *req, void *arg);

/** Answer every finished mutation; on the API thread. */
void request_reply_done(struct api_server *s);

/** Let the copy of the store that is under way fail soon, and wait for its end if told
 *  so; on the API thread, or after it has ended. */
void request_cancel_copy(struct api_server *s, bool wait);

/** Forget finished mutations without an answer, after the thread has ended
 *  and before the evhttp is freed. */
void request_drop_done(struct api_server *s);
