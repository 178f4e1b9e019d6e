/* SPDX-License-Identifier: BSD-2-Clause */
#include "zone/view.h"

#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "zone/zonedb-internal.h"

/* An address as a number; IPv4 and IPv6 have a list of ranges each. */
typedef unsigned __int128 address;

struct range { /* up to the start of the next one */
	address start;
	uint32_t set;
};

struct set {		/* who the sources of a range are */
	uint32_t first; /* in members */
	uint32_t count;
	bool undeclared;
};

enum {
	V4,
	V6,
	FAMILIES
};

struct view {
	struct range *ranges[FAMILIES];
	size_t range_counts[FAMILIES];
	struct set *sets;
	size_t set_count;
	int32_t *members; /* numbers of VPCs */
	size_t member_count;
	uint64_t *declared; /* a bit for each number of a VPC */
	size_t declared_bits;
	size_t declared_count;
};

static bool is_vpc_named(const void *entry, const void *key)
{
	const struct vpc *vpc = entry;

	return strcmp(vpc->id, key) == 0;
}

gaz_status view_enter_vpc(struct zonedb *db, const char *id, const struct vpc **out)
{
	size_t len = strlen(id);
	uint64_t hash = keyhash_extend(&db->key, 0, id, len);
	struct vpc *vpc = nametable_find(&db->vpcs, hash, is_vpc_named, id, NULL);

	if (!vpc) {
		vpc = calloc(1, sizeof *vpc + len + 1);
		if (!vpc)
			return GAZ_ENOMEM;
		vpc->entry.hash = (uint32_t)hash;
		vpc->number = db->vpc_count;
		memcpy(vpc->id, id, len);
		if (nametable_insert(&db->vpcs, hash, vpc) != GAZ_OK) {
			free(vpc);
			return GAZ_ENOMEM;
		}
		db->vpc_count++;
	}
	*out = vpc;
	return GAZ_OK;
}

gaz_status view_intern_vpc(struct zonedb *db, const char *id, int *out)
{
	const struct vpc *vpc;
	gaz_status st = view_enter_vpc(db, id, &vpc);

	if (st == GAZ_OK)
		*out = vpc->number;
	return st;
}

static address address_of(const struct netaddr *addr)
{
	const uint8_t *b = addr->bytes;
	address high;

	if (addr->family == AF_INET)
		return wire_get_u32(b);
	high = (address)wire_get_u32(b) << 32 | wire_get_u32(b + 4);
	return high << 64 | (address)wire_get_u32(b + 8) << 32 | wire_get_u32(b + 12);
}

