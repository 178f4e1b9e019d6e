/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/rdata.h"

#include <string.h>

#include "dns/name.h"
#include "dns/rrset.h"
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
	case RRSET_ALIAS_A:
	case RRSET_ALIAS_AAAA:
		return is_name_after(rdata, len, 0);
	case DNS_TYPE_MX:
	case DNS_TYPE_AFSDB:
	case DNS_TYPE_RT:
	case DNS_TYPE_KX:
		return is_name_after(rdata, len, 2);
	case DNS_TYPE_SRV:
		return is_name_after(rdata, len, 6);
	case DNS_TYPE_SOA:
		return is_soa(rdata, len);
	case DNS_TYPE_TXT:
		return is_strings(rdata, len);
	default:
		return true;
	}
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
