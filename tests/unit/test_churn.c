/* SPDX-License-Identifier: BSD-2-Clause */

/* Zones, VPCs, names and instances come and go while threads ask for them without a
 * pause: each reply must be what the database held while it was asked (churn_world.h).
 * In a build with ThreadSanitizer also the proof that it all is in order. */

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <urcu.h>

#include "churn_world.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/wire.h"
#include "responder/answer.h"
#include "zone/host.h"
#include "zone/view.h"
#include "zone/zonedb.h"
#include "zone/zonedit.h"

enum {
	EDITS = 5000,
	READERS = 3,
	TTL = 60,
	TYPE_TXT = 16,
	STRICT_MIN = 1000, /* replies to be judged by single worlds */
};

static const char *const places[CHURN_PLACES] = {"example", "sub.example", "other.test"};
static const char *const labels[CHURN_LABELS] = {"www", "web", "cn",  "al", "far",
						 ".",	"big", "big", "n7", "zz"};
static const char *const vpc_ids[CHURN_KINDS] = {NULL, "vpc-a", "vpc-b"};
static const char far_host[] = "\2lb\4test";

static struct zonedb *db;
static struct rng rng;
static struct churn_world worlds[EDITS + 1];
static int vpc_a;

/* The edit that the writer has begun, and the one that is done. The barriers
 * around them order them on every machine, but ThreadSanitizer does not know
 * them: it shall see no order but that of the database itself. */
static _Atomic size_t begun;
static _Atomic size_t done;
static _Atomic bool is_over;
static _Atomic size_t verdicts[CHURN_PLAUSIBLE + 1];

static uint8_t names[CHURN_PLACES][CHURN_LABELS][DNAME_MAX]; /* the questions' */

/* ---- the writer ---- */

static const uint8_t *name_of(const char *label, int place)
{
	static uint8_t wire[2][DNAME_MAX];
	static unsigned turn;
	uint8_t *out = wire[++turn % 2];
	uint8_t apex[DNAME_MAX];
	size_t len;

	assert_int_equal(dname_from_text(places[place], apex, &len), GAZ_OK);
	assert_int_equal(dname_below(label, apex, out, &len), GAZ_OK);
	return out;
}

struct target { /* the zone at work */
	struct zonedit *edit;
	struct zone *zone;
	int place;
	int kind;
};

static void set_record(const struct target *t, bool is_there, const char *label,
		       enum rrset_policy policy, uint16_t type, const void *rdata,
		       size_t len)
{
	const struct zone_record record = {type, (uint16_t)len, TTL, policy, true, rdata};
	const uint8_t *owner = name_of(label, t->place);
	gaz_status st = is_there
				? zonedit_add_record(t->edit, t->zone, owner, &record)
				: zonedit_remove_record(t->edit, t->zone, owner, &record);

	assert_int_equal(st, GAZ_OK);
}

static void set_address(const struct target *t, bool is_there, const char *label,
			enum rrset_policy policy, int number, uint8_t version)
{
	const uint8_t address[4] = {CHURN_NET,
				    (uint8_t)(t->place * CHURN_KINDS + t->kind),
				    (uint8_t)number, version};

	set_record(t, is_there, label, policy, DNS_TYPE_A, address, sizeof address);
}

static void set_target(const struct target *t, bool is_there, const char *label,
		       uint16_t type, const uint8_t *target)
{
	set_record(t, is_there, label,
		   type == DNS_TYPE_CNAME ? RRSET_ALL : RRSET_WEIGHTED, type, target,
		   dname_len(target));
}

static void set_version(const struct target *t, const char *label, int number,
			uint8_t from, uint8_t to)
{
	if (from != to && from)
		set_address(t, false, label, RRSET_ALL, number, from);
	if (from != to && to)
		set_address(t, true, label, RRSET_ALL, number, to);
}

static void set_big(const struct target *t, uint8_t from, uint8_t to)
{
	bool is_there = to > from;
	uint8_t first = is_there ? from : to;
	uint8_t end = is_there ? to : from;
	uint8_t text[16];

	for (uint8_t i = first; i < end; i++) {
		set_address(t, is_there, labels[CHURN_BIG], RRSET_MULTIVALUE, CHURN_BIG,
			    i);
		memset(text, 'x', sizeof text);
		text[0] = 4 + i % 8;
		text[1] = CHURN_NET;
		text[2] = (uint8_t)(t->place * CHURN_KINDS + t->kind);
		text[3] = CHURN_BIG_TXT;
		text[4] = i;
		set_record(t, is_there, labels[CHURN_BIG], RRSET_MULTIVALUE, TYPE_TXT,
			   text, 1u + text[0]);
	}
}

