/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/rdata.h"

#include <string.h>

#include "dns/name.h"
#include "dns/wire.h"

static size_t copy(uint8_t *buf, size_t cap, const uint8_t *data, size_t len)
{
	if (len > cap)
		return 0;
	memcpy(buf, data, len);
	return len;
}

size_t rdata_name(uint8_t *buf, size_t cap, const uint8_t *name)
{
	return copy(buf, cap, name, dname_len(name));
}

size_t rdata_srv(uint8_t *buf, size_t cap, uint16_t priority, uint16_t weight,
		 uint16_t port, const uint8_t *target)
{
	size_t len = dname_len(target);

	if (6 + len > cap)
		return 0;
	wire_put_u16(buf, priority);
	wire_put_u16(buf + 2, weight);
	wire_put_u16(buf + 4, port);
	memcpy(buf + 6, target, len);
	return 6 + len;
}

size_t rdata_soa(uint8_t *buf, size_t cap, const uint8_t *mname, const uint8_t *rname,
		 uint32_t serial, uint32_t refresh, uint32_t retry, uint32_t expire,
		 uint32_t minimum)
{
	const uint32_t numbers[] = {serial, refresh, retry, expire, minimum};
	size_t mname_len = dname_len(mname);
	size_t len = mname_len + dname_len(rname);

	if (len + sizeof numbers > cap)
		return 0;
	memcpy(buf, mname, mname_len);
	memcpy(buf + mname_len, rname, len - mname_len);
	for (int i = 0; i < 5; i++, len += 4)
		wire_put_u32(buf + len, numbers[i]);
	return len;
}

static bool is_soa(const uint8_t *rdata, size_t len)
{
	size_t mname = dname_check(rdata, len);
	size_t rname = mname ? dname_check(rdata + mname, len - mname) : 0;

	return rname && len - mname - rname == 20;
}

static bool is_name_after(const uint8_t *rdata, size_t len, size_t skip)
{
	return len > skip && dname_check(rdata + skip, len - skip) == len - skip;
}

static bool is_strings(const uint8_t *rdata, size_t len)
{
	size_t at = 0;

	while (at < len)
		at += 1u + rdata[at];
	return len > 0 && at == len;
}

bool rdata_is_valid(uint16_t type, const uint8_t *rdata, size_t len)
{
	switch (type) {
	case DNS_TYPE_A:
		return len == 4;
	case DNS_TYPE_AAAA:
		return len == 16;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME:
	case DNS_TYPE_MB:
		return is_name_after(rdata, len, 0);
	case DNS_TYPE_MX:
	case DNS_TYPE_AFSDB:
	case DNS_TYPE_RT:
	case DNS_TYPE_KX:
		return is_name_after(rdata, len, 2);
	case DNS_TYPE_SRV:
		return is_name_after(rdata, len, 6);
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS: /* parameters follow the name */
		return len > 2 && dname_check(rdata + 2, len - 2) != 0;
	case DNS_TYPE_SOA:
		return is_soa(rdata, len);
	case DNS_TYPE_TXT:
		return is_strings(rdata, len);
	default:
		return true;
	}
}

struct rdata_names rdata_names(uint16_t type)
{
	enum { /* of which nothing else is known here */
		MD = 3,
		MF = 4,
		MG = 8,
		MR = 9,
		MINFO = 14,
		RP = 17,
		SIG = 24,
		PX = 26,
		NXT = 30,
	};
	static const struct rdata_names of[] = {
		[DNS_TYPE_NS] = {0, 1},
		[MD] = {0, 1},
		[MF] = {0, 1},
		[DNS_TYPE_CNAME] = {0, 1},
		[DNS_TYPE_SOA] = {0, 2},
		[DNS_TYPE_MB] = {0, 1},
		[MG] = {0, 1},
		[MR] = {0, 1},
		[DNS_TYPE_PTR] = {0, 1},
		[MINFO] = {0, 2},
		[DNS_TYPE_MX] = {2, 1},
		[RP] = {0, 2},
		[DNS_TYPE_AFSDB] = {2, 1},
		[DNS_TYPE_RT] = {2, 1},
		[SIG] = {18, 1},
		[PX] = {2, 2},
		[NXT] = {0, 1},
		[DNS_TYPE_SRV] = {6, 1},
		[DNS_TYPE_KX] = {2, 1},
		[DNS_TYPE_DNAME] = {0, 1},
	};

	return type < sizeof of / sizeof *of ? of[type] : (struct rdata_names){0, 0};
}

/* Where the names of valid data end; *start_out: where the first begins. */
static size_t find_names(uint16_t type, const uint8_t *rdata, size_t len,
			 size_t *start_out)
{
	struct rdata_names names = rdata_names(type);
	size_t at = names.skip;

	if (type == DNS_TYPE_NAPTR) { /* behind three strings (RFC 3403, section 4.1) */
		names.count = 1;
		at = 4;
		for (int i = 0; i < 3 && at < len; i++)
			at += 1u + rdata[at];
	}
	*start_out = at < len ? at : len;
	for (; names.count > 0 && at < len; names.count--)
		at += dname_check(rdata + at, len - at);
	return at < len ? at : len;
}

static int compare_lower(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t lower[2];

		dname_lower(&lower[0], a + i, 1);
		dname_lower(&lower[1], b + i, 1);
		if (lower[0] != lower[1])
			return lower[0] < lower[1] ? -1 : 1;
	}
	return 0;
}

int rdata_compare(uint16_t type, const uint8_t *a, size_t a_len, const uint8_t *b,
		  size_t b_len)
{
	size_t start;
	size_t end;
	int order;

	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	/* What is equal up to there has its names at the same place. */
	end = find_names(type, a, a_len, &start);
	order = memcmp(a, b, start);
	if (order == 0)
		order = compare_lower(a + start, b + start, end - start);
	return order ? order : memcmp(a + end, b + end, a_len - end);
}

struct rdata_names rdata_compressible(uint16_t type)
{
	switch (type) {
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
		return (struct rdata_names){0, 1};
	case DNS_TYPE_MX:
		return (struct rdata_names){2, 1};
	case DNS_TYPE_SOA:
		return (struct rdata_names){0, 2};
	default:
		return (struct rdata_names){0, 0};
	}
}

int rdata_host_at(uint16_t type)
{
	switch (type) {
	case DNS_TYPE_NS:
	case DNS_TYPE_MB:
		return 0;
	case DNS_TYPE_MX:
	case DNS_TYPE_AFSDB:
	case DNS_TYPE_RT:
	case DNS_TYPE_KX:
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		return 2;
	case DNS_TYPE_SRV:
		return 6;
	default:
		return -1;
	}
}

uint32_t rdata_soa_minimum(const uint8_t *rdata, size_t len)
{
	return wire_get_u32(rdata + len - 4);
}
