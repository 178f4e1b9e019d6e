/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The numbers of the DNS protocol that we use, and big-endian integers. */

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_MB = 7,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AFSDB = 18,
	DNS_TYPE_RT = 21,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_NAPTR = 35,
	DNS_TYPE_KX = 36,
	DNS_TYPE_DNAME = 39,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_DS = 43,
	DNS_TYPE_RRSIG = 46,
	DNS_TYPE_NSEC = 47,
	DNS_TYPE_NSEC3 = 50,
	DNS_TYPE_SVCB = 64,
	DNS_TYPE_HTTPS = 65,
	DNS_TYPE_NXNAME = 128, /* RFC 9824: says of a name that it does not exist */
	DNS_TYPE_TSIG = 250,
	DNS_TYPE_IXFR = 251,
	DNS_TYPE_AXFR = 252,
	DNS_TYPE_ANY = 255,
	DNS_TYPE_NONE = 65535, /* reserved: no record has it (RFC 6895, section 3.1) */
};

enum {
	DNS_CLASS_IN = 1,
	DNS_CLASS_CH = 3,
	DNS_CLASS_ANY = 255,
	DNS_HEADER_LEN = 12,
	DNS_RR_FIXED_LEN = 10, /* type, class, TTL and rdata length */
	DNS_OPT_LEN = 11,      /* an OPT record without options */
	DNS_UDP_MIN = 512,     /* what every client takes without EDNS */
};

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_YXDOMAIN = 6,
	DNS_NOTAUTH = 9,
	DNS_BADVERS = 16, /* these need an OPT record for their upper bits */
	DNS_BADCOOKIE = 23,
};

enum {
	DNS_TSIG_BADKEY = 17, /* in the error field of a TSIG record */
};

enum {
	DNS_FLAG_QR = 0x8000,
	DNS_FLAG_OPCODE = 0x7800,
	DNS_OPCODE_NOTIFY = 0x2000, /* where they stand among the flags */
	DNS_OPCODE_UPDATE = 0x2800,
	DNS_FLAG_AA = 0x0400,
	DNS_FLAG_TC = 0x0200,
	DNS_FLAG_RD = 0x0100,
	DNS_FLAG_RA = 0x0080,
	DNS_FLAG_CD = 0x0010,
	DNS_EDNS_DO = 0x8000,
};

/** True for types of records that a zone may hold; not for OPT, the types that
 *  only mean something in a question (RFC 6895, section 3.1), and reserved ones. */
static inline bool dns_type_is_data(uint16_t type)
{
	return type != 0 && type != DNS_TYPE_OPT && (type < 128 || type > 255) &&
	       type != DNS_TYPE_NONE;
}

static inline uint16_t wire_get_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t wire_get_u32(const uint8_t *at)
{
	return (uint32_t)wire_get_u16(at) << 16 | wire_get_u16(at + 2);
}

static inline void wire_put_u16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static inline void wire_put_u32(uint8_t *at, uint32_t v)
{
	wire_put_u16(at, (uint16_t)(v >> 16));
	wire_put_u16(at + 2, (uint16_t)v);
}
