/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/vpc.h"

#include <stdlib.h>
#include <string.h>

#include "registry/call.h"
#include "registry/registry-internal.h"
#include "store/store.h"
#include "zone/zonedit.h"

static const struct registry_vpc *find_fixed(const struct registry *r, const char *id)
{
	for (size_t i = 0; i < r->config.vpc_count; i++) {
		if (strcmp(r->config.vpcs[i].id, id) == 0)
			return &r->config.vpcs[i];
	}
	return NULL;
}

static struct span id_key(const char *id)
{
	return (struct span){(const uint8_t *)id, strlen(id)};
}

gaz_status vpc_find(struct call *call, const char *id)
{
	struct span value;

	if (find_fixed(call->registry, id))
		return GAZ_OK;
	return call_get(call, TABLE_VPC, id_key(id), &value);
}

/* ---- stored form: the canonical texts of the prefixes ---- */

static void put_cidrs(struct bytes *b, const struct text_list *cidrs)
{
	bytes_put_u8(b, 1); /* version */
	bytes_put_u32(b, (uint32_t)cidrs->count);
	for (size_t i = 0; i < cidrs->count; i++)
		bytes_put_text(b, cidrs->items[i]);
}

gaz_status vpc_read_cidrs(struct call *call, struct span value, struct text_list *out)
{
	struct reader r;
	uint32_t count;

	reader_init(&r, value);
	if (reader_u8(&r) != 1)
		return GAZ_ESTORE;
	count = reader_u32(&r);
	if (r.failed || count > r.left / 4)
		return GAZ_ESTORE;
	*out = (struct text_list){.present = true};
	out->items = arena_alloc(call->arena, count * sizeof *out->items);
	for (; out->items && out->count < count; out->count++)
		out->items[out->count] = reader_text(&r, call->arena);
	if (call->arena->failed)
		return GAZ_ENOMEM;
	return r.failed || r.left > 0 ? GAZ_ESTORE : GAZ_OK;
}

static gaz_status parse_prefixes(struct call *call, const struct text_list *cidrs,
				 struct netprefix **out)
{
	struct netprefix *prefixes =
		arena_alloc(call->arena, cidrs->count * sizeof *prefixes);

	for (size_t i = 0; prefixes && i < cidrs->count; i++) {
		if (netaddr_parse_prefix(cidrs->items[i], &prefixes[i]) != GAZ_OK)
			return fault_set(
				&call->fault, FAULT_INVALID_INPUT,
				"'%.64s' is not an address prefix such as 10.0.0.0/16 "
				"or fd00:1::/32; bits behind the length must be zero",
				cidrs->items[i]);
	}
	*out = prefixes;
	return prefixes ? GAZ_OK : GAZ_ENOMEM;
}

static gaz_status print_prefixes(struct call *call, const struct netprefix *prefixes,
				 size_t count, struct text_list *out)
{
	char text[NETADDR_TEXT_SIZE];

	*out = (struct text_list){.present = true};
	out->items = arena_alloc(call->arena, count * sizeof *out->items);
	for (; out->items && out->count < count; out->count++)
		out->items[out->count] = arena_strdup(
			call->arena, netaddr_print_prefix(&prefixes[out->count], text));
	return call->arena->failed ? GAZ_ENOMEM : GAZ_OK;
}

/* ---- the two sources together ---- */

static gaz_status fill_fixed(struct call *call, const struct registry_vpc *vpc,
			     struct vpc_record *out)
{
	struct text_list cidrs;
	gaz_status st = print_prefixes(call, vpc->prefixes, vpc->prefix_count, &cidrs);

	*out = (struct vpc_record){vpc->id, cidrs.items, cidrs.count, true};
	return st;
}

