/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "responder/responder.h"

/* For the tests of the sockets alone: responder_harness.c has an
 * answer_query() that sends the query back with the QR bit set, padded to the
 * length that bytes 12 and 13 ask for. Bytes 4 and 5 of the reply tell the
 * workers apart, 6 and 7 are the listener's VPC, 8 and 9 the idle limit in units of
 * 100 ms, 10 and 11 the end of the first cookie secret. All helpers fail the test
 * when something goes wrong or takes ten seconds. */

enum {
	QUERY_LEN = 16,
	FRAME_LEN = 2 + QUERY_LEN
};

/** A responder on one endpoint, such as "127.0.0.1:0". */
struct responder *open_on(const char *endpoint, unsigned workers);
/** With one worker on 127.0.0.1. */
struct responder *start_limited(uint32_t tcp_idle_ms, uint32_t tcp_max);
struct responder *start_on(const char *endpoint, unsigned workers);
uint16_t port_of(const struct responder *r);
struct responder_counters counters_of(const struct responder *r);

/** A socket connected to the responder, or to its port at another address. */
int dial(const struct responder *r, int type);
int dial_address(const char *host, uint16_t port, int type);

/** A query that asks for a reply of `want` bytes; the second behind a length. */
void make_query(uint16_t id, uint16_t want, uint8_t out[QUERY_LEN]);
size_t frame_query(uint16_t id, uint16_t want, uint8_t out[FRAME_LEN]);

void send_udp(int fd, uint16_t id);
void expect_udp(int fd, uint16_t id, uint8_t reply[QUERY_LEN]);
void write_all(int fd, const void *data, size_t len);
/** @return the reply; the next call overwrites it */
const uint8_t *expect_tcp(int fd, uint16_t id, size_t len);

/** Closed by the other side, in order or by a reset; closes this side. */
void expect_closed(int fd);
