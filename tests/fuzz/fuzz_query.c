/* SPDX-License-Identifier: BSD-2-Clause */

/* Any bytes as a query, from any address, against the zones of fixture.c. The first
 * byte chooses the transport and the listener, then come the source address (4 or 16
 * bytes) and the query. Of each reply this must hold:
 *
 * - it is no longer than the client and the transport allow, and over TCP it is whole;
 * - it has the query's id, opcode, RD and question, octet by octet, and QR; RA, AD and
 *   the bit that means nothing are clear;
 * - its sections have as many records as its header says, nothing stands behind them,
 *   and ldns understands all of it;
 * - it is, octet by octet, the reply of a server that does not have the private zones
 *   that the client may not see;
 * - in three steps it is the same as at once. */

#include "fuzz.h"

#include <ldns/ldns.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <urcu.h>

#include "fixture.h"
#include "responder/answer.h"
#include "zone/zonedb.h"

enum {
	FLAG_TCP = 1,
	FLAG_IPV6 = 2,
	FLAG_VPC_1 = 4,
	FLAG_VPC_2 = 8,
	FLAG_UNDECLARED = 16,

	HEADER_LEN = 12,
	UDP_MIN = 512,
	TYPE_OPT = 41,
	BIT_QR = 0x80,	    /* of octet 2 */
	BITS_ECHOED = 0x79, /* of octet 2: opcode, RD */
	BIT_TC = 2,	    /* of octet 2 */
	BITS_CLEAR = 0xe0,  /* of octet 3: RA, the one that means nothing, AD */
	NOW_S = 1700000000,
	IDLE_MS = 30000,
};

/* The one that knows all, and what each client may know of it. */
static struct zonedb *all;
static struct zonedb *visible[FIXTURE_VPCS];

static struct answer_context ctx;
static struct cookie_secrets secrets = {.keys = {{{1}}}, .count = 1};
static uint8_t nsid[EDNS_NSID_MAX];

static void leave(void)
{
	rcu_unregister_thread();
}

static void prepare(void)
{
	static struct answer_config config = {
		.nsid = {nsid, sizeof nsid},
		.identity = {(const uint8_t *)"server", 6},
		.version = {(const uint8_t *)"1.0", 3},
	};

	rcu_register_thread();
	(void)atexit(leave);
	for (unsigned vpcs = 0; vpcs < FIXTURE_VPCS; vpcs++)
		visible[vpcs] = fixture_build(vpcs);
	all = visible[FIXTURE_VPCS - 1];
	ctx.config = &config;
	ctx.cookies.secrets = &secrets;
	cookie_set_time(&ctx.cookies, NOW_S);
}

static size_t answer_from(const struct zonedb *db, const struct answer_request *req,
			  uint8_t *reply)
{
	size_t len;

	ctx.db = db;
	rng_seed(&ctx.rng, 1);
	rcu_read_lock();
	len = answer_query(&ctx, req, reply, req->tcp ? ANSWER_TCP_CAP : ANSWER_UDP_CAP);
	rcu_read_unlock();
	return len;
}

static size_t answer_in_steps(const struct answer_request *req, uint8_t *reply)
{
	struct answer_job job;
	size_t len;

	memset(&job, 0xa5, sizeof job);
	job.req = *req;
	ctx.db = all;
	rng_seed(&ctx.rng, 1);
	rcu_read_lock();
	answer_begin(&ctx, &job);
	answer_locate(&job);
	len = answer_finish(&job, reply, req->tcp ? ANSWER_TCP_CAP : ANSWER_UDP_CAP);
	rcu_read_unlock();
	return len;
}

static unsigned get_u16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* Behind a name of a message; 0: it does not end within it. */
static size_t skip_name(const uint8_t *wire, size_t len, size_t at)
{
	while (at < len && wire[at] != 0 && wire[at] < 0xc0)
		at += 1u + wire[at];
	if (at >= len)
		return 0;
	at += wire[at] ? 2 : 1;
	return at <= len ? at : 0;
}

/* The question of the reply is that of the query, or there is none in either. */
static size_t check_question(const uint8_t *reply, size_t len,
			     const struct answer_request *req)
{
	unsigned count = get_u16(reply + 4);
	size_t end;

	CHECK(count <= 1);
	if (count == 0) /* none that can be read, or a query that wants none */
		return HEADER_LEN;
	CHECK(get_u16(req->query + 4) == 1);
	end = skip_name(reply, len, HEADER_LEN);
	CHECK(end > 0 && end + 4 <= len && end + 4 <= req->len);
	CHECK(memcmp(reply + HEADER_LEN, req->query + HEADER_LEN, end + 4 - HEADER_LEN) ==
	      0);
	return end + 4;
}