static gaz_status count_stored(struct call *call, struct store_cursor *cursor,
			       size_t *out)
{
	struct span key;
	struct span value;
	gaz_status st = store_cursor_seek(cursor, (struct span){NULL, 0}, &key, &value);

	(void)call;
	for (*out = 0; st == GAZ_OK; st = store_cursor_next(cursor, &key, &value))
		++*out;
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static gaz_status fill_stored(struct call *call, struct store_cursor *cursor,
			      struct vpc_page_out *page)
{
	struct span key;
	struct span value;
	gaz_status st = store_cursor_seek(cursor, (struct span){NULL, 0}, &key, &value);

	for (; st == GAZ_OK; st = store_cursor_next(cursor, &key, &value)) {
		struct text_list cidrs;
		const char *id =
			arena_strndup(call->arena, (const char *)key.data, key.len);
		gaz_status read = id ? vpc_read_cidrs(call, value, &cidrs) : GAZ_ENOMEM;

		if (read != GAZ_OK)
			return read;
		/* Configuration wins over what was stored before it said so. */
		if (!find_fixed(call->registry, id))
			page->items[page->count++] =
				(struct vpc_record){id, cidrs.items, cidrs.count, false};
	}
	return st == GAZ_ENOTFOUND ? GAZ_OK : st;
}

static int compare_vpcs(const void *a, const void *b)
{
	return strcmp(((const struct vpc_record *)a)->id,
		      ((const struct vpc_record *)b)->id);
}

gaz_status vpc_list(struct call *call, const void *in, void *out)
{
	const struct registry_config *config = &call->registry->config;
	struct vpc_page_out *page = out;
	struct store_cursor *cursor = NULL;
	size_t stored = 0;
	gaz_status st = store_cursor_open(call->txn, TABLE_VPC, &cursor);

	(void)in;
	if (st == GAZ_OK)
		st = count_stored(call, cursor, &stored);
	if (st == GAZ_OK)
		page->items = arena_alloc(call->arena, (config->vpc_count + stored) *
							       sizeof *page->items);
	if (st == GAZ_OK && !page->items)
		st = GAZ_ENOMEM;
	for (size_t i = 0; st == GAZ_OK && i < config->vpc_count; i++)
		st = fill_fixed(call, &config->vpcs[i], &page->items[page->count++]);
	if (st == GAZ_OK)
		st = fill_stored(call, cursor, page);
	store_cursor_close(&cursor);
	if (st == GAZ_OK && page->count > 1)
		qsort(page->items, page->count, sizeof *page->items, compare_vpcs);
	return st;
}

gaz_status vpc_project(struct call *call)
{
	struct vpc_page_out page = {0};
	struct vpc_decl *decls;
	gaz_status st = vpc_list(call, NULL, &page);

	if (st != GAZ_OK)
		return st;
	decls = arena_alloc(call->arena, page.count * sizeof *decls);
	if (!decls)
		return GAZ_ENOMEM;
	for (size_t i = 0; st == GAZ_OK && i < page.count; i++) {
		const struct text_list cidrs = {page.items[i].cidrs,
						page.items[i].cidr_count, true};
		struct netprefix *prefixes;

		st = parse_prefixes(call, &cidrs, &prefixes);
		if (st == GAZ_OK)
			decls[i] = (struct vpc_decl){page.items[i].id, prefixes,
						     cidrs.count};
	}
	if (st != GAZ_OK)
		return st;
	return zonedit_set_vpcs(call->edit, decls, page.count,
				call->registry->config.strict_vpcs);
}

/* ---- PutVpc, DeleteVpc ---- */

static gaz_status refuse_fixed(struct call *call, const char *id)
{
	if (!find_fixed(call->registry, id))
		return GAZ_OK;
	return fault_set(
		&call->fault, FAULT_INVALID_INPUT,
		"The VPC %s is declared by the daemon's configuration; change it "
		"there and start the daemon again",
		id);
}

gaz_status vpc_put(struct call *call, const void *in, void *out)
{
	const struct put_vpc_in *input = in;
	struct vpc_record *record = out;
	struct netprefix *prefixes = NULL;
	struct text_list cidrs = {0};
	struct bytes value;
	gaz_status st = refuse_fixed(call, input->vpc_id);

	if (st == GAZ_OK && id_key(input->vpc_id).len > 256)
		return fault_set(&call->fault, FAULT_INVALID_INPUT, "VpcId is too long");
	if (st == GAZ_OK)
		st = parse_prefixes(call, &input->cidrs, &prefixes);
	if (st == GAZ_OK)
		st = print_prefixes(call, prefixes, input->cidrs.count, &cidrs);
	if (st != GAZ_OK)
		return st;
	bytes_init(&value);
	put_cidrs(&value, &cidrs);
	call_put(call, TABLE_VPC, id_key(input->vpc_id), &value);
	bytes_fini(&value);
	call->registry->vpcs_changed = true;
	*record = (struct vpc_record){input->vpc_id, cidrs.items, cidrs.count, false};
	return GAZ_OK;
}

gaz_status vpc_delete(struct call *call, const void *in, void *out)
{
	const struct vpc_id_in *input = in;
	gaz_status st = refuse_fixed(call, input->vpc_id);

	(void)out;
	if (st == GAZ_OK)
		st = vpc_find(call, input->vpc_id);
	if (st == GAZ_ENOTFOUND)
		return fault_set(&call->fault, FAULT_RESOURCE_NOT_FOUND,
				 "The VPC %.255s is not declared", input->vpc_id);
	if (st == GAZ_OK) {
		call_delete(call, TABLE_VPC, id_key(input->vpc_id));
		call->registry->vpcs_changed = true;
	}
	return st;
}
