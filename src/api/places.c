/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/places.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "api/http.h"
#include "base/clock.h"
#include "base/log.h"

enum {
	SWEEP_MS = 1000, /* how often requests are looked at, while there are some */
	/* A line of the header section costs much more memory than it has octets: so much
	 * for itself, and for its end. */
	LINE_COST = 64,
	/* A chunk of a body that is all that there is in the input is taken with the
	 * memory that was allocated for reading, however small it is; one with something
	 * behind it is copied. */
	READ_COST = 1024,
};

/* What evhttp takes from the input next, each piece by itself. */
enum piece {
	PIECE_LINE = 0, /* of the header section, without its end */
	PIECE_LINE_END,
	PIECE_SIZE, /* the line before a chunk, or the line end behind one, or a whole body */
	PIECE_SIZE_END,
	PIECE_CHUNK,
	PIECE_REFUSED, /* of a body that is too large, which is thrown away as it comes */
};

struct place {
	struct place *older;
	struct place *newer;
	struct places *places;
	struct bufferevent *stream;	/* evhttp's */
	struct evhttp_connection *conn; /* NULL: not known yet */
	enum place_kind kind;
	bool is_file;
	int64_t progress_ms; /* when the last sign of progress was seen */
	int64_t begun_ms;    /* when the request that comes in began; 0: it has not */
	size_t received;     /* of it */
	enum piece next;     /* of it */
	char ahead[2];	     /* what the input begins with */
	size_t taken;	     /* what evhttp has made of it needs so much */
	size_t held;
};

struct places {
	struct event_base *base;
	size_t max;	      /* of each kind */
	struct place *oldest; /* the one that has gone longest without progress */
	struct place *newest;
	struct place *newcomer;
	size_t counts[PLACE_KIND_COUNT];
	size_t held;
	uint64_t given_up;
	struct event *settle;
	struct event *sweep;
	void (*full)(void *arg, enum place_kind kind);
	void *arg;
};

static struct log_limit taken_limit;
static struct log_limit slow_limit;
static struct log_limit costly_limit;
static struct log_limit held_limit;

static void unlink_place(struct place *p)
{
	struct places *all = p->places;

	*(p->older ? &p->older->newer : &all->oldest) = p->newer;
	*(p->newer ? &p->newer->older : &all->newest) = p->older;
}

static void link_as_newest(struct place *p)
{
	struct places *all = p->places;

	p->older = all->newest;
	p->newer = NULL;
	*(all->newest ? &all->newest->newer : &all->oldest) = p;
	all->newest = p;
}

static void note_progress(struct place *p)
{
	p->progress_ms = clock_monotonic_ms();
	if (p->places->newest == p)
		return;
	unlink_place(p);
	link_as_newest(p);
}

/* What evhttp is doing with a connection can be told from its stream: it reads from it
 * until it has a request, and takes its read callback away when it writes a reply. */

static bool is_being_read(const struct place *p)
{
	bufferevent_data_cb on_read = NULL;

	bufferevent_getcb(p->stream, &on_read, NULL, NULL, NULL);
	return on_read && (bufferevent_get_enabled(p->stream) & EV_READ);
}

static bool is_being_written(const struct place *p)
{
	bufferevent_data_cb on_read = NULL;

	bufferevent_getcb(p->stream, &on_read, NULL, NULL, NULL);
	return !on_read;
}

static bool may_be_given_up(const struct place *p)
{
	return p->conn && !p->is_file && (is_being_read(p) || is_being_written(p));
}

/* Nothing touches the place after it. */
static void give_up(struct place *p, const char *reason, struct log_limit *limit)
{
	struct evhttp_connection *conn = p->conn;
	uint32_t suppressed;
	char *peer;
	uint16_t port;

	p->places->given_up++;
	if (log_limit_pass(limit, &suppressed)) {
		evhttp_connection_get_peer(conn, &peer, &port);
		log_warn("api-place-given-up",
			 "reason=\"%s\" peer=%s held=%zu progress_ms=%lld suppressed=%u",
			 reason, p->kind == PLACE_UNIX ? "unix" : peer, p->held,
			 (long long)(clock_monotonic_ms() - p->progress_ms), suppressed);
	}
	evhttp_connection_free(conn); /* comes to on_close() */
}

/* ---- memory ---- */

static void limit_held(struct places *all, const struct place *spared)
{
	struct place *newer;

	for (struct place *p = all->oldest; p && all->held > PLACES_HELD_MAX; p = newer) {
		newer = p->newer;
		if (p != spared && p->held > 0 && may_be_given_up(p))
			give_up(p, "too much is held", &held_limit);
	}
}

static void count_held(struct place *p)
{
	size_t held = 0;

	if (!p->is_file)
		held = p->taken + evbuffer_get_length(bufferevent_get_input(p->stream)) +
		       evbuffer_get_length(bufferevent_get_output(p->stream));
	p->places->held += held - p->held;
	p->held = held;
	limit_held(p->places, p);
}