/* Walk over the records: they end where the message ends. @return with an OPT? */
static bool check_records(const uint8_t *reply, size_t len, size_t at)
{
	unsigned count = 0;
	bool has_opt = false;

	for (int section = 0; section < 3; section++)
		count += get_u16(reply + 6 + 2 * section);
	for (; count > 0; count--) {
		at = skip_name(reply, len, at);
		CHECK(at > 0 && at + 10 <= len);
		CHECK(!has_opt); /* it comes last */
		has_opt = get_u16(reply + at) == TYPE_OPT;
		at += 10 + get_u16(reply + at + 8);
		CHECK(at <= len);
	}
	CHECK(at == len);
	return has_opt;
}

/* An independent reader understands the reply. */
static void check_parses(const uint8_t *reply, size_t len)
{
	ldns_pkt *packet = NULL;

	CHECK(ldns_wire2pkt(&packet, reply, len) == LDNS_STATUS_OK);
	ldns_pkt_free(packet);
}

/* The octets that the client takes over UDP, as ldns reads the query. */
static size_t udp_limit(const struct answer_request *req)
{
	ldns_pkt *packet = NULL;
	size_t limit = ANSWER_UDP_CAP;

	if (ldns_wire2pkt(&packet, req->query, req->len) != LDNS_STATUS_OK)
		return limit;
	if (ldns_pkt_edns(packet) && ldns_pkt_edns_udp_size(packet) < limit)
		limit = ldns_pkt_edns_udp_size(packet);
	ldns_pkt_free(packet);
	return limit > UDP_MIN ? limit : UDP_MIN;
}

static void check_reply(const uint8_t *reply, size_t len,
			const struct answer_request *req)
{
	bool has_opt;

	CHECK(len >= HEADER_LEN);
	CHECK(memcmp(reply, req->query, 2) == 0);
	CHECK(reply[2] & BIT_QR);
	CHECK((reply[2] & BITS_ECHOED) == (req->query[2] & BITS_ECHOED));
	CHECK((reply[3] & BITS_CLEAR) == 0);
	has_opt = check_records(reply, len, check_question(reply, len, req));
	check_parses(reply, len);
	if (req->tcp)
		CHECK(!(reply[2] & BIT_TC));
	else
		CHECK(len <= (has_opt ? udp_limit(req) : UDP_MIN));
}

/* False: too few bytes for a request. */
static bool read_request(const uint8_t *data, size_t size, struct answer_request *req,
			 unsigned *vpcs_out)
{
	static const uint8_t listeners[][2] = {{FLAG_VPC_1, FIXTURE_VPC_1},
					       {FLAG_VPC_2, FIXTURE_VPC_2},
					       {FLAG_UNDECLARED, FIXTURE_UNDECLARED}};
	size_t address_len = size > 0 && (data[0] & FLAG_IPV6) ? 16 : 4;

	if (size < 1 + address_len)
		return false;
	*req = (struct answer_request){
		.query = data + 1 + address_len,
		.len = size - 1 - address_len,
		.source.family = address_len == 16 ? AF_INET6 : AF_INET,
		.listener_vpc = ANSWER_NO_VPC,
		.tcp = data[0] & FLAG_TCP,
		.idle_ms = IDLE_MS,
	};
	memcpy(req->source.bytes, data + 1, address_len);
	*vpcs_out = fixture_vpcs_of(&req->source);
	for (int i = 0; i < 3; i++) {
		if (!(data[0] & listeners[i][0]))
			continue;
		*vpcs_out = listeners[i][1];
		req->listener_vpc = fixture_vpc_number(listeners[i][1]);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t reply[ANSWER_TCP_CAP];
	static uint8_t udp_reply[ANSWER_UDP_CAP]; /* its end is guarded by sanitizers */
	static uint8_t other[ANSWER_TCP_CAP];
	struct answer_request req;
	unsigned vpcs;
	uint8_t *out;
	size_t len;

	if (!all)
		prepare();
	if (!read_request(data, size, &req, &vpcs))
		return 0;
	out = req.tcp ? reply : udp_reply;
	len = answer_from(all, &req, out);
	if (len > 0)
		check_reply(out, len, &req);
	else
		CHECK(req.len < HEADER_LEN || req.query[2] & BIT_QR);
	CHECK(answer_from(visible[vpcs], &req, other) == len);
	CHECK(memcmp(out, other, len) == 0);
	CHECK(answer_in_steps(&req, other) == len);
	CHECK(memcmp(out, other, len) == 0);
	return 0;
}
