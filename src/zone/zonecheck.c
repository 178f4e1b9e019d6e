/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "dns/rdata.h"
#include "dns/wire.h"
#include "zone/zonebuild-internal.h"

/* What named-checkzone looks at, on the records of a zone that is not rendered yet. */

struct check {
	const struct zonebuild *build;
	zonebuild_warn *warn;
	void *arg;
	struct zonebuild_flaw *flaw;
};

static void fill(struct zonebuild_flaw *flaw, const struct build_record *at,
		 const char *text)
{
	flaw->file = at ? at->file : 0;
	flaw->line = at ? at->line : 0;
	(void)snprintf(flaw->text, sizeof flaw->text, "%s", text);
}

static gaz_status fail(const struct check *c, const struct build_record *at,
		       const char *text)
{
	fill(c->flaw, at, text);
	return GAZ_EFORMAT;
}

static void print_name(char out[320], const char *before, const uint8_t *wire,
		       const char *after)
{
	char name[DNAME_TEXT_SIZE];

	(void)dname_to_text(wire, name);
	(void)snprintf(out, 320, "%s%.200s%s", before, name, after);
}

static void warn_name(const struct check *c, const struct build_record *at,
		      const char *before, const uint8_t *wire, const char *after)
{
	struct zonebuild_flaw flaw;
	char text[320];

	print_name(text, before, wire, after);
	fill(&flaw, at, text);
	c->warn(c->arg, &flaw);
}

static void whole_name(const struct check *c, const struct build_name *name,
		       uint8_t out[DNAME_MAX])
{
	memcpy(out, name->name, name->name_len);
	memcpy(out + name->name_len, c->build->apex.wire, c->build->apex.len);
}

static const struct build_record *later(const struct build_record *a,
					const struct build_record *b)
{
	return a->file == b->file && a->line > b->line ? a : b;
}

/* ---- what one name has ---- */

static bool has_equal_data(const struct build_record *a, const struct build_record *b)
{
	return a->type == b->type && rdata_compare(a->type, a->rdata, a->rdata_len,
						   b->rdata, b->rdata_len) == 0;
}

/* DNSSEC's records may stand beside a CNAME (RFC 4034, section 3). */
static bool is_barred_by_cname(uint16_t type)
{
	return type != DNS_TYPE_CNAME && type != DNS_TYPE_RRSIG && type != DNS_TYPE_NSEC;
}

/* The first record of types that a name has once only, and of all others. */
struct singles {
	const struct build_record *soa;
	const struct build_record *cname;
	const struct build_record *dname;
	const struct build_record *other; /* than CNAME */
};

static const struct build_record **single_of(struct singles *s, uint16_t type)
{
	switch (type) {
	case DNS_TYPE_SOA:
		return &s->soa;
	case DNS_TYPE_CNAME:
		return &s->cname;
	case DNS_TYPE_DNAME:
		return &s->dname;
	default:
		return NULL;
	}
}

static gaz_status check_name(const struct check *c, const struct build_name *name)
{
	struct singles seen = {0};

	for (const struct build_record *r = name->first; r; r = r->next) {
		const struct build_record **single = single_of(&seen, r->type);

		if (r->type == DNS_TYPE_SOA && name->name_len > 0)
			return fail(c, r,
				    "a SOA record below the zone's own name; remove it");
		if (single && *single && !has_equal_data(*single, r))
			return fail(c, r,
				    r->type == DNS_TYPE_SOA
					    ? "a second SOA record; keep one of them"
					    : "a second CNAME or DNAME record at this "
					      "name; keep one of them");
		if (single && !*single)
			*single = r;
		if (!seen.other && is_barred_by_cname(r->type))
			seen.other = r;
		if (seen.cname && seen.other)
			return fail(c, later(seen.cname, seen.other),
				    "a CNAME beside other records of the same name; keep "
				    "only one kind");
	}
	return GAZ_OK;
}

