/* SPDX-License-Identifier: BSD-2-Clause */
/* How long answer_query() takes, without any socket: names of one namespace,
 * asked in random order, a tenth of them missing. And what one edit costs that
 * adds one name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <urcu.h>

#include "dns/name.h"
#include "dns/wire.h"
#include "responder/answer.h"
#include "zone/zonedb.h"
#include "zone/zonedit.h"

enum {
	QUERIES = 1 << 20,
	ROUNDS = 9,
	BATCH = 64, /* as large as a worker's */
	QUERY_SIZE = 64,
	EDITS = 1001,
	REPLY_STRIDE = ANSWER_UDP_CAP + 64, /* an odd number of cache lines, as there */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void must(gaz_status st)
{
	if (st == GAZ_OK)
		return;
	(void)fprintf(stderr, "bench_answer: %s\n", gaz_status_text(st));
	exit(1);
}

static void name_of(unsigned i, uint8_t out[DNAME_MAX], size_t *len_out)
{
	char text[64];

	(void)snprintf(text, sizeof text, "svc-%u.bench.example.com", i);
	must(dname_from_text(text, out, len_out));
}

static void add_name(struct zonedit *edit, struct zone *zone, unsigned i)
{
	uint8_t name[DNAME_MAX];
	uint8_t address[4];
	struct zone_record record = {DNS_TYPE_A, 4, 60, RRSET_MULTIVALUE, true, address};
	size_t len;

	wire_put_u32(address, i);
	name_of(i, name, &len);
	must(zonedit_add_record(edit, zone, name, &record));
}

static struct zonedb *load(unsigned names)
{
	struct zonedb *db = NULL;
	struct zonedit *edit = NULL;
	struct zone *zone = NULL;
	uint8_t apex[DNAME_MAX];
	size_t len;
	struct zone_spec spec = {"bench", apex, ZONE_PUBLIC, NULL, 1};

	must(zonedb_new(&db));
	must(zonedit_new(db, &edit));
	must(dname_from_text("bench.example.com", apex, &len));
	must(zonedit_add_zone(edit, &spec, &zone));
	for (unsigned i = 0; i < names; i++)
		add_name(edit, zone, i);
	must(zonedit_prepare(edit));
	zonedit_publish(&edit);
	return db;
}

static void fill_queries(uint8_t *queries, uint8_t *lens, unsigned names, struct rng *rng)
{
	for (unsigned i = 0; i < QUERIES; i++) {
		uint8_t *query = queries + (size_t)i * QUERY_SIZE;
		unsigned which = rng_below(rng, names);
		size_t len;

		memset(query, 0, QUERY_SIZE);
		query[5] = 1;
		name_of(i % 10 == 0 ? which + names : which, query + 12, &len);
		query[12 + len + 1] = DNS_TYPE_A;
		query[12 + len + 3] = DNS_CLASS_IN;
		lens[i] = (uint8_t)(12 + len + 4);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double time_edits(struct zonedb *db, unsigned names)
{
	static double ns[EDITS];

	for (unsigned i = 0; i < EDITS; i++) {
		struct zonedit *edit = NULL;
		uint64_t start = now_ns();

		must(zonedit_new(db, &edit));
		add_name(edit, zonedit_find_zone(edit, "bench"), 2 * names + i);
		must(zonedit_prepare(edit));
		zonedit_publish(&edit);
		ns[i] = (double)(now_ns() - start);
	}
	qsort(ns, EDITS, sizeof *ns, compare);
	return ns[EDITS / 2];
}

/* As a worker does it; with `alone` one query after the other. Not inline, so that a
 * profiler can tell it from the rest. */
static __attribute__((noinline)) void answer_all(struct answer_context *ctx,
						 const uint8_t *queries,
						 const uint8_t *lens, bool alone)
{
	static struct answer_job jobs[BATCH];
	static uint8_t replies[BATCH][REPLY_STRIDE];
	unsigned batch = alone ? 1 : BATCH;

	for (unsigned at = 0; at < QUERIES; at += batch) {
		rcu_read_lock();
		for (unsigned i = 0; i < batch; i++) {
			jobs[i].req = (struct answer_request){
				.query = queries + (size_t)(at + i) * QUERY_SIZE,
				.len = lens[at + i],
				.source = {.family = AF_INET},
				.listener_vpc = ANSWER_NO_VPC,
			};
			answer_begin(ctx, &jobs[i]);
		}
		for (unsigned i = 0; i < batch; i++)
			answer_locate(&jobs[i]);
		for (unsigned i = 0; i < batch; i++) {
			if (answer_finish(&jobs[i], replies[i], ANSWER_UDP_CAP) == 0)
				exit(1);
		}
		rcu_read_unlock();
	}
}

static void time_answers(struct answer_context *ctx, const uint8_t *queries,
			 const uint8_t *lens, bool alone)
{
	double ns[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = now_ns();

		answer_all(ctx, queries, lens, alone);
		ns[round] = (double)(now_ns() - start) / QUERIES;
	}
	qsort(ns, ROUNDS, sizeof *ns, compare);
	(void)printf("%s ns_per_query median=%.1f best=%.1f\n",
		     alone ? "one by one" : "batches of 64", ns[ROUNDS / 2], ns[0]);
}

int main(int argc, char **argv)
{
	bool count = argc > 1 && strcmp(argv[1], "--count") == 0; /* for a profiler */
	unsigned names =
		argc > 1 && !count ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
	uint8_t *queries = malloc((size_t)QUERIES * QUERY_SIZE);
	uint8_t *lens = malloc(QUERIES);
	struct answer_context ctx = {0};
	struct zonedb *db;

	if (!queries || !lens || names == 0)
		return 1;
	rcu_register_thread();
	db = load(names);
	ctx.db = db;
	rng_seed(&ctx.rng, 1);
	fill_queries(queries, lens, names, &ctx.rng);
	if (count) {
		answer_all(&ctx, queries, lens, false);
		(void)printf("queries=%d\n", QUERIES);
	} else {
		(void)printf("names=%u\n", names);
		time_answers(&ctx, queries, lens, false);
		time_answers(&ctx, queries, lens, true);
		(void)printf("ns_per_edit median=%.0f\n", time_edits(db, names));
	}
	zonedb_free(&db);
	free(queries);
	free(lens);
	rcu_unregister_thread();
	return 0;
}
