/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "api/server.h"

/* For tests of the API over sockets: a real server on a free port and on a
 * unix socket, with the stub registry, and a small HTTP client. */

#define AWS  "Route53AutoNaming_v20170314."
#define JSON "Content-Type: application/x-amz-json-1.1\r\n"

enum {
	CONN_CAP = 64 * 1024
};

struct fixture {
	struct api_server *server;
	struct sockaddr_storage address;
	char folder[64];
	char socket_path[128];
};

struct conn {
	int fd;
	size_t len;
	char data[CONN_CAP]; /* received and not yet taken */
};

struct reply {
	int status;
	bool closed; /* the connection ended before a whole reply */
	char head[4096];
	char body[16 * 1024];
};

/** cmocka's set-up and tear-down; `*state` is a struct fixture. */
int set_up(void **state);
int tear_down(void **state);

/** A configuration for another server; `f` has the socket's path. */
struct api_config make_config(struct fixture *f);
void make_folder(struct fixture *f);
void remove_folder(struct fixture *f);

struct conn *dial_tcp(void **state);
struct conn *dial_unix(void **state);
void hang_up(struct conn *c);
void set_timeout(int fd);

/* Sending does not mind that the server closes early, on purpose. */
void send_bytes(struct conn *c, const char *data, size_t len);
void send_text(struct conn *c, const char *text);
void send_call(struct conn *c, const char *target, const char *body);

/** Wait for more bytes; false: closed, or ten seconds passed. */
bool receive_more(struct conn *c);
struct reply receive(struct conn *c);

/** One request, sent as it is, on its own connection. */
struct reply ask(void **state, const char *text);
struct reply call(void **state, const char *target, const char *body);

bool has_line(const struct reply *r, const char *line);
void assert_common_headers(const struct reply *r);
void assert_error(const struct reply *r, int status, const char *name);
void assert_success(const struct reply *r, const char *body);
void assert_closed(struct conn *c);

/** The server still answers. */
void assert_alive(void **state);

/** Wait until a counter of the stub shows `count`. */
void wait_for(unsigned (*counter)(void), unsigned count);
