/* SPDX-License-Identifier: BSD-2-Clause */
#include "responder_harness.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/netaddr.h"
#include "responder/answer.h"
#include "zone/view.h"

void answer_begin(struct answer_context *ctx, struct answer_job *job)
{
	job->ctx = ctx;
}

void answer_locate(const struct answer_job *job)
{
	(void)job;
}

size_t answer_finish(struct answer_job *job, uint8_t *reply, size_t cap)
{
	return answer_query(job->ctx, &job->req, reply, cap);
}

size_t answer_query(struct answer_context *ctx, const struct answer_request *req,
		    uint8_t *reply, size_t cap)
{
	size_t len = req->len;

	if (len < 12 || (req->query[2] & 0x80))
		return 0;
	if (len >= 14 && (size_t)(req->query[12] << 8 | req->query[13]) > len)
		len = (size_t)(req->query[12] << 8 | req->query[13]);
	if (len > cap)
		len = cap;
	memset(reply, 0xaa, len);
	memcpy(reply, req->query, req->len < len ? req->len : len);
	reply[2] |= 0x80;
	reply[4] = (uint8_t)((uintptr_t)ctx >> 16);
	reply[5] = (uint8_t)((uintptr_t)ctx >> 8);
	reply[6] = (uint8_t)(req->listener_vpc >> 8);
	reply[7] = (uint8_t)req->listener_vpc;
	reply[8] = (uint8_t)(req->idle_ms / 100 >> 8);
	reply[9] = (uint8_t)(req->idle_ms / 100);
	reply[10] = (uint8_t)(ctx->cookies.secrets->keys[0].k[0] >> 8);
	reply[11] = (uint8_t)ctx->cookies.secrets->keys[0].k[0];
	return len;
}

size_t answer_hand_over(struct answer_job *job, const struct forward_client *client)
{
	(void)job;
	(void)client;
	return 0;
}

gaz_status view_intern_vpc(struct zonedb *db, const char *id, int *out)
{
	(void)db;
	*out = id[0];
	return GAZ_OK;
}

enum {
	PATIENCE_MS = 10000
};

struct responder *open_on(const char *endpoint, unsigned workers)
{
	struct responder_endpoint ep = {.vpc_id = NULL};
	struct responder_config config = {
		.endpoints = &ep, .endpoint_count = 1, .workers = workers, .seed = 1};
	struct responder *r = NULL;
	struct gaz_error err;

	assert_int_equal(netaddr_parse_endpoint(endpoint, -1, &ep.addr), GAZ_OK);
	if (responder_open(&config, NULL, &r, &err) != GAZ_OK)
		fail_msg("%s", err.text);
	return r;
}

struct responder *start_limited(uint32_t tcp_idle_ms, uint32_t tcp_max)
{
	struct responder_endpoint ep = {.vpc_id = NULL};
	struct responder_config config = {.endpoints = &ep,
					  .endpoint_count = 1,
					  .workers = 1,
					  .tcp_idle_ms = tcp_idle_ms,
					  .tcp_max = tcp_max};
	struct responder *r = NULL;

	assert_int_equal(netaddr_parse_endpoint("127.0.0.1:0", -1, &ep.addr), GAZ_OK);
	assert_int_equal(responder_open(&config, NULL, &r, NULL), GAZ_OK);
	assert_int_equal(responder_start(r), GAZ_OK);
	return r;
}

struct responder *start_on(const char *endpoint, unsigned workers)
{
	struct responder *r = open_on(endpoint, workers);

	assert_int_equal(responder_start(r), GAZ_OK);
	return r;
}

uint16_t port_of(const struct responder *r)
{
	return ntohs(((const struct sockaddr_in *)(const void *)responder_address(r, 0))
			     ->sin_port);
}

int dial_address(const char *host, uint16_t port, int type)
{
	const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	struct sockaddr_storage addr;
	struct sockaddr_in *in = (struct sockaddr_in *)&addr;
	int fd;

	assert_int_equal(netaddr_parse_endpoint(host, port, &addr), GAZ_OK);
	fd = socket(addr.ss_family, type, 0);
	assert_true(fd >= 0);
	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)in,
				 netaddr_sockaddr_len((struct sockaddr *)in)),
			 0);
	return fd;
}

int dial(const struct responder *r, int type)
{
	return dial_address("127.0.0.1", port_of(r), type);
}

void make_query(uint16_t id, uint16_t want, uint8_t out[QUERY_LEN])
{
	memset(out, 0, 16);
	out[0] = (uint8_t)(id >> 8);
	out[1] = (uint8_t)id;
	out[12] = (uint8_t)(want >> 8);
	out[13] = (uint8_t)want;
}

void send_udp(int fd, uint16_t id)
{
	uint8_t query[16];

	make_query(id, 0, query);
	assert_int_equal(send(fd, query, sizeof query, 0), sizeof query);
}

void expect_udp(int fd, uint16_t id, uint8_t reply[QUERY_LEN])
{
	assert_int_equal(recv(fd, reply, 16, 0), 16);
	assert_int_equal(reply[0] << 8 | reply[1], id);
	assert_int_equal(reply[2] & 0x80, 0x80);
}

void write_all(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		assert_true(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

static void read_all(int fd, void *data, size_t len)
{
	uint8_t *at = data;

	while (len > 0) {
		ssize_t n = recv(fd, at, len, 0);

		assert_true(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

size_t frame_query(uint16_t id, uint16_t want, uint8_t out[FRAME_LEN])
{
	out[0] = 0;
	out[1] = 16;
	make_query(id, want, out + 2);
	return 18;
}

const uint8_t *expect_tcp(int fd, uint16_t id, size_t len)
{
	static uint8_t reply[65535];
	uint8_t prefix[2];

	read_all(fd, prefix, 2);
	assert_int_equal(prefix[0] << 8 | prefix[1], len);
	read_all(fd, reply, len);
	assert_int_equal(reply[0] << 8 | reply[1], id);
	assert_int_equal(reply[2] & 0x80, 0x80);
	return reply;
}

void expect_closed(int fd)
{
	uint8_t byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
	close(fd);
}

struct responder_counters counters_of(const struct responder *r)
{
	struct responder_counters c;

	responder_read_counters(r, &c);
	return c;
}