static gaz_status check_apex(const struct check *c)
{
	bool has_soa = false;
	bool has_ns = false;

	for (const struct build_record *r = c->build->names[0]->first; r; r = r->next) {
		has_soa |= r->type == DNS_TYPE_SOA;
		has_ns |= r->type == DNS_TYPE_NS;
	}
	if (has_soa && has_ns)
		return GAZ_OK;
	return fail(c, NULL,
		    has_soa ? "no NS record at the zone's own name; add one"
			    : "no SOA record at the zone's own name; add one");
}

/* ---- what lies above a name ---- */

static bool may_have_cuts(const struct check *c)
{
	return atomic_load(&c->build->zone->flags) & ZONE_HAS_CUTS;
}

/* The topmost name above it whose delegation or DNAME hides it; NULL: none. */
static const struct build_name *find_cover(const struct check *c,
					   const struct build_owner *owner)
{
	unsigned labels = c->build->apex.labels;

	if (!may_have_cuts(c))
		return NULL;
	for (; labels < owner->name.labels; labels++) {
		const struct build_name *name = build_find(c->build, owner, labels);

		if (!name)
			return NULL;
		if (name->flags & (BUILD_CUT | BUILD_DNAME))
			return name;
	}
	return NULL;
}

static bool is_at_cut(uint16_t type)
{
	return type == DNS_TYPE_NS || type == DNS_TYPE_DS || type == DNS_TYPE_NSEC ||
	       type == DNS_TYPE_RRSIG;
}

static bool is_address(uint16_t type)
{
	return type == DNS_TYPE_A || type == DNS_TYPE_AAAA;
}

/* Addresses below a delegation are glue. */
static void warn_of_occluded(const struct check *c, const struct build_name *name)
{
	const struct build_name *cover;
	struct build_owner owner;
	uint8_t wire[DNAME_MAX];

	whole_name(c, name, wire);
	if (!build_parse(c->build, wire, sizeof wire, &owner))
		return;
	cover = find_cover(c, &owner);
	for (const struct build_record *r = name->first; r; r = r->next) {
		bool below = cover && !(cover->flags & BUILD_CUT && is_address(r->type));
		bool beside = name->flags & BUILD_CUT && !is_at_cut(r->type) &&
			      !is_address(r->type);

		if (!below && !beside)
			continue;
		warn_name(
			c, r, "", wire,
			cover && cover->flags & BUILD_DNAME
				? " lies below a DNAME: it is never answered"
				: " lies at or below a delegation: it is never answered");
		return;
	}
}

/* ---- names that records point to ---- */

enum target {
	TARGET_FINE = 0, /* has addresses, or is none of our business */
	TARGET_CNAME,
	TARGET_BARE,	  /* is in the zone and has no address */
	TARGET_UNDER_CUT, /* the same, but a delegation's server would know it */
	TARGET_UNDER_DNAME,
};

/* "*" of the closest name above that there is (RFC 4592). */
static const struct build_name *find_wildcard(const struct check *c,
					      const struct build_owner *owner)
{
	unsigned labels = owner->name.labels - 1;
	uint8_t wire[DNAME_MAX + 2] = {1, '*'};
	struct build_owner star;
	unsigned at;

	while (!build_find(c->build, owner, labels))
		labels--;
	at = owner->name.offsets[owner->name.labels - labels];
	memcpy(wire + 2, owner->name.wire + at, owner->name.len - at);
	if (!build_parse(c->build, wire, owner->name.len - at + 2u, &star))
		return NULL;
	return build_find(c->build, &star, star.name.labels);
}

static enum target find_target(const struct check *c, const uint8_t *wire, size_t len)
{
	const struct build_name *name;
	const struct build_name *cover;
	struct build_owner owner;

