/* SPDX-License-Identifier: BSD-2-Clause */
#include "others.h"

#include <ldns/ldns.h>
#include <stdlib.h>

#include "base/clock.h"
#include "dns/name.h"
#include "dns/wire.h"
#include "forward/entry.h"
#include "forward/forward-internal.h"
#include "fuzz.h"

/* What upstreams have said, for as long as anything is kept: who fuzzes on shall still
 * find it. One with a SOA record says that there is no such name. */
static const struct {
	const char *name;
	const char *lines[4];
} known[] = {
	{"www.elsewhere.test.",
	 {"www.elsewhere.test. 86400 IN CNAME lb.elsewhere.test.",
	  "lb.elsewhere.test. 86400 IN A 198.51.100.1",
	  "lb.elsewhere.test. 86400 IN A 198.51.100.2"}},
	{"mail.elsewhere.test.", {"mail.elsewhere.test. 86400 IN A 198.51.100.3"}},
	{"none.elsewhere.test.",
	 {"elsewhere.test. 86400 IN SOA ns.elsewhere.test. host.elsewhere.test. 1 2 3 4 "
	  "86400"}},
};

static struct forward others = {.wake_fd = -1, .has_root = true};
static struct forward_desk desk;

static void free_others(void)
{
	desk_fini(&desk);
	cache_free(&others.cache);
}

static void put_known(size_t i, bool with_dnssec)
{
	static uint8_t scratch[ENTRY_SCRATCH_SIZE];
	ldns_pkt *packet = NULL;
	uint8_t *wire = NULL;
	size_t len;
	struct entry *entry = NULL;
	struct dname name;
	struct cache_key key = {&name, LDNS_RR_TYPE_A, with_dnssec};
	struct entry_source source = {.name = &name, .qtype = LDNS_RR_TYPE_A};

	CHECK(ldns_pkt_query_new_frm_str(&packet, known[i].name, LDNS_RR_TYPE_A,
					 LDNS_RR_CLASS_IN, LDNS_RD) == LDNS_STATUS_OK);
	ldns_pkt_set_qr(packet, true);
	ldns_pkt_set_ra(packet, true);
	for (size_t k = 0; known[i].lines[k]; k++) {
		ldns_rr *rr = NULL;

		CHECK(ldns_rr_new_frm_str(&rr, known[i].lines[k], 0, NULL, NULL) ==
		      LDNS_STATUS_OK);
		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA) {
			ldns_pkt_set_rcode(packet, LDNS_RCODE_NXDOMAIN);
			CHECK(ldns_pkt_push_rr(packet, LDNS_SECTION_AUTHORITY, rr));
		} else {
			CHECK(ldns_pkt_push_rr(packet, LDNS_SECTION_ANSWER, rr));
		}
	}
	CHECK(ldns_pkt2wire(&wire, packet, &len) == LDNS_STATUS_OK);
	CHECK(dname_parse(wire + DNS_HEADER_LEN, len - DNS_HEADER_LEN, &name) > 0);
	source.packet = wire;
	source.len = len;
	source.with_dnssec = with_dnssec;
	source.now_ms = clock_monotonic_ms();
	CHECK(entry_new(&source, scratch, &entry) == GAZ_OK);
	cache_put(others.cache, &key, &entry, source.now_ms);
	free(wire);
	ldns_pkt_free(packet);
}

struct forward_desk *others_desk(void)
{
	CHECK(cache_new(1 << 20, &others.cache) == GAZ_OK);
	CHECK(desk_init(&desk, &others) == GAZ_OK);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		put_known(i, false);
		put_known(i, true);
	}
	(void)atexit(free_others);
	return &desk;
}
