/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/http.h"
#include "api/model.h"
#include "api/places.h"
#include "api/server-internal.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/tsan.h"

enum {
	/* From here on a new connection may be idle for a short time only, so that
	 * idle ones cannot keep callers out for long. */
	CONNECTIONS_MANY = 256,
	RESUME_MS = 100, /* how often paused listeners look again */

	DRAIN_TICK_MS = 50,
	DRAIN_TICKS_MAX = 100, /* 5 s for the calls under way */
	QUIET_TICKS = 2,       /* without a call, for the last replies to leave */
};

static struct log_limit pause_limit;
static struct log_limit accept_limit;

/* Accepting */

static void set_accepting(struct evhttp_bound_socket *bound, bool on)
{
	struct evconnlistener *listener =
		bound ? evhttp_bound_socket_get_listener(bound) : NULL;

	if (listener && on)
		evconnlistener_enable(listener);
	else if (listener)
		evconnlistener_disable(listener);
}

static void start_timer(struct api_server *s, int ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};

	event_add(s->timer, &tv);
}

static void set_accepting_kind(struct api_server *s, enum place_kind kind, bool on)
{
	if (kind == PLACE_UNIX)
		set_accepting(s->unix_bound, on);
	for (size_t i = 0; kind == PLACE_TCP && i < s->tcp_count; i++)
		set_accepting(s->tcp[i].bound, on);
}

static void on_full(void *arg, enum place_kind kind)
{
	struct api_server *s = arg;
	uint32_t suppressed;

	if (log_limit_pass(&pause_limit, &suppressed))
		log_warn("api-accept-paused",
			 "reason=\"all connections are in use\" suppressed=%u",
			 suppressed);
	set_accepting_kind(s, kind, false);
	start_timer(s, RESUME_MS);
}

static void resume(struct api_server *s)
{
	for (enum place_kind kind = 0; kind < PLACE_KIND_COUNT; kind++) {
		if (places_have_room(s->places, kind))
			set_accepting_kind(s, kind, true);
		else
			start_timer(s, RESUME_MS);
	}
}

/* evhttp asks for a bufferevent for every new connection: the only open hook
 * there is. Without one it tries to make one itself. */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct api_server *s = arg;
	size_t count = places_count(s->places) + 1;

	(void)base;
	evhttp_set_timeout(s->http,
			   count > CONNECTIONS_MANY ? HTTP_IDLE_BUSY_S : HTTP_IDLE_S);
	return places_take(s->places);
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct evconnlistener *listener = arg;

	(void)fd;
	(void)what;
	evconnlistener_enable(listener);
}

/* Out of file descriptors, mostly: trying again at once would spin. evhttp has
 * taken the listener's argument for itself, so that only the listener is known
 * here. Listeners live as long as the event base. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	const struct timeval tv = {.tv_usec = RESUME_MS * 1000};
	uint32_t suppressed;

	(void)arg;
	if (log_limit_pass(&accept_limit, &suppressed))
		log_warn("api-accept-failed", "reason=\"%s\" suppressed=%u",
			 strerror(errno), suppressed);
	evconnlistener_disable(listener);
	(void)event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT,
			      on_accept_again, listener, &tv);
}

/* The thread */

/* A listening socket that is shut down refuses connections; the listener itself
 * must live on, see on_accept_error(). One that the service manager holds too must
 * serve the next process: whoever connects now waits for that. */
static void stop_accepting(const struct api_server *s, struct evhttp_bound_socket *bound)
{
	set_accepting(bound, false);
	if (bound && !s->is_inherited)
		(void)shutdown(evhttp_bound_socket_get_fd(bound), SHUT_RDWR);
}

static void begin_drain(struct api_server *s)
{
	s->draining = true;
	request_cancel_copy(s, false);
	for (size_t i = 0; i < s->tcp_count; i++)
		stop_accepting(s, s->tcp[i].bound);
	stop_accepting(s, s->unix_bound);
	start_timer(s, DRAIN_TICK_MS);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct api_server *s = arg;
	eventfd_t value;

	(void)what;
	(void)eventfd_read(fd, &value);
	request_reply_done(s);
	if (atomic_load(&s->stopping) && !s->draining)
		begin_drain(s);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct api_server *s = arg;

	(void)fd;
	(void)what;
	if (!s->draining) {
		resume(s);
		return;
	}
	/* The last reply may have been given to evhttp in this very turn of the loop. */
	s->quiet_ticks = s->calls_in_flight == 0 ? s->quiet_ticks + 1 : 0;
	if (s->quiet_ticks >= QUIET_TICKS || ++s->drain_ticks >= DRAIN_TICKS_MAX)
		event_base_loopbreak(s->base);
	else
		start_timer(s, DRAIN_TICK_MS);
}