static void set_many(const struct target *t, bool is_there)
{
	char label[16];

	for (int i = 0; i < CHURN_MANY_NAMES; i++) {
		(void)snprintf(label, sizeof label, "n%d", i);
		set_address(t, is_there, label, RRSET_ALL, CHURN_MANY, 1);
	}
}

static void change_zone(const struct target *t, const struct churn_zone *from,
			const struct churn_zone *to)
{
	set_version(t, labels[CHURN_WWW], CHURN_WWW, from->www, to->www);
	set_version(t, "*", CHURN_WILD, from->wild, to->wild);
	set_version(t, labels[CHURN_APEX], CHURN_APEX, from->apex, to->apex);
	for (uint8_t i = 0; i < 8; i++) {
		if ((from->web ^ to->web) >> i & 1)
			set_address(t, to->web >> i & 1, labels[CHURN_WEB],
				    RRSET_MULTIVALUE, CHURN_WEB, i);
	}
	set_big(t, from->big, to->big);
	if (from->cname != to->cname)
		set_target(t, to->cname, labels[CHURN_CNAME], DNS_TYPE_CNAME,
			   name_of("www", t->place));
	if (from->alias != to->alias)
		set_target(t, to->alias, labels[CHURN_ALIAS], RRSET_ALIAS_A,
			   name_of("web", t->place));
	if (from->far != to->far)
		set_target(t, to->far, labels[CHURN_FAR], RRSET_ALIAS_A,
			   (const uint8_t *)far_host);
	if (from->many != to->many)
		set_many(t, to->many);
}

static void add_zone(struct target *t, const char *id)
{
	static const uint8_t root[1];
	const struct zone_spec spec = {
		.id = id,
		.apex = name_of(".", t->place),
		.kind = t->kind == CHURN_PUBLIC ? ZONE_PUBLIC : ZONE_PRIVATE,
		.vpc_id = vpc_ids[t->kind],
	};
	uint8_t soa[RDATA_SOA_MAX];
	size_t len = rdata_soa(soa, sizeof soa, root, root, 1, 2, 3, 4, 5);

	assert_int_equal(zonedit_add_zone(t->edit, &spec, &t->zone), GAZ_OK);
	set_record(t, true, ".", RRSET_ALL, DNS_TYPE_SOA, soa, len);
}

static void edit_zone(struct zonedit *edit, int place, int kind,
		      const struct churn_zone *from, const struct churn_zone *to)
{
	const struct churn_zone nothing = {0};
	struct target t = {edit, NULL, place, kind};
	char id[16];

	if (memcmp(from, to, sizeof *from) == 0)
		return;
	(void)snprintf(id, sizeof id, "%d.%d", place, kind);
	t.zone = zonedit_find_zone(edit, id);
	if (!to->exists) {
		assert_int_equal(zonedit_remove_zone(edit, t.zone), GAZ_OK);
		return;
	}
	if (!from->exists)
		add_zone(&t, id);
	change_zone(&t, from->exists ? from : &nothing, to);
}

static void edit_vpcs(struct zonedit *edit, uint8_t declared)
{
	const struct netprefix prefix = {{AF_INET, {172, 16}}, 12};
	struct vpc_decl decls[] = {{"vpc-a", &prefix, 0}, {"vpc-b", &prefix, 0}};

	if (declared != CHURN_NO_VPC)
		decls[declared - 1].count = 1;
	assert_int_equal(zonedit_set_vpcs(edit, decls, 2, true), GAZ_OK);
}

static void edit_once(const struct churn_world *from, const struct churn_world *to)
{
	struct zonedit *edit = NULL;

	assert_int_equal(zonedit_new(db, &edit), GAZ_OK);
	for (int i = 0; i < CHURN_PLACES * CHURN_KINDS; i++)
		edit_zone(edit, i / CHURN_KINDS, i % CHURN_KINDS,
			  &from->zones[i / CHURN_KINDS][i % CHURN_KINDS],
			  &to->zones[i / CHURN_KINDS][i % CHURN_KINDS]);
	if (from->declared != to->declared)
		edit_vpcs(edit, to->declared);
	assert_int_equal(zonedit_prepare(edit), GAZ_OK);
	zonedit_publish(&edit);
}

