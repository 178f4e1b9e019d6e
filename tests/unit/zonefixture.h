/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "responder/answer.h"
#include "zone/zonedb.h"
#include "zone/zonedit.h"

/* A zone database with records given as text, and answers read back as text
 * by ldns, which knows nothing of our code. Every function asserts success. */

struct fixture {
	struct zonedb *db;
	struct zonedit *edit; /* made when needed, gone after fixture_publish() */
	struct answer_context ctx;
};

struct answer {
	size_t len; /* 0: no reply */
	uint8_t wire[65535];
	unsigned rcode;
	bool aa;
	bool tc;
	bool rd;
	bool has_edns;
	char sections[3][16384]; /* answer, authority, additional; a line each */
};

/* A record in wire form made from a line of a zone file. */
struct line {
	uint8_t owner[256];
	uint8_t rdata[4096];
	struct zone_record record;
};

void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
struct zonedit *fixture_edit(struct fixture *f);
void fixture_publish(struct fixture *f);

/** @param vpc  NULL: public, "": static */
struct zone *fixture_zone(struct fixture *f, const char *id, const char *apex,
			  const char *vpc, int64_t created_ms);

/** The same with SOA (TTL 15, MINIMUM 86400) and NS. */
struct zone *fixture_full_zone(struct fixture *f, const char *id, const char *apex,
			       const char *vpc, int64_t created_ms);

void line_parse(struct line *line, const char *text);
gaz_status fixture_try(struct fixture *f, struct zone *zone, const char *text,
		       enum rrset_policy policy, bool healthy);
void fixture_add(struct fixture *f, struct zone *zone, const char *text);
void fixture_remove(struct fixture *f, struct zone *zone, const char *text);

/** "vpc-a=10.0.0.0/8,10.1.0.0/16 vpc-b=..." */
void fixture_vpcs(struct fixture *f, const char *text);

/** A query; @return its length. `edns`: the UDP size, 0 for none. */
size_t query_make(uint8_t *out, const char *name, const char *type, unsigned edns);

/** Ask and decode. */
void ask(struct fixture *f, const char *source, const char *name, const char *type,
	 struct answer *out);
void ask_wire(struct fixture *f, const struct answer_request *req, struct answer *out);
struct answer_request request_make(const char *source, const uint8_t *query, size_t len);