static void *run_thread(void *arg)
{
	struct api_server *s = arg;

	event_base_dispatch(s->base);
	return NULL;
}

gaz_status api_server_start(struct api_server *s)
{
	gaz_status st = thread_start(&s->thread, "api", THREAD_BEHIND, run_thread, s);

	s->has_thread = st == GAZ_OK;
	return st;
}

void api_server_stop(struct api_server *s)
{
	if (!s->has_thread)
		return;
	atomic_store(&s->stopping, true);
	(void)eventfd_write(s->done.event_fd, 1);
	pthread_join(s->thread, NULL);
	s->has_thread = false;
}

/* Opening and closing */

static gaz_status bind_listener(struct api_server *s, int fd,
				struct evhttp_bound_socket **out)
{
	struct evconnlistener *listener = evconnlistener_new(
		s->base, NULL, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);

	if (!listener) {
		close(fd);
		return GAZ_ENOMEM;
	}
	/* This sets evhttp's callback and its argument. */
	*out = evhttp_bind_listener(s->http, listener);
	if (!*out) {
		evconnlistener_free(listener);
		return GAZ_ENOMEM;
	}
	return GAZ_OK;
}

static gaz_status open_endpoint(struct api_server *s, const struct api_config *config,
				size_t i, struct gaz_error *err)
{
	struct api_tcp *tcp = &s->tcp[i];
	int fd = config->endpoint_fds ? config->endpoint_fds[i] : 0;
	gaz_status st;

	if (fd > 0) {
		tcp->address = config->endpoints[i];
		return bind_listener(s, fd, &tcp->bound);
	}
	st = listen_tcp((const struct sockaddr *)&config->endpoints[i], &fd,
			&tcp->address, err);
	if (st == GAZ_EIO && config->on_skip) {
		config->on_skip(err);
		memset(&tcp->address, 0, sizeof tcp->address);
		return GAZ_OK;
	}
	if (st != GAZ_OK)
		return st;
	return bind_listener(s, fd, &tcp->bound);
}

static gaz_status open_listeners(struct api_server *s, const struct api_config *config,
				 struct gaz_error *err)
{
	gaz_status st = GAZ_OK;
	int fd;

	s->tcp = calloc(config->endpoint_count + 1, sizeof *s->tcp);
	if (!s->tcp)
		return GAZ_ENOMEM;
	for (; s->tcp_count < config->endpoint_count && st == GAZ_OK; s->tcp_count++)
		st = open_endpoint(s, config, s->tcp_count, err);
	s->is_inherited = config->endpoint_fds || config->socket_fd > 0;
	if (st == GAZ_OK && config->socket_fd > 0)
		return bind_listener(s, config->socket_fd, &s->unix_bound);
	if (st == GAZ_OK && config->socket_path) {
		st = listen_unix(config->socket_path, &fd, &s->socket_path, err);
		if (st == GAZ_OK)
			st = bind_listener(s, fd, &s->unix_bound);
	}
	return st;
}

/* evhttp turns a connection's events on and off several times in a request. The
 * change list leaves out what has been undone by the time the loop waits again:
 * most of the system calls. (It forbids descriptors made by dup(); we have none.)
 *
 * A descriptor is closed before the list is worked off, and its number may be in use
 * again by then. In this base the new events have taken the place of the old ones in
 * the list, as ADD or as MOD, which is tried again as ADD. Anybody else's descriptor
 * meets a DEL at most, since all events are taken away before the close: it is not in
 * our set, and stays where it is. ThreadSanitizer takes even that for a race. */
static struct event_base *new_base(void)
{
	int flags = tsan_is_on() ? 0 : EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST;
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config && event_config_set_flag(config, flags) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

static gaz_status open_http(struct api_server *s)
{
	const ev_uint16_t any_method = UINT16_MAX; /* request.c refuses them in JSON */

	s->base = new_base();
	s->http = s->base ? evhttp_new(s->base) : NULL;
	if (!s->http)
		return GAZ_ENOMEM;
	evhttp_set_max_headers_size(s->http, HTTP_HEADERS_MAX);
	evhttp_set_max_body_size(s->http, HTTP_BODY_MAX);
	evhttp_set_timeout(s->http, HTTP_IDLE_S);
	evhttp_set_allowed_methods(s->http, any_method);
	evhttp_set_flags(s->http, EVHTTP_SERVER_LINGERING_CLOSE);
	evhttp_set_gencb(s->http, request_handle, s);
	evhttp_set_bevcb(s->http, on_connection, s);
	return places_new(s->base, on_full, s, &s->places);
}

static gaz_status open_events(struct api_server *s)
{
	s->done.event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->done.event_fd < 0)
		return GAZ_EIO;
	s->wake = event_new(s->base, s->done.event_fd, EV_READ | EV_PERSIST, on_wake, s);
	s->timer = event_new(s->base, -1, 0, on_timer, s);
	if (!s->wake || !s->timer || event_add(s->wake, NULL) < 0)
		return GAZ_ENOMEM;
	return GAZ_OK;
}

