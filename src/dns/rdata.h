/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Record data in wire form, names in it uncompressed. The encoders return the
 * length, 0 when `cap` is too small; all names are valid wire names. The data
 * of A and AAAA is the address itself, of CNAME, NS and PTR the name. */

enum {
	RDATA_SOA_MAX = 255 + 255 + 20,
	RDATA_SRV_MAX = 6 + 255,
};

size_t rdata_name(uint8_t *buf, size_t cap,
		  const uint8_t *name); /* CNAME, NS, PTR, DNAME */
size_t rdata_srv(uint8_t *buf, size_t cap, uint16_t priority, uint16_t weight,
		 uint16_t port, const uint8_t *target);
size_t rdata_soa(uint8_t *buf, size_t cap, const uint8_t *mname, const uint8_t *rname,
		 uint32_t serial, uint32_t refresh, uint32_t retry, uint32_t expire,
		 uint32_t minimum);

/** True when the data has the form of its type; always for types we do not know. */
bool rdata_is_valid(uint16_t type, const uint8_t *rdata, size_t len);

struct rdata_names {
	uint8_t skip;  /* octets before the first name */
	uint8_t count; /* of names, one right behind the other */
};

/** The names in the data of a type that RFC 1035, or a text before RFC 3597, defines: they
 *  compare without regard to case (RFC 3597, section 7). None for all others. */
struct rdata_names rdata_names(uint16_t type);

/** Compare valid data of one type, as if names were in lower case (RFC 4034, section 6.2).
 *  @return 0 when they are equal, else of any order that is always the same */
int rdata_compare(uint16_t type, const uint8_t *a, size_t a_len, const uint8_t *b,
		  size_t b_len);

/** The names in the data of a type that a message may compress: the well-known types of
 *  RFC 1035 (RFC 3597, section 4). None for all others. */
struct rdata_names rdata_compressible(uint16_t type);

/** Where the data of a type has the name of a host whose addresses are sent along (RFC
 *  1034, section 4.3.2; RFC 1035, 1183, 2230, 2782, 9460); -1: nowhere. */
int rdata_host_at(uint16_t type);

/** The MINIMUM field of valid SOA data. */
uint32_t rdata_soa_minimum(const uint8_t *rdata, size_t len);
