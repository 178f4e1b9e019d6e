/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/netaddr.h"
#include "dns/name.h"
#include "dns/rrset.h"

/* The hosts that aliases name (Cloud Map's AWS_ALIAS_DNS_NAME), and what is
 * known of those that lie in none of our zones: the addresses that the
 * configuration gives, else those that an upstream resolver gave last.
 *
 * A host is in the table while the configuration or an alias record names it:
 * edits of the zone database count these. Queries read the table under the RCU
 * read lock, as everything in zone/lookup.h. One thread, the one that asks the
 * upstream resolver, learns and forgets addresses. */

struct zonedb;
struct name_hashes;
struct host;

enum {
	HOST_ADDRESSES_MAX = 64, /* of one host, both families together */
};

enum host_type {
	HOST_A,
	HOST_AAAA,
	HOST_TYPES,
};

/** The addresses of a host for a query of that type, or NULL. Needs the RCU read
 *  lock. A host without any is noted as missed, see host_is_wanted(). */
const struct rrset *host_find_addresses(const struct zonedb *db, const struct dname *name,
					const struct name_hashes *hashes, uint16_t qtype);

/**
 * Give a host its addresses once and for all; while nobody else uses `db`.
 *
 * @param name  in wire form
 * @return GAZ_OK, GAZ_EEXISTS (it has them already), GAZ_ELIMIT (too many), GAZ_ENOMEM
 */
GAZ_MUST_CHECK gaz_status host_fix(struct zonedb *db, const uint8_t *name,
				   const struct netaddr *addresses, size_t count,
				   uint32_t ttl);

/* The rest is for the one thread that learns addresses. It holds the RCU read
 * lock while it has a host in its hands. */

/* What that thread keeps with each host and type; zero at first. */
struct host_lease {
	int64_t due_ms;	       /* when to ask next */
	int64_t keep_until_ms; /* how long the addresses outlive failures */
	uint32_t failures;     /* since the last answer */
	bool is_asking;
	bool is_attended; /* one of those that are asked for at all */
};

/** Changes whenever there may be something new to ask for. */
uint64_t host_generation(const struct zonedb *db);

/** Every host, but perhaps those that are added meanwhile. */
void host_walk(const struct zonedb *db, void (*visit)(struct host *host, void *arg),
	       void *arg);

/** The host of that name in wire form, lower-case; NULL: not any more. */
struct host *host_find(const struct zonedb *db, const uint8_t *name);

const uint8_t *host_name(const struct host *host);
struct host_lease *host_lease(struct host *host, enum host_type type);

/** True when only an upstream resolver can know these addresses: some alias needs
 *  them, the configuration does not have them, and the name lies in no zone of
 *  ours, seen by whom it may, unless a query has missed it there. */
bool host_is_wanted(const struct zonedb *db, const struct host *host,
		    enum host_type type);

/** Show these addresses (4 or 16 octets each) from now on. At most
 *  HOST_ADDRESSES_MAX are taken. @return GAZ_OK, GAZ_ENOMEM (then the old ones
 *  stay) */
GAZ_MUST_CHECK gaz_status host_learn(struct host *host, enum host_type type,
				     const uint8_t *addresses, size_t count,
				     uint32_t ttl);
void host_forget(struct host *host, enum host_type type);