/* The number of the range that holds an address. */
static size_t find_range(const struct view *view, int family, address a)
{
	const struct range *ranges = view->ranges[family];
	size_t low = 0;
	size_t high = view->range_counts[family];

	while (high - low > 1) { /* the first range starts at 0 */
		size_t middle = (low + high) / 2;

		if (ranges[middle].start <= a)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void give_set(const struct view *view, uint32_t number, struct view_tags *out)
{
	const struct set *set = &view->sets[number];

	out->view = view;
	out->vpcs = view->members + set->first;
	out->count = set->count;
	out->undeclared = set->undeclared;
}

void view_find(const struct zonedb *db, const struct netaddr *source, int listener_vpc,
	       struct view_tags *out)
{
	const struct view *view = atomic_load_explicit(&db->view, memory_order_acquire);
	int family = source->family == AF_INET ? V4 : V6;

	if (listener_vpc != VIEW_NO_VPC) {
		out->view = view;
		out->own = listener_vpc;
		out->vpcs = &out->own;
		out->count = 1;
		out->undeclared = false;
		return;
	}
	give_set(view,
		 view->ranges[family][find_range(view, family, address_of(source))].set,
		 out);
}

void view_find_subnet(const struct zonedb *db, const struct netprefix *subnet,
		      struct view_tags *out)
{
	const struct view *view = atomic_load_explicit(&db->view, memory_order_acquire);
	int family = subnet->addr.family == AF_INET ? V4 : V6;
	unsigned bits = family == V4 ? 32 : 128;
	address first = address_of(&subnet->addr);
	address last = subnet->len == 0
			       ? ~(address)0
			       : first + (((address)1 << (bits - subnet->len)) - 1);
	const struct range *ranges = view->ranges[family];
	size_t at = find_range(view, family, first);
	bool is_within =
		at + 1 == view->range_counts[family] || ranges[at + 1].start > last;

	give_set(view, is_within ? ranges[at].set : 0, out);
}

static bool is_declared(const struct view *view, int vpc)
{
	return (size_t)vpc < view->declared_bits &&
	       (view->declared[vpc / 64] >> (vpc % 64) & 1) != 0;
}

bool view_may_see(const struct view_tags *tags, int vpc)
{
	for (uint32_t i = 0; i < tags->count; i++) {
		if (tags->vpcs[i] == vpc)
			return true;
	}
	return tags->undeclared && vpc >= 0 && !is_declared(tags->view, vpc);
}

size_t view_declared_count(const struct view *view)
{
	return view->declared_count;
}

/* The rest builds a view. */

enum {
	UNDECLARED = -1
}; /* stands for all undeclared VPCs */

struct item {
	int family;
	uint8_t len;
	int32_t vpc;
	address start;
	address end; /* inclusive */
};

static struct item item_of(const struct netprefix *prefix, int32_t vpc)
{
	struct item item = {0};
	unsigned bits = prefix->addr.family == AF_INET ? 32 : 128;
	address host =
		prefix->len == bits ? 0 : ~(address)0 >> (128 - bits + prefix->len);

	item.family = prefix->addr.family == AF_INET ? V4 : V6;
	item.len = prefix->len;
	item.vpc = vpc;
	item.start = address_of(&prefix->addr) & ~host;
	item.end = item.start | host;
	return item;
}

/* Enclosing prefixes come before what they enclose, equal ones together. */
static int compare_items(const void *left, const void *right)
{
	const struct item *a = left;
	const struct item *b = right;

	if (a->family != b->family)
		return a->family - b->family;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->len != b->len)
		return a->len - b->len;
	return a->vpc < b->vpc ? -1 : a->vpc > b->vpc;
}

/* From here on sources belong to `set`. */
static void start_range(struct view *view, int family, address start, uint32_t set)
{
	size_t *count = &view->range_counts[family];
	struct range *ranges = view->ranges[family];

	if (*count > 0 && ranges[*count - 1].start == start)
		(*count)--;
	ranges[(*count)++] = (struct range){start, set};
}

/* Make a set of the items that have the prefix of the first; returns how many. */
static size_t add_set(struct view *view, const struct item *items, size_t count)
{
	struct set *set = &view->sets[view->set_count++];
	size_t i = 0;

	*set = (struct set){(uint32_t)view->member_count, 0, false};
	for (; i < count && items[i].family == items[0].family &&
	       items[i].start == items[0].start && items[i].len == items[0].len;
	     i++) {
		if (items[i].vpc == UNDECLARED) {
			set->undeclared = true;
		} else if (i == 0 || items[i].vpc != items[i - 1].vpc) {
			view->members[view->member_count++] = items[i].vpc;
			set->count++;
		}
	}
	return i;
}

/* Prefixes nest or are apart, so a stack of the open ones is enough. */
static size_t flatten_family(struct view *view, int family, const struct item *items,
			     size_t count)
{
	struct {
		address end;
		uint32_t set;
	} open[130]; /* lengths 0 to 128, and the empty set around them */
	size_t depth = 1;
	size_t i = 0;

	open[0].end = family == V4 ? UINT32_MAX : ~(address)0;
	open[0].set = 0;
	start_range(view, family, 0, 0);
	while (i < count && items[i].family == family) {
		const struct item *item = &items[i];

		while (open[depth - 1].end < item->start) {
			depth--;
			start_range(view, family, open[depth].end + 1,
				    open[depth - 1].set);
		}
		open[depth].end = item->end;
		open[depth++].set = (uint32_t)view->set_count;
		start_range(view, family, item->start, (uint32_t)view->set_count);
		i += add_set(view, items + i, count - i);
	}
	while (--depth > 0 && open[depth].end < open[0].end)
		start_range(view, family, open[depth].end + 1, open[depth - 1].set);
	return i;
}

/* One piece of memory for a view of at most `prefixes` prefixes. */
static struct view *allocate_view(size_t prefixes, size_t vpcs)
{
	size_t ranges = 2 * prefixes + 1;
	size_t words = vpcs / 64 + 1;
	struct {
		struct view view;
		_Alignas(16) struct range ranges[];
	} *all = calloc(1, sizeof *all + FAMILIES * ranges * sizeof(struct range) +
				   words * sizeof(uint64_t) +
				   (prefixes + 1) * sizeof(struct set) +
				   prefixes * sizeof(int32_t));
	struct view *view;

	if (!all)
		return NULL;
	view = &all->view;
	view->ranges[V4] = all->ranges;
	view->ranges[V6] = all->ranges + ranges;
	view->declared = (uint64_t *)(all->ranges + FAMILIES * ranges);
	view->declared_bits = words * 64;
	view->sets = (struct set *)(view->declared + words);
	view->members = (int32_t *)(view->sets + prefixes + 1);
	view->set_count = 1; /* set 0: nobody's sources */
	return view;
}

static size_t add_loopback(struct item *items)
{
	static const struct netprefix loopback[] = {
		{{AF_INET, {127}}, 8},
		{{AF_INET6, {[15] = 1}}, 128},
	};

	items[0] = item_of(&loopback[0], UNDECLARED);
	items[1] = item_of(&loopback[1], UNDECLARED);
	return 2;
}

static gaz_status gather_items(struct zonedb *db, const struct vpc_decl *vpcs,
			       size_t count, bool strict, struct item *items,
			       size_t *count_out)
{
	size_t n = strict ? 0 : add_loopback(items);

	for (size_t i = 0; i < count; i++) {
		int number;

		if (view_intern_vpc(db, vpcs[i].id, &number) != GAZ_OK)
			return GAZ_ENOMEM;
		for (size_t p = 0; p < vpcs[i].count; p++)
			items[n++] = item_of(&vpcs[i].prefixes[p], number);
	}
	*count_out = n;
	return GAZ_OK;
}

static void mark_declared(struct zonedb *db, const struct vpc_decl *vpcs, size_t count,
			  struct view *view)
{
	for (size_t i = 0; i < count; i++) {
		int number;

		/* It is known by now: this cannot fail. */
		if (view_intern_vpc(db, vpcs[i].id, &number) != GAZ_OK ||
		    is_declared(view, number))
			continue;
		view->declared[number / 64] |= (uint64_t)1 << (number % 64);
		view->declared_count++;
	}
}

gaz_status view_new(struct zonedb *db, const struct vpc_decl *vpcs, size_t count,
		    bool strict, struct view **out)
{
	size_t total = 2; /* the loopback prefixes */
	struct item *items;
	struct view *view = NULL;
	size_t v4;

	for (size_t i = 0; i < count; i++)
		total += vpcs[i].count;
	items = calloc(total, sizeof *items);
	if (items && gather_items(db, vpcs, count, strict, items, &total) == GAZ_OK)
		view = allocate_view(total, (size_t)db->vpc_count);
	if (view) {
		mark_declared(db, vpcs, count, view);
		qsort(items, total, sizeof *items, compare_items);
		v4 = flatten_family(view, V4, items, total);
		flatten_family(view, V6, items + v4, total - v4);
		*out = view;
	}
	free(items);
	return view ? GAZ_OK : GAZ_ENOMEM;
}
