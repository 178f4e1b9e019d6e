/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/netaddr.h"
#include "base/status.h"
#include "dns/rrset.h" /* enum rrset_policy */

/* One edit is one batch of changes to the zone database: gather changes,
 * zonedit_prepare() (everything that can fail), then zonedit_publish(), which
 * cannot fail. Between the two the caller commits to its store. An edit sees
 * its own earlier changes. One edit exists at a time, on the writer thread,
 * which is a registered RCU thread.
 *
 * Each change costs the size of the node it touches, whatever the size of the
 * zone; a record more in a set of many that are not all answered costs less. All
 * owner names are absolute wire names (RFC 1035, section 3.1) without compression, of
 * any case: they are stored in lower case.
 *
 * When a call fails with GAZ_ENOMEM the edit must be freed; with any other
 * status it is as before the call. */

struct zonedb;
struct zonedit;
struct zonebuild;
struct zone;

enum zone_kind {
	ZONE_PRIVATE = 0, /* zeroed memory must never open a zone */
	ZONE_PUBLIC,
	ZONE_STATIC, /* from a zone file: public, and behind a public zone of the same name */
};

struct zone_spec {
	const char *id; /* unique: a namespace id, or the path of a zone file; copied */
	const uint8_t *apex;
	enum zone_kind kind;
	const char *vpc_id; /* ZONE_PRIVATE: the VPC that sees it, compared exactly */
	int64_t created_ms; /* of two visible zones of one name and kind the older answers, */
			    /* then the one with the smaller id */
};

struct zone_record {
	uint16_t type; /* or one of enum rrset_alias, its rdata the target's name */
	uint16_t rdata_len;
	uint32_t ttl;
	enum rrset_policy policy;
	bool healthy;
	const uint8_t *rdata; /* wire form, names in it uncompressed */
};

struct vpc_decl {
	const char *id;
	const struct netprefix *prefixes;
	size_t count;
};

GAZ_MUST_CHECK gaz_status zonedit_new(struct zonedb *db, struct zonedit **out);

/** Drop an edit that was not published. If it was prepared with zones made apart, this
 *  waits for those who read at that moment. Accepts a pointer to NULL. */
void zonedit_free(struct zonedit **edit);

/** @return GAZ_OK, GAZ_EEXISTS (the id is taken), GAZ_EFORMAT (apex), GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status zonedit_add_zone(struct zonedit *edit,
					   const struct zone_spec *spec,
					   struct zone **out);

/** The zone of that id as this edit sees it; NULL: none. Borrowed. */
struct zone *zonedit_find_zone(struct zonedit *edit, const char *id);

/**
 * Add a zone that was made apart, as it is. The edit borrows it until the edit is
 * published or freed; published, the zone is the database's, and the build is only to
 * be freed. Nothing else may be done to that zone in the same edit.
 *
 * @return GAZ_OK, GAZ_EEXISTS (the id is taken), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status zonedit_add_built(struct zonedit *edit,
					    struct zonebuild *build);

/** Remove a zone and all its nodes. If there are any but the apex, publishing waits
 *  for those who read at that moment. */
GAZ_MUST_CHECK gaz_status zonedit_remove_zone(struct zonedit *edit, struct zone *zone);

/**
 * Add one record. A set may hold equal records (two instances with one
 * address); an answer never shows both.
 *
 * @return GAZ_OK, GAZ_EFORMAT (owner outside the zone, or rdata malformed for a
 *         type whose form is known), GAZ_EEXISTS (would conflict: CNAME beside
 *         other data, or another policy than the records already there, or a
 *         TTL that differs), GAZ_ELIMIT (a set of RRSET_ALL outgrows one
 *         message over TCP, or any set 65,535 records), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status zonedit_add_record(struct zonedit *edit, struct zone *zone,
					     const uint8_t *owner,
					     const struct zone_record *record);

/** What zonedit_add_record() would return, without doing it. */
GAZ_MUST_CHECK gaz_status zonedit_check_record(struct zonedit *edit, struct zone *zone,
					       const uint8_t *owner,
					       const struct zone_record *record);

/** How many records of that type the owner has in this edit.
 *  @return GAZ_OK, GAZ_EFORMAT (owner outside the zone), GAZ_ENOMEM */
GAZ_MUST_CHECK gaz_status zonedit_count_records(struct zonedit *edit, struct zone *zone,
						const uint8_t *owner, uint16_t type,
						size_t *out);

/** Remove one record equal in type, rdata and health. @return GAZ_OK,
 *  GAZ_ENOTFOUND, GAZ_EFORMAT, GAZ_ENOMEM. */
GAZ_MUST_CHECK gaz_status zonedit_remove_record(struct zonedit *edit, struct zone *zone,
						const uint8_t *owner,
						const struct zone_record *record);

/** Remove the whole RRset, if there is one. */
GAZ_MUST_CHECK gaz_status zonedit_remove_rrset(struct zonedit *edit, struct zone *zone,
					       const uint8_t *owner, uint16_t type);

/** Change the TTL of all records of the set. @return GAZ_OK, GAZ_ENOTFOUND, ... */
GAZ_MUST_CHECK gaz_status zonedit_set_ttl(struct zonedit *edit, struct zone *zone,
					  const uint8_t *owner, uint16_t type,
					  uint32_t ttl);

/**
 * Replace the declared VPCs, all of them. The longest prefix that holds a
 * source decides; a prefix given to several VPCs puts its sources in all of
 * them. VPC ids that are not declared have the loopback prefixes
 * 127.0.0.0/8 and ::1/128, or none at all when `strict` is set.
 */
GAZ_MUST_CHECK gaz_status zonedit_set_vpcs(struct zonedit *edit,
					   const struct vpc_decl *vpcs, size_t count,
					   bool strict);

/** Render everything; after GAZ_OK only publish or free may follow. */
GAZ_MUST_CHECK gaz_status zonedit_prepare(struct zonedit *edit);

/** Make all changes visible to readers. Cannot fail. Sets *take to NULL; what
 *  was replaced is freed after a grace period. */
void zonedit_publish(struct zonedit **take);
