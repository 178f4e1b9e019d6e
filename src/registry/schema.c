/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/schema.h"

#include <string.h>

#include "base/arena.h"

const char *const schema_table_names[TABLE_COUNT] = {
	[TABLE_NAMESPACE] = "namespace",
	[TABLE_NAMESPACE_ORDER] = "namespace-order",
	[TABLE_SERVICE] = "service",
	[TABLE_SERVICE_ORDER] = "service-order",
	[TABLE_SERVICE_ATTRIBUTES] = "service-attributes",
	[TABLE_INSTANCE] = "instance",
	[TABLE_NAME] = "name",
	[TABLE_TALLY] = "tally",
	[TABLE_UPPER_TALLY] = "upper-tally",
	[TABLE_TAG] = "tag",
	[TABLE_OPERATION] = "operation",
	[TABLE_OPERATION_LAST] = "operation-last",
	[TABLE_LOCK] = "lock",
	[TABLE_PENDING] = "pending",
	[TABLE_HEALTH_DUE] = "health-due",
	[TABLE_VPC] = "vpc",
};

enum {
	VALUE_VERSION = 1, /* the first byte of every record */
};

void key_put(struct key *key, const void *data, size_t len)
{
	if (sizeof key->data - key->len < len) {
		key->overflow = true;
		return;
	}
	memcpy(key->data + key->len, data, len);
	key->len += len;
}

void key_put_text(struct key *key, const char *text)
{
	key_put(key, text, strlen(text) + 1);
}

void key_put_u64(struct key *key, uint64_t v)
{
	uint8_t wire[8];

	for (int i = 7; i >= 0; i--, v >>= 8)
		wire[i] = (uint8_t)v;
	key_put(key, wire, sizeof wire);
}

void key_put_time(struct key *key, int64_t ms, const char *id, size_t len)
{
	key_put_u64(key, (uint64_t)ms);
	key_put(key, id, len);
}

int64_t key_time_ms(const struct key *key)
{
	struct reader r;

	reader_init(&r, key_span(key));
	return (int64_t)reader_u64(&r);
}

struct span key_span(const struct key *key)
{
	return (struct span){key->data, key->overflow ? 0 : key->len};
}

static gaz_status end_reading(const struct reader *r, const struct arena *arena)
{
	if (arena->failed)
		return GAZ_ENOMEM;
	return r->failed || r->left > 0 ? GAZ_ESTORE : GAZ_OK;
}

static void start_reading(struct reader *r, struct span value)
{
	reader_init(r, value);
	if (reader_u8(r) != VALUE_VERSION)
		r->failed = true;
}

void schema_put_namespace(struct bytes *b, const struct namespace_record *ns)
{
	bytes_put_u8(b, VALUE_VERSION);
	bytes_put_u8(b, (uint8_t)ns->type);
	bytes_put_text(b, ns->region);
	bytes_put_text(b, ns->account);
	bytes_put_text(b, ns->name);
	bytes_put_text(b, ns->http_name);
	bytes_put_text(b, ns->description);
	bytes_put_text(b, ns->creator_request_id);
	bytes_put_text(b, ns->vpc_id);
	bytes_put_text(b, ns->hosted_zone_id);
	bytes_put_u32(b, ns->soa_ttl);
	bytes_put_u64(b, (uint64_t)ns->create_ms);
}

gaz_status schema_get_namespace(struct span value, struct arena *arena,
				struct namespace_record *out)
{
	struct reader r;

	start_reading(&r, value);
	out->type = (enum namespace_type)reader_u8(&r);
	out->region = reader_text(&r, arena);
	out->account = reader_text(&r, arena);
	out->name = reader_text(&r, arena);
	out->http_name = reader_text(&r, arena);
	out->description = reader_text(&r, arena);
	out->creator_request_id = reader_text(&r, arena);
	out->vpc_id = reader_text(&r, arena);
	out->hosted_zone_id = reader_text(&r, arena);
	out->soa_ttl = reader_u32(&r);
	out->create_ms = (int64_t)reader_u64(&r);
	return end_reading(&r, arena);
}

