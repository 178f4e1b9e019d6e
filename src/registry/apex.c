/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/apex.h"

#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/wire.h"
#include "registry/namespace.h"
#include "zone/zonedit.h"

enum {
	SERIAL_FIXED = 1, /* Route 53 never changes it */
	NS_TTL = 172800,
	ROUTE53_SERVERS = 4,
	SERVER_SIZE = 64, /* of the text of one */
};

const struct apex_values apex_route53 = {
	.rname = "awsdns-hostmaster.amazon.com",
	.refresh = 7200,
	.retry = 900,
	.expire = 1209600,
	.minimum = 86400,
	.ttl = 15,
};

bool apex_is_name(const char *text)
{
	uint8_t wire[DNAME_MAX];
	size_t len;

	return dname_from_text(text, wire, &len) == GAZ_OK && len > 1;
}

uint32_t apex_serial(const struct apex_values *values, uint64_t changes)
{
	if (!values->counting)
		return SERIAL_FIXED;
	return (uint32_t)(changes % UINT32_MAX) + 1;
}

/* Every private zone has the same name servers; a public zone has a delegation
 * set of its own, one server in each of four domains. The API never returns
 * it, so any stable choice will do: it is made from the zone's id. */
static gaz_status make_servers(const struct namespace_record *ns,
			       char servers[ROUTE53_SERVERS][SERVER_SIZE])
{
	static const struct {
		const char *domain;
		unsigned first; /* of the 512 numbers used in that domain */
	} domains[ROUTE53_SERVERS] = {
		{"co.uk", 1536}, {"com", 0}, {"org", 1024}, {"net", 512}};
	uint8_t digest[ID_DIGEST_LEN] = {0};

	if (ns->type == NAMESPACE_DNS_PUBLIC &&
	    id_digest(ns->hosted_zone_id, strlen(ns->hosted_zone_id), digest) != GAZ_OK)
		return GAZ_ENOMEM;
	for (size_t i = 0; i < ROUTE53_SERVERS; i++) {
		unsigned number = domains[i].first + digest[i] * 2u;
		unsigned pool = digest[ROUTE53_SERVERS + i] % 64u;

		(void)snprintf(servers[i], SERVER_SIZE, "ns-%u.awsdns-%02u.%s", number,
			       pool, domains[i].domain);
	}
	return GAZ_OK;
}

static gaz_status choose_mname(const struct apex_values *values,
			       const struct namespace_record *ns, uint8_t out[DNAME_MAX])
{
	char servers[ROUTE53_SERVERS][SERVER_SIZE];
	const char *text = values->mname;
	gaz_status st = GAZ_OK;
	size_t len;

	if (!text && values->server_count > 0) {
		text = values->servers[0];
	} else if (!text) {
		st = make_servers(ns, servers);
		text = servers[0];
	}
	return st == GAZ_OK ? dname_from_text(text, out, &len) : st;
}

static gaz_status add_record(struct zonedit *edit, struct zone *zone,
			     const uint8_t *owner, uint16_t type, uint32_t ttl,
			     const uint8_t *rdata, size_t len)
{
	return zonedit_add_record(edit, zone, owner,
				  &(struct zone_record){
					  .type = type,
					  .rdata_len = (uint16_t)len,
					  .ttl = ttl,
					  .policy = RRSET_ALL,
					  .healthy = true,
					  .rdata = rdata,
				  });
}

static gaz_status add_soa(struct zonedit *edit, struct zone *zone, const uint8_t *owner,
			  const struct apex_values *values,
			  const struct namespace_record *ns)
{
	uint8_t mname[DNAME_MAX];
	uint8_t rname[DNAME_MAX];
	uint8_t rdata[RDATA_SOA_MAX];
	size_t len;
	gaz_status st = choose_mname(values, ns, mname);

	if (st == GAZ_OK)
		st = dname_from_text(values->rname, rname, &len);
	if (st != GAZ_OK)
		return st;
	len = rdata_soa(rdata, sizeof rdata, mname, rname,
			apex_serial(values, ns->zone_changes), values->refresh,
			values->retry, values->expire, values->minimum);
	return add_record(edit, zone, owner, DNS_TYPE_SOA, ns->soa_ttl, rdata, len);
}

static gaz_status add_server(struct zonedit *edit, struct zone *zone,
			     const uint8_t *owner, const char *text)
{
	uint8_t name[DNAME_MAX];
	size_t len;
	gaz_status st = dname_from_text(text, name, &len);

	return st == GAZ_OK
		       ? add_record(edit, zone, owner, DNS_TYPE_NS, NS_TTL, name, len)
		       : st;
}

gaz_status apex_add(struct zonedit *edit, struct zone *zone, const uint8_t *owner,
		    const struct apex_values *values, const struct namespace_record *ns)
{
	char route53[ROUTE53_SERVERS][SERVER_SIZE];
	gaz_status st = add_soa(edit, zone, owner, values, ns);

	for (size_t i = 0; st == GAZ_OK && i < values->server_count; i++)
		st = add_server(edit, zone, owner, values->servers[i]);
	if (st != GAZ_OK || values->server_count > 0)
		return st;
	st = make_servers(ns, route53);
	for (size_t i = 0; st == GAZ_OK && i < ROUTE53_SERVERS; i++)
		st = add_server(edit, zone, owner, route53[i]);
	return st;
}

gaz_status apex_replace_soa(struct zonedit *edit, struct zone *zone, const uint8_t *owner,
			    const struct apex_values *values,
			    const struct namespace_record *ns)
{
	gaz_status st = zonedit_remove_rrset(edit, zone, owner, DNS_TYPE_SOA);

	return st == GAZ_OK ? add_soa(edit, zone, owner, values, ns) : st;
}
