/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "api_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "api_stub.h"

static void read_status(void *arg, struct api_status *out)
{
	(void)arg;
	out->version = "test";
}

struct api_config make_config(struct fixture *f)
{
	const struct sockaddr_in any = {.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	memcpy(&f->address, &any, sizeof any);
	return (struct api_config){
		.endpoints = &f->address,
		.endpoint_count = 1,
		.socket_path = f->socket_path,
		.default_region = "us-east-1",
		.default_account = "000000000000",
		.read_status = read_status,
	};
}

void make_folder(struct fixture *f)
{
	strcpy(f->folder, "/tmp/gaz-api-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->socket_path, sizeof f->socket_path, "%s/run/api.sock",
		       f->folder);
}

void remove_folder(struct fixture *f)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/run", f->folder);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(f->folder), 0);
}

int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct gaz_error err;
	struct api_config config;

	make_folder(f);
	config = make_config(f);
	stub_start();
	assert_int_equal(api_server_open(&config, NULL, &f->server, &err), GAZ_OK);
	memcpy(&f->address, api_server_address(f->server, 0), sizeof f->address);
	assert_int_equal(api_server_start(f->server), GAZ_OK);
	*state = f;
	return 0;
}

int tear_down(void **state)
{
	struct fixture *f = *state;

	api_server_stop(f->server);
	stub_stop();
	api_server_close(&f->server);
	assert_null(f->server);
	assert_int_equal(access(f->socket_path, F_OK), -1);
	remove_folder(f);
	free(f);
	return 0;
}

/* A small HTTP client */

void set_timeout(int fd)
{
	const struct timeval tv = {.tv_sec = 10};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
}

static struct conn *dial(const struct sockaddr *sa, socklen_t len)
{
	struct conn *c = calloc(1, sizeof *c);

	c->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(c->fd >= 0);
	set_timeout(c->fd);
	assert_int_equal(connect(c->fd, sa, len), 0);
	return c;
}

struct conn *dial_tcp(void **state)
{
	struct fixture *f = *state;

	return dial((struct sockaddr *)&f->address, sizeof(struct sockaddr_in));
}

struct conn *dial_unix(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	strcpy(sun.sun_path, f->socket_path);
	return dial((struct sockaddr *)&sun, sizeof sun);
}

void hang_up(struct conn *c)
{
	close(c->fd);
	free(c);
}

void send_bytes(struct conn *c, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

void send_text(struct conn *c, const char *text)
{
	send_bytes(c, text, strlen(text));
}

void send_call(struct conn *c, const char *target, const char *body)
{
	char text[8192];

	(void)snprintf(text, sizeof text,
		       "POST / HTTP/1.1\r\nHost: x\r\n" JSON
		       "X-Amz-Target: %s\r\nContent-Length: %zu\r\n\r\n%s",
		       target, strlen(body), body);
	send_text(c, text);
}

bool receive_more(struct conn *c)
{
	ssize_t n = recv(c->fd, c->data + c->len, sizeof c->data - 1 - c->len, 0);

	if (n <= 0)
		return false;
	c->len += (size_t)n;
	c->data[c->len] = '\0';
	return true;
}

static void take(struct conn *c, size_t len, char *out, size_t cap)
{
	assert_true(len < cap && len <= c->len);
	memcpy(out, c->data, len);
	out[len] = '\0';
	memmove(c->data, c->data + len, c->len - len + 1);
	c->len -= len;
}

struct reply receive(struct conn *c)
{
	struct reply r = {.closed = true};
	const char *end;
	const char *length;
	size_t body;

	while (!(end = strstr(c->data, "\r\n\r\n"))) {
		if (!receive_more(c))
			return r;
	}
	take(c, (size_t)(end - c->data) + 4, r.head, sizeof r.head);
	assert_int_equal(sscanf(r.head, "HTTP/1.1 %d", &r.status), 1);
	length = strstr(r.head, "\r\nContent-Length: ");
	body = length ? strtoul(length + 18, NULL, 10) : 0;
	while (c->len < body) {
		if (!receive_more(c))
			return r;
	}
	take(c, body, r.body, sizeof r.body);
	r.closed = false;
	return r;
}

bool has_line(const struct reply *r, const char *line)
{
	char text[256];

	(void)snprintf(text, sizeof text, "\r\n%s\r\n", line);
	return strstr(r->head, text) != NULL;
}

void assert_common_headers(const struct reply *r)
{
	const char *id = strstr(r->head, "\r\nx-amzn-RequestId: ");

	assert_non_null(id);
	assert_int_equal(strcspn(id + 20, "\r"), 36);
	assert_true(has_line(r, "Content-Type: application/x-amz-json-1.1"));
	assert_non_null(strstr(r->head, "\r\nDate: "));
}

void assert_error(const struct reply *r, int status, const char *name)
{
	char text[128];

	assert_false(r->closed);
	assert_int_equal(r->status, status);
	assert_common_headers(r);
	(void)snprintf(text, sizeof text, "x-amzn-ErrorType: %s", name);
	assert_true(has_line(r, text));
	(void)snprintf(text, sizeof text, "{\"__type\":\"%s\",", name);
	assert_memory_equal(r->body, text, strlen(text));
}

void assert_success(const struct reply *r, const char *body)
{
	assert_false(r->closed);
	assert_int_equal(r->status, 200);
	assert_common_headers(r);
	assert_null(strstr(r->head, "x-amzn-ErrorType"));
	assert_string_equal(r->body, body);
}

void assert_closed(struct conn *c)
{
	assert_int_equal(c->len, 0);
	assert_false(receive_more(c));
	assert_true(errno != EAGAIN || recv(c->fd, c->data, 1, MSG_DONTWAIT) == 0);
}

void assert_alive(void **state)
{
	struct conn *c = dial_tcp(state);
	struct reply r;

	send_call(c, AWS "DeleteService", "{\"Id\":\"s\"}");
	r = receive(c);
	assert_success(&r, "{}");
	hang_up(c);
}

struct reply ask(void **state, const char *text)
{
	struct conn *c = dial_tcp(state);
	struct reply r;

	send_text(c, text);
	r = receive(c);
	hang_up(c);
	return r;
}

struct reply call(void **state, const char *target, const char *body)
{
	struct conn *c = dial_tcp(state);
	struct reply r;

	send_call(c, target, body);
	r = receive(c);
	hang_up(c);
	return r;
}

void wait_for(unsigned (*counter)(void), unsigned count)
{
	for (int i = 0; i < 1000 && counter() < count; i++)
		usleep(10 * 1000);
	assert_int_equal(counter(), count);
}