static void write_all(void)
{
	for (size_t i = 1; i <= EDITS; i++) {
		atomic_store_explicit(&begun, i, memory_order_relaxed);
		cmm_smp_mb();
		edit_once(&worlds[i - 1], &worlds[i]);
		cmm_smp_mb();
		atomic_store_explicit(&done, i, memory_order_relaxed);
	}
}

/* ---- the readers ---- */

/* Behind a name in a reply: its labels end with a zero octet or a pointer. */
static size_t skip_name(const uint8_t *wire, size_t at)
{
	while (wire[at] != 0 && wire[at] < 0xc0)
		at += 1u + wire[at];
	return at + (wire[at] ? 2 : 1);
}

static int by_octets(const void *a, const void *b)
{
	return memcmp(a, b, 4);
}

/* The parts of a reply that are judged; false: it has none of the expected forms. */
static bool read_reply(const uint8_t *wire, size_t len, struct churn_reply *out)
{
	unsigned answers = len < DNS_HEADER_LEN ? 0 : wire_get_u16(wire + 6);
	size_t at = DNS_HEADER_LEN;

	*out = (struct churn_reply){0};
	if (len < DNS_HEADER_LEN || wire_get_u16(wire + 4) != 1)
		return false;
	out->rcode = wire[3] & 15;
	at = skip_name(wire, at) + 4;
	for (; answers > 0; answers--) {
		at = skip_name(wire, at);
		if (wire_get_u16(wire + at) == DNS_TYPE_CNAME)
			out->has_cname = true;
		else if ((wire_get_u16(wire + at) != DNS_TYPE_A &&
			  wire_get_u16(wire + at) != TYPE_TXT) ||
			 out->count == CHURN_ADDRESSES_MAX)
			return false;
		else /* of a text it is the beginning, behind its length */
			memcpy(out->addresses[out->count++],
			       wire + at + 10 + (wire_get_u16(wire + at) == TYPE_TXT), 4);
		at += 10u + wire_get_u16(wire + at + 8);
		if (at > len)
			return false;
	}
	qsort(out->addresses, out->count, 4, by_octets);
	return true;
}

static struct answer_request make_request(const struct churn_question *question,
					  uint8_t *query)
{
	static const uint8_t sources[CHURN_SOURCES][4] = {
		{192, 0, 2, 9}, {172, 16, 3, 4}, {192, 0, 2, 9}};
	const uint8_t *name = names[question->place][question->label];
	size_t len = dname_len(name);
	struct answer_request req = {.query = query,
				     .len = DNS_HEADER_LEN + len + 4,
				     .source = {AF_INET, {0}},
				     .listener_vpc = ANSWER_NO_VPC};

	memset(query, 0, DNS_HEADER_LEN);
	query[5] = 1;
	memcpy(query + DNS_HEADER_LEN, name, len);
	wire_put_u16(query + DNS_HEADER_LEN + len,
		     question->label == CHURN_BIG_TXT ? TYPE_TXT : DNS_TYPE_A);
	wire_put_u16(query + DNS_HEADER_LEN + len + 2, DNS_CLASS_IN);
	memcpy(req.source.bytes, sources[question->source], 4);
	if (question->source == CHURN_LISTENER)
		req.listener_vpc = vpc_a;
	return req;
}

static void print_wrong(const struct churn_question *q, const struct churn_reply *r,
			size_t from, size_t to)
{
	(void)fprintf(stderr, "# %s.%s source %d worlds %zu-%zu: rcode %d cname %d",
		      labels[q->label], places[q->place], q->source, from, to, r->rcode,
		      r->has_cname);
	for (int i = 0; i < r->count; i++)
		(void)fprintf(stderr, " %d.%d.%d.%d", r->addresses[i][0],
			      r->addresses[i][1], r->addresses[i][2], r->addresses[i][3]);
	(void)fputc('\n', stderr);
}