/* ---- the time of a request ---- */

static void start_sweep(struct places *all)
{
	const struct timeval tv = {.tv_sec = SWEEP_MS / 1000};

	if (!event_pending(all->sweep, EV_TIMEOUT, NULL))
		event_add(all->sweep, &tv);
}

static bool is_overdue(const struct place *p, int64_t now_ms)
{
	int64_t more_ms = (int64_t)p->received * 1000 / PLACES_OCTETS_PER_S;

	return now_ms - p->begun_ms > PLACES_REQUEST_MS + more_ms;
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct places *all = arg;
	const int64_t now_ms = clock_monotonic_ms();
	struct place *newer;
	bool has_begun = false;

	(void)fd;
	(void)what;
	for (struct place *p = all->oldest; p; p = newer) {
		const bool is_read = p->conn && is_being_read(p);

		newer = p->newer;
		if (p->begun_ms == 0)
			continue;
		if (is_read && is_overdue(p, now_ms))
			give_up(p, "the request takes too long", &slow_limit);
		else if (is_read && p->taken >= PLACES_REQUEST_HELD_MAX)
			give_up(p, "the request needs too much memory", &costly_limit);
		else
			has_begun = true;
	}
	if (has_begun)
		start_sweep(all);
}

static void begin_request(struct place *p)
{
	p->begun_ms = clock_monotonic_ms();
	p->received = evbuffer_get_length(bufferevent_get_input(p->stream));
	start_sweep(p->places);
}

/* ---- what comes in and goes out ---- */

/* @return what it costs beyond its octets. No line has a line feed in it, so only a chunk
 * can look like the end of a line; and which piece is a chunk is known by then. */
static size_t take_piece(struct place *p, size_t len, bool is_all)
{
	const bool is_end = (len == 1 && p->ahead[0] == '\n') ||
			    (len == 2 && memcmp(p->ahead, "\r\n", 2) == 0);

	switch (p->next) {
	case PIECE_LINE:
		p->next = is_end ? PIECE_SIZE : PIECE_LINE_END;
		return LINE_COST;
	case PIECE_LINE_END:
		p->next = PIECE_LINE;
		return LINE_COST;
	case PIECE_SIZE:
		if (is_end)
			return 0;
		p->next = PIECE_SIZE_END;
		return is_all ? READ_COST : 0;
	case PIECE_SIZE_END:
		p->next = is_end ? PIECE_CHUNK : PIECE_REFUSED;
		return 0;
	case PIECE_CHUNK:
		p->next = PIECE_SIZE;
		return is_all ? READ_COST : 0;
	case PIECE_REFUSED:
		break;
	}
	return 0;
}

/* Until the next sweep a fast client would have much more. But the connection cannot go
 * while evhttp takes pieces from its input: only when that is done. */
static void count_taken(struct place *p, size_t len, bool is_all)
{
	if (p->taken >= PLACES_REQUEST_HELD_MAX || p->next == PIECE_REFUSED)
		return;
	p->taken += len + take_piece(p, len, is_all);
	if (p->taken >= PLACES_REQUEST_HELD_MAX)
		event_active(p->places->sweep, EV_TIMEOUT, 0);
}

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info,
		     void *arg)
{
	struct place *p = arg;

	if (info->n_deleted > 0)
		count_taken(p, info->n_deleted, evbuffer_get_length(input) == 0);
	p->ahead[0] = '\0';
	(void)evbuffer_copyout(input, p->ahead, sizeof p->ahead);
	if (info->n_added > 0 && p->begun_ms == 0)
		begin_request(p);
	else
		p->received += info->n_added;
	count_held(p);
}

/* Whatever goes out, it is the end of a request, or of a reply. What may have come in of
 * the next one begins to count then. */
static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info,
		      void *arg)
{
	struct place *p = arg;

	(void)info;
	note_progress(p);
	p->begun_ms = 0;
	/* A whole reply has gone, and with it the request; or "100 Continue" has. */
	if (evbuffer_get_length(output) == 0 && is_being_written(p)) {
		p->taken = 0;
		p->next = PIECE_LINE;
	}
	if (evbuffer_get_length(bufferevent_get_input(p->stream)) > 0)
		begin_request(p);
	count_held(p);
}

/* ---- coming and going ---- */

static void free_place(struct place *p)
{
	struct places *all = p->places;

	if (p->conn)
		all->counts[p->kind]--;
	all->held -= p->held;
	unlink_place(p);
	free(p);
}

static void on_close(struct evhttp_connection *conn, void *arg)
{
	struct place *p = arg;

	(void)conn;
	evbuffer_remove_cb(bufferevent_get_input(p->stream), on_input, p);
	evbuffer_remove_cb(bufferevent_get_output(p->stream), on_output, p);
	free_place(p);
}