void schema_put_service(struct bytes *b, const struct service_record *svc)
{
	bytes_put_u8(b, VALUE_VERSION);
	bytes_put_u8(b, (uint8_t)svc->type);
	bytes_put_text(b, svc->region);
	bytes_put_text(b, svc->account);
	bytes_put_text(b, svc->name);
	bytes_put_text(b, svc->namespace_id);
	bytes_put_text(b, svc->description);
	bytes_put_text(b, svc->creator_request_id);
	bytes_put_text(b, svc->request_digest);
	bytes_put_u64(b, (uint64_t)svc->create_ms);
	bytes_put_u8(b, (uint8_t)svc->dns_record_count);
	for (size_t i = 0; i < svc->dns_record_count; i++) {
		bytes_put_u8(b, (uint8_t)svc->dns_records[i].type);
		bytes_put_u32(b, svc->dns_records[i].ttl);
	}
	bytes_put_u8(b, (uint8_t)svc->routing_policy);
	bytes_put_u8(b, (uint8_t)svc->health_check);
	bytes_put_text(b, svc->resource_path);
	bytes_put_u32(b, svc->failure_threshold);
	bytes_put_u8(b, svc->has_custom_health);
	bytes_put_u8(b, svc->dns_deleted);
}

gaz_status schema_get_service(struct span value, struct arena *arena,
			      struct service_record *out)
{
	struct reader r;

	start_reading(&r, value);
	out->type = (enum service_type)reader_u8(&r);
	out->region = reader_text(&r, arena);
	out->account = reader_text(&r, arena);
	out->name = reader_text(&r, arena);
	out->namespace_id = reader_text(&r, arena);
	out->description = reader_text(&r, arena);
	out->creator_request_id = reader_text(&r, arena);
	out->request_digest = reader_text(&r, arena);
	out->create_ms = (int64_t)reader_u64(&r);
	out->dns_record_count = reader_u8(&r);
	if (out->dns_record_count > SERVICE_RECORDS_MAX)
		return GAZ_ESTORE;
	for (size_t i = 0; i < out->dns_record_count; i++) {
		out->dns_records[i].type = (enum record_type)reader_u8(&r);
		out->dns_records[i].ttl = reader_u32(&r);
	}
	out->routing_policy = (enum routing_policy)reader_u8(&r);
	out->health_check = (enum health_check_type)reader_u8(&r);
	out->resource_path = reader_text(&r, arena);
	out->failure_threshold = reader_u32(&r);
	out->has_custom_health = reader_u8(&r) != 0;
	out->dns_deleted = reader_u8(&r) != 0;
	return end_reading(&r, arena);
}

void schema_put_pairs(struct bytes *b, const struct pair_list *pairs)
{
	bytes_put_u32(b, (uint32_t)pairs->count);
	for (size_t i = 0; i < pairs->count; i++) {
		bytes_put_text(b, pairs->items[i].key);
		bytes_put_text(b, pairs->items[i].value);
	}
}

void schema_read_pairs(struct reader *r, struct arena *arena, struct pair_list *out)
{
	uint32_t count = reader_u32(r);

	*out = (struct pair_list){.present = true};
	/* Each pair takes eight bytes at least: bounds what is allocated. */
	if (r->failed || count > r->left / 8) {
		r->failed = true;
		return;
	}
	out->items = arena_alloc(arena, count * sizeof *out->items);
	if (!out->items) {
		r->failed = true;
		return;
	}
	for (; out->count < count; out->count++) {
		out->items[out->count].key = reader_text(r, arena);
		out->items[out->count].value = reader_text(r, arena);
	}
}

void schema_put_instance(struct bytes *b, const struct instance_record *inst)
{
	bytes_put_u8(b, VALUE_VERSION);
	bytes_put_text(b, inst->creator_request_id);
	bytes_put_u8(b, inst->healthy);
	bytes_put_u64(b, (uint64_t)inst->health_due_ms);
	schema_put_pairs(b, &inst->attributes);
}

gaz_status schema_get_instance(struct span value, struct arena *arena,
			       struct instance_record *out)
{
	struct reader r;

	start_reading(&r, value);
	out->creator_request_id = reader_text(&r, arena);
	out->healthy = reader_u8(&r) != 0;
	out->health_due_ms = (int64_t)reader_u64(&r);
	schema_read_pairs(&r, arena, &out->attributes);
	return end_reading(&r, arena);
}

void schema_put_tally(struct bytes *b, const struct tally *tally)
{
	bytes_put_u8(b, VALUE_VERSION);
	bytes_put_u32(b, tally->children);
	bytes_put_u32(b, tally->instances);
	bytes_put_u32(b, tally->pending);
	bytes_put_u64(b, tally->revision);
}

gaz_status schema_get_tally(struct span value, struct tally *out)
{
	struct reader r;

	start_reading(&r, value);
	out->children = reader_u32(&r);
	out->instances = reader_u32(&r);
	out->pending = reader_u32(&r);
	out->revision = reader_u64(&r);
	return r.failed || r.left > 0 ? GAZ_ESTORE : GAZ_OK;
}
