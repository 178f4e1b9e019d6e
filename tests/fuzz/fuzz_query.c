/* SPDX-License-Identifier: BSD-2-Clause */

/* Any bytes as a query, from any address, against the zones of fixture.c. The first
 * byte chooses the transport, the listener, whether client subnets are believed, and
 * whether names of others are looked for; then come the source address (4 or 16 bytes)
 * and the query. Of each reply this must hold:
 *
 * - it is no longer than the client and the transport allow, and over TCP it is whole;
 * - it has the query's id, opcode, RD and question, octet by octet, and QR; AD and the
 *   bit that means nothing are clear, and so is RA but for those who may recurse;
 * - its sections have as many records as its header says, nothing stands behind them,
 *   and ldns understands all of it;
 * - it is, octet by octet, the reply of a server that does not have the private zones
 *   that the client may not see;
 * - in three steps it is the same as at once.
 *
 * A query that is handed to the resolver gets such a reply, too. */

#include "fuzz.h"

#include <ldns/ldns.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <urcu.h>

#include "fixture.h"
#include "forward/deliver.h"
#include "forward/desk.h"
#include "others.h"
#include "responder/answer.h"
#include "zone/zonedb.h"

enum {
	FLAG_TCP = 1,
	FLAG_IPV6 = 2,
	FLAG_VPC_1 = 4,
	FLAG_VPC_2 = 8,
	FLAG_UNDECLARED = 16,
	FLAG_BELIEVED = 32, /* and unknown names do not exist, with a TTL of our own */
	FLAG_FORWARD = 64,

	HEADER_LEN = 12,
	UDP_MIN = 512,
	TYPE_OPT = 41,
	TYPE_TSIG = 250,
	BIT_QR = 0x80,	    /* of octet 2 */
	BITS_ECHOED = 0x79, /* of octet 2: opcode, RD */
	BIT_TC = 2,	    /* of octet 2 */
	BIT_RA = 0x80,	    /* of octet 3 */
	BITS_CLEAR = 0x60,  /* of octet 3: the one that means nothing, AD */
	NOW_S = 1700000000,
	IDLE_MS = 30000,
};

/* The one that knows all, and what each client may know of it. */
static struct zonedb *all;
static struct zonedb *visible[FIXTURE_VPCS];

static struct answer_context ctx;
static struct cookie_secrets secrets = {.keys = {{{1}}}, .count = 1};
static uint8_t nsid[EDNS_NSID_MAX];
static struct answer_config plain;
static struct answer_config believing;
static struct forward_desk *desk;

static void leave(void)
{
	rcu_unregister_thread();
}

static void prepare(void)
{
	static const struct netprefix everybody[] = {{{AF_INET, {0}}, 0},
						     {{AF_INET6, {0}}, 0}};

	plain = (struct answer_config){
		.nsid = {nsid, sizeof nsid},
		.identity = {(const uint8_t *)"server", 6},
		.version = {(const uint8_t *)"1.0", 3},
	};
	believing = plain;
	believing.subnet_from = (struct netprefix_list){everybody, 2};
	believing.udp_size = ANSWER_UDP_CAP;
	believing.denies_unknown = true;
	believing.has_negative_ttl = true;
	believing.negative_ttl_s = 7;
	rcu_register_thread();
	(void)atexit(leave);
	for (unsigned vpcs = 0; vpcs < FIXTURE_VPCS; vpcs++)
		visible[vpcs] = fixture_build(vpcs);
	all = visible[FIXTURE_VPCS - 1];
	desk = others_desk();
	ctx.cookies.secrets = &secrets;
	cookie_set_time(&ctx.cookies, NOW_S);
}

/* What is drawn at random depends on the query's id and nothing else. */
static void begin(const struct zonedb *db, const struct answer_request *req)
{
	ctx.db = db;
	rng_seed(&ctx.rng, req->len < 2 ? 1 : 1 + req->query[0] * 256u + req->query[1]);
}

static size_t answer_from(const struct zonedb *db, const struct answer_request *req,
			  uint8_t *reply)
{
	size_t len;

	begin(db, req);
	rcu_read_lock();
	len = answer_query(&ctx, req, reply, req->tcp ? ANSWER_TCP_CAP : ANSWER_UDP_CAP);
	rcu_read_unlock();
	return len;
}

/* Leaves the job, which says which client subnet there is. */
static size_t answer_in_steps(const struct answer_request *req, struct answer_job *job,
			      uint8_t *reply)
{
	size_t len;

	memset(job, 0xa5, sizeof *job);
	job->req = *req;
	begin(all, req);
	rcu_read_lock();
	answer_begin(&ctx, job);
	answer_locate(job);
	len = answer_finish(job, reply, req->tcp ? ANSWER_TCP_CAP : ANSWER_UDP_CAP);
	rcu_read_unlock();
	return len;
}