/* The one that has gone longest without progress. Who has just come has not been heard
 * yet: of many that come together, none shall take the place of the one before it. */
static struct place *find_least_useful(const struct places *all, enum place_kind kind)
{
	const int64_t before_ms = clock_monotonic_ms() - PLACES_GRACE_MS;

	for (struct place *p = all->oldest; p && p->progress_ms <= before_ms;
	     p = p->newer) {
		if (p->kind == kind && may_be_given_up(p))
			return p;
	}
	return NULL;
}

static void make_room(struct places *all, enum place_kind kind)
{
	while (all->counts[kind] > all->max) {
		struct place *p = find_least_useful(all, kind);

		if (!p) {
			all->full(all->arg, kind);
			return;
		}
		give_up(p, "all places are taken", &taken_limit);
	}
}

/* evhttp asks for a stream first, and makes its connection then, which is known to the
 * stream as the argument of its callbacks: until then that is the place, and afterwards,
 * when the connection has been freed, it is NULL. */
static void settle_newcomer(struct places *all)
{
	struct place *p = all->newcomer;
	struct bufferevent *stream;
	const struct sockaddr *peer;
	void *conn = NULL;

	if (!p)
		return;
	all->newcomer = NULL;
	stream = p->stream;
	bufferevent_getcb(stream, NULL, NULL, NULL, &conn);
	if (!conn || conn == p) { /* out of memory */
		evbuffer_remove_cb(bufferevent_get_input(stream), on_input, p);
		evbuffer_remove_cb(bufferevent_get_output(stream), on_output, p);
		free_place(p);
		if (conn)
			bufferevent_free(stream);
	} else {
		p->conn = conn;
		peer = evhttp_connection_get_addr(conn);
		p->kind = peer && peer->sa_family == AF_UNIX ? PLACE_UNIX : PLACE_TCP;
		all->counts[p->kind]++;
		evhttp_connection_set_closecb(conn, on_close, p);
		make_room(all, p->kind);
	}
	bufferevent_decref(stream);
}

static void on_settle(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	settle_newcomer(arg);
}

struct bufferevent *places_take(struct places *all)
{
	struct place *p = calloc(1, sizeof *p);

	settle_newcomer(all);
	if (!p)
		return NULL;
	p->places = all;
	p->stream = http_stream_new(all->base);
	if (!p->stream ||
	    !evbuffer_add_cb(bufferevent_get_input(p->stream), on_input, p) ||
	    !evbuffer_add_cb(bufferevent_get_output(p->stream), on_output, p)) {
		if (p->stream)
			bufferevent_free(p->stream);
		free(p);
		return NULL;
	}
	bufferevent_setcb(p->stream, NULL, NULL, NULL, p);
	bufferevent_incref(p->stream);
	p->progress_ms = clock_monotonic_ms();
	link_as_newest(p);
	all->newcomer = p;
	event_active(all->settle, EV_TIMEOUT, 0);
	return p->stream;
}

size_t places_count(const struct places *all)
{
	size_t count = all->newcomer ? 1 : 0;

	for (size_t i = 0; i < PLACE_KIND_COUNT; i++)
		count += all->counts[i];
	return count;
}

uint64_t places_given_up(const struct places *all)
{
	return all->given_up;
}

bool places_have_room(const struct places *all, enum place_kind kind)
{
	return all->counts[kind] < all->max || find_least_useful(all, kind);
}

void places_note_file(struct places *all, const struct evhttp_connection *conn)
{
	struct place *p = all->newest;

	while (p && p->conn != conn)
		p = p->older;
	if (!conn || !p)
		return; /* the client went away meanwhile */
	p->is_file = true;
	count_held(p);
}

/* A part of the descriptors that there may be is for others. */
static size_t choose_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 4 >= PLACES_MAX)
		return PLACES_MAX;
	return limit.rlim_cur / 4 + 1;
}

gaz_status places_new(struct event_base *base,
		      void (*full)(void *arg, enum place_kind kind), void *arg,
		      struct places **out)
{
	struct places *all = calloc(1, sizeof *all);

	if (!all)
		return GAZ_ENOMEM;
	all->base = base;
	all->full = full;
	all->arg = arg;
	all->max = choose_max();
	all->settle = event_new(base, -1, 0, on_settle, all);
	all->sweep = event_new(base, -1, 0, on_sweep, all);
	if (!all->settle || !all->sweep) {
		places_free(&all);
		return GAZ_ENOMEM;
	}
	*out = all;
	return GAZ_OK;
}

void places_free(struct places **places)
{
	struct places *all = *places;

	if (!all)
		return;
	settle_newcomer(all);
	if (all->settle)
		event_free(all->settle);
	if (all->sweep)
		event_free(all->sweep);
	free(all);
	*places = NULL;
}