static void ask_once(struct answer_context *ctx, struct rng *choice)
{
	static _Thread_local uint8_t wire[ANSWER_TCP_CAP];
	const struct churn_question question = {rng_below(choice, CHURN_PLACES),
						rng_below(choice, CHURN_LABELS),
						rng_below(choice, CHURN_SOURCES)};
	uint8_t query[DNS_HEADER_LEN + DNAME_MAX + 4];
	struct answer_request req = make_request(&question, query);
	struct churn_reply reply;
	enum churn_verdict verdict = CHURN_WRONG;
	size_t from;
	size_t to;
	size_t len;

	req.tcp = rng_below(choice, 4) == 0;
	from = atomic_load_explicit(&done, memory_order_relaxed);
	cmm_smp_mb();
	rcu_read_lock();
	len = answer_query(ctx, &req, wire, req.tcp ? ANSWER_TCP_CAP : ANSWER_UDP_CAP);
	rcu_read_unlock();
	cmm_smp_mb();
	to = atomic_load_explicit(&begun, memory_order_relaxed);
	if (read_reply(wire, len, &reply))
		verdict = churn_judge(worlds + from, to - from + 1, &question, &reply);
	if (verdict == CHURN_WRONG)
		print_wrong(&question, &reply, from, to);
	atomic_fetch_add_explicit(&verdicts[verdict], 1, memory_order_relaxed);
}

static void *run_reader(void *arg)
{
	struct answer_context ctx = {.db = db};
	struct rng choice;

	zonedb_enter_thread();
	rng_seed(&ctx.rng, (uintptr_t)arg);
	rng_seed(&choice, (uintptr_t)arg);
	while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
		struct zonedb_stats stats;

		ask_once(&ctx, &choice);
		zonedb_stats(db, &stats);
	}
	for (int i = 0; i < STRICT_MIN; i++)
		ask_once(&ctx, &choice);
	zonedb_leave_thread();
	return NULL;
}

/* The addresses of the far host come and go as an upstream resolver gives them. */
static void *run_learner(void *arg)
{
	uint8_t address[4] = {CHURN_FAR_NET, 0, 2, 0};

	(void)arg;
	zonedb_enter_thread();
	while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
		struct host *host;

		rcu_read_lock();
		host = host_find(db, (const uint8_t *)far_host);
		if (host && ++address[3] % 4 == 0)
			host_forget(host, HOST_A);
		else if (host && host_learn(host, HOST_A, address, 1, TTL) != GAZ_OK)
			atomic_fetch_add(&verdicts[CHURN_WRONG], 1);
		rcu_read_unlock();
	}
	zonedb_leave_thread();
	return NULL;
}

static void prepare(void)
{
	for (int i = 0; i < CHURN_PLACES * CHURN_LABELS; i++) {
		int place = i / CHURN_LABELS;
		int label = i % CHURN_LABELS;
		const uint8_t *name = name_of(labels[label], place);

		memcpy(names[place][label], name, dname_len(name));
	}
	rng_seed(&rng, 1);
	for (size_t i = 0; i < EDITS; i++)
		churn_advance(&worlds[i], &rng, &worlds[i + 1]);
	assert_int_equal(zonedb_new(&db), GAZ_OK);
	assert_int_equal(view_intern_vpc(db, "vpc-a", &vpc_a), GAZ_OK);
}

static void test_replies_are_true_while_everything_changes(void **state)
{
	pthread_t threads[READERS + 1];

	(void)state;
	prepare();
	for (uintptr_t i = 0; i < READERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, run_reader, (void *)(i + 1)),
			0);
	assert_int_equal(pthread_create(&threads[READERS], NULL, run_learner, NULL), 0);
	write_all();
	atomic_store_explicit(&is_over, true, memory_order_relaxed);
	for (int i = 0; i <= READERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	print_message("# %zu replies, of which %zu overlapped with many edits\n",
		      verdicts[CHURN_RIGHT] + verdicts[CHURN_PLAUSIBLE],
		      verdicts[CHURN_PLAUSIBLE]);
	assert_int_equal(verdicts[CHURN_WRONG], 0);
	assert_true(verdicts[CHURN_RIGHT] >= READERS * STRICT_MIN);
	zonedb_free(&db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies_are_true_while_everything_changes),
	};
	int failed;

	zonedb_enter_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	zonedb_leave_thread();
	return failed;
}