/* What the resolver does with a query that it is handed, as far as its reply. */
static size_t answer_later(struct answer_job *job, uint8_t *reply)
{
	static _Atomic uint64_t rcodes[16];
	const struct sockaddr_storage peer = {.ss_family = AF_INET};
	const struct forward_client client = {.fd = -1,
					      .address = (const struct sockaddr *)&peer,
					      .address_len = sizeof peer};
	struct desk_slot *slot;
	size_t len;

	CHECK(answer_hand_over(job, &client) == 0);
	slot = desk_take_asked(desk);
	CHECK(slot && !desk_take_asked(desk));
	deliver(slot, NULL, EDNS_ERROR_OTHER, 0, reply, rcodes);
	len = slot->done_len;
	desk_put_back(desk, slot);
	CHECK(desk_take_done(desk) == slot);
	desk_release(desk, slot);
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
	bool has_tsig = false;
	bool has_opt = false;

	for (int section = 0; section < 3; section++)
		count += get_u16(reply + 6 + 2 * section);
	for (; count > 0; count--) {
		at = skip_name(reply, len, at);
		CHECK(at > 0 && at + 10 <= len);
		CHECK(!has_tsig); /* it comes last, behind OPT */
		has_tsig = get_u16(reply + at) == TYPE_TSIG;
		CHECK(!has_opt || has_tsig);
		has_opt |= get_u16(reply + at) == TYPE_OPT;
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
	size_t limit = ctx.config == &believing ? ANSWER_UDP_CAP : REPLY_UDP_DEFAULT;

	if (ldns_wire2pkt(&packet, req->query, req->len) != LDNS_STATUS_OK)
		return limit;
	if (ldns_pkt_edns(packet) && ldns_pkt_edns_udp_size(packet) < limit)
		limit = ldns_pkt_edns_udp_size(packet);
	ldns_pkt_free(packet);
	return limit > UDP_MIN ? limit : UDP_MIN;
}

/* Whoever is in some VPC, or asks for somebody, may ask for names of others. */
static bool may_recurse(const struct answer_job *job)
{
	return job->ctx->desk &&
	       (fixture_vpcs_of(&job->req.source) != 0 || job->heeds_subnet);
}

static void check_reply(const uint8_t *reply, size_t len, const struct answer_job *job)
{
	const struct answer_request *req = &job->req;
	bool has_opt;

	CHECK(len >= HEADER_LEN);
	CHECK(memcmp(reply, req->query, 2) == 0);
	CHECK(reply[2] & BIT_QR);
	CHECK((reply[2] & BITS_ECHOED) == (req->query[2] & BITS_ECHOED));
	CHECK((reply[3] & BITS_CLEAR) == 0);
	CHECK(!(reply[3] & BIT_RA) || may_recurse(job));
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

/* Whom the reply is for: a subnet that is believed comes before all else. */
static unsigned viewers_vpcs(const struct answer_job *job, unsigned vpcs)
{
	struct netprefix subnet;

	if (job->verdict != QUERY_OK || !job->heeds_subnet)
		return vpcs;
	CHECK(ctx.config == &believing);
	CHECK(edns_read_subnet(&job->query.edns, &subnet) == GAZ_OK);
	return fixture_vpcs_of_subnet(&subnet);
}

/* What the cache has grows older: a second may pass between one reply and the next, but
 * not again and again. */
static void check_same(const struct answer_request *req, unsigned vpcs)
{
	enum {
		TRIES = 3
	};
	static uint8_t one[ANSWER_TCP_CAP];
	static uint8_t other[ANSWER_TCP_CAP];
	struct answer_job job;
	bool is_same = false;

	for (int i = 0; i < TRIES && !is_same; i++) {
		size_t len = answer_in_steps(req, &job, one);
		size_t octets = len == ANSWER_LATER ? 0 : len;

		is_same = answer_from(all, req, other) == len &&
			  memcmp(one, other, octets) == 0 &&
			  answer_from(visible[viewers_vpcs(&job, vpcs)], req, other) ==
				  len &&
			  memcmp(one, other, octets) == 0;
	}
	CHECK(is_same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t reply[REPLY_TCP_MAX];
	static uint8_t udp_reply[ANSWER_UDP_CAP]; /* its end is guarded by sanitizers */
	static struct answer_job job;
	struct answer_request req;
	unsigned vpcs;
	uint8_t *out;
	size_t len;

	if (!all)
		prepare();
	if (!read_request(data, size, &req, &vpcs))
		return 0;
	ctx.config = data[0] & FLAG_BELIEVED ? &believing : &plain;
	ctx.desk = data[0] & FLAG_FORWARD ? desk : NULL;
	out = req.tcp ? reply : udp_reply;
	len = answer_in_steps(&req, &job, out);
	if (len == ANSWER_LATER) {
		CHECK(may_recurse(&job));
		out = reply;
		len = answer_later(&job, out);
	}
	if (len > 0)
		check_reply(out, len, &job);
	else
		CHECK(req.len < HEADER_LEN || req.query[2] & BIT_QR);
	check_same(&req, vpcs);
	return 0;
}