	if (!build_parse(c->build, wire, len, &owner))
		return TARGET_FINE;
	name = build_find(c->build, &owner, owner.name.labels);
	cover = find_cover(c, &owner);
	if (cover && cover->flags & BUILD_DNAME)
		return TARGET_UNDER_DNAME;
	if (!cover && name && name->flags & BUILD_CUT)
		cover = name;
	if (!name && !cover)
		name = find_wildcard(c, &owner);
	if (name && name->flags & BUILD_ADDRESS)
		return TARGET_FINE;
	if (cover)
		return TARGET_UNDER_CUT;
	return name && name->flags & BUILD_CNAME ? TARGET_CNAME : TARGET_BARE;
}

/* Where the name begins in the data; 0 octets and no name: not such a type. */
static bool has_target(uint16_t type, size_t *at_out)
{
	*at_out = type == DNS_TYPE_MX ? 2 : type == DNS_TYPE_SRV ? 6 : 0;
	return type == DNS_TYPE_NS || type == DNS_TYPE_MX || type == DNS_TYPE_SRV;
}

static const char *const target_flaws[] = {
	[TARGET_CNAME] =
		", which is a CNAME; name the host itself (RFC 2181, section 10.3)",
	[TARGET_BARE] = ", which has no address in this zone; add its A or AAAA record",
	[TARGET_UNDER_CUT] = ", which lies below a delegation and has no glue; add its A "
			     "or AAAA record",
	[TARGET_UNDER_DNAME] = ", which lies below a DNAME",
};

/* A zone whose own servers cannot be found is not served; that a delegation leads
 * nowhere concerns its names alone. */
static gaz_status check_server(const struct check *c, const struct build_name *name,
			       const struct build_record *r, enum target target)
{
	if (name->name_len > 0 || target == TARGET_UNDER_CUT) {
		warn_name(c, r, "the name server is ", r->rdata, target_flaws[target]);
		return GAZ_OK;
	}
	print_name(c->flaw->text, "the name server is ", r->rdata, target_flaws[target]);
	c->flaw->file = r->file;
	c->flaw->line = r->line;
	return GAZ_EFORMAT;
}

static gaz_status check_target(const struct check *c, const struct build_name *name,
			       const struct build_record *r)
{
	enum target target;
	size_t at;

	if (!has_target(r->type, &at))
		return GAZ_OK;
	target = find_target(c, r->rdata + at, r->rdata_len - at);
	if (target == TARGET_FINE)
		return GAZ_OK;
	if (r->type == DNS_TYPE_NS)
		return check_server(c, name, r, target);
	/* "." is no host, and what lies below a delegation is for its servers to say. */
	if (target != TARGET_UNDER_CUT && r->rdata[at] != 0)
		warn_name(c, r, "points to ", r->rdata + at, target_flaws[target]);
	return GAZ_OK;
}

static gaz_status check_targets(const struct check *c, const struct build_name *name)
{
	struct build_owner owner;
	uint8_t wire[DNAME_MAX];
	gaz_status st = GAZ_OK;

	for (const struct build_record *r = name->first; st == GAZ_OK && r; r = r->next) {
		size_t at;

		/* What is never answered points nowhere. */
		if (has_target(r->type, &at) && may_have_cuts(c)) {
			whole_name(c, name, wire);
			if (build_parse(c->build, wire, sizeof wire, &owner) &&
			    find_cover(c, &owner))
				return GAZ_OK;
		}
		st = check_target(c, name, r);
	}
	return st;
}

gaz_status zonebuild_check(const struct zonebuild *build, zonebuild_warn *warn, void *arg,
			   struct zonebuild_flaw *flaw_out)
{
	const struct check c = {build, warn, arg, flaw_out};
	gaz_status st = GAZ_OK;

	for (size_t i = 0; st == GAZ_OK && i < build->count; i++)
		st = check_name(&c, build->names[i]);
	if (st == GAZ_OK)
		st = check_apex(&c);
	for (size_t i = 0; st == GAZ_OK && i < build->count; i++)
		st = check_targets(&c, build->names[i]);
	for (size_t i = 1; st == GAZ_OK && may_have_cuts(&c) && i < build->count; i++)
		warn_of_occluded(&c, build->names[i]);
	return st;
}