static gaz_status copy_config(struct api_server *s, const struct api_config *config)
{
	s->auth = config->auth;
	s->clock = config->clock;
	s->reload = config->reload;
	s->reload_arg = config->reload_arg;
	s->flush = config->flush;
	s->flush_arg = config->flush_arg;
	s->read_status = config->read_status;
	s->read_status_arg = config->read_status_arg;
	s->default_region = strdup(config->default_region);
	s->default_account = strdup(config->default_account);
	s->keys = calloc(config->key_count + 1, sizeof *s->keys);
	if (!s->default_region || !s->default_account || !s->keys)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < config->key_count; i++) {
		s->keys[i].access_key_id = strdup(config->keys[i].access_key_id);
		s->keys[i].secret = strdup(config->keys[i].secret);
		s->key_count++;
		if (!s->keys[i].access_key_id || !s->keys[i].secret)
			return GAZ_ENOMEM;
	}
	return GAZ_OK;
}

static void begin_accepting(struct api_server *s)
{
	for (size_t i = 0; i < s->tcp_count; i++) {
		if (!s->tcp[i].bound)
			continue; /* left out */
		evconnlistener_set_error_cb(
			evhttp_bound_socket_get_listener(s->tcp[i].bound),
			on_accept_error);
		set_accepting(s->tcp[i].bound, true);
	}
	if (s->unix_bound)
		evconnlistener_set_error_cb(
			evhttp_bound_socket_get_listener(s->unix_bound), on_accept_error);
	set_accepting(s->unix_bound, true);
}

gaz_status api_server_open(const struct api_config *config, struct registry *registry,
			   struct api_server **out, struct gaz_error *err)
{
	struct api_server *s = calloc(1, sizeof *s);
	gaz_status st;

	if (!s)
		return gaz_error_set(err, GAZ_ENOMEM, "out of memory");
	s->registry = registry;
	json_init(&s->body);
	s->done.event_fd = -1;
	s->done.end = &s->done.first;
	pthread_mutex_init(&s->done.mutex, NULL);
	if (err)
		err->text[0] = '\0';
	if ((st = copy_config(s, config)) != GAZ_OK ||
	    (st = rate_new(config->rates, &s->rates)) != GAZ_OK ||
	    (st = shape_patterns_new(model_patterns, model_pattern_count,
				     &s->patterns)) != GAZ_OK ||
	    (st = open_http(s)) != GAZ_OK || (st = open_events(s)) != GAZ_OK ||
	    (st = open_listeners(s, config, err)) != GAZ_OK) {
		if (err && !err->text[0])
			gaz_error_set(err, st, "cannot set up the API: %s",
				      gaz_status_text(st));
		api_server_close(&s);
		return st;
	}
	begin_accepting(s);
	*out = s;
	return GAZ_OK;
}

const struct sockaddr *api_server_address(const struct api_server *s, size_t i)
{
	const struct sockaddr *sa = (const struct sockaddr *)&s->tcp[i].address;

	return sa->sa_family == AF_UNSPEC ? NULL : sa;
}

static void free_copies(struct api_server *s)
{
	for (size_t i = 0; i < s->key_count; i++) {
		free((char *)s->keys[i].access_key_id);
		free((char *)s->keys[i].secret);
	}
	free(s->keys);
	free(s->default_region);
	free(s->default_account);
	free(s->tcp);
}

void api_server_close(struct api_server **server)
{
	struct api_server *s = *server;

	if (!s)
		return;
	api_server_stop(s);
	request_cancel_copy(s, true);
	request_drop_done(s);
	listen_path_close(&s->socket_path);
	if (s->http)
		evhttp_free(s->http);
	places_free(&s->places);
	if (s->wake)
		event_free(s->wake);
	if (s->timer)
		event_free(s->timer);
	if (s->base)
		event_base_free(s->base);
	if (s->done.event_fd >= 0)
		close(s->done.event_fd);
	shape_patterns_free(&s->patterns);
	rate_free(&s->rates);
	json_fini(&s->body);
	pthread_mutex_destroy(&s->done.mutex);
	free_copies(s);
	free(s);
	*server = NULL;
}
