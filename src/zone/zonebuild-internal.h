/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/arena.h"
#include "zone/namehash.h"
#include "zone/zonebuild.h"
#include "zone/zonedb-internal.h"

struct build_record {
	struct build_record *next; /* of the name, in the order of the file */
	uint32_t line;
	uint32_t ttl;
	uint16_t file;
	uint16_t type;
	uint16_t rdata_len;
	uint8_t rdata[];
};

enum build_flag {
	BUILD_CUT = 1,	 /* NS below the apex */
	BUILD_DNAME = 2, /* everything below is elsewhere */
	BUILD_CNAME = 4,
	BUILD_ADDRESS = 8, /* A or AAAA */
};

struct build_name {
	uint64_t hash;
	struct build_record *first; /* until it is rendered */
	union {
		struct build_record *last;
		struct node *node; /* once it is */
	};
	uint32_t children;
	uint8_t flags;
	uint8_t name_len;
	uint8_t name[]; /* relative to the zone; of the apex nothing */
};

/* The tag spares looking at names that are others: they are anywhere in memory. */
struct build_slot {
	uint32_t tag;	 /* the upper half of the hash */
	uint32_t number; /* of the name, from 1; 0: none */
};

struct zonebuild {
	struct zonedb *db;
	struct zone *zone; /* the database's, once published */
	struct dname apex;
	bool is_rendered;
	bool is_published;
	struct arena records;
	struct arena names_arena;
	struct build_name **names; /* in the order in which they came; [0] is the apex */
	size_t count;
	size_t cap;
	struct build_slot *index; /* of the names, by hash */
	size_t index_size;	  /* a power of two */
	struct build_name *last;  /* the owner of the last record */
	size_t record_count;
	struct zonebuild *next_in_edit;
	size_t entered; /* so many names are in the database's table */
};

/* A name taken apart, relative to any zone. */
struct build_owner {
	struct dname name;
	struct name_hashes hashes;
};

/** @return false: no name, or not in the zone */
bool build_parse(const struct zonebuild *build, const uint8_t *wire, size_t left,
		 struct build_owner *out);

/** The name's last `labels` labels, at least those of the apex; NULL: not in the zone. */
struct build_name *build_find(const struct zonebuild *build,
			      const struct build_owner *owner, unsigned labels);
